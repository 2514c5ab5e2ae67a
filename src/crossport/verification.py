"""`port verify` and `port record`: ports and recorded NVIDIA runs, brought before the tester.

    verify_source("k.cu", "hip", Options())     port it, run the port, judge it against k's bundle
    verify(result, against="k.bundle")          judge a port that the library made
    record("k.cu", "cases.toml", "k.bundle")    run the original and seal what it did

A bundle (`*.bundle`) beside the source is found by itself. Which runner stands for a target on this
machine: HIP on the AMD emulator, Triton and Pallas in their interpreters on the CPU.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.porting import Options, port_file
from crossport.result import PortResult, TargetName
from crossport.validation.bundle.archive import load_bundle, make_bundle, pack_bundle
from crossport.validation.runners.base import Candidate, Runner
from crossport.validation.verdict import Verdict
from crossport.validation.verify import verify as judge

RUNNERS = ("amdgpu", "triton", "pallas", "interp")


def verify(
    result: PortResult, against: str | Path, *, runner: str | None = None, arch: str = "gfx942"
) -> Verdict:
    """Judge a port to one target against a recorded NVIDIA run.

    Raises PortError if the result holds several targets or none, or the bundle is broken or was
    altered. Whatever the port does is a verdict.
    """
    targets = {output.target for output in result.outputs}
    if len(targets) != 1:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"a verdict is about one target; this port has {sorted(targets) or 'none'}",
                help="port to one target and verify that",
            )
        )
    (target,) = targets
    ported = [kernel.name for kernel in result.kernels if kernel.status != "refused"]
    candidate = _candidate(target, result)
    return judge(candidate, Path(against), _runner(target, runner, arch), kernels=ported)


def verify_source(
    source: str | Path,
    target: TargetName,
    options: Options,
    *,
    against: str | Path | None = None,
    runner: str | None = None,
) -> tuple[PortResult, Verdict]:
    """Port a CUDA source, run the port and judge it. Raises PortError as `verify` does."""
    bundle = Path(against) if against is not None else bundle_beside(Path(source))
    if runner == "interp":
        # The IR itself stands trial: the source, lowered and interpreted.
        path = Path(source)
        candidate = Candidate("cuda", {path.name: path.read_bytes()}, path.name)
        return PortResult(), judge(candidate, bundle, _runner(target, runner, ""))
    result = port_file(source, [target], options)
    if not result.outputs:
        raise PortError(
            Diagnostic(Code.CASES_MISSING, f"nothing of {source} could be ported to {target}"),
            *result.diagnostics,
        )
    return result, verify(result, bundle, runner=runner, arch=options.arch[0])


def bundle_beside(source: Path) -> Path:
    """The recorded run that lies beside a source. Raises PortError (CP5006) if there is none."""
    found = sorted(source.parent.glob("*.bundle"))
    named = [path for path in found if path.stem == source.stem]
    if not found:
        raise PortError(
            Diagnostic(
                Code.CASES_MISSING,
                f"no recorded run (*.bundle) lies beside {source}",
                help="name one with --against, or make one: port record SOURCE --cases FILE -o F",
            )
        )
    return (named or found)[0]


def record(source: str | Path, cases: str | Path, out: str | Path) -> bool:
    """Make a bundle; run the original in it where nvcc and a GPU are.

    True: `out` is a sealed, recorded bundle. False: `out` is a folder, in which `bash run.sh`
    records on a machine that can. Raises PortError if the cases are wrong or `out` is no place to
    write.
    """
    target = Path(out)
    if shutil.which("nvcc") is None or not _has_gpu():
        made = make_bundle(cases, target)
        _same_source(made.source, Path(source))
        return False
    with tempfile.TemporaryDirectory() as folder:
        made = make_bundle(cases, folder)
        _same_source(made.source, Path(source))
        done = subprocess.run(["bash", "run.sh"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            tail = done.stderr.strip().splitlines()[-3:]
            raise PortError(
                Diagnostic(Code.BUNDLE_INVALID, f"the original did not run: {' '.join(tail)}")
            )
        pack_bundle(folder, target)
    load_bundle(target)
    return True


def _same_source(named: Path, source: Path) -> None:
    if not source.exists() or not named.samefile(source):
        raise PortError(
            Diagnostic(Code.CASES_INVALID, f"the cases are for {named}, not for {source}")
        )


def _has_gpu() -> bool:
    smi = shutil.which("nvidia-smi")
    return smi is not None and subprocess.run([smi], capture_output=True).returncode == 0


def _candidate(target: TargetName, result: PortResult) -> Candidate:
    files: Mapping[str, bytes] = {str(output.path): output.data for output in result.outputs}
    return Candidate(target, files, str(result.outputs[0].path))


def _runner(target: TargetName, name: str | None, arch: str) -> Runner:
    from crossport.validation.runners.amdgpu import AmdgpuRunner
    from crossport.validation.runners.interp import InterpRunner
    from crossport.validation.runners.python_module import pallas_runner, triton_runner

    chosen = name or {"hip": "amdgpu", "triton": "triton", "pallas": "pallas"}[target]
    made: Runner
    match cast(Literal["amdgpu", "triton", "pallas", "interp"], chosen):
        case "amdgpu":
            made = AmdgpuRunner(arch)
        case "triton":
            made = triton_runner()
        case "pallas":
            made = pallas_runner()
        case "interp":
            return InterpRunner()
    if target not in made.targets:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"the runner {chosen} does not run {target} ports",
                help=f"it runs {', '.join(made.targets)}",
            )
        )
    return made
