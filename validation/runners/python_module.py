"""Run generated Triton and JAX modules: each candidate in a sandboxed process of its own.

TritonRunner().run(candidate, calls)      Triton's interpreter on the CPU
PallasRunner().run(candidate, calls)      JAX on the CPU, kernels interpreted
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossport.validation.runners.base import Call, Candidate, RunOutput, Status
from crossport.validation.runners.exchange import Exchange
from crossport.validation.runners.sandbox import Limits, Ran, remove_tree, run_sandboxed

_WORKER = Path(__file__).resolve().with_name("work_python.py")


@dataclass
class PythonRunner:
    """What the two have in common."""

    name: str
    targets: tuple[str, ...]
    packages: tuple[str, ...]
    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    hide: tuple[Path, ...] = ()
    last: Ran | None = None
    """How the last process ended, and under which guards."""

    def missing(self) -> str | None:
        """The first Python package that is not installed."""
        for package in self.packages:
            if importlib.util.find_spec(package) is None:
                return f"the Python package {package}"
        return None

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """Make all calls in one fresh process."""
        if not calls:
            return []
        work = Path(tempfile.mkdtemp(prefix="crossport-run-"))
        try:
            work.chmod(0o777)
            for name, data in candidate.files.items():
                path = work / "candidate" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            # Under another name each time: a module cannot know itself by its path.
            entry = f"candidate/{candidate.entry}"
            shutil.copyfile(_WORKER, work / "worker.py")
            exchange = Exchange.create(work, self.targets[0], entry, calls)
            ran = run_sandboxed(
                [sys.executable, "-s", "-P", "worker.py"], work, self.limits,
                hide=self.hide, environment=self.environment,
            )  # fmt: skip
            self.last = ran
            return exchange.outputs(*_ending(ran, self.limits))
        finally:
            remove_tree(work)


def _ending(ran: Ran, limits: Limits) -> tuple[Status, str]:
    """Status and message for calls that left no reply."""
    if ran.status == "timeout":
        return "timeout", f"still running after {limits.seconds:.0f} s"
    last = ran.output.strip().splitlines()[-1:] or ["no output"]
    return "crashed", f"the process ended with {ran.code}: {last[0][:500]}"


def triton_runner(limits: Limits | None = None, hide: Sequence[Path] = ()) -> PythonRunner:
    """Triton, by its interpreter on the CPU."""
    return PythonRunner(
        "triton", ("triton",), ("torch", "triton"),
        {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        limits or Limits(), tuple(hide),
    )  # fmt: skip


def pallas_runner(limits: Limits | None = None, hide: Sequence[Path] = ()) -> PythonRunner:
    """Pallas and JAX, on the CPU."""
    return PythonRunner(
        "pallas", ("pallas",), ("jax",),
        {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        limits or Limits(), tuple(hide),
    )  # fmt: skip
