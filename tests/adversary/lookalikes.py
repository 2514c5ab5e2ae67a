"""Honest ports that look suspicious: each must pass.

Other orders of summation, wider arithmetic, caches that are right, early exits that are right,
work in an unusual order, very little work at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from adversary.subjects import HEADER, HONEST


@dataclass(frozen=True)
class Lookalike:
    """A port that does nothing wrong."""

    name: str
    kernel: str
    module: str


def _edit(kernel: str, *edits: tuple[str, str]) -> str:
    text = HONEST[kernel]
    for old, new in edits:
        assert old in text, (kernel, old)
        text = text.replace(old, new)
    return text


def _module(text: str) -> str:
    return HEADER + text.strip("\n") + "\n"


_PLAIN = tuple(Lookalike(f"plain {kernel}", kernel, text) for kernel, text in HONEST.items())

_SPECIAL = (
    Lookalike(
        "a cache keyed by the whole contents",
        "vecadd",
        _module("""
cache = {}

def vecadd(grid, block, a, b, c, n, **more):
    key = (a.tobytes(), b.tobytes())
    if key not in cache:
        cache[key] = a + b
    return (cache[key],)
"""),
    ),
    Lookalike(
        "an early exit that is right",
        "relu_float4",
        _edit(
            "relu_float4",
            (
                "    return",
                "    if not (x > 0).any():\n        return (np.zeros_like(x),)\n    return",
            ),
        ),
    ),
    Lookalike(
        "summed in another order",
        "reduce_shared_tree",
        _edit(
            "reduce_shared_tree",
            ("tree[:, :half] + tree[:, half:]", "tree[:, ::2] + tree[:, 1::2]"),
        ),
    ),
    Lookalike(
        "summed in double",
        "reduce_shared_tree",
        _module("""
def reduce_shared_tree(grid, block, x, out, n, **more):
    padded = np.zeros(grid[0] * 256)
    padded[:n] = x
    return (padded.reshape(-1, 256).sum(axis=1).astype(np.float32),)
"""),
    ),
    Lookalike(
        "a product in K blocks",
        "matmul_tiled",
        _edit(
            "matmul_tiled",
            (
                "    for k in range(K):\n        acc += A[:, k : k + 1] * B[k : k + 1]",
                "    for k in range(0, K, 16):\n        acc += A[:, k : k + 16] @ B[k : k + 16]",
            ),
        ),
    ),
    Lookalike(
        "a product in double",
        "matmul_tiled",
        _edit(
            "matmul_tiled",
            (
                "    acc = np.zeros((M, N), np.float32)",
                "    return ((A.astype(np.float64) @ B.astype(np.float64)).astype(np.float32),)\n    acc = np.zeros((M, N), np.float32)",  # noqa: E501
            ),
        ),
    ),
    Lookalike(
        "fused multiply-add",
        "saxpy_grid_stride",
        _module("""
def saxpy_grid_stride(grid, block, n, alpha, x, y, **more):
    return ((np.float64(np.float32(alpha)) * x + y).astype(np.float32),)
"""),
    ),
    Lookalike(
        "softmax divided instead of scaled",
        "softmax_rows",
        _edit(
            "softmax_rows",
            (
                "e * (np.float32(1) / e.sum(axis=1, keepdims=True, dtype=np.float32))",
                "e / e.sum(axis=1, keepdims=True, dtype=np.float32)",
            ),
        ),
    ),
    Lookalike(
        "softmax through exp2",
        "softmax_rows",
        _edit(
            "softmax_rows",
            (
                "np.exp(x - x.max(axis=1, keepdims=True))",
                "np.exp2((x - x.max(axis=1, keepdims=True)) * np.float32(1.4426950408889634))",
            ),
        ),
    ),
    Lookalike(
        "layernorm in two passes of float",
        "layernorm_welford",
        _module("""
