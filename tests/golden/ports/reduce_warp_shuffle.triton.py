"""Triton port of reduce_warp_shuffle.cu, made by crossport 0.1.0.

Source sha256: 873c893e25a5692232253078ef4bfb495a7fd2f25dffa1f6f4ae0be805ecf28a
Kernels, and the tier of each:
    reduce_warp_shuffle: tile
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
def _any(mask):
    """Does any lane hold?"""
    return tl.max(mask.to(tl.int32)) != 0


@triton.jit
def _source(lane, source, WIDTH: tl.constexpr):
    """The lane that a shuffle reads: its own where the source is outside the group."""
    position = lane % WIDTH
    inside = (source >= 0) & (source < WIDTH)
    return lane - position + tl.where(inside, source, position)


@triton.jit
def _reduce_warp_shuffle_kernel(
    in_,
    out,
    n: tl.int32,
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
    block_dim_x = tl.full((), BLOCK_X, tl.int32)
    grid_dim_x = tl.num_programs(0)
    block_dim_y = tl.full((), BLOCK_Y, tl.int32)
    lane_ = thread_x % 32
    warp = thread_x // 32
    sum_ = tl.full([LANES], 0.0, tl.float32)
    for i_start in tl.range(
        block_x * block_dim_x,
        n,
        block_dim_x * grid_dim_x * block_dim_y,
        loop_unroll_factor=4,
    ):
        i = i_start + (thread_x + thread_y * (block_dim_x * grid_dim_x))
        going = active & (i < n)
        in_value = tl.load(in_ + i, mask=going, other=0)
        sum_ = tl.where(going, sum_ + in_value, sum_)
    value = sum_
    mask_1 = active & (warp == 0) & (thread_y == 0)
    mask_2 = mask_1 & (lane_ == 0)
    sum_all = tl.sum(tl.where(active, value, tl.full((), 0.0, tl.float32)), axis=0)
    tl.store(out + block_x, sum_all, mask=_any(mask_2))


def reduce_warp_shuffle(grid, block, in_, out, n, *, shared_bytes=0):
    """`reduce_warp_shuffle<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    if not (
        block[1:] == (1, 1) and block[0] in (
            64,
            96,
            128,
            160,
            192,
            256,
            320,
            384,
            512,
            640,
            768,
            896,
            1024,
        )
    ):
        return _reduce_warp_shuffle_by_thread(grid, block, in_, out, n, shared_bytes=shared_bytes)
    in_ = _array(in_, torch.float32, "in_")
    out = _array(out, torch.float32, "out")
    lanes = max(16, triton.next_power_of_2(threads))
    rounds = triton.next_power_of_2(max(1, min(4096 // lanes, int(n) // ((block[0] * grid[0])))))
    if int(n) + rounds * (block[0] * grid[0]) >= 2**31:
        rounds = 1
    lanes *= rounds

    def launch(num_warps, options):
        _reduce_warp_shuffle_kernel[grid](
            in_,
            out,
            int(n),
            block[0],
            rounds,
            1,
            lanes,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(
        launch,
        _near(num_warps=max(1, min(8, lanes // 256))),
        ("reduce_warp_shuffle", grid, block, lanes),
        in_.device,
    )


@triton.jit
def _reduce_warp_shuffle_by_thread_kernel(
    in_,
    out,
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
    warp_sums = scratch.to(tl.pointer_type(tl.float32), bitcast=True)
    lane_ = thread_x % 32
    warp = thread_x // 32
    sum_ = tl.full([LANES], 0.0, tl.float32)
    for i_start in tl.range(
        block_x * block_dim_x,
        n,
        block_dim_x * grid_dim_x,
        loop_unroll_factor=4,
    ):
        i = i_start + thread_x
        going = active & (i < n)
        in_value = tl.load(in_ + i, mask=going, other=0)
        sum_ = tl.where(going, sum_ + in_value, sum_)
    value = sum_
    offset = tl.full((), 16, tl.int32)
    while offset > 0:
        t1_3 = tl.gather(value, _source(lane, lane % 32 + offset, 32), 0)
        value = value + t1_3
        offset = offset // 2
    warp_sum_result = value
    sum_ = warp_sum_result
    mask_1 = active & (lane_ == 0)
    tl.store(warp_sums + warp, sum_, mask=mask_1)
    tl.debug_barrier()
    mask_2 = active & (warp == 0)
    warp_sums_value = tl.load(
        warp_sums + lane_,
        mask=mask_2 & (lane_.to(tl.uint32) < block_dim_x.to(tl.uint32) // 32),
        other=0,
    )
    sum_ = tl.where(
        mask_2,
        tl.where(lane_.to(tl.uint32) < block_dim_x.to(tl.uint32) // 32, warp_sums_value, 0.0),
        sum_,
    )
    value_2 = sum_
    offset_2 = tl.full((), 16, tl.int32)
    while offset_2 > 0:
        t1_5 = tl.gather(value_2, _source(lane, lane % 32 + offset_2, 32), 0)
        value_2 = value_2 + t1_5
        offset_2 = offset_2 // 2
    warp_sum_result_2 = value_2
    sum_ = tl.where(mask_2, warp_sum_result_2, sum_)
    mask_3 = mask_2 & (lane_ == 0)
    tl.store(out + block_x + lane * 0, sum_, mask=mask_3)


def _reduce_warp_shuffle_by_thread(grid, block, in_, out, n, *, shared_bytes=0):
    """`reduce_warp_shuffle<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    in_ = _array(in_, torch.float32, "in_")
    out = _array(out, torch.float32, "out")
    device = max((in_, out), key=torch.numel).device
    lanes = max(32, triton.next_power_of_2(threads))
    scratch_bytes = (128 + 15) // 16 * 16
    scratch = torch.empty(
        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,
        dtype=torch.uint8, device=device
    )

    def launch(num_warps, options):
        _reduce_warp_shuffle_by_thread_kernel[grid](
            in_,
            out,
            int(n),
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
        ("_reduce_warp_shuffle_by_thread", grid, block, lanes),
        in_.device,
    )


KERNELS = {
    "reduce_warp_shuffle": reduce_warp_shuffle,
}
