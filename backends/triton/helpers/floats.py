"""Floats that libdevice has not, or takes denormal numbers for zero in."""

from __future__ import annotations

from crossport.backends.triton.math import NEAR_IDENTITY

FLOATS: dict[str, str] = {
    "_cbrt": '''
@triton.jit
def _cbrt(x):
    """The cube root."""
    wide = tl.abs(x).to(tl.float64)
    positive = tl.where(wide > 0, wide, 1.0)
    root = tl.where(wide > 0, libdevice.pow(positive, tl.zeros_like(wide) + 1.0 / 3.0), wide)
    return tl.where(x < 0, -root, root).to(x.dtype)
''',
    "_sinpi": '''
@triton.jit
def _sinpi(x):
    """sin(pi x)."""
    wide = x.to(tl.float64)
    wide = wide - 2.0 * libdevice.rint(wide * 0.5)
    return libdevice.sin(wide * 3.141592653589793).to(x.dtype)
''',
    "_cospi": '''
@triton.jit
def _cospi(x):
    """cos(pi x)."""
    wide = x.to(tl.float64)
    wide = wide - 2.0 * libdevice.rint(wide * 0.5)
    return libdevice.cos(wide * 3.141592653589793).to(x.dtype)
''',
    "_floor": '''
@triton.jit
def _floor(x):
    """floor(x). Triton's, on NVIDIA, takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, tl.where(x < 0, -1.0, x * 0.0), tl.floor(x))
''',
    "_ceil": '''
@triton.jit
def _ceil(x):
    """ceil(x). Triton's, on NVIDIA, takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, tl.where(x > 0, 1.0, x * 0.0), tl.ceil(x))
''',
    "_rsqrt": '''
@triton.jit
def _rsqrt(x):
    """1 / sqrt(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return libdevice.rsqrt(tl.where(tiny, x * 16777216.0, x)) * tl.where(tiny, 4096.0, 1.0)
''',
    "_erf": '''
@triton.jit
def _erf(x):
    """erf(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, x * 1.1283791670955126, libdevice.erf(x))
''',
    "_fmod": '''
@triton.jit
def _fmod(x, y):
    """fmod(x, y), x where it is the smaller. libdevice takes denormal numbers for zero."""
    return tl.where(tl.abs(x) < tl.abs(y), x, libdevice.fmod(x, y))
''',
    "_atan2": '''
@triton.jit
def _atan2(y, x):
    """atan2(y, x), y / x where y is tiny. libdevice takes denormal numbers for zero."""
    angle = libdevice.atan2(y, x)
    ratio = tl.where(x > 1e-20, y / tl.where(x > 1e-20, x, 1.0), angle)
    return tl.where(tl.abs(y) < 1e-30, ratio, angle)
''',
}
for _name in NEAR_IDENTITY:
    FLOATS[f"_{_name}"] = f'''
@triton.jit
def _{_name}(x):
    """{_name}(x), x where that is tiny. libdevice takes denormal numbers for zero."""
    return tl.where(tl.abs(x) < 1.1754943508222875e-38, x, libdevice.{_name}(x))
'''
for _name, _scale in {"log": 16.635532333438686, "log2": 24.0, "log10": 7.224719895935548}.items():
    FLOATS[f"_{_name}"] = f'''
@triton.jit
def _{_name}(x):
    """{_name}(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    result = libdevice.{_name}(tl.where(tiny, x * 16777216.0, x))
    return tl.where(tiny, result - {_scale}, result)
'''
