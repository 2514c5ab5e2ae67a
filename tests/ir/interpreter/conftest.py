"""Makes the helpers at the root of tests/ importable (`interpreter_model`, ...)."""

import sys
from pathlib import Path

TESTS = str(Path(__file__).parents[2])
if TESTS not in sys.path:
    sys.path.append(TESTS)
