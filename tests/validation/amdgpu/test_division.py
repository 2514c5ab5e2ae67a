"""The quotient that LLVM builds from V_DIV_SCALE, V_RCP, V_FMA, V_DIV_FMAS and V_DIV_FIXUP.

The three helpers have no meaning of their own; together they must divide exactly, rounded once.
"""

from collections.abc import Callable
from typing import Any

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode
from amdgpu_lanes import operand, rows, values

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code


def _v(n: int) -> int:
    return 256 + n


def _sequence(t: str, n: int, d: int, out: int, arch: str) -> bytes:
    """LLVM's expansion of `n / d`; registers are `step` apart."""
    step = 2 if t == "f64" else 1
    r = [40 + step * k for k in range(12)]
    one = 242

    def fma(dst: int, a: int, b: int, c: int, neg: int = 0) -> bytes:
        return encode("VOP3", f"v_fma_{t}", arch=arch, vdst=dst, src0=a, src1=b, src2=c, neg=neg)

    def scale(dst: int, value: int, sdst: int) -> bytes:
        return encode(
            "VOP3SD",
            f"v_div_scale_{t}",
            arch=arch,
            vdst=dst,
            sdst=sdst,
            src0=_v(value),
            src1=_v(d),
            src2=_v(n),
        )

    code = scale(r[0], d, 60) + encode("VOP1", f"v_rcp_{t}", arch=arch, vdst=r[1], src0=_v(r[0]))
    code += fma(r[2], _v(r[0]), _v(r[1]), one, neg=1) + fma(r[3], _v(r[2]), _v(r[1]), _v(r[1]))
    last = r[3]
    if t == "f64":
        code += fma(r[4], _v(r[0]), _v(r[3]), one, neg=1)
        code += fma(r[5], _v(r[3]), _v(r[4]), _v(r[3]))
        last = r[5]
    code += scale(r[6], n, 106)
    code += encode("VOP3", f"v_mul_{t}", arch=arch, vdst=r[7], src0=_v(r[6]), src1=_v(last))
    code += fma(r[8], _v(r[0]), _v(r[7]), _v(r[6]), neg=1)
    if t == "f32":
        code += fma(r[9], _v(r[8]), _v(last), _v(r[7]))
        code += fma(r[8], _v(r[0]), _v(r[9]), _v(r[6]), neg=1)
        final = r[9]
    else:
        final = r[7]
    code += encode(
        "VOP3",
        f"v_div_fmas_{t}",
        arch=arch,
        vdst=r[10],
        src0=_v(r[8]),
        src1=_v(last),
        src2=_v(final),
    )
    return code + encode(
        "VOP3", f"v_div_fixup_{t}", arch=arch, vdst=out, src0=_v(r[10]), src1=_v(d), src2=_v(n)
    )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("t", ("f32", "f64"))
@pytest.mark.parametrize("arch", ("gfx942", "gfx1100", "gfx1201"))
def test_quotient(devices: Callable[[str], Device], arch: str, t: str, seed: int) -> None:
    bits = int(t[1:])
    count = bits // 32
    n, d = operand(bits, True, seed * 2 + 1), operand(bits, True, seed * 2 + 2)
    state = State()
    state.vgprs[10 : 10 + count], state.vgprs[14 : 14 + count] = rows(n, count), rows(d, count)
    after = run_code(devices(arch), _sequence(t, 10, 14, 4, arch), state)
    got = values(after.vgprs, 4, count)
    kind: Any = {32: np.float32, 64: np.float64}[bits]
    for lane in range(64):
        with np.errstate(all="ignore"):
            quotient = kind(ref.to_float(n[lane], bits)) / kind(ref.to_float(d[lane], bits))
        want = int(np.array(quotient, kind).view(f"u{bits // 8}"))
        if ref.is_nan(want, bits):
            assert ref.is_nan(got[lane], bits), lane
            continue
        # Denormal quotients are rounded twice by the expansion: one unit off is what it gives.
        tiny = abs(float(quotient)) < {32: 2.0**-125, 64: 2.0**-1021}[bits]
        slack = 1 if tiny else 0
        assert abs(got[lane] - want) <= slack, (lane, hex(n[lane]), hex(d[lane]), hex(got[lane]))


@pytest.mark.parametrize("arch", ("gfx942", "gfx1100", "gfx1201"))
def test_half_fixup(devices: Callable[[str], Device], arch: str) -> None:
    cases = (
        (0x3C00, 0x0000, 0x3C00, 0x7C00),
        (0x3C00, 0x8000, 0x3C00, 0xFC00),
        (0x3C00, 0x7C00, 0xBC00, 0x8000),
        (0xBC00, 0x3C00, 0x4000, 0x3C00),
    )
    for quotient, d, n, want in cases:
        state = State()
        state.vgprs[10], state.vgprs[11], state.vgprs[12] = quotient, d, n
        code = encode(
            "VOP3", "v_div_fixup_f16", arch=arch, vdst=4, src0=_v(10), src1=_v(11), src2=_v(12)
        )
        assert int(run_code(devices(arch), code, state).vgprs[4][0]) & 0xFFFF == want


@pytest.mark.parametrize("arch", ("gfx942", "gfx1100", "gfx1201"))
def test_trig_preop(devices: Callable[[str], Device], arch: str) -> None:
    """53 bits of 2/pi, from `53 * segment` bits below the binary point."""
    import mpmath

    mpmath.mp.prec = 1400
    for segment in range(4):
        state = State()
        raw = int(np.array(1.0).view(np.uint64))
        state.vgprs[10], state.vgprs[11] = raw & 0xFFFFFFFF, raw >> 32
        state.vgprs[12] = segment
        code = encode("VOP3", "v_trig_preop_f64", arch=arch, vdst=4, src0=_v(10), src1=_v(12))
        got = values(run_code(devices(arch), code, state).vgprs, 4, 2)[0]
        scaled = mpmath.floor(mpmath.mpf(2) ** (53 * (segment + 1)) * 2 / mpmath.pi)
        window = int(scaled) & (1 << 53) - 1
        assert ref.to_float(got, 64) == float(window) * 2.0 ** (-53 * (segment + 1))
