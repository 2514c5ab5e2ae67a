"""Triton port of histogram_shared_atomic.cu, made by crossport 0.1.0.

Source sha256: 175e6f70c4229e22fa7e79e6bd9c8cd1e9d062e55663bffdb442d94ffad485a7
Kernels, and the tier of each:
    histogram_shared_atomic: simt
"""


import torch
import triton
import triton.language as tl


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


@triton.jit
def _any(mask):
    """Does any lane hold?"""
    return tl.max(mask.to(tl.int32)) != 0


@triton.jit
def _histogram_shared_atomic_kernel(
    data,
    bins,
    n: tl.int32,
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
    block_x = tl.program_id(0)
    block_dim_x = tl.full((), BLOCK_X, tl.int32)
    grid_dim_x = tl.num_programs(0)
    program = tl.program_id(0).to(tl.int64)
    program += tl.num_programs(0) * tl.program_id(1).to(tl.int64)
    program += tl.num_programs(0) * tl.num_programs(1) * tl.program_id(2)
    scratch += program * scratch_bytes
    local = scratch.to(tl.pointer_type(tl.uint32), bitcast=True)
    for b_start in range(0, 256, block_dim_x):
        b = b_start + thread_x
        going = active & (b < 256)
        tl.store(local + b, 0, mask=going)
    tl.debug_barrier()
    stride = block_dim_x * grid_dim_x
    i = block_x * block_dim_x + thread_x
    going_2 = active & (i < n)
    while _any(going_2):
        data_value = tl.load(data + i, mask=going_2, other=0)
        tl.atomic_add(
            local + data_value.to(tl.int64),
            tl.full((), 1, tl.uint32),
            mask=going_2,
            sem="relaxed",
            scope="cta",
        )
        i = i + stride
        going_2 = going_2 & (i < n)
    tl.debug_barrier()
    for b_2_start in range(0, 256, block_dim_x):
        b_2 = b_2_start + thread_x
        going_3 = active & (b_2 < 256)
        local_value = tl.load(local + b_2, mask=going_3, other=0)
        mask_1 = going_3 & (local_value != 0)
        local_value_2 = tl.load(local + b_2, mask=mask_1, other=0)
        tl.atomic_add(bins + b_2, local_value_2, mask=mask_1, sem="relaxed")


def histogram_shared_atomic(grid, block, data, bins, n, *, shared_bytes=0):
    """`histogram_shared_atomic<<<grid, block>>>`; arrays (data, bins) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    data = _array(data, torch.uint8, "data")
    bins = _array(bins, torch.uint32, "bins")
    device = max((data, bins), key=torch.numel).device
    lanes = max(16, triton.next_power_of_2(threads))
    scratch_bytes = (1024 + 15) // 16 * 16
    scratch = torch.empty(
        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,
        dtype=torch.uint8, device=device
    )
    _histogram_shared_atomic_kernel[grid](
        data,
        bins,
        int(n),
        scratch,
        scratch_bytes,
        *block,
        lanes,
        num_warps=max(1, min(8, lanes // 64)),
        enable_fp_fusion=True,
    )


KERNELS = {
    "histogram_shared_atomic": histogram_shared_atomic,
}
