"""RDNA3 and RDNA4: opcodes, dual issue, 16-bit register halves, DPP8, wave32 and WMMA."""

import math
import random
from collections.abc import Callable
from typing import Any

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode, opcodes
from amdgpu_lanes import operand, rows
from amdgpu_vector_cases import Variant, check_vector, covered

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code

A, B, C, D = 10, 12, 14, 4
LANE = np.arange(64)


CASES = [(arch, *case) for arch in ("gfx1100", "gfx1201") for case in covered(arch)]
CASES += [("gfx950", *case) for case in covered("gfx950") if case[1].endswith(("fp8", "bf8"))]
CASES += [("gfx950", "VOP3", f"v_cvt_pk_{kind}_f32") for kind in ("fp8", "bf8")]


@pytest.mark.parametrize(("arch", "form", "name"), CASES, ids=lambda v: v)
def test_opcode(devices: Callable[[str], Device], arch: str, form: str, name: str) -> None:
    check_vector(devices(arch), form, name, Variant(), 1)


ARCHS = ("gfx1100", "gfx1201")


def _code(arch: str, form: str, name: str, **fields: int) -> bytes:
    return encode(form, name, arch=arch, **fields)


each_arch = pytest.mark.parametrize("arch", ARCHS)


@each_arch
def test_dual_issue_reads_before_it_writes(devices: Callable[[str], Device], arch: str) -> None:
    state = State()
    state.vgprs[4] = np.float32(3.0).view(np.uint32)
    state.vgprs[5] = np.float32(5.0).view(np.uint32)
    # v4 = v5 * v5 :: v5 = v4 + v4, at once.
    code = _code(
        arch,
        "VOPD",
        "v_dual_fmac_f32",
        opx=3,
        opy=4,
        vdstx=4,
        vdsty=5 >> 1,
        srcx0=256 + 5,
        vsrcx1=5,
        srcy0=256 + 4,
        vsrcy1=4,
    )
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.vgprs[4].view(np.float32)[0] == 25.0
    assert after.vgprs[5].view(np.float32)[0] == 6.0


_DUAL = {
    arch: {
        n: number
        for n, number in opcodes(arch, "VOPD").items()
        if not any(word in n for word in ("dot2", "amk", "aak"))
    }
    for arch in ARCHS
}
_DUAL_CASES = [
    (arch, name, half)
    for arch in ARCHS
    for name, number in _DUAL[arch].items()
    for half in ("x", "y")
    if half == "y" or number <= 15  # only the second half has room for larger ones
]


@pytest.mark.parametrize(("arch", "name", "half"), _DUAL_CASES)
def test_dual_issue_opcode(
    devices: Callable[[str], Device], arch: str, name: str, half: str
) -> None:
    """Each opcode in each half, beside a move."""
    known = ref.canonical(name.replace("v_dual_", "v_"))
    is_float = name.endswith("f32")
    a, b, old = (operand(32, is_float, seed) for seed in (1, 2, 3))
    state = State(exec=0xF0F0F0F0)
    state.sgprs[106] = 0x12345678
    state.vgprs[A], state.vgprs[B] = rows(a, 1)[0], rows(b, 1)[0]
    to = 4 if half == "x" else 5
    state.vgprs[to] = rows(old, 1)[0]
    other = "y" if half == "x" else "x"
    fields = {
        f"op{half}": _DUAL[arch][name],
        f"op{other}": _DUAL[arch]["v_dual_mov_b32"],
        f"src{half}0": 256 + A,
        f"vsrc{half}1": B,
        f"src{other}0": 129,
        "vdstx": 4,
        "vdsty": 2,
    }
    code = _code(arch, "VOPD", name, **fields)
    after = run_code(devices(arch), code, state, wave_size=32)
    for lane in range(32):
        got = int(after.vgprs[to][lane])
        if not state.exec >> lane & 1:
            assert got == old[lane]
            continue
        want = ref.VECTOR[known]([a[lane], b[lane]], old[lane], 0x12345678 >> lane & 1, 0)
        assert got == want or (is_float and ref.is_nan(got, 32) and ref.is_nan(want, 32)), lane
        assert int(after.vgprs[9 - to][lane]) == 1


