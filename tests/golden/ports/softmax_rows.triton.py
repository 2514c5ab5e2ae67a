"""Triton port of softmax_rows.cu, made by crossport 0.1.0.

Source sha256: 7297cbf8e5164f46292fc837acdd24f0907417fd3ddca1849fa503cea47668f7
Kernels, and the tier of each:
    softmax_rows: tile
"""


import numpy as np
import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice
from triton.runtime.interpreter import TensorHandle

if triton.knobs.runtime.interpret:

    def _on_cpu(function):
        """A math function for Triton's CPU interpreter, which has no libdevice."""

        def call(*args):
            like = max(args, key=lambda arg: arg.handle.data.size)
            values = [arg.handle.data for arg in args]
            if function is not np.nextafter:  # rounded once, from float64
                values = [v.astype(np.float64) if v.dtype == np.float32 else v for v in values]
            data = function(*values)
            data = np.broadcast_to(data.astype(like.handle.data.dtype), like.handle.data.shape)
            return tl.tensor(TensorHandle(data.copy(), like.dtype.scalar), like.type)

        return call

    class libdevice:  # noqa: N801
        """Stands in for `triton.language.extra.libdevice`."""

        exp = staticmethod(_on_cpu(np.exp))


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


def _blocks_each(blocks, grid, lanes, most):
    """Blocks for a program to take at once: as fill its lanes, and leave every processor some."""
    enough = blocks * grid[1] * grid[2] // 1024
    return triton.next_power_of_2(max(1, min(most // lanes, enough, blocks)))


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


@triton.jit
def _softmax_rows_row_kernel(
    in_,
    out,
    cols: tl.int32,
    blocks: tl.int32,
    BLOCK_X: tl.constexpr,
    LANES: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    block_x = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)[:, None]
    thread_x = tl.arange(0, LANES)[None, :]
    active = (block_x < blocks) & (thread_x < BLOCK_X)
    top = tl.full([BLOCKS, LANES], -3.4028234663852886e+38, tl.float32)
    mask_1 = active & (thread_x < cols)
    in_value = tl.load(
        in_ + block_x.to(tl.int64) * cols.to(tl.int64) + thread_x.to(tl.int64),
        mask=mask_1,
        other=0,
    )
    top = tl.where(mask_1, tl.maximum(top, in_value), top)
    top_4 = top
    sum_ = tl.full([BLOCKS, LANES], 0.0, tl.float32)
    fmax_all = tl.max(
        tl.where(active, top_4, tl.full((), float("-inf"), tl.float32)),
        axis=1,
        keep_dims=True,
    )
    mask_2 = active & (thread_x < cols)
    sum_ = tl.where(mask_2, sum_ + libdevice.exp(in_value - fmax_all), sum_)
    sum__3 = sum_
    sum_all = tl.sum(tl.where(active, sum__3, tl.full((), 0.0, tl.float32)), axis=1, keep_dims=True)
    scale = tl.div_rn(tl.full((), 1.0, tl.float32), sum_all)
    mask_3 = active & (thread_x < cols)
    tl.store(
        out + block_x.to(tl.int64) * cols.to(tl.int64) + thread_x.to(tl.int64),
        libdevice.exp(in_value - fmax_all) * scale,
        mask=mask_3,
    )


@triton.jit
def _softmax_rows_kernel(
    in_,
    out,
    cols: tl.int32,
    blocks: tl.int32,
    BLOCK_X: tl.constexpr,
    LANES: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    block_x = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)[:, None]
    thread_x = tl.arange(0, LANES)[None, :]
    active = (block_x < blocks) & (thread_x < BLOCK_X)
    block_dim_x = tl.full((), BLOCK_X, tl.int32)
    top = tl.full([BLOCKS, LANES], -3.4028234663852886e+38, tl.float32)
    for c_start in tl.range(0, cols, block_dim_x, loop_unroll_factor=4):
        c = c_start + thread_x
        going = active & (c < cols)
        in_value = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c.to(tl.int64),
            mask=going,
            other=0,
        )
        top = tl.where(going, tl.maximum(top, in_value), top)
    top_4 = top
    sum_ = tl.full([BLOCKS, LANES], 0.0, tl.float32)
    fmax_all = tl.max(
        tl.where(active, top_4, tl.full((), float("-inf"), tl.float32)),
        axis=1,
        keep_dims=True,
    )
    top_5 = fmax_all
    for c_2_start in tl.range(0, cols, block_dim_x, loop_unroll_factor=4):
        c_2 = c_2_start + thread_x
        going_2 = active & (c_2 < cols)
        in_value_2 = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c_2.to(tl.int64),
            mask=going_2,
            other=0,
        )
        sum_ = tl.where(going_2, sum_ + libdevice.exp(in_value_2 - top_5), sum_)
    sum__3 = sum_
    sum_all = tl.sum(tl.where(active, sum__3, tl.full((), 0.0, tl.float32)), axis=1, keep_dims=True)
    scale = tl.div_rn(tl.full((), 1.0, tl.float32), sum_all)
    for c_3_start in range(0, cols, block_dim_x):
        c_3 = c_3_start + thread_x
        going_3 = active & (c_3 < cols)
        in_value_3 = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c_3.to(tl.int64),
            mask=going_3,
            other=0,
        )
        tl.store(
            out + block_x.to(tl.int64) * cols.to(tl.int64) + c_3.to(tl.int64),
            libdevice.exp(in_value_3 - top_5) * scale,
            mask=going_3,
        )


