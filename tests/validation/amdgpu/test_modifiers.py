"""SDWA, op_sel, packed halves, mixed precision, clamp and output modifiers."""

import random
from collections.abc import Callable

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode
from amdgpu_lanes import operand, rows

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code

A, B, C, D = 10, 12, 14, 4


def _f32(*values: float) -> np.ndarray:
    return np.resize(np.array(values, np.float32), 64).view(np.uint32)


def _pick(x: int, sel: int, sext: bool) -> int:
    if sel == 6:
        return x
    bits, at = (8, 8 * sel) if sel < 4 else (16, 16 * (sel - 4))
    field = x >> at & (1 << bits) - 1
    return ref.signed(field, bits) & 0xFFFFFFFF if sext else field


@pytest.mark.parametrize("unused", (0, 1, 2))
@pytest.mark.parametrize("dst", range(7))
def test_sub_dword(devices: Callable[[str], Device], dst: int, unused: int) -> None:
    rng = random.Random(dst * 3 + unused)
    x, y, old = (operand(32, False, s) for s in (1, 2, 3))
    sel0, sel1 = rng.randrange(7), rng.randrange(7)
    sext0, sext1 = rng.random() < 0.5, rng.random() < 0.5
    state = State()
    state.vgprs[A], state.vgprs[B], state.vgprs[D] = rows(x, 1)[0], rows(y, 1)[0], rows(old, 1)[0]
    code = encode(
        "VOP2",
        "v_add_u32",
        variant="VOP2_SDWA",
        vdst=D,
        src0=249,
        vsrc1=B,
        vsrc0=A,
        dst_sel=dst,
        dst_unused=unused,
        src0_sel=sel0,
        src1_sel=sel1,
        src0_sext=int(sext0),
        src1_sext=int(sext1),
    )
    after = run_code(devices("gfx942"), code, state)
    for lane in range(64):
        total = _pick(x[lane], sel0, sext0) + _pick(y[lane], sel1, sext1) & 0xFFFFFFFF
        if dst == 6:
            want = total
        else:
            bits, at = (8, 8 * dst) if dst < 4 else (16, 16 * (dst - 4))
            field = total & (1 << bits) - 1
            if unused == 2:
                want = old[lane] & ~((1 << bits) - 1 << at) & 0xFFFFFFFF | field << at
            elif unused == 1:
                want = ref.signed(field, bits) << at & 0xFFFFFFFF
            else:
                want = field << at
        assert int(after.vgprs[D][lane]) == want, (lane, dst, unused)


