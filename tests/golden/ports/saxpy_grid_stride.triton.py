"""Triton port of saxpy_grid_stride.cu, made by crossport 0.1.0.

Source sha256: 09d0c84ddbb92340926408abbec49e884380cf49bde1904e6132659f09e70fb3
Kernels, and the tier of each:
    saxpy_grid_stride: tile
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
def _saxpy_grid_stride_kernel(
    n: tl.int32,
    alpha: tl.float32,
    x,
    y,
    size_x: tl.int32,
    BLOCK_X: tl.constexpr,
):
    index_x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)
    active = index_x < size_x
    mask_1 = active & (index_x < n)
    x_value = tl.load(x + index_x, mask=mask_1, other=0)
    y_value = tl.load(y + index_x, mask=mask_1, other=0)
    tl.store(y + index_x, alpha * x_value + y_value, mask=mask_1)


def saxpy_grid_stride(grid, block, n, alpha, x, y, *, shared_bytes=0):
    """`saxpy_grid_stride<<<grid, block>>>`; arrays (x, y) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    x = _array(x, torch.float32, "x")
    y = _array(y, torch.float32, "y")
    size_x = int(n)
    if size_x <= 0:
        return
    if size_x >= 2**31:
        raise ValueError("a launch has fewer than 2**31 threads")
    block_x = 1024
    _saxpy_grid_stride_kernel[(triton.cdiv(size_x, block_x),)](
        int(n),
        float(alpha),
        x,
        y,
        size_x,
        block_x,
        num_warps=4,
        enable_fp_fusion=True,
    )


KERNELS = {
    "saxpy_grid_stride": saxpy_grid_stride,
}
