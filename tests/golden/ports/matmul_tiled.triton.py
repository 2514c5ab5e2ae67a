"""Triton port of matmul_tiled.cu, made by crossport 0.1.0.

Source sha256: 85054d0e76c5a665dc54f16bbd32ac7f0d91877fa96b4386e1ab97ae14b14125
Kernels, and the tier of each:
    matmul_tiled: tile
"""


import numpy as np
import torch
import triton
import triton.language as tl
from triton.runtime.interpreter import TensorHandle


def _dim3(size):
    """A launch size as three numbers."""
    x, y, z = (*((size,) if isinstance(size, int) else tuple(size)), 1, 1)[:3]
    if min(x, y, z) < 1:
        raise ValueError(f"a launch needs sizes of at least 1, not {size}")
    return int(x), int(y), int(z)


def _array(value, dtype, name):
    """An array as the kernel addresses it: flat, in the kernel's type; None is a null pointer."""
    if value is None:
        return torch.empty(0, dtype=dtype)
    if not value.is_contiguous():
        raise ValueError(f"{name} must be contiguous")
    if value.numel() * value.element_size() % dtype.itemsize:
        raise ValueError(f"{name} must hold a whole number of {dtype} elements")
    return value.reshape(-1).view(dtype)


def _near(**first):
    """A configuration, then those with one of its numbers halved or doubled."""
    return [{**first, "options": {}}] + [
        {**first, name: changed, "options": {}}
        for name, number in first.items()
        for changed in (number // 2, number * 2)
        if changed >= 1 and not (name == "num_warps" and changed > 16)
    ]


def _tuned(launch, configurations, key, device):
    """Launch as the first configuration says; with `_tuned.measures` set, as the fastest does.

    It is found once for a key, by launching each for a few milliseconds.
    """
    chosen = configurations[0]
    if getattr(_tuned, "measures", False) and not triton.knobs.runtime.interpret:
        if torch.version.hip is not None:
            configurations = configurations + [
                {**c, "options": {**c["options"], "waves_per_eu": n}}
                for c in configurations
                for n in (2, 4)
            ]
        known = _tuned.__dict__.setdefault("known", {})
        key = (*key, device)
        if key not in known:
            times = []
            for configuration in configurations:
                try:
                    once = lambda c=configuration: launch(**c)  # noqa: E731
                    times.append(triton.testing.do_bench(once, 2, 15, return_mode="median"))
                except (triton.runtime.OutOfResources, triton.CompilationError):
                    times.append(float("inf"))
            known[key] = configurations[times.index(min(times))]
        chosen = known[key]
    launch(**chosen)


if triton.knobs.runtime.interpret:

    def _dot(a, b, total, precision):
        """A product of tiles for Triton's CPU interpreter, added up in the order of the source."""
        sums = total.handle.data
        left, right = a.handle.data.astype(np.float32), b.handle.data.astype(np.float32)
        for k in range(right.shape[0]):
            sums = sums + left[:, k, None] * right[k]
        return tl.tensor(TensorHandle(sums, tl.float32), total.type)

else:

    @triton.jit
    def _dot(a, b, total, PRECISION: tl.constexpr):
        """`total` and the product of two tiles."""
        return tl.dot(a, b, total, input_precision=PRECISION)


def _precision():
    """How fp32 is multiplied: no less exactly than by fused multiply-adds."""
    return "tf32x3" if torch.version.hip is None else "ieee"


def _tiles(rows, columns):
    """Tiles (rows, columns, inner) with their warps and stages, the usual one first."""
    is_small = rows * columns < 2048 * 2048
    if torch.version.hip is not None:
        tiles = [(64, 64, 32, 4, 2), (128, 128, 32, 8, 2), (128, 64, 32, 4, 2)]
        options = [{"matrix_instr_nonkdim": 16, "waves_per_eu": 2}, {"matrix_instr_nonkdim": 32}]
        tiles.sort(key=lambda tile: (tile[0] == 64) != is_small)
    else:
        tiles = [(128, 64, 32, 4, 3), (128, 64, 32, 8, 3), (64, 64, 32, 4, 3), (128, 128, 32, 8, 3)]
        options = [{}]
        tiles.sort(key=lambda tile: (tile[3] == 8) != is_small)
    return [
        {
            "block_m": m, "block_n": n, "block_k": k, "num_warps": w,
            "options": {"num_stages": s, **more},
        }
        for more in options
        for m, n, k, w, s in tiles
    ]


@triton.jit
def _tile(rows, columns, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    """This program's tile: eight rows of tiles at a time, so that neighbours share operands."""
    program = tl.program_id(0)
    down, across = tl.cdiv(rows, BLOCK_M), tl.cdiv(columns, BLOCK_N)
    first = program // (8 * across) * 8
    height = tl.minimum(down - first, 8)
    place = program % (8 * across)
    return first + place % height, place // height


@triton.jit
def _matmul_tiled_kernel(
    A,
    B,
    C,
    M: tl.int32,
    N: tl.int32,
    K: tl.int32,
    rows: tl.int32,
    columns: tl.int32,
    inner: tl.int32,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    PRECISION: tl.constexpr,
):
    tile_m, tile_n = _tile(rows, columns, BLOCK_M, BLOCK_N)
    row_ = tile_m * BLOCK_M + tl.arange(0, BLOCK_M)[:, None]
    column = tile_n * BLOCK_N + tl.arange(0, BLOCK_N)[None, :]
    active = (row_ < rows) & (column < columns)
    total = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    for start in range(0, inner, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)[None, :]
        k_down = start + tl.arange(0, BLOCK_K)[:, None]
        a = tl.load(
            A + row_ * K + k,
            mask=(row_ < rows) & (k < inner) & (row_ < M) & (k < K),
            other=0,
        )
        b = tl.load(
            B + k_down * N + column,
            mask=(column < columns) & (k_down < inner) & (k_down < K) & (column < N),
            other=0,
        )
        total = _dot(a, b, total, PRECISION)

    mask_1 = active & (row_ < M) & (column < N)
    tl.store(C + row_ * N + column, total, mask=mask_1)


def matmul_tiled(grid, block, A, B, C, M, N, K, *, shared_bytes=0):
    """`matmul_tiled<<<grid, block>>>`; arrays (A, B, C) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    if not (block == (16, 16, 1)):
        return _matmul_tiled_by_thread(grid, block, A, B, C, M, N, K, shared_bytes=shared_bytes)
    A = _array(A, torch.float32, "A")
    B = _array(B, torch.float32, "B")
    C = _array(C, torch.float32, "C")
    rows = grid[1] * 16
    columns = grid[0] * 16
    inner = max(0, ((15 + int(K)) // 16)) * 16
    precision = _precision()

    def launch(block_m, block_n, block_k, num_warps, options):
        _matmul_tiled_kernel[(triton.cdiv(rows, block_m) * triton.cdiv(columns, block_n),)](
            A,
            B,
            C,
            int(M),
            int(N),
            int(K),
            rows,
            columns,
            inner,
            block_m,
            block_n,
            block_k,
            precision,
            num_warps=num_warps,
            **options,
        )

    _tuned(launch, _tiles(rows, columns), ("_matmul_tiled_kernel", rows, columns, inner), A.device)


@triton.jit
def _matmul_tiled_by_thread_kernel(
    A,
    B,
    C,
    M: tl.int32,
    N: tl.int32,
    K: tl.int32,
    scratch,
    scratch_bytes: tl.int64,
    BLOCK_X: tl.constexpr,
    BLOCK_Y: tl.constexpr,
    BLOCK_Z: tl.constexpr,
    LANES: tl.constexpr,
):
    lane = tl.arange(0, LANES)
    active = lane < BLOCK_X * BLOCK_Y * BLOCK_Z
    thread_x = lane % BLOCK_X
    thread_y = lane // BLOCK_X % BLOCK_Y
    block_x = tl.program_id(0)
    block_y = tl.program_id(1)
    program = tl.program_id(0).to(tl.int64)
    program += tl.num_programs(0) * tl.program_id(1).to(tl.int64)
    program += tl.num_programs(0) * tl.num_programs(1) * tl.program_id(2)
    scratch += program * scratch_bytes
    As = scratch.to(tl.pointer_type(tl.float32), bitcast=True)
    Bs = (scratch + 1024).to(tl.pointer_type(tl.float32), bitcast=True)
    row_ = block_y * 16 + thread_y
    col = block_x * 16 + thread_x
    acc = tl.full([LANES], 0.0, tl.float32)
    for t in range((K + 16 - 1) // 16):
        a_col = t * 16 + thread_x
        b_row = t * 16 + thread_y
        A_value = tl.load(A + row_ * K + a_col, mask=active & ((row_ < M) & (a_col < K)), other=0)
        tl.debug_barrier()
        tl.store(
            As + thread_y.to(tl.int64) * 16 + thread_x.to(tl.int64),
            tl.where((row_ < M) & (a_col < K), A_value, 0.0),
            mask=active,
        )
        B_value = tl.load(B + b_row * N + col, mask=active & ((b_row < K) & (col < N)), other=0)
        tl.store(
            Bs + thread_y.to(tl.int64) * 16 + thread_x.to(tl.int64),
            tl.where((b_row < K) & (col < N), B_value, 0.0),
            mask=active,
        )
        tl.debug_barrier()
        for k in tl.static_range(16):
            As_value = tl.load(
                As + thread_y.to(tl.int64) * 16 + tl.cast(k, tl.int64),
                mask=active,
                other=0,
            )
            Bs_value = tl.load(
                Bs + tl.cast(k, tl.int64) * 16 + thread_x.to(tl.int64),
                mask=active,
                other=0,
            )
            acc = acc + As_value * Bs_value
        tl.debug_barrier()
    mask_1 = active & (row_ < M) & (col < N)
    tl.store(C + row_ * N + col, acc, mask=mask_1)


def _matmul_tiled_by_thread(grid, block, A, B, C, M, N, K, *, shared_bytes=0):
    """`matmul_tiled<<<grid, block>>>`; arrays (A, B, C) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    A = _array(A, torch.float32, "A")
    B = _array(B, torch.float32, "B")
    C = _array(C, torch.float32, "C")
    device = max((A, B, C), key=torch.numel).device
    lanes = max(16, triton.next_power_of_2(threads))
    scratch_bytes = (2048 + 15) // 16 * 16
    scratch = torch.empty(
        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,
        dtype=torch.uint8, device=device
    )

    def launch(num_warps, options):
        _matmul_tiled_by_thread_kernel[grid](
            A,
            B,
            C,
            int(M),
            int(N),
            int(K),
            scratch,
            scratch_bytes,
            *block,
            lanes,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(
        launch,
        _near(num_warps=max(1, min(8, lanes // 64))),
        ("_matmul_tiled_by_thread", grid, block, lanes),
        A.device,
    )


KERNELS = {
    "matmul_tiled": matmul_tiled,
}
