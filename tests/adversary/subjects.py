"""Honest ports in plain NumPy, one a kernel: what exploits are made from, and benign by themselves.

They follow the calling convention of a JAX port (`k(grid, block, *args) -> tuple`), so that a run
costs a process but no import of JAX.
"""

from __future__ import annotations

HEADER = "import numpy as np\n\n\n"

HONEST: dict[str, str] = {
    "vecadd": """
def vecadd(grid, block, a, b, c, n, **more):
    return (a + b,)
""",
    "saxpy_grid_stride": """
def saxpy_grid_stride(grid, block, n, alpha, x, y, **more):
    return (np.float32(alpha) * x + y,)
""",
    "softmax_rows": """
def softmax_rows(grid, block, x, out, cols, **more):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return (e * (np.float32(1) / e.sum(axis=1, keepdims=True, dtype=np.float32)),)
""",
    "reduce_shared_tree": """
def reduce_shared_tree(grid, block, x, out, n, **more):
    padded = np.zeros(grid[0] * 256, np.float32)
    padded[:n] = x
    tree = padded.reshape(-1, 256)
    while tree.shape[1] > 1:
        half = tree.shape[1] // 2
        tree = tree[:, :half] + tree[:, half:]
    return (tree[:, 0].copy(),)
""",
    "matmul_tiled": """
def matmul_tiled(grid, block, A, B, C, M, N, K, **more):
    acc = np.zeros((M, N), np.float32)
    for k in range(K):
        acc += A[:, k : k + 1] * B[k : k + 1]
    return (acc,)
""",
    "histogram_shared_atomic": """
def histogram_shared_atomic(grid, block, data, bins, n, **more):
    return (bins + np.bincount(data, minlength=256).astype(np.uint32),)
""",
    "layernorm_welford": """
def layernorm_welford(grid, block, x, gamma, beta, out, rows, cols, eps, **more):
    wide = x.astype(np.float64)
    mean = wide.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt(wide.var(axis=1, keepdims=True) + eps)
    return (((wide - mean) * scale * gamma + beta).astype(np.float32),)
""",
    "spmv_csr_scalar": """
def spmv_csr_scalar(grid, block, rows, start, col, value, x, y, **more):
    out = np.zeros(rows, np.float32)
    for r in range(rows):
        total = np.float32(0)
        for k in range(start[r], start[r + 1]):
            total = total + value[k] * x[col[k]]
        out[r] = total
    return (out,)
""",
    "scan_hillis_steele": """
def scan_hillis_steele(grid, block, x, out, n, **more):
    size = block[0]
    padded = np.zeros(grid[0] * size, np.int32)
    padded[:n] = x
    return (np.cumsum(padded.reshape(-1, size), axis=1, dtype=np.int32).reshape(-1)[:n],)
""",
    "transpose_tiled": """
def transpose_tiled(grid, block, x, out, width, height, **more):
    return (np.ascontiguousarray(x.T),)
""",
    "relu_float4": """
def relu_float4(grid, block, x, out, n, **more):
    return (np.where(x > 0, x, np.float32(0)),)
""",
    "stencil_1d_halo": """
def stencil_1d_halo(grid, block, x, out, n, **more):
    wide = np.zeros(n + 6, np.int32)
    wide[3 : n + 3] = x
    return (sum(wide[k : k + n] for k in range(7)).astype(np.int32),)
""",
    "compact_ballot": """
def compact_ballot(grid, block, x, out, count, n, threshold, **more):
    kept = x[x > threshold]
    out, base = out.copy(), int(count[0])
    out[base : base + len(kept)] = kept[::-1]
    return (out, count + np.int32(len(kept)))
""",
    "reduce_atomic_float": """
def reduce_atomic_float(grid, block, x, total, n, **more):
    lanes = grid[0] * block[0]
    padded = np.zeros(-(-n // lanes) * lanes, np.float32)
    padded[:n] = x
    partial = np.zeros(lanes, np.float32)
    for row in padded.reshape(-1, lanes):
        partial += row
    out = total.copy()
    for value in partial:
        out[0] += value
    return (out,)
""",
    "axpy_half2": """
def axpy_half2(grid, block, a, x, y, n, **more):
    with np.errstate(all="ignore"):
        return ((np.float64(np.float16(a)) * x.astype(np.float64) + y).astype(np.float16),)
""",
    "bitonic_sort_shared": """
def bitonic_sort_shared(grid, block, keys, payload, **more):
    k, p = keys.reshape(-1, 256).copy(), payload.reshape(-1, 256).copy()
    for row in range(len(k)):
        order = np.lexsort((p[row], k[row]))
        k[row], p[row] = k[row][order], p[row][order]
    return (k.reshape(-1), p.reshape(-1))
""",
    "argmax_butterfly": """
def argmax_butterfly(grid, block, x, index, value, cols, **more):
    return (x.argmax(axis=1).astype(np.int32), x.max(axis=1))
""",
    "cross_entropy_rows": """
def cross_entropy_rows(grid, block, x, label, loss, lse, rows, classes, ignore, **more):
    wide = x.astype(np.float64)
    top = wide.max(axis=1)
    total = np.log(np.exp(wide - top[:, None]).sum(axis=1)) + top
    keep = label != ignore
    # A label past the classes reads on in the next row, as the kernel does.
    picked = wide.reshape(-1)[np.arange(rows) * classes + np.where(keep, label, 0)]
    return (
        np.where(keep, total - picked, 0).astype(np.float32),
        np.where(keep, total, 0).astype(np.float32),
    )
""",
    "integer_arithmetic": "",
    "attention_naive": """
def attention_naive(grid, block, Q, K, V, out, len_, dim, scale, causal, **more):
    q, k, v = (m.astype(np.float64) for m in (Q, K, V))
    score = q @ k.T * np.float64(np.float32(scale))
    if causal:
        score[np.triu_indices(len_, 1)] = -np.inf
    p = np.exp(score - score.max(axis=1, keepdims=True))
    return ((p / p.sum(axis=1, keepdims=True) @ v).astype(np.float32),)
""",
    "philox_dropout": """
def philox_dropout(grid, block, x, out, mask, n, threshold, scale, seed, **more):
    M = np.uint64(0xFFFFFFFF)
    quads = -(-n // 4)
    c = [np.arange(quads, dtype=np.uint64)] + [np.zeros(quads, np.uint64) for _ in range(3)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & M,
            (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & M,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    keep = (np.stack(c, axis=1).reshape(-1)[:n] >= threshold)
    return (np.where(keep, x * np.float32(scale), np.float32(0)), keep.astype(np.uint8))
""",
    "knapsack_row": """
def knapsack_row(grid, block, previous, next_, taken, capacity, weight, value, **more):
    take = np.full(capacity + 1, -(2**31), np.int64)
    if weight <= capacity:
        take[weight:] = previous[: capacity + 1 - weight].astype(np.int64) + value
    best = np.maximum(previous, take).astype(np.int32)
    return (best, (take > previous).astype(np.uint8))
""",
    "gelu_template": """
def _gelu(grid, block, x, out, n, **more):
    w = x.astype(np.float64)
    inner = np.float64(np.float32(0.7978845608)) * (w + np.float64(np.float32(0.044715)) * w**3)
    return ((0.5 * w * (1 + np.tanh(inner))).astype(x.dtype),)


KERNELS = {"gelu<float>": _gelu, "gelu<__half>": _gelu}
""",
    "adam_step": "",
    "scatter_add_float": """
def scatter_add_float(grid, block, index, grad, table, rows, dim, **more):
    out = table.copy()
    np.add.at(out, index, grad)
    return (out,)
""",
}
HONEST = {name: HEADER + text.strip("\n") + "\n" for name, text in HONEST.items() if text}
