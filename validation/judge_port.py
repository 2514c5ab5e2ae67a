"""The door to the tester: judge what `crossport.port` made.

    verdict = judge_port(result, "softmax_rows/h200.bundle", target="triton")
    verdict.word       equivalent        verdict.exit_code       0 (3 failed, 4 cannot tell here)

Picks the runner that fits the target and what this machine has. Anything with `outputs` that carry
`path`, `data` and `target` will do as a result, and so will files on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, cast

from crossport.diagnostics import Code, Diagnostic, PortError, Severity
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.runners.base import Candidate, Runner
from crossport.validation.runners.sandbox import Limits
from crossport.validation.verdict import Verdict
from crossport.validation.verify import FRESH, UNSEEN, verify

Target = Literal["cuda", "hip", "triton", "pallas"]
RUNNERS = ("interp", "interp64", "triton", "pallas", "amdgpu", "nvidia", "hip")
_DEFAULT: dict[str, str] = {
    "cuda": "interp", "hip": "amdgpu", "triton": "triton", "pallas": "pallas",
}  # fmt: skip
_HIP_SUFFIXES = (".hip", ".cpp", ".hpp", ".cu", ".cc")


class Output(Protocol):
    """One file of a port."""

    @property
    def path(self) -> Path:
        """Where it is written, relative to the output folder."""

    @property
    def data(self) -> bytes:
        """Its contents."""

    @property
    def target(self) -> str:
        """hip, triton or pallas."""


class Ported(Protocol):
    """What the tester needs of a PortResult."""

    @property
    def outputs(self) -> Iterable[Output]:
        """Every file."""

    @property
    def diagnostics(self) -> Iterable[Diagnostic]:
        """What there is to say about the port."""


def judge_port(
    result: Ported | Candidate,
    against: Bundle | Path | str,
    *,
    target: str | None = None,
    runner: str | None = None,
    arch: str = "gfx942",
    fresh: int = FRESH,
    unseen: int = UNSEEN,
    seed: str | None = None,
    seconds: float = 120.0,
    rocm_path: str | None = None,
    kernels: Sequence[str] = (),
    not_ported: Mapping[str, str] | None = None,
    mutate: int = 0,
    explore: int = 0,
) -> Verdict:
    """Judge one target of a port against a recorded bundle.

    runner: one of RUNNERS; default: the one for the target. arch: for `amdgpu`. rocm_path: a ROCm
    install that compiles HIP. seconds: the limit for one sandboxed run. kernels: only these; none:
    all. not_ported: kernels without a port, and why; with any, the port is not verified.
    mutate: broken variants to try a kernel (its score). explore: launches to search for one that
    fails.
    Raises PortError for a bundle that cannot be used, a target that is not in the result, or a
    runner that does not run it; anything the port does is a verdict.
    """
    candidate = result if isinstance(result, Candidate) else candidate_of(result, target)
    bundle = against if isinstance(against, Bundle) else load_bundle(against)
    chosen = make_runner(
        runner or _DEFAULT[candidate.target], arch, seconds, _evidence(bundle), rocm_path
    )
    if candidate.target not in chosen.targets:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"the runner {chosen.name} runs {', '.join(chosen.targets)}, "
                f"not {candidate.target}",
            )
        )
    return verify(
        candidate, bundle, chosen, fresh=fresh, unseen=unseen, seed=seed, kernels=kernels,
        not_ported=not_ported, mutate=mutate, explore=explore,
    )  # fmt: skip


def candidate_of(result: Ported, target: str | None = None) -> Candidate:
    """Freeze the files of one target of a port."""
    outputs = list(result.outputs)
    present = list(dict.fromkeys(o.target for o in outputs))
    if target is None and len(present) == 1:
        target = present[0]
    mine = [o for o in outputs if o.target == target]
    if not mine:
        raise PortError(
            Diagnostic(
                Code.CANDIDATE_FAILED,
                f"there is no {target or 'single'} port to judge; "
                f"this result holds: {', '.join(present) or 'nothing'}",
            )
        )
    files = {o.path.as_posix(): o.data for o in mine}
    suffixes = _HIP_SUFFIXES if target == "hip" else (".py",)
    entry = next((n for s in suffixes for n in files if n.endswith(s)), next(iter(files)))
    left = [d for d in result.diagnostics if d.severity is Severity.ERROR]
    return Candidate(cast(Target, target), files, entry, tuple(d.message for d in left))


def candidate_from_file(path: Path | str, target: str) -> Candidate:
    """Freeze a port that lies on disk: one file."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_READ, f"cannot read {path}: {error.strerror}")
        ) from None
    name = str(path) if target == "cuda" else path.name
    return Candidate(cast(Target, target), {name: data}, name)


def make_runner(
    name: str, arch: str, seconds: float, hide: Sequence[Path] = (), rocm_path: str | None = None
) -> Runner:
    """A runner by name."""
    limits = Limits(seconds=seconds)
    match name:
        case "interp" | "interp64":
            from crossport.validation.runners.interp import InterpRunner

            return InterpRunner(64 if name == "interp64" else 32)
        case "triton":
            from crossport.validation.runners.python_module import triton_runner

            return triton_runner(limits, hide)
        case "pallas":
            from crossport.validation.runners.python_module import pallas_runner

            return pallas_runner(limits, hide)
        case "amdgpu":
            from crossport.validation.runners.amdgpu import AmdgpuRunner

            return AmdgpuRunner(arch, seconds, hide=tuple(hide), rocm_path=rocm_path)
        case "nvidia":
            from crossport.validation.runners.native_gpu import nvidia_runner

            return nvidia_runner(seconds, hide)
        case "hip":
            from crossport.validation.runners.native_gpu import hip_runner

            return hip_runner(seconds, hide, rocm_path)
        case _:
            raise PortError(
                Diagnostic(
                    Code.USAGE,
                    f"there is no runner {name!r}",
                    help=f"one of {', '.join(RUNNERS)}",
                )
            )


def _evidence(bundle: Bundle) -> list[Path]:
    """The folder that holds the bundle: out of a candidate's sight."""
    path = Path(bundle.name)
    return [path.resolve().parent] if path.exists() else []
