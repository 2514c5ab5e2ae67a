"""Port CUDA kernels to HIP, Triton and Pallas, and prove each port against the NVIDIA run.

    import crossport
    result = crossport.port("kernel.cu", to="rocm")

What is heavy is imported when it is first used, so that `import crossport` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from crossport.api import MigrationResult, port, port_tree
    from crossport.diagnostics import Diagnostic, PortError
    from crossport.result import PortResult
    from crossport.validation.verdict import Verdict
    from crossport.verification import verify

__all__ = [
    "Diagnostic",
    "MigrationResult",
    "PortError",
    "PortResult",
    "Verdict",
    "port",
    "port_tree",
    "verify",
]

_HOMES = {
    "Diagnostic": "diagnostics",
    "PortError": "diagnostics",
    "PortResult": "result",
    "MigrationResult": "api",
    "port": "api",
    "port_tree": "api",
    "Verdict": "validation.verdict",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"crossport.{_HOMES[name]}"), name)
