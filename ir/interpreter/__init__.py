"""The meaning of the thread IR: run a kernel on NumPy arrays, many threads at once.

`run` is the way in; `Checks` says what to look for, `RunReport` what was found.
"""

from crossport.ir.interpreter.report import Checks, Finding, RunReport, ThreadId
from crossport.ir.interpreter.run import run
from crossport.ir.interpreter.textures import Texture

__all__ = ["Checks", "Finding", "RunReport", "Texture", "ThreadId", "run"]
