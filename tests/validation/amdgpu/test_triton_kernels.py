"""Kernels that Triton compiles for AMD run here: preloaded arguments, row broadcasts, MFMA."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tinygrad")
pytest.importorskip("triton")

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.device import Device


@triton.jit  # type: ignore[untyped-decorator]
def softmax_kernel(x, y, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    v = tl.load(x + row * n + at, mask=at < n, other=-float("inf"))
    e = tl.exp(v - tl.max(v, axis=0))
    tl.store(y + row * n + at, e / tl.sum(e, axis=0), mask=at < n)


@triton.jit  # type: ignore[untyped-decorator]
def matmul_kernel(a, b, c, K, N: tl.constexpr, BK: tl.constexpr):  # type: ignore[no-untyped-def]
    m = tl.arange(0, N)
    k = tl.arange(0, BK)
    total = tl.zeros((N, N), dtype=tl.float32)
    for start in range(0, K, BK):
        x = tl.load(a + m[:, None] * K + (start + k)[None, :])
        y = tl.load(b + (start + k)[:, None] * N + m[None, :])
        total += tl.dot(x, y)
    tl.store(c + m[:, None] * N + m[None, :], total)


def _compile(kernel: Any, signature: dict[str, str], constants: dict[str, int], arch: str) -> Any:
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    return triton.compile(source, target=GPUTarget("hip", arch, 64))


@pytest.mark.parametrize("arch", ("gfx942", "gfx950"))
def test_softmax(devices: Callable[[str], Device], arch: str) -> None:
    built = _compile(
        softmax_kernel,
        {"x": "*fp32", "y": "*fp32", "n": "i32", "BLOCK": "constexpr"},
        {"BLOCK": 1024},
        arch,
    )
    x = np.random.default_rng(1).standard_normal((8, 1000)).astype(np.float32)
    y = np.zeros_like(x)
    devices(arch).launch(
        CodeObject.load(built.asm["hsaco"]),
        built.metadata.name,
        8,
        built.metadata.num_warps * 64,
        [x, y, 1000],
        dynamic_lds=built.metadata.shared,
    )
    e = np.exp(x.astype(float) - x.max(1, keepdims=True))
    assert np.abs(y / (e / e.sum(1, keepdims=True)) - 1).max() < 2e-6


@pytest.mark.parametrize("arch", ("gfx942", "gfx950"))
@pytest.mark.parametrize("kind", ("fp16", "fp32", "bf16"))
def test_matmul(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    built = _compile(
        matmul_kernel,
        {
            "a": f"*{kind}",
            "b": f"*{kind}",
            "c": "*fp32",
            "K": "i32",
            "N": "constexpr",
            "BK": "constexpr",
        },
        {"N": 64, "BK": 32},
        arch,
    )
    rng = np.random.default_rng(2)
    a, b = rng.integers(-4, 5, (64, 128)), rng.integers(-4, 5, (128, 64))
    raw: dict[str, Any] = {
        "fp16": lambda v: v.astype(np.float16),
        "fp32": lambda v: v.astype(np.float32),
        "bf16": lambda v: (v.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16),
    }
    c = np.zeros((64, 64), np.float32)
    devices(arch).launch(
        CodeObject.load(built.asm["hsaco"]),
        built.metadata.name,
        1,
        built.metadata.num_warps * 64,
        [raw[kind](a), raw[kind](b), c, 128],
        dynamic_lds=built.metadata.shared,
    )
    assert np.array_equal(c, a @ b)
