"""Triton port of lens_struct.cu, made by crossport 0.1.0.

Source sha256: 7aa06c43a8a40399821c3daca47e35c832d16917420eec17eb6ca081b351150d
Kernels, and the tier of each:
    lens_struct: tile
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


def _fields(value, names):
    """The members of a struct, from a mapping or in order."""
    if hasattr(value, "keys"):
        return [value[name] for name in names]
    value = tuple(value)
    if len(value) != len(names):
        raise ValueError(f"a struct of {len(names)} members is needed: {', '.join(names)}")
    return value


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
def _to_int(x, dtype: tl.constexpr):
    """Truncate as CUDA does: out of range saturates, NaN gives 0."""
    bits: tl.constexpr = dtype.primitive_bitwidth
    signed: tl.constexpr = dtype.is_int_signed()
    low: tl.constexpr = -(2.0 ** (bits - 1)) if signed else 0.0
    high: tl.constexpr = 2.0 ** (bits - 1) if signed else 2.0**bits
    smallest: tl.constexpr = -(2 ** (bits - 1)) if signed else 0
    largest: tl.constexpr = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    inside = (x > low) & (x < high)
    result = tl.where(inside, x, 0.0).to(dtype)
    result = tl.where(x >= high, tl.full((), largest, dtype), result)
    return tl.where(x <= low, tl.full((), smallest, dtype), result)


@triton.jit
def _lens_struct_kernel(
    lens_gain,
    lens_strength: tl.float32,
    lens_center_x: tl.float32,
    lens_center_y: tl.float32,
    lens_width: tl.int32,
    lens_height: tl.int32,
    in_,
    out,
    size_x: tl.int32,
    size_y: tl.int32,
    BLOCK_X: tl.constexpr,
    BLOCK_Y: tl.constexpr,
):
    index_x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)[None, :]
    index_y = tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y)[:, None]
    active = (index_x < size_x) & (index_y < size_y)
    zero = tl.zeros([BLOCK_Y, BLOCK_X], tl.int32)
    mask_1 = active & (index_x < lens_width) & (index_y < lens_height)
    dx = index_x.to(tl.float32) - lens_center_x
    dy = index_y.to(tl.float32) - lens_center_y
    factor = 1.0 + lens_strength * (dx * dx + dy * dy)
    sx = tl.minimum(
        tl.maximum(_to_int(lens_center_x + dx * factor, tl.int32), tl.full((), 0, tl.int32)),
        lens_width - 1,
    )
    sy = tl.minimum(
        tl.maximum(_to_int(lens_center_y + dy * factor, tl.int32), tl.full((), 0, tl.int32)),
        lens_height - 1,
    )
    in_value = tl.load(in_ + sy * lens_width + sx, mask=mask_1, other=0)
    lens_gain_value = tl.load(lens_gain + index_y + zero, mask=mask_1, other=0)
    tl.store(out + index_y * lens_width + index_x, in_value * lens_gain_value, mask=mask_1)


def lens_struct(grid, block, lens, in_, out, *, shared_bytes=0):
    """`lens_struct<<<grid, block>>>`; arrays (in_, out) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    lens_strength, lens_center_x, lens_center_y, lens_width, lens_height, lens_gain = _fields(
        lens,
        ["strength", "center_x", "center_y", "width", "height", "gain"],
    )
    lens_gain = _array(lens_gain, torch.float32, "lens_gain")
    in_ = _array(in_, torch.float32, "in_")
    out = _array(out, torch.float32, "out")
    size_x = grid[0] * block[0]
    size_y = grid[1] * block[1]
    if size_x * size_y >= 2**31:
        raise ValueError("a launch has fewer than 2**31 threads")
    block_x = min(32, triton.next_power_of_2(size_x))
    block_y = 1024 // block_x

    def launch(block_x, block_y, num_warps, options):
        _lens_struct_kernel[(triton.cdiv(size_x, block_x), triton.cdiv(size_y, block_y))](
            lens_gain,
            float(lens_strength),
            float(lens_center_x),
            float(lens_center_y),
            int(lens_width),
            int(lens_height),
            in_,
            out,
            size_x,
            size_y,
            block_x,
            block_y,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(
        launch,
        _near(block_x=block_x, block_y=block_y, num_warps=4),
        ("lens_struct", size_x, size_y),
        lens_gain.device,
    )


KERNELS = {
    "lens_struct": lens_struct,
}
