"""Record a bundle here, or prepare one to be recorded elsewhere.

record_bundle("vecadd", "vecadd.bundle")     with nvcc and a GPU: one sealed file
                                             without: a folder, and how to go on
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.archive import load_bundle, make_bundle, pack_bundle


@dataclass(frozen=True, slots=True)
class Recorded:
    """What `record_bundle` left behind. `missing`: why it is not recorded yet."""

    path: Path
    missing: str = ""

    @property
    def exit_code(self) -> int:
        """0, or 4 where this machine cannot run the original."""
        return 4 if self.missing else 0


def record_bundle(cases: Path | str, target: Path | str, *, seconds: float = 900.0) -> Recorded:
    """Make a bundle of a cases.toml and record it, if this machine can.

    Raises PortError for cases that are malformed, a driver that does not build, or a run that
    fails; a machine without nvcc or GPU is no error: the folder `<target>.d` can be carried to one.
    """
    target = Path(target)
    folder = target.with_name(target.name + ".d")
    make_bundle(cases, folder)
    lacking = missing_tools()
    if lacking:
        return Recorded(folder, f"{lacking}; run `bash {folder}/run.sh` on a machine that has it")
    try:
        done = subprocess.run(
            ["bash", "run.sh"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(f"the original was still running after {seconds:.0f} s") from None
    if done.returncode != 0:
        raise _failed(_reason(folder) or done.stderr.strip()[-500:] or "run.sh failed")
    pack_bundle(folder, target)
    load_bundle(target)
    shutil.rmtree(folder, ignore_errors=True)
    return Recorded(target)


def missing_tools() -> str:
    """What this machine lacks to run CUDA, in words; empty if nothing."""
    if shutil.which("nvcc") is None:
        return "there is no nvcc here"
    if shutil.which("nvidia-smi") is None:
        return "there is no NVIDIA GPU here"
    probe = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 and "GPU" in probe.stdout else "there is no NVIDIA GPU here"


def _failed(why: str) -> PortError:
    return PortError(Diagnostic(Code.CANDIDATE_FAILED, f"cannot record the original: {why}"))


def _reason(folder: Path) -> str:
    for name in ("build.log", "run.log"):
        path = folder / "results" / name
        if path.exists() and (text := path.read_text(errors="replace").strip()):
            wanted = [line for line in text.splitlines() if "error" in line or "driver:" in line]
            return (wanted or text.splitlines())[0][:500]
    return ""