@each_arch
def test_dual_issue_with_literal(devices: Callable[[str], Device], arch: str) -> None:
    state = State(exec=0xFFFF00FF)
    state.vgprs[6] = np.float32(2.0).view(np.uint32)
    state.vgprs[4] = state.vgprs[5] = 77
    code = encode(
        "VOPD",
        "v_dual_fmac_f32",
        arch=arch,
        opx=1,  # v_dual_fmaak_f32
        opy=8,  # v_dual_mov_b32
        vdstx=4,
        vdsty=2,
        srcx0=256 + 6,
        vsrcx1=6,
        srcy0=255,
        literal=int(np.float32(0.5).view(np.uint32)),
    )
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.vgprs[4].view(np.float32)[0] == 4.5
    assert after.vgprs[5].view(np.float32)[0] == 0.5
    assert int(after.vgprs[4][9]) == int(after.vgprs[5][9]) == 77


@each_arch
def test_halves_of_registers(devices: Callable[[str], Device], arch: str) -> None:
    one, two = (int(np.float16(v).view(np.uint16)) for v in (1.0, 2.0))
    state = State()
    state.vgprs[A] = one << 16 | two
    state.vgprs[D] = 0xAAAABBBB
    low = _code(arch, "VOP2", "v_add_f16", vdst=D, src0=256 + 128 + A, vsrc1=A)
    assert int(run_code(devices(arch), low, state).vgprs[D][0]) == 0xAAAA4200
    high = _code(arch, "VOP2", "v_add_f16", vdst=128 + D, src0=256 + A, vsrc1=128 + A)
    assert int(run_code(devices(arch), high, state).vgprs[D][0]) == 0x4200BBBB
    long = _code(arch, "VOP3", "v_add_f16", vdst=D, src0=256 + A, src1=256 + A, opsel=0b1001)
    assert int(run_code(devices(arch), long, state).vgprs[D][0]) == 0x4200BBBB


