"""Triton port of vecadd.cu, made by crossport 0.1.0.

Source sha256: f1c6cf05bd588430343240765a1a048537c924ffcb95db3e521f001e4cac7f1a
Kernels, and the tier of each:
    vecadd: tile
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
def _vecadd_kernel(a, b, c, n: tl.int32, size_x: tl.int32, BLOCK_X: tl.constexpr):
    index_x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)
    active = index_x < size_x
    mask_1 = active & (index_x < n)
    a_value = tl.load(a + index_x, mask=mask_1, other=0)
    b_value = tl.load(b + index_x, mask=mask_1, other=0)
    tl.store(c + index_x, a_value + b_value, mask=mask_1)


def vecadd(grid, block, a, b, c, n, *, shared_bytes=0):
    """`vecadd<<<grid, block>>>`; arrays (a, b, c) are updated in place."""
    grid, block = _dim3(grid), _dim3(block)
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {threads}")
    a = _array(a, torch.float32, "a")
    b = _array(b, torch.float32, "b")
    c = _array(c, torch.float32, "c")
    size_x = grid[0] * block[0]
    if size_x >= 2**31:
        raise ValueError("a launch has fewer than 2**31 threads")

    def launch(block_x, num_warps, options):
        _vecadd_kernel[(triton.cdiv(size_x, block_x),)](
            a,
            b,
            c,
            int(n),
            size_x,
            block_x,
            num_warps=num_warps,
            enable_fp_fusion=True,
            **options,
        )

    _tuned(launch, _near(block_x=1024, num_warps=4), ("vecadd", size_x), a.device)


KERNELS = {
    "vecadd": vecadd,
}