def softmax_rows(grid, block, in_, out, cols, *, shared_bytes=0):
    """`softmax_rows<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    if not (block[1:] == (1, 1) and block[0] in (128,)):
        return _softmax_rows_by_thread(grid, block, in_, out, cols, shared_bytes=shared_bytes)
    in_ = _array(in_, torch.float32, "in_")
    out = _array(out, torch.float32, "out")
    longest = int(cols)
    if longest <= 16384:
        lanes = max(32, triton.next_power_of_2(longest))
        blocks = grid[0]
        blocks_each = _blocks_each(blocks, grid, lanes, 1024)
    
        def launch(blocks_each, num_warps, options):
            _softmax_rows_row_kernel[(triton.cdiv(blocks, blocks_each), grid[1], grid[2])](
                in_,
                out,
                int(cols),
                blocks,
                lanes,
                lanes,
                blocks_each,
                num_warps=num_warps,
                enable_fp_fusion=True,
                **options,
            )
    
        _tuned(
            launch,
            _near(blocks_each=blocks_each, num_warps=max(1, min(16, lanes * blocks_each // 512))),
            ("softmax_rows_row", grid, block, lanes),
            in_.device,
        )
        return
    blocks = grid[0]
    blocks_each = _blocks_each(blocks, grid, 4096, 1024)

    def launch(blocks_each, num_warps, options):
        _softmax_rows_kernel[(triton.cdiv(blocks, blocks_each), grid[1], grid[2])](
            in_,
            out,
            int(cols),
            blocks,
            4096,
            4096,
            blocks_each,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(
        launch,
        _near(blocks_each=blocks_each, num_warps=max(1, min(16, 4096 * blocks_each // 512))),
        ("softmax_rows", grid, block, 4096),
        in_.device,
    )


@triton.jit
def _softmax_rows_by_thread_kernel(
    in_,
    out,
    cols: tl.int32,
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
    program = tl.program_id(0).to(tl.int64)
    program += tl.num_programs(0) * tl.program_id(1).to(tl.int64)
    program += tl.num_programs(0) * tl.num_programs(1) * tl.program_id(2)
    scratch += program * scratch_bytes
    shared = scratch.to(tl.pointer_type(tl.float32), bitcast=True)
    top = tl.full([LANES], -3.4028234663852886e+38, tl.float32)
    for c_start in tl.range(0, cols, 128, loop_unroll_factor=4):
        c = c_start + thread_x
        going = active & (c < cols)
        in_value = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c.to(tl.int64),
            mask=going,
            other=0,
        )
        top = tl.where(going, tl.maximum(top, in_value), top)
    tl.store(shared + thread_x, top, mask=active)
    tl.debug_barrier()
    s = tl.full((), 64, tl.int32)
    while s > 0:
        mask_1 = active & (thread_x < s)
        tl.debug_barrier()
        shared_value = tl.load(shared + thread_x, mask=mask_1, other=0)
        shared_value_2 = tl.load(shared + thread_x + s, mask=mask_1, other=0)
        tl.debug_barrier()
        tl.store(shared + thread_x, tl.maximum(shared_value, shared_value_2), mask=mask_1)
        tl.debug_barrier()
        s = s >> 1
    shared_value_3 = tl.load(shared)
    top = tl.full([LANES], shared_value_3, tl.float32)
    tl.debug_barrier()
    sum_ = tl.full([LANES], 0.0, tl.float32)
    for c_2_start in tl.range(0, cols, 128, loop_unroll_factor=4):
        c_2 = c_2_start + thread_x
        going_2 = active & (c_2 < cols)
        in_value_2 = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c_2.to(tl.int64),
            mask=going_2,
            other=0,
        )
        sum_ = tl.where(going_2, sum_ + libdevice.exp(in_value_2 - top), sum_)
    tl.store(shared + thread_x, sum_, mask=active)
    tl.debug_barrier()
    s_2 = tl.full((), 64, tl.int32)
    while s_2 > 0:
        mask_2 = active & (thread_x < s_2)
        tl.debug_barrier()
        shared_value_4 = tl.load(shared + thread_x, mask=mask_2, other=0)
        shared_value_5 = tl.load(shared + thread_x + s_2, mask=mask_2, other=0)
        tl.debug_barrier()
        tl.store(shared + thread_x, shared_value_4 + shared_value_5, mask=mask_2)
        tl.debug_barrier()
        s_2 = s_2 >> 1
    shared_value_6 = tl.load(shared)
    scale = tl.div_rn(tl.full((), 1.0, tl.float32), shared_value_6)
    for c_3_start in range(0, cols, 128):
        c_3 = c_3_start + thread_x
        going_3 = active & (c_3 < cols)
        in_value_3 = tl.load(
            in_ + block_x.to(tl.int64) * cols.to(tl.int64) + c_3.to(tl.int64),
            mask=going_3,
            other=0,
        )
        tl.store(
            out + block_x.to(tl.int64) * cols.to(tl.int64) + c_3.to(tl.int64),
            libdevice.exp(in_value_3 - top) * scale,
            mask=going_3,
        )


def _softmax_rows_by_thread(grid, block, in_, out, cols, *, shared_bytes=0):
    """`softmax_rows<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    in_ = _array(in_, torch.float32, "in_")
    out = _array(out, torch.float32, "out")
    device = max((in_, out), key=torch.numel).device
    lanes = max(16, triton.next_power_of_2(threads))
    scratch_bytes = (512 + 15) // 16 * 16
    scratch = torch.empty(
        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,
        dtype=torch.uint8, device=device
    )

    def launch(num_warps, options):
        _softmax_rows_by_thread_kernel[grid](
            in_,
            out,
            int(cols),
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
        ("_softmax_rows_by_thread", grid, block, lanes),
        in_.device,
    )


KERNELS = {
    "softmax_rows": softmax_rows,
}