@each_arch
def test_dpp8(devices: Callable[[str], Device], arch: str) -> None:
    order = [3, 1, 4, 1, 5, 0, 2, 6]
    state = State(exec=0xFFFFFFFF)
    state.vgprs[A], state.vgprs[B] = 100 + LANE, 0
    selectors = {f"lane_sel_{k}": order[k] for k in range(8)}
    code = encode(
        "VOP2",
        "v_or_b32",
        arch=arch,
        variant="VOP2_DPP8",
        vdst=D,
        src0=233,
        vsrc1=B,
        vsrc0=A,
        **selectors,
    )
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.vgprs[D][:32].tolist() == [100 + k // 8 * 8 + order[k % 8] for k in range(32)]


@each_arch
def test_wave32_masks(devices: Callable[[str], Device], arch: str) -> None:
    state = State(exec=0x0000FFFF)
    state.sgprs[107] = 0xDEAD
    state.vgprs[A], state.vgprs[B] = LANE, 7
    code = _code(arch, "VOPC", "v_cmp_gt_u32", src0=256 + A, vsrc1=B)
    after = run_code(devices(arch), code, state, wave_size=32)
    assert (int(after.sgprs[106]), int(after.sgprs[107])) == (0xFF00, 0xDEAD)
    code = _code(arch, "VOPC", "v_cmpx_gt_u32", src0=256 + A, vsrc1=B)
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.exec & 0xFFFFFFFF == 0xFF00
    code = _code(arch, "SOP1", "s_and_saveexec_b32", sdst=20, ssrc0=106)
    state.sgprs[106] = 0x0F0F
    after = run_code(devices(arch), code, state, wave_size=32)
    assert (int(after.sgprs[20]), after.exec & 0xFFFFFFFF, after.scc) == (0xFFFF, 0x0F0F, 1)


@each_arch
def test_permlane(devices: Callable[[str], Device], arch: str) -> None:
    rng = random.Random(1)
    choice = [rng.randrange(16) for _ in range(16)]
    packed = sum(c << 4 * k for k, c in enumerate(choice))
    state = State(exec=0xFFFFFFFF)
    state.vgprs[A] = 100 + LANE
    state.sgprs[20], state.sgprs[21] = packed & 0xFFFFFFFF, packed >> 32
    for name, flip in (("v_permlane16_b32", 0), ("v_permlanex16_b32", 16)):
        code = _code(arch, "VOP3", name, vdst=D, src0=256 + A, src1=20, src2=21)
        after = run_code(devices(arch), code, state, wave_size=32)
        want = [100 + ((k & 16) ^ flip) + choice[k % 16] for k in range(32)]
        assert after.vgprs[D][:32].tolist() == want


@each_arch
def test_null_register(devices: Callable[[str], Device], arch: str) -> None:
    code = _code(arch, "SOP1", "s_mov_b32", sdst=124, ssrc0=129) + _code(
        arch, "SOP1", "s_mov_b32", sdst=20, ssrc0=124
    )
    assert int(run_code(devices(arch), code, State()).sgprs[20]) == 0


_ELEMENT_BITS = {"f16": 16, "bf16": 16, "iu8": 8, "iu4": 4, "fp8": 8, "bf8": 8}
_WMMA = {a: sorted(n for n in opcodes(a, "VOP3P") if n.startswith("v_wmma")) for a in ARCHS}


def _element(value: int, type_: str) -> int:
    """The bits of a small whole number."""
    if type_ in ("iu8", "iu4", "i32"):
        return value & (1 << {"iu8": 8, "iu4": 4, "i32": 32}[type_]) - 1
    if type_ == "bf16":
        return int(np.float32(value).view(np.uint32)) >> 16
    if type_ in ("fp8", "bf8"):
        half = int(np.array(value, np.float16).view(np.uint16))
        # E5M2 is the upper byte of a half; E4M3 has another bias and one bit more.
        small = half >> 8 if type_ == "bf8" else half >> 7 & 255
        return small if type_ == "bf8" else half >> 15 << 7 | (small - (64 if small else 0))
    t, u = (np.float16, np.uint16) if type_ == "f16" else (np.float32, np.uint32)
    return int(np.array(value, t).view(u))


@pytest.mark.parametrize("name", _WMMA["gfx1201"])
def test_wmma_of_rdna4(devices: Callable[[str], Device], name: str) -> None:
    """Lane l holds half of row l % 16; register r of D is row l / 16 * 8 + r."""
    result, shape, *kinds = name.split("_")[2:]
    kinds = kinds if len(kinds) == 2 else [kinds[0], kinds[0]]
    rng, k = np.random.default_rng(4), int(shape.split("x")[2])
    integer = result == "i32"
    low, high = (-8, 8) if integer else (-4, 5)
    a, b = rng.integers(low, high, (16, k)), rng.integers(low, high, (k, 16))
    c = rng.integers(-8, 9, (16, 16))
    state, at_a, at_b, at_c = State(exec=(1 << 32) - 1), 10, 30, 50
    for lane in range(32):
        own = slice(lane // 16 * (k // 2), (lane // 16 + 1) * (k // 2))
        for first, row, kind in (
            (at_a, a[lane % 16, own], kinds[0]),
            (at_b, b[own, lane % 16], kinds[1]),
        ):
            bits = _ELEMENT_BITS[kind]
            packed = sum(_element(int(v), kind) << bits * n for n, v in enumerate(row))
            for word in range(bits * k // 64):
                state.vgprs[first + word][lane] = packed >> 32 * word & 0xFFFFFFFF
        for r in range(8):
            bits = _element(int(c[lane // 16 * 8 + r, lane % 16]), result)
            if result in ("f16", "bf16"):
                state.vgprs[at_c + r // 2][lane] |= np.uint32(bits << r % 2 * 16)
            else:
                state.vgprs[at_c + r][lane] = bits
    code = encode(
        "VOP3P", name, arch="gfx1201", vdst=at_c, src0=256 + at_a, src1=256 + at_b,
        src2=256 + at_c, neg=3 if integer else 0, opsel_hi=3, opsel_hi2=1,
    )  # fmt: skip
    after = run_code(devices("gfx1201"), code, state, wave_size=32)
    want = a @ b + c
    for lane in range(32):
        for r in range(8):
            value = int(want[lane // 16 * 8 + r, lane % 16])
            if result == "bf16" and abs(value) > 256:
                continue  # not exact in bf16
            if result in ("f16", "bf16"):
                got = int(after.vgprs[at_c + r // 2][lane]) >> r % 2 * 16 & 0xFFFF
            else:
                got = int(after.vgprs[at_c + r][lane])
            assert got == _element(value, result), (lane, r)


@pytest.mark.parametrize("wave", (32, 64))
@pytest.mark.parametrize("name", _WMMA["gfx1100"])
def test_wmma_of_rdna3(devices: Callable[[str], Device], name: str, wave: int) -> None:
    _, _, result, _, kind = name.split("_")
    rng = np.random.default_rng(2)
    bits = _ELEMENT_BITS[kind]
    integer = kind.startswith("iu")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if integer else (-4, 5)
    a, b = rng.integers(low, high, (16, 16)), rng.integers(low, high, (16, 16))
    c = rng.integers(-8, 9, (16, 16))

    state = State(exec=(1 << wave) - 1)
    at_a, at_b, at_c = 10, 30, 50
    for lane in range(wave):
        for first, row in ((at_a, a[lane % 16]), (at_b, b[:, lane % 16])):
            packed = sum(_element(int(v), kind) << bits * k for k, v in enumerate(row))
            for word in range(bits // 2):
                state.vgprs[first + word][lane] = packed >> 32 * word & 0xFFFFFFFF
    step = wave // 16
    for reg in range(16 // step):
        for lane in range(wave):
            value = int(c[reg * step + lane // 16, lane % 16])
            state.vgprs[at_c + reg][lane] = _element(value, result)
    code = encode(
        "VOP3P",
        name,
        arch="gfx1100",
        vdst=at_c,
        src0=256 + at_a,
        src1=256 + at_b,
        src2=256 + at_c,
        neg=3 if integer else 0,
        opsel_hi=3,
        opsel_hi2=0 if result in ("f16", "bf16") else 1,
    )
    after = run_code(devices("gfx1100"), code, state, wave_size=wave)
    want = a @ b + c
    mask = 0xFFFF if result in ("f16", "bf16") else 0xFFFFFFFF
    for reg in range(16 // step):
        for lane in range(wave):
            value = int(want[reg * step + lane // 16, lane % 16])
            if result == "bf16" and abs(value) > 256:
                continue  # not exact in bf16
            assert int(after.vgprs[at_c + reg][lane]) & mask == _element(value, result), (reg, lane)


_ROOTS: dict[str, Callable[[float], float]] = {
    "exp": lambda x: 2.0**x,
    "log": math.log2,
    "rcp": lambda x: 1 / x,
    "rsq": lambda x: 1 / math.sqrt(x),
    "sqrt": math.sqrt,
}


@pytest.mark.parametrize("bits", (16, 32))
@pytest.mark.parametrize("name", _ROOTS)
def test_scalar_transcendental(devices: Callable[[str], Device], name: str, bits: int) -> None:
    """RDNA4's from one scalar register to another, within one unit in the last place."""
    t: Any = {16: np.float16, 32: np.float32}[bits]
    for value, fields in ((2.5, {}), (9.0, {}), (-3.0, {"neg": 1}), (-0.75, {"abs": 1})):
        state = State()
        state.sgprs[10] = int(np.array(value, t).view(f"u{bits // 8}"))
        code = encode("VOP3", f"v_s_{name}_f{bits}", arch="gfx1201", vdst=20, src0=10, **fields)
        after = run_code(devices("gfx1201"), code, state, wave_size=32)
        got = np.array(int(after.sgprs[20]), f"u{bits // 8}").view(t)
        want = t(_ROOTS[name](abs(value)))
        assert abs(float(got) - float(want)) <= float(np.spacing(abs(want))), (value, got)
        assert not after.vgprs[20].any()
