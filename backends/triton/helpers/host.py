"""Functions that a module prints beside its kernels: what its launchers call, and the imports."""

from __future__ import annotations

from crossport.backends.triton.math import NUMPY, NUMPY_IMPORTS

DIM3 = '''
def _dim3(size):
    """A launch size as three numbers."""
    x, y, z = (*((size,) if isinstance(size, int) else tuple(size)), 1, 1)[:3]
    if min(x, y, z) < 1:
        raise ValueError(f"a launch needs sizes of at least 1, not {size}")
    return int(x), int(y), int(z)
'''

ARRAY = '''
def _array(value, dtype, name):
    """An array as the kernel addresses it: flat, in the kernel's type; None is a null pointer."""
    if value is None:
        return torch.empty(0, dtype=dtype)
    if not value.is_contiguous():
        raise ValueError(f"{name} must be contiguous")
    if value.numel() * value.element_size() % dtype.itemsize:
        raise ValueError(f"{name} must hold a whole number of {dtype} elements")
    return value.reshape(-1).view(dtype)
'''

FIELDS = '''
def _fields(value, names):
    """The members of a struct, from a mapping or in order."""
    if hasattr(value, "keys"):
        return [value[name] for name in names]
    value = tuple(value)
    if len(value) != len(names):
        raise ValueError(f"a struct of {len(names)} members is needed: {', '.join(names)}")
    return value
'''

GLOBAL = '''
def _global(table, name, device):
    """A __device__ or __constant__ variable on the launch's device."""
    table[name] = table[name].to(device).contiguous()
    return table[name]
'''

BLOCKS_EACH = '''
def _blocks_each(blocks, grid, lanes, most):
    """Blocks for a program to take at once: as fill its lanes, and leave every processor some."""
    enough = blocks * grid[1] * grid[2] // 1024
    return triton.next_power_of_2(max(1, min(most // lanes, enough, blocks)))
'''

TUNED = '''
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
'''

WARP_LANES = '''
def _warp(each):
    """Lanes of one warp: a program of one waits for no other's loops. The interpreter: in bulk."""
    if triton.knobs.runtime.interpret:
        return 1024
    return each * (32 if torch.version.hip is None else 64)
'''

ON_CPU = '''
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

'''


def imports(libdevice: list[str], *, on_cpu: bool) -> str:
    standard = sorted({NUMPY_IMPORTS[f] for f in libdevice if f in NUMPY_IMPORTS})
    lines = [f"import {name}" for name in standard]
    if lines:
        lines.append("")
    if libdevice or on_cpu:
        lines.append("import numpy as np")
    lines += ["import torch", "import triton", "import triton.language as tl"]
    if libdevice:
        lines.append("from triton.language.extra import libdevice")
    if libdevice or on_cpu:
        lines.append("from triton.runtime.interpreter import TensorHandle")
    return "\n".join(lines) + "\n"


def on_cpu_text(libdevice: list[str]) -> str:
    rows = "".join(f"        {name} = staticmethod(_on_cpu({NUMPY[name]}))\n" for name in libdevice)
    return ON_CPU + rows
