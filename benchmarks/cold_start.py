"""How long a user waits: cold processes, wall time, median of several runs.

python benchmarks/cold_start.py [--runs 9] [--json FILE]

port --help             limit 0.2 s
port k.cu --to rocm     limit 1.0 s   (parse, port, write)
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KERNEL = Path(__file__).parents[1] / "corpus" / "reduce_warp_shuffle" / "reduce_warp_shuffle.cu"
CLI = [sys.executable, "-c", "from crossport.cli import main; main()"]


def measure(arguments: list[str], runs: int) -> float:
    """Median seconds of a fresh process; RuntimeError if it fails."""
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run([*CLI, *arguments], capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if done.returncode:
            raise RuntimeError(f"port {' '.join(arguments)}: {done.stderr}")
    return statistics.median(times)


def main() -> int:
    """Print the table; exit 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = [str(KERNEL), "--to", "rocm", "-o", folder]
        cases = [("port --help", ["--help"], 0.2), ("port k.cu --to rocm", port, 1.0)]
        # The first port of a machine stores the prelude of the shim headers; users pay that once.
        once = measure(port, 1)
        rows = [(name, measure(arguments, options.runs), limit) for name, arguments, limit in cases]
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"first port: {once:.2f} s")
    for name, seconds, limit in rows:
        print(f"{name:<24} {seconds:.3f} s   (limit {limit} s)")
    if options.json:
        figures = {name: seconds for name, seconds, _ in rows} | {"first port": once}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(seconds > limit for _, seconds, limit in rows))


if __name__ == "__main__":
    sys.exit(main())