def test_sub_dword_comparison_and_float(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[A] = np.arange(64) << 16 | 3
    state.vgprs[B] = 20
    code = encode(
        "VOPC",
        "v_cmp_gt_u32",
        variant="VOPC_SDWA_SDST",
        src0=249,
        vsrc1=B,
        vsrc0=A,
        src0_sel=5,
        src1_sel=6,
        sdst=30,
        sd=1,
    )
    assert run_code(devices("gfx942"), code, state).pair(30) == (1 << 64) - (1 << 21)
    halves = np.array([1.5, -2.0], np.float16).view(np.uint16)
    state.vgprs[A] = int(halves[0]) | int(halves[1]) << 16
    code = encode(
        "VOP2",
        "v_add_f16",
        variant="VOP2_SDWA",
        vdst=D,
        src0=249,
        vsrc1=A,
        vsrc0=A,
        dst_sel=6,
        src0_sel=5,
        src1_sel=4,
        src0_abs=1,
        src1_neg=1,
    )
    after = run_code(devices("gfx942"), code, state)
    assert after.vgprs[D].astype(np.uint16).view(np.float16)[0] == 0.5


@pytest.mark.parametrize("select", range(16))
def test_op_sel_of_16_bit(devices: Callable[[str], Device], select: int) -> None:
    x, y, z, old = (operand(32, False, s) for s in (5, 6, 7, 8))
    state = State()
    for at, lanes in ((A, x), (B, y), (C, z), (D, old)):
        state.vgprs[at] = rows(lanes, 1)[0]
    code = encode(
        "VOP3", "v_mad_u16", vdst=D, src0=256 + A, src1=256 + B, src2=256 + C, opsel=select
    )
    after = run_code(devices("gfx942"), code, state)
    for lane in range(64):
        a, b, c = (
            v[lane] >> (16 if select >> j & 1 else 0) & 0xFFFF for j, v in enumerate((x, y, z))
        )
        want = a * b + c & 0xFFFF
        if select & 8:
            want = old[lane] & 0xFFFF | want << 16
        assert int(after.vgprs[D][lane]) == want


@pytest.mark.parametrize("seed", range(12))
def test_packed_halves(devices: Callable[[str], Device], seed: int) -> None:
    rng = random.Random(seed)
    x, y, z = (
        [a | b << 16 for a, b in zip(operand(16, True, s), operand(16, True, s + 50), strict=True)]
        for s in (seed, seed + 20, seed + 40)
    )
    state = State()
    for at, lanes in ((A, x), (B, y), (C, z)):
        state.vgprs[at] = rows(lanes, 1)[0]
    low, high, neg, neg_high = (rng.randrange(8) for _ in range(4))
    code = encode(
        "VOP3P",
        "v_pk_fma_f16",
        vdst=D,
        src0=256 + A,
        src1=256 + B,
        src2=256 + C,
        opsel=low,
        opsel_hi=high & 3,
        opsel_hi2=high >> 2,
        neg=neg,
        neg_hi=neg_high,
    )
    after = run_code(devices("gfx942"), code, state)
    for lane in range(64):
        for half, (sel, flip) in enumerate(((low, neg), (high, neg_high))):
            a, b, c = (
                (v[lane] >> (16 if sel >> j & 1 else 0) & 0xFFFF) ^ (flip >> j & 1) << 15
                for j, v in enumerate((x, y, z))
            )
            want, got = ref.fma(a, b, c, 16), int(after.vgprs[D][lane]) >> 16 * half & 0xFFFF
            same = ref.is_nan(want, 16) and ref.is_nan(got, 16)
            assert same or got == want, (lane, half, hex(a), hex(b), hex(c))


@pytest.mark.parametrize("seed", range(6))
def test_packed_words(devices: Callable[[str], Device], seed: int) -> None:
    rng = random.Random(seed)
    x, y = operand(64, False, seed), operand(64, False, seed + 9)
    x = [v & 0x7F7FFFFF7F7FFFFF for v in x]
    y = [v & 0x7F7FFFFF7F7FFFFF for v in y]
    state = State()
    state.vgprs[A : A + 2], state.vgprs[B : B + 2] = rows(x, 2), rows(y, 2)
    low, high, neg, neg_high = (rng.randrange(4) for _ in range(4))
    code = encode(
        "VOP3P",
        "v_pk_mul_f32",
        vdst=D,
        src0=256 + A,
        src1=256 + B,
        opsel=low,
        opsel_hi=high,
        neg=neg,
        neg_hi=neg_high,
    )
    after = run_code(devices("gfx942"), code, state)
    for lane in range(64):
        for half, (sel, flip) in enumerate(((low, neg), (high, neg_high))):
            a, b = (
                (v[lane] >> (32 if sel >> j & 1 else 0) & 0xFFFFFFFF) ^ (flip >> j & 1) << 31
                for j, v in enumerate((x, y))
            )
            assert int(after.vgprs[D + half][lane]) == ref.arithmetic("*", a, b, 32)


@pytest.mark.parametrize("select", range(4))
def test_packed_move(devices: Callable[[str], Device], select: int) -> None:
    state = State()
    state.vgprs[A], state.vgprs[A + 1] = 1, 2
    state.sgprs[20], state.sgprs[21] = 3, 4
    code = encode("VOP3P", "v_pk_mov_b32", vdst=D, src0=256 + A, src1=20, opsel=select, opsel_hi=3)
    after = run_code(devices("gfx942"), code, state)
    assert int(after.vgprs[D][0]) == (2 if select & 1 else 1)
    assert int(after.vgprs[D + 1][0]) == (4 if select & 2 else 3)


_MIXED = [("gfx942", f"v_mad_mix{end}") for end in ("_f32", "lo_f16", "hi_f16")]
_MIXED += [("gfx1100", f"v_fma_mix{end}") for end in ("_f32", "lo_f16", "hi_f16")]


@pytest.mark.parametrize(("arch", "name"), _MIXED)
def test_mixed_precision(devices: Callable[[str], Device], arch: str, name: str) -> None:
    rng = random.Random(name)
    for _ in range(6):
        sel, kind, neg, absolute = (rng.randrange(8) for _ in range(4))
        operands = []
        state = State()
        for j, at in enumerate((A, B, C)):
            halves = [operand(16, True, rng.randrange(999)) for _ in range(2)]
            if kind >> j & 1:
                lanes = [a | b << 16 for a, b in zip(*halves, strict=True)]
                shown = [v >> (16 if sel >> j & 1 else 0) & 0xFFFF for v in lanes]
                operands.append([ref.from_float(ref.to_float(v, 16), 32) for v in shown])
            else:
                lanes = operand(32, True, rng.randrange(999))
                operands.append(lanes)
            state.vgprs[at] = rows(lanes, 1)[0]
        state.vgprs[D] = 0xABCD1234
        code = encode(
            "VOP3P",
            name,
            arch=arch,
            vdst=D,
            src0=256 + A,
            src1=256 + B,
            src2=256 + C,
            opsel=sel,
            opsel_hi=kind & 3,
            opsel_hi2=kind >> 2,
            neg=neg,
            neg_hi=absolute,
        )
        after = run_code(devices(arch), code, state, wave_size=64)
        for lane in range(64):
            s = []
            for j in range(3):
                x = operands[j][lane]
                x = x & 0x7FFFFFFF if absolute >> j & 1 else x
                s.append(x ^ (neg >> j & 1) << 31)
            want = ref.fma(s[0], s[1], s[2], 32)
            got = int(after.vgprs[D][lane])
            if not name.endswith("_f32"):
                want = ref.from_float(ref.to_float(want, 32), 16)
                kept = got & 0xFFFF if "hi" in name else got >> 16
                assert kept == (0x1234 if "hi" in name else 0xABCD)
                got = got >> 16 if "hi" in name else got & 0xFFFF
            bits = 32 if name.endswith("_f32") else 16
            assert got == want or (ref.is_nan(got, bits) and ref.is_nan(want, bits)), (lane, s)


def test_clamp_and_output_multiplier(devices: Callable[[str], Device]) -> None:
    state = State(mode=0x3F0)
    values = (-3.0, 0.1, 0.25, 0.4, 1.0, 7.0, np.nan, np.inf)
    state.vgprs[A], state.vgprs[B] = _f32(*values), _f32(0.0)
    for omod, factor in ((0, 1.0), (1, 2.0), (2, 4.0), (3, 0.5)):
        for clamp in (0, 1):
            code = encode(
                "VOP3", "v_add_f32", vdst=D, src0=256 + A, src1=256 + B, omod=omod, clmp=clamp
            )
            got = run_code(devices("gfx942"), code, state).vgprs[D].view(np.float32)[:8]
            want = np.array(values, np.float32) * np.float32(factor)
            if clamp:
                want = np.nan_to_num(np.clip(want, 0, 1), nan=0.0)
            assert np.array_equal(got, want, equal_nan=True), (omod, clamp)


def test_integer_clamp(devices: Callable[[str], Device]) -> None:
    cases = {
        "v_add_u32": (0xFFFFFFF0, 0x20, 0xFFFFFFFF),
        "v_sub_u32": (3, 5, 0),
        "v_add_i32": (0x7FFFFFFF, 1, 0x7FFFFFFF),
        "v_sub_i32": (0x80000000, 1, 0x80000000),
        "v_add_u16": (0xFFF0, 0x20, 0xFFFF),
        "v_sub_i16": (0x8000, 1, 0x8000),
    }
    for name, (a, b, want) in cases.items():
        state = State()
        state.vgprs[A], state.vgprs[B] = a, b
        code = encode("VOP3", name, vdst=D, src0=256 + A, src1=256 + B, clmp=1)
        assert int(run_code(devices("gfx942"), code, state).vgprs[D][0]) == want, name


def test_inline_constants_of_each_width(devices: Callable[[str], Device]) -> None:
    for name, t in (("v_add_f16", np.float16), ("v_add_f32", np.float32)):
        bits = np.array(1.5, t).view(f"u{np.dtype(t).itemsize}")
        state = State()
        state.vgprs[B] = int(bits)
        code = encode("VOP2", name, vdst=D, src0=245, vsrc1=B)  # -2.0
        got = run_code(devices("gfx942"), code, state).vgprs[D][:1]
        assert got.view(t)[0] == -0.5, name
    state = State()
    state.vgprs[B], state.vgprs[B + 1] = 0, 0x3FF80000
    code = encode("VOP3", "v_add_f64", vdst=D, src0=245, src1=256 + B)
    after = run_code(devices("gfx942"), code, state)
    assert (int(after.vgprs[D][0]), int(after.vgprs[D + 1][0])) == (0, 0xBFE00000)


def test_truth_table(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[A], state.vgprs[B], state.vgprs[C] = 0xF0F0F0F0, 0xCCCCCCCC, 0xAAAAAAAA
    for table in (0x00, 0x96, 0xE8, 0x1B, 0xFF):
        code = encode(
            "VOP3",
            "v_bitop3_b32",
            arch="gfx950",
            vdst=D,
            src0=256 + A,
            src1=256 + B,
            src2=256 + C,
            neg=table & 7,
            abs=table >> 3 & 7,
            omod=table >> 6,
        )
        got = int(run_code(devices("gfx950"), code, state).vgprs[D][0])
        assert got == table * 0x01010101


def test_stochastic_and_8_bit_halves(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[A], state.vgprs[B], state.vgprs[D] = _f32(1.0), _f32(-2.0), 0x11223344
    one, minus_two = ref._to_small(0x3F800000, 3), ref._to_small(0xC0000000, 3)
    for select, want in (
        (0, 0x11220000 | one | minus_two << 8),
        (8, 0x3344 | one << 16 | minus_two << 24),
    ):
        code = encode("VOP3", "v_cvt_pk_fp8_f32", vdst=D, src0=256 + A, src1=256 + B, opsel=select)
        assert int(run_code(devices("gfx942"), code, state).vgprs[D][0]) == want
    # 1.0625 lies half way between two fp8 values: the random bits decide.
    state.vgprs[A] = _f32(1.0625)
    for random_bits, want in (
        (0, 0x40),
        (0xFFFFFFFF, 0x41),
        (0x7FFFFFFF, 0x40),
        (0x80000000, 0x41),
    ):
        state.vgprs[B] = random_bits
        code = encode("VOP3", "v_cvt_sr_fp8_f32", vdst=D, src0=256 + A, src1=256 + B, opsel=4)
        got = int(run_code(devices("gfx942"), code, state).vgprs[D][0])
        assert got == 0x11220044 | want << 8, hex(random_bits)
