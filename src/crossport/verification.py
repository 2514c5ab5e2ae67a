"""`port verify`: a source is ported, the port is run, and the run is judged; `crossport.verify`.

    verify_source("k.cu", "hip", Options())     port it, run the port, judge it against k's bundle
    verify(result, against="k.bundle")          judge a port that the library made

A bundle (`*.bundle`) beside the source is found by itself. Without one, the interpreter stands in
for the NVIDIA run: what differs from it is wrong, what agrees with it stays unverified.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.porting import Options, launch_hints, parse_source, port_file
from crossport.result import KernelResult, PortResult, Status, TargetName
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import load_cases, parse_cases
from crossport.validation.judge_port import RUNNERS, candidate_from_file, judge_port
from crossport.validation.verdict import Verdict

__all__ = [
    "RUNNERS",
    "bundle_beside",
    "evidence_for",
    "inferred_cases",
    "not_judged",
    "verified",
    "verify",
    "verify_source",
]


def verify(
    result: PortResult,
    against: Bundle | str | Path,
    *,
    runner: str | None = None,
    arch: str = "gfx942",
    rocm_path: str | None = None,
    mutate: int = 0,
    explore: int = 0,
) -> Verdict:
    """Judge a port to one target against a recorded NVIDIA run.

    runner: `interp`, `interp64`, `amdgpu` (for `arch`), `triton`, `pallas`, `nvidia` or `hip`;
    None: what fits the target. rocm_path: a ROCm install, or its headers, that compiles HIP.
    mutate: how many broken variants of the port to judge as well; the verdict says how many fell.
    explore: how many more launches to search for one that fails; it is kept in the verdict.

    Raises PortError if the result holds several targets or none, the bundle is broken or was
    altered, or the runner does not run the target. Whatever the port does is a verdict.
    """
    bundle = against if isinstance(against, Bundle) else load_bundle(against)
    return judge_port(
        result, bundle, runner=runner, arch=arch, rocm_path=rocm_path,
        not_ported=not_judged(result, bundle), mutate=mutate, explore=explore,
    )  # fmt: skip


def not_judged(result: PortResult, bundle: Bundle) -> dict[str, str]:
    """Kernels that no run can vouch for: refused ones, and those that nobody recorded."""
    recorded = {case.function for case in bundle.cases.checked if bundle.has(case)}
    found: dict[str, str] = {}
    for kernel in result.kernels:
        if kernel.status == "refused":
            found[kernel.name] = kernel.reason or "no port can be right"
        elif kernel.name.split("<")[0].rsplit("::", 1)[-1].strip() not in recorded:
            found[kernel.name] = "no recorded launch"
    return found


def verify_source(
    source: str | Path,
    target: TargetName,
    options: Options,
    *,
    against: str | Path | None = None,
    runner: str | None = None,
    mutate: int = 0,
    explore: int = 0,
) -> Verdict:
    """Port a CUDA source, run the port and judge it. Raises PortError as `verify` does.

    A source that is a port already (`k.hip`, `k_triton.py`, `k_pallas.py`) is judged as it is.
    """
    path = Path(source)
    if (made_for := _target_of(path)) is not None:
        bundle = load_bundle(against) if against is not None else load_bundle(bundle_beside(path))
        return judge_port(
            candidate_from_file(path, made_for), bundle, runner=runner, arch=options.arch[0],
            rocm_path=options.rocm_path, mutate=mutate, explore=explore,
        )  # fmt: skip
    bundle = load_bundle(against) if against is not None else evidence_for(path, options)
    if runner is not None and runner.startswith(("interp", "nvidia")):
        # The source itself stands trial: lowered and interpreted, or run once more.
        return judge_port(candidate_from_file(path, "cuda"), bundle, runner=runner)
    result = port_file(path, [target], options)
    if not result.outputs:
        raise PortError(
            Diagnostic(Code.CANDIDATE_FAILED, f"nothing of {source} could be ported to {target}"),
            *result.diagnostics,
        )
    return verify(
        result, bundle, runner=runner, arch=options.arch[0], rocm_path=options.rocm_path,
        mutate=mutate, explore=explore,
    )  # fmt: skip


def _target_of(path: Path) -> TargetName | None:
    """The target of a file that is a port; None for a source."""
    if path.suffix == ".py":
        return "pallas" if path.stem.endswith("_pallas") else "triton"
    return "hip" if path.suffix == ".hip" else None


def verified(result: PortResult, source: Path, target: TargetName, verdict: Verdict) -> PortResult:
    """The result, with what the verdict says of each kernel of `source` that it judged."""
    words = verdict.kernels

    def judged(kernel: KernelResult) -> KernelResult:
        word = words.get(kernel.name)
        if word is None or kernel.name in verdict.not_ported:
            return kernel
        if kernel.target != target or not source.samefile(kernel.file):
            return kernel
        status: Status = "verified" if word.passes else "failed"
        if word.value == "undecided" or (word.passes and not verdict.is_recorded):
            status = "unverified"
        reason = f"{word.value} by {verdict.runner}"
        if not verdict.is_recorded:
            reason += ", against the interpreter only"
        return replace(kernel, status=status, reason=reason, verdict=verdict)

    return replace(result, kernels=tuple(judged(k) for k in result.kernels))


def evidence_for(source: Path, options: Options) -> Bundle:
    """What a port of a source is judged by: a recording, or what the interpreter makes of it.

    The interpreter runs the launches of the cases.toml beside the source, if that is about it, or
    those that can be worked out. Raises PortError (CP5006) where there are none either.
    """
    recorded = _recorded_beside(source)
    if recorded is not None:
        return load_bundle(recorded)
    cases = source.parent / "cases.toml"
    if cases.is_file() and (loaded := load_cases(cases)).source.resolve() == source.resolve():
        return interpreted_bundle(loaded)
    text = inferred_cases(source, options)
    made = parse_cases(text, source.parent / f"{source.name} (inferred cases)")
    return interpreted_bundle(made, inferred=True)


def inferred_cases(source: Path, options: Options) -> str:
    """Launches worked out from a source: a cases.toml. Raises PortError if there are none."""
    from crossport.frontend.lowering import lower_unit
    from crossport.validation.infer import infer_cases

    unit = parse_source(source, options)
    return infer_cases(lower_unit(unit), launches=launch_hints(unit), source=source.name)


def bundle_beside(source: Path) -> Path:
    """The recorded run that lies beside a source. Raises PortError (CP5006) if there is none."""
    found = _recorded_beside(source)
    if found is None:
        raise PortError(
            Diagnostic(
                Code.CASES_MISSING,
                f"no recorded run (*.bundle) lies beside {source}",
                help="name one with --against, or make one: port record SOURCE --cases FILE -o F",
            )
        )
    return found


def _recorded_beside(source: Path) -> Path | None:
    found = sorted(source.parent.glob("*.bundle"))
    named = [path for path in found if path.stem == source.stem]
    return next(iter(named or found), None)
