"""Compile a ported module for an AMD GPU that need not be there.

    compile_port(text, {"saxpy": (1000, 2.5, x, y)}, arch="gfx942")   ->   {"saxpy": Compiled(...)}

The port's own launcher is called with its `@triton.jit` function replaced by a recorder; what it
would have launched is handed to Triton's compiler. Must run where TRITON_INTERPRET is not set.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossport.ir.lift import flat
from crossport.ir.types import Scalar

TORCH_NAMES = {
    "int8": "i8", "uint8": "u8", "int16": "i16", "uint16": "u16", "int32": "i32",
    "uint32": "u32", "int64": "i64", "uint64": "u64", "float16": "fp16", "bfloat16": "bf16",
    "float32": "fp32", "float64": "fp64", "bool": "i1",
}  # fmt: skip


@dataclass(frozen=True)
class Compiled:
    """What the compiler made of one kernel; `error` is empty if it succeeded."""

    error: str
    assembly: str = ""

    @property
    def spills(self) -> int:
        """Registers spilled to scratch memory."""
        return sum(int(n) for n in re.findall(r"\.[sv]gpr_spill_count:\s*(\d+)", self.assembly))

    @property
    def uses_mfma(self) -> bool:
        """Does it use the matrix units?"""
        return "v_mfma" in self.assembly


def compile_port(
    text: str,
    launches: Mapping[str, Sequence[Any]],
    *,
    arch: str = "gfx942",
    grid: Any = (2, 1, 1),
    block: Any = (128, 1, 1),
) -> dict[str, Compiled]:
    """Compile each named function of a port as launched with these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "port_to_compile.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location("port_to_compile", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["port_to_compile"] = module
        spec.loader.exec_module(module)
        result: dict[str, Compiled] = {}
        for name, args in launches.items():
            try:
                result[name] = _compile(module, name, args, arch, grid, block)
            except Exception as error:  # the compiler raises whatever it likes
                result[name] = Compiled(f"{type(error).__name__}: {error}"[-2000:])
        return result


def _compile(
    module: Any, name: str, args: Sequence[Any], arch: str, grid: Any, block: Any
) -> Compiled:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    launched: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    class Recorder:
        def __init__(self, kernel: Any) -> None:
            self.kernel = kernel

        def __getitem__(self, grid: Any) -> Any:
            return lambda *a, **k: launched.append((self.kernel, a, k))

    kernels = {k: v for k, v in vars(module).items() if k.endswith("_kernel")}
    for key, value in kernels.items():
        setattr(module, key, Recorder(value))
    try:
        getattr(module, name)(grid, block, *args)
    finally:
        for key, value in kernels.items():
            setattr(module, key, value)
    kernel, values, options = launched[0]
    function = getattr(kernel, "fn", kernel) if not hasattr(kernel, "arg_names") else kernel
    signature: dict[str, str] = {}
    constants: dict[tuple[int, ...], Any] = {}
    named = dict(zip(function.arg_names, values, strict=False))
    compile_options = {}
    for key, value in options.items():
        if key in function.arg_names:
            named[key] = value
        else:
            compile_options[key] = value
    for position, parameter in enumerate(function.params):
        value = named[parameter.name]
        if parameter.is_constexpr:
            signature[parameter.name] = "constexpr"
            constants[(position,)] = value
        elif hasattr(value, "data_ptr"):
            signature[parameter.name] = "*" + TORCH_NAMES[str(value.dtype).removeprefix("torch.")]
        else:
            signature[parameter.name] = _scalar(value)
    source = ASTSource(fn=function, signature=signature, constexprs=constants)
    compiled = triton.compile(source, target=GPUTarget("hip", arch, 64), options=compile_options)
    return Compiled("", compiled.asm["amdgcn"])


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "i1"
    if isinstance(value, float):
        return "fp32"
    return "i32" if -(1 << 31) <= value < 1 << 31 else "i64"


def dummy_arguments(program: flat.Program) -> list[Any]:
    """Arguments of the right types for a kernel, to compile it with."""
    import torch

    result: list[Any] = []
    for parameter in program.parameters:
        parts: dict[str, Any] = {
            path: torch.empty(64, dtype=torch.uint8) for path, _ in parameter.roots
        }
        for path, var in parameter.scalars:
            kind = var.type
            assert isinstance(kind, Scalar)
            parts[path] = 1.5 if kind.is_float else 7
        is_struct = parameter.paths and parameter.paths != ("",)
        if is_struct or not parts:
            result.append([parts[p] for p in parameter.paths])
        else:
            result.append(parts[""])
    return result
