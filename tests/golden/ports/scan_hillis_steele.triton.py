"""Triton port of scan_hillis_steele.cu, made by crossport 0.1.0.

Source sha256: cd51bc995b0099d3e3057c4fcaa7d751165408d66236714022c72386d95b3438
Kernels, and the tier of each:
    scan_hillis_steele: tile
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
def _add(x, y):
    return x + y


@triton.jit
def _scan_hillis_steele_kernel(
    in_,
    out,
    n: tl.int32,
    blocks: tl.int32,
    BLOCK_X: tl.constexpr,
    LANES: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    block_x = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)[:, None]
    thread_x = tl.arange(0, LANES)[None, :]
    active = (block_x < blocks) & (thread_x < BLOCK_X)
    block_dim_x = tl.full((), BLOCK_X, tl.int32)
    i = block_x * block_dim_x + thread_x
    in_value = tl.load(in_ + i, mask=active & (i < n), other=0)
    part = tl.where(i < n, in_value, 0)
    mask_1 = active & (i < n)
    sum_scan = tl.associative_scan(tl.where(active, part, tl.full((), 0, tl.int32)), 1, _add)
    tl.store(out + i, sum_scan, mask=mask_1)


def scan_hillis_steele(grid, block, in_, out, n, *, shared_bytes=0):
    """`scan_hillis_steele<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    if not (
        block[1:] == (1, 1) and block[0] in (
            32,
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
        return _scan_hillis_steele_by_thread(grid, block, in_, out, n, shared_bytes=shared_bytes)
    in_ = _array(in_, torch.int32, "in_")
    out = _array(out, torch.int32, "out")
    lanes = max(16, triton.next_power_of_2(threads))
    blocks = grid[0]
    blocks_each = _blocks_each(blocks, grid, lanes, 1024)

    def launch(blocks_each, num_warps, options):
        _scan_hillis_steele_kernel[(triton.cdiv(blocks, blocks_each), grid[1], grid[2])](
            in_,
            out,
            int(n),
            blocks,
            block[0],
            lanes,
            blocks_each,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(
        launch,
        _near(blocks_each=blocks_each, num_warps=max(1, min(16, lanes * blocks_each // 512))),
        ("scan_hillis_steele", grid, block, lanes),
        in_.device,
    )


@triton.jit
def _scan_hillis_steele_by_thread_kernel(
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
    program = tl.program_id(0).to(tl.int64)
    program += tl.num_programs(0) * tl.program_id(1).to(tl.int64)
    program += tl.num_programs(0) * tl.num_programs(1) * tl.program_id(2)
    scratch += program * scratch_bytes
    dynamic_shared = scratch.to(tl.pointer_type(tl.int32), bitcast=True)
    i = block_x * block_dim_x + thread_x
    ping = tl.full((), 0, tl.int32)
    in_value = tl.load(in_ + i, mask=active & (i < n), other=0)
    tl.store(dynamic_shared + thread_x, tl.where(i < n, in_value, 0), mask=active)
    tl.debug_barrier()
    offset = tl.full((), 1, tl.int32)
    while offset < block_dim_x:
        pong = 1 - ping
        tl.debug_barrier()
        dynamic_shared_value = tl.load(
            dynamic_shared + ping * block_dim_x + thread_x,
            mask=active,
            other=0,
        )
        value = dynamic_shared_value
        mask_1 = active & (thread_x >= offset)
        dynamic_shared_value_2 = tl.load(
            dynamic_shared + ping * block_dim_x + thread_x - offset,
            mask=mask_1,
            other=0,
        )
        value = tl.where(mask_1, value + dynamic_shared_value_2, value)
        tl.debug_barrier()
        tl.store(dynamic_shared + pong * block_dim_x + thread_x, value, mask=active)
        ping = pong
        tl.debug_barrier()
        offset = offset * 2
    mask_2 = active & (i < n)
    dynamic_shared_value_3 = tl.load(
        dynamic_shared + ping * block_dim_x + thread_x,
        mask=mask_2,
        other=0,
    )
    tl.store(out + i, dynamic_shared_value_3, mask=mask_2)


def _scan_hillis_steele_by_thread(grid, block, in_, out, n, *, shared_bytes=0):
    """`scan_hillis_steele<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    in_ = _array(in_, torch.int32, "in_")
    out = _array(out, torch.int32, "out")
    device = max((in_, out), key=torch.numel).device
    lanes = max(16, triton.next_power_of_2(threads))
    scratch_bytes = (0 + shared_bytes + 15) // 16 * 16
    scratch = torch.empty(
        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,
        dtype=torch.uint8, device=device
    )

    def launch(num_warps, options):
        _scan_hillis_steele_by_thread_kernel[grid](
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
        ("_scan_hillis_steele_by_thread", grid, block, lanes),
        in_.device,
    )


KERNELS = {
    "scan_hillis_steele": scan_hillis_steele,
}
