"""Four Triton kernels written by hand: what triton_sizes.py measures generated ports against."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl


@triton.jit
def _matmul(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):  # type: ignore[no-untyped-def]
    m = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros([BM, BN], tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        left = tl.load(a + m * K + k[None, :], mask=(m < M) & (k[None, :] < K), other=0.0)
        right = tl.load(b + k[:, None] * N + n, mask=(k[:, None] < K) & (n < N), other=0.0)
        total = tl.dot(left, right, total, input_precision="tf32x3")
    tl.store(c + m * N + n, total, mask=(m < M) & (n < N))


def matmul(a: Any, b: Any, c: Any) -> None:
    """c = a b, three tf32 products for each of fp32."""
    (m, k), n = a.shape, b.shape[1]
    grid = (triton.cdiv(m, 128), triton.cdiv(n, 64))
    _matmul[grid](a, b, c, m, n, k, 128, 64, 32, num_warps=4, num_stages=3)


@triton.jit
def _softmax(x, y, columns, LANES: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, LANES)
    values = tl.load(x + row * columns + c, mask=c < columns, other=float("-inf"))
    powers = tl.exp(values - tl.max(values, axis=0))
    tl.store(y + row * columns + c, powers / tl.sum(powers, axis=0), mask=c < columns)


def softmax(x: Any, y: Any) -> None:
    """The softmax of each row."""
    rows, columns = x.shape
    _softmax[(rows,)](x, y, columns, triton.next_power_of_2(columns), num_warps=8)


@triton.jit
def _matvec(A, x, y, rows, columns, BM: tl.constexpr, BK: tl.constexpr):  # type: ignore[no-untyped-def]
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    total = tl.zeros([BM, BK], tl.float32)
    for start in range(0, columns, BK):
        k = start + tl.arange(0, BK)
        mask = (m[:, None] < rows) & (k[None, :] < columns)
        values = tl.load(A + m[:, None].to(tl.int64) * columns + k[None, :], mask=mask, other=0.0)
        total += values * tl.load(x + k, mask=k < columns, other=0.0)[None, :]
    tl.store(y + m, tl.sum(total, axis=1), mask=m < rows)


def matvec(A: Any, x: Any, y: Any) -> None:
    """y = A x."""
    rows, columns = A.shape
    _matvec[(triton.cdiv(rows, 16),)](A, x, y, rows, columns, 16, 256, num_warps=4)


@triton.jit
def _add(a, b, c, count, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = i < count
    tl.store(c + i, tl.load(a + i, mask=mask) + tl.load(b + i, mask=mask), mask=mask)


def add(a: Any, b: Any, c: Any) -> None:
    """c = a + b."""
    count = a.numel()
    _add[(triton.cdiv(count, 2048),)](a, b, c, count, 2048, num_warps=4)
