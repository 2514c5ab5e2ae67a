"""Inline PTX of a port, run on emulated GPUs of both widths, against what the PTX ISA says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from crossport.backends.hip.port import port_unit
from crossport.backends.hip.semantics import semantic_edits
from crossport.frontend.parse import parse
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device

N = 128
U32 = NDArray[np.uint32]

# A template that computes %0 from %1, %2, %3 (32-bit registers), and what it computes.
TEMPLATES: dict[str, Callable[[U32, U32, U32], NDArray[Any]]] = {
    "add.rn.f16x2 %0, %1, %2;": lambda a, b, c: _pairs(_two(a) + _two(b)),
    "sub.f16x2 %0, %1, %2;": lambda a, b, c: _pairs(_two(a) - _two(b)),
    "mul.f16x2 %0, %1, %2;": lambda a, b, c: _pairs(_two(a) * _two(b)),
    "fma.rn.f16x2 %0, %1, %2, %3;": lambda a, b, c: _pairs(
        (_two(a).astype(float) * _two(b).astype(float) + _two(c).astype(float)).astype(np.float16)
    ),
    "max.f16x2 %0, %1, %2;": lambda a, b, c: _pairs(np.fmax(_two(a), _two(b))),
    "neg.f16x2 %0, %1;": lambda a, b, c: a ^ np.uint32(0x80008000),
    "{ .reg .b16 l, h, r; mov.b32 {l, h}, %1; add.f16 r, l, h; mov.b32 %0, {r, h}; }": (
        lambda a, b, c: _pairs(np.stack([_two(a).sum(1, dtype=np.float16), _two(a)[:, 1]], 1))
    ),
    "{ .reg .f32 x, y; mov.b32 x, %1; mov.b32 y, %2; cvt.rn.f16x2.f32 %0, x, y; }": (
        lambda a, b, c: _pairs(np.stack([_float(b), _float(a)], 1).astype(np.float16))
    ),
    "{ .reg .f32 x, y; mov.b32 x, %1; mov.b32 y, %2; cvt.rn.bf16x2.f32 %0, x, y; }": (
        lambda a, b, c: _bfloat(_float(b)) | _bfloat(_float(a)) << np.uint32(16)
    ),
    "{ .reg .f32 x; mov.b32 x, %1; cvt.rna.tf32.f32 %0, x; }": (
        lambda a, b, c: a + np.uint32(0x1000) & np.uint32(0xFFFFE000)
    ),
    "{ .reg .f32 x; mov.b32 x, %1; mul.f32 x, x, 0f42C80000; cvt.rni.sat.s8.f32 %0, x; }": (
        lambda a, b, c: _signed(np.clip(np.rint(_float(a) * np.float32(100)), -128, 127))
    ),
    "cvt.sat.u8.s32 %0, %2;": lambda a, b, c: np.clip(b.view(np.int32), 0, 255).astype(np.uint32),
    "vabsdiff4.u32.u32.u32.add %0, %1, %2, %3;": lambda a, b, c: (
        np.abs(_bytes(a) - _bytes(b)).sum(1).astype(np.uint32) + c
    ),
    "{ .reg .pred p, q; setp.lt.s32 p|q, %1, %2; selp.b32 %0, %1, %3, q; }": (
        lambda a, b, c: np.where(a.view(np.int32) < b.view(np.int32), c, a)
    ),
    "{ .reg .pred p, q; setp.ne.u32 q, %3, 0; setp.gt.and.u32 p, %1, %2, q;"
    " selp.u32 %0, 1, 0, p; }": lambda a, b, c: ((a > b) & (c != 0)).astype(np.uint32),
    "redux.sync.add.s32 %0, %1, 0xffffffff;": lambda a, b, c: np.repeat(
        a.reshape(-1, 32).sum(1, dtype=np.uint32), 32
    ),
    "redux.sync.min.u32 %0, %1, 0xffffffff;": lambda a, b, c: np.repeat(
        a.reshape(-1, 32).min(1), 32
    ),
    "{ .reg .b32 t; and.b32 t, %1, 3; match.any.sync.b32 %0, t, 0xffffffff; }": (
        lambda a, b, c: _matches(a & np.uint32(3))
    ),
    "{ .reg .pred p; elect.sync _|p, 0xfffffff0; selp.u32 %0, 7, 1, p; }": (
        lambda a, b, c: np.where(np.arange(N) % 32 == 4, 7, 1).astype(np.uint32)
    ),
    "{ .reg .u32 r; .reg .pred p; shfl.sync.up.b32 r|p, %1, 3, 0x1000, 0xffffffff;"
    " @p add.u32 r, r, %2; mov.u32 %0, r; }": lambda a, b, c: _up(a, b, 3, 16),
    "{ .reg .u32 r; .reg .pred p; shfl.sync.down.b32 r|p, %1, 5, 0x181f, 0xffffffff;"
    " @!p mov.u32 r, %2; mov.u32 %0, r; }": lambda a, b, c: _down(a, b, 5, 8),
    "shfl.sync.idx.b32 %0, %1, 9, 0x1c1f, 0xffffffff;": lambda a, b, c: np.repeat(
        a.reshape(-1, 4)[:, 1], 4
    ),
}  # fmt: skip


def _two(words: U32) -> NDArray[np.float16]:
    return words.view(np.float16).reshape(-1, 2)


def _pairs(halves: NDArray[np.float16]) -> U32:
    return np.ascontiguousarray(halves).view(np.uint32).reshape(-1)


def _float(words: U32) -> NDArray[np.float32]:
    return words.view(np.float32)


def _bfloat(numbers: NDArray[np.float32]) -> U32:
    return numbers.astype(ml_dtypes.bfloat16).view(np.uint16).astype(np.uint32)


def _signed(numbers: NDArray[Any]) -> U32:
    return numbers.astype(np.int32).view(np.uint32)


def _bytes(words: U32) -> NDArray[np.int64]:
    return words.view(np.uint8).reshape(-1, 4).astype(np.int64)


def _matches(values: U32) -> U32:
    warps = values.reshape(-1, 1, 32) == values.reshape(-1, 32, 1)
    bits = (warps * (1 << np.arange(32))).sum(2)
    return np.asarray(bits, np.uint32).reshape(-1)


def _up(a: U32, b: U32, by: int, width: int) -> U32:
    lane = np.arange(N) % width
    return np.where(lane >= by, a[np.arange(N) - by] + b, a).astype(np.uint32)


def _down(a: U32, b: U32, by: int, width: int) -> U32:
    lane = np.arange(N) % width
    return np.where(lane + by < width, a[(np.arange(N) + by) % N], b).astype(np.uint32)


def _source() -> str:
    lines = "".join(
        f'  {{ unsigned r; asm volatile("{template}" : "=r"(r) : "r"(a), "r"(b), "r"(c));'
        f" out[{index} * {N} + i] = r; }}\n"
        for index, template in enumerate(TEMPLATES)
    )
    return (
        "__global__ void k(const unsigned* x, unsigned* out) {\n"
        f"  int i = threadIdx.x; unsigned a = x[i], b = x[i + {N}], c = x[i + 2 * {N}];\n"
        f"{lines}}}\n"
    )


@pytest.mark.parametrize("arch", ["gfx942", "gfx1100"])
def test_templates(tmp_path: Path, arch: str) -> None:
    source = tmp_path / "k.cu"
    source.write_text(_source())
    ported = port_unit(source, unit=parse(source), semantics=semantic_edits)
    assert not ported.diagnostics
    for file in ported.files:
        (tmp_path / file.target).write_bytes(file.ported)
    code = CodeObject.load(compile_hip(tmp_path / "k.hip", arch, include=[tmp_path]), arch)
    random = np.random.default_rng(17)
    # Halves and floats that are numbers, whichever way the words are read.
    halves = random.uniform(-2, 2, (3, N, 2)).astype(np.float16)
    words = halves.view(np.uint32).reshape(3, N)
    words[1, ::3] = random.integers(0, 400, len(words[1, ::3])).astype(np.uint32)
    words[2, ::5] = 0
    out = np.zeros((len(TEMPLATES), N), np.uint32)
    with Device(arch) as device:
        device.launch(code, next(iter(code.kernels)), 1, N, [words, out])
    for row, (template, meaning) in zip(out, TEMPLATES.items(), strict=True):
        wanted = np.asarray(meaning(*words)).view(np.uint32)
        assert np.array_equal(row, wanted), (template, row[:8], wanted[:8])


ATOMICS = """
__global__ void k(unsigned* p, unsigned long long* q, unsigned* out) {
  unsigned old;
  asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(p), "r"(3));
  out[threadIdx.x] = old;
  asm volatile("red.release.sys.global.max.u32 [%0], %1;" :: "l"(p + 1), "r"(threadIdx.x));
  asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" :: "l"(q), "l"(5ull));
  asm volatile("atom.acquire.cta.global.cas.b32 %0, [%1], %2, %3;"
               : "=r"(old) : "l"(p + 2), "r"(9), "r"(threadIdx.x + 100));
  out[threadIdx.x + 64] = old;
}
"""


def test_atomics_with_an_order(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(ATOMICS)
    ported = port_unit(source, unit=parse(source), semantics=semantic_edits)
    assert not ported.diagnostics
    (tmp_path / "k.hip").write_bytes(ported.files[0].ported)
    code = CodeObject.load(compile_hip(tmp_path / "k.hip", "gfx942"), "gfx942")
    p, q, out = np.array([10, 0, 9], np.uint32), np.zeros(1, np.uint64), np.zeros(128, np.uint32)
    with Device("gfx942") as device:
        device.launch(code, next(iter(code.kernels)), 1, 64, [p, q, out])
    assert sorted(out[:64]) == [10 + 3 * i for i in range(64)]
    assert p[:2].tolist() == [10 + 3 * 64, 63] and q[0] == 5 * 64
    assert (out[64:] == 9).sum() == 1 and 100 <= p[2] < 164