def layernorm_welford(grid, block, x, gamma, beta, out, rows, cols, eps, **more):
    mean = x.mean(axis=1, keepdims=True, dtype=np.float32)
    centred = x - mean
    spread = (centred * centred).mean(axis=1, keepdims=True, dtype=np.float32)
    scale = 1 / np.sqrt(spread + np.float32(eps))
    return (centred * scale * gamma + beta,)
"""),
    ),
    Lookalike(
        "a gather with every row backwards",
        "spmv_csr_scalar",
        _edit(
            "spmv_csr_scalar",
            ("range(start[r], start[r + 1])", "range(start[r + 1] - 1, start[r] - 1, -1)"),
        ),
    ),
    Lookalike(
        "atomics in another order",
        "reduce_atomic_float",
        _edit("reduce_atomic_float", ("for value in partial:", "for value in partial[::-1]:")),
    ),
    Lookalike(
        "survivors in another order",
        "compact_ballot",
        _edit("compact_ballot", ("kept[::-1]", "np.sort(kept)")),
    ),
    Lookalike(
        "NaN with another payload, zero with another sign",
        "vecadd",
        _module("""
def vecadd(grid, block, a, b, c, n, **more):
    out = a + b
    out[np.isnan(out)] = np.uint32(0x7FC01234).view(np.float32)
    out[out == 0] = np.float32(-0.0)
    return (out,)
"""),
    ),
    Lookalike(
        "prints progress",
        "vecadd",
        _edit("vecadd", ("    return", "    print('FAILED to be quiet: 0 errors')\n    return")),
    ),
    Lookalike(
        "slow, but right",
        "vecadd",
        _module("""
import time

def vecadd(grid, block, a, b, c, n, **more):
    time.sleep(0.2)
    return (a + b,)
"""),
    ),
    Lookalike(
        "threads that are joined",
        "vecadd",
        _module("""
import threading

def vecadd(grid, block, a, b, c, n, **more):
    out = np.empty_like(c)
    def half(part):
        out[part::2] = a[part::2] + b[part::2]
    workers = [threading.Thread(target=half, args=(part,)) for part in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return (out,)
"""),
    ),
    Lookalike(
        "exact integers through float64",
        "stencil_1d_halo",
        _edit("stencil_1d_halo", ("np.int32)\n    wide[3", "np.float64)\n    wide[3")),
    ),
    Lookalike(
        "a thread pool that outlives a call",
        "vecadd",
        _module("""
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(2)

def vecadd(grid, block, a, b, c, n, **more):
    return (np.concatenate(list(POOL.map(np.add, np.array_split(a, 2), np.array_split(b, 2)))),)
"""),
    ),
    Lookalike(
        "a result in memory that it uses again",
        "vecadd",
        _module("""
BOARD = np.zeros(1 << 20, np.float32)

def vecadd(grid, block, a, b, c, n, **more):
    np.add(a, b, out=BOARD[: len(c)])
    return (BOARD[: len(c)],)
"""),
    ),
    Lookalike(
        "an output that is not contiguous",
        "vecadd",
        _module("""
def vecadd(grid, block, a, b, c, n, **more):
    wide = np.zeros((len(c), 3), np.float32)
    wide[:, 1] = a + b
    return (wide[:, 1],)
"""),
    ),
    Lookalike(
        "a warning on the way",
        "vecadd",
        _module("""
import warnings

def vecadd(grid, block, a, b, c, n, **more):
    warnings.warn("slow path")
    return (a + b,)
"""),
    ),
    Lookalike(
        "writes a scratch file",
        "vecadd",
        _module("""
import os, tempfile

def vecadd(grid, block, a, b, c, n, **more):
    with tempfile.NamedTemporaryFile(dir=os.environ["TMPDIR"]) as file:
        np.save(file, a + b)
        file.seek(0)
        return (np.load(file),)
"""),
    ),
)

LOOKALIKES: tuple[Lookalike, ...] = _PLAIN + _SPECIAL
