"""Run a case on the thread IR's interpreter: the meaning of the CUDA source, on NumPy.

    subject = Subject.of_source("vecadd.cu", cases)
    subject.run(case, contents).arrays["c"]        float32, as the GPU computes it
    subject.run(case, contents, oracle=True)       the same in float64: the true values

Serves three masters: the `interp` runner, the float64 oracle, and the reference for launches that
nobody recorded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.nodes import Function, Module
from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg, TextureArg
from crossport.validation.dtypes import Array
from crossport.validation.runners.base import Call, Candidate, RunOutput

SECONDS = 60.0


@dataclass(frozen=True)
class Subject:
    """A lowered source: kernels by the names that cases use."""

    module: Module
    warp_size: int = 32
    seconds: float = SECONDS
    _names: dict[str, Function] = field(default_factory=dict)

    @classmethod
    def of_source(
        cls, path: Path | str, kernels: Sequence[str], *, text: bytes | None = None,
        warp_size: int = 32,
    ) -> Subject:  # fmt: skip
        """Parse and lower a CUDA source; `kernels` are the instances that will be asked for."""
        from crossport.frontend.lowering import lower_unit
        from crossport.frontend.parse import parse

        instances = [name for name in kernels if "<" in name]
        unit = parse(path, text=text, instantiate=instances)
        return cls(lower_unit(unit), warp_size)

    def kernel(self, name: str) -> Function:
        """The kernel that a case calls `name`. Raises PortError where there is none."""
        wanted = _plain(name)
        for kernel in self.module.kernels:
            if _plain(kernel.name) == wanted:
                return kernel
        same = [k for k in self.module.kernels if _plain(k.name).split("<")[0] == wanted]
        if len(same) == 1:
            return same[0]
        known = ", ".join(k.name for k in self.module.kernels) or "none"
        raise PortError(
            Diagnostic(Code.CANDIDATE_FAILED, f"there is no kernel {name}; found: {known}")
        )

    def run(
        self, case: Case, contents: Mapping[str, Array], *, oracle: bool = False,
        watch: Any = None, checks: Any = None, blocks: range | None = None, contract: bool = False,
        single_sums: bool = False,
    ) -> Outputs:  # fmt: skip
        """Launch a case; `blocks`: only these; `contract`: fuse multiply-add; `single_sums`: matrix
        products summed in float. Raises PortError for what has no meaning or breaks the rules."""
        from crossport.ir.interpreter import run

        kernel = self.kernel(case.kernel)
        arrays = {name: values.copy() for name, values in contents.items()}
        arguments = [_argument(arg, arrays) for arg in case.args]
        symbols = {b.name: arrays[b.name] for b in case.buffers if b.symbol}
        report = run(
            self.module, kernel.name, case.grid, case.block, arguments,
            shared_bytes=case.shared_bytes, warp_size=self.warp_size,
            mode="oracle" if oracle else "exact", globals_=symbols, watch=watch, checks=checks,
            time_limit=self.seconds, blocks=blocks, contract=contract,
            single_sums=single_sums,
        )  # fmt: skip
        true: dict[str, Array] = {}
        for position, values in report.oracle.items():
            arg = case.args[position] if isinstance(position, int) else None
            if isinstance(arg, ArrayArg):
                true[arg.name] = np.asarray(values, dtype=np.float64).reshape(-1)
        return Outputs(arrays, true, report.seconds, tuple(map(str, report.findings)))


@dataclass(frozen=True, slots=True)
class Outputs:
    """Arrays after a launch; `true` holds the float arrays in float64 in oracle mode."""

    arrays: dict[str, Array]
    true: dict[str, Array]
    seconds: float
    findings: tuple[str, ...] = ()


class InterpRunner:
    """A CUDA candidate run as thread IR: checks what the frontend made of the source."""

    name = "interp"
    targets = ("cuda",)

    def __init__(self, warp_size: int = 32) -> None:
        self.warp_size = warp_size

    def missing(self) -> str | None:
        """Nothing: the interpreter comes with crossport."""
        return None

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """Make the calls one after the other."""
        kernels = tuple(dict.fromkeys(call.case.kernel for call in calls))
        try:
            subject = Subject.of_source(
                Path(candidate.entry), kernels, text=candidate.files[candidate.entry],
                warp_size=self.warp_size,
            )  # fmt: skip
        except PortError as error:
            return [RunOutput("failed", message=error.diagnostic.message) for _ in calls]
        return [_run(subject, call) for call in calls]


def _run(subject: Subject, call: Call) -> RunOutput:
    began = time.perf_counter()
    try:
        outputs = subject.run(call.case, call.contents)
    except PortError as error:
        # What has no interpretation says nothing about the source.
        unable = error.diagnostic.code is Code.NOT_INTERPRETED
        return RunOutput("missing" if unable else "failed", message=error.diagnostic.message)
    except Exception as error:  # A fault of the interpreter must not end a verdict.
        return RunOutput("failed", message=f"the interpreter failed: {error!r}"[:500])
    faults = tuple(
        f"input {array.name} was changed"
        for array in call.case.arrays
        if array.role == "in"
        and outputs.arrays[array.name].tobytes() != call.contents[array.name].tobytes()
    )
    return RunOutput("ok", outputs.arrays, faults, seconds=time.perf_counter() - began)


def _argument(arg: object, arrays: Mapping[str, Array]) -> Any:
    match arg:
        case ArrayArg():
            return arrays[arg.name]
        case ScalarArg():
            if arg.dtype.is_float:
                return float(arg.value)
            return int(arg.value)
        case StructArg():
            return tuple(arrays[f[1]] if isinstance(f, tuple) else f.value for f in arg.fields)
        case TextureArg():
            return texture(arg, arrays[arg.array])
    raise AssertionError(arg)


def texture(arg: TextureArg, values: Array) -> Any:
    from crossport.ir.interpreter.textures import Texture

    shape = (arg.height, arg.width) if arg.height else (arg.width,)
    channels = (arg.channels,) if arg.channels > 1 else ()
    return Texture(
        values.reshape(*shape, *channels), len(shape), arg.channels, arg.linear_filter,
        arg.address, arg.normalized,
    )  # fmt: skip


def _plain(name: str) -> str:
    """A kernel's name as compared: no spaces, no `struct`, truth values as numbers."""
    name = name.replace("struct ", "").replace(" ", "")
    return re.sub(r"\btrue\b", "1", re.sub(r"\bfalse\b", "0", name))
