"""RDNA3 (gfx1100): its opcodes, dual issue, 16-bit register halves, DPP8, wave32 and WMMA."""

import random
from collections.abc import Callable

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


@pytest.mark.parametrize(("form", "name"), covered("gfx1100"), ids=lambda v: v)
def test_opcode(devices: Callable[[str], Device], form: str, name: str) -> None:
    check_vector(devices("gfx1100"), form, name, Variant(), 1)


def _code(form: str, name: str, **fields: int) -> bytes:
    return encode(form, name, arch="gfx1100", **fields)


def test_dual_issue_reads_before_it_writes(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[4] = np.float32(3.0).view(np.uint32)
    state.vgprs[5] = np.float32(5.0).view(np.uint32)
    # v4 = v5 * v5 :: v5 = v4 + v4, at once.
    code = _code(
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
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert after.vgprs[4].view(np.float32)[0] == 25.0
    assert after.vgprs[5].view(np.float32)[0] == 6.0


_DUAL = {
    n: number
    for n, number in opcodes("gfx1100", "VOPD").items()
    if not any(word in n for word in ("dot2", "amk", "aak"))
}


@pytest.mark.parametrize("name", _DUAL)
@pytest.mark.parametrize("half", ("x", "y"))
def test_dual_issue_opcode(devices: Callable[[str], Device], name: str, half: str) -> None:
    """Each opcode in each half, beside a move."""
    if half == "x" and _DUAL[name] > 15:
        return  # only the second half has room for this opcode
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
        f"op{half}": _DUAL[name],
        f"op{other}": _DUAL["v_dual_mov_b32"],
        f"src{half}0": 256 + A,
        f"vsrc{half}1": B,
        f"src{other}0": 129,
        "vdstx": 4,
        "vdsty": 2,
    }
    code = _code("VOPD", name, **fields)
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    for lane in range(32):
        got = int(after.vgprs[to][lane])
        if not state.exec >> lane & 1:
            assert got == old[lane]
            continue
        want = ref.VECTOR[known]([a[lane], b[lane]], old[lane], 0x12345678 >> lane & 1, 0)
        assert got == want or (is_float and ref.is_nan(got, 32) and ref.is_nan(want, 32)), lane
        assert int(after.vgprs[9 - to][lane]) == 1


def test_dual_issue_with_literal(devices: Callable[[str], Device]) -> None:
    state = State(exec=0xFFFF00FF)
    state.vgprs[6] = np.float32(2.0).view(np.uint32)
    state.vgprs[4] = state.vgprs[5] = 77
    code = encode(
        "VOPD",
        "v_dual_fmac_f32",
        arch="gfx1100",
        opx=1,  # v_dual_fmaak_f32
        opy=8,  # v_dual_mov_b32
        vdstx=4,
        vdsty=2,
        srcx0=256 + 6,
        vsrcx1=6,
        srcy0=255,
        literal=int(np.float32(0.5).view(np.uint32)),
    )
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert after.vgprs[4].view(np.float32)[0] == 4.5
    assert after.vgprs[5].view(np.float32)[0] == 0.5
    assert int(after.vgprs[4][9]) == int(after.vgprs[5][9]) == 77


def test_halves_of_registers(devices: Callable[[str], Device]) -> None:
    one, two = (int(np.float16(v).view(np.uint16)) for v in (1.0, 2.0))
    state = State()
    state.vgprs[A] = one << 16 | two
    state.vgprs[D] = 0xAAAABBBB
    low = _code("VOP2", "v_add_f16", vdst=D, src0=256 + 128 + A, vsrc1=A)
    assert int(run_code(devices("gfx1100"), low, state).vgprs[D][0]) == 0xAAAA4200
    high = _code("VOP2", "v_add_f16", vdst=128 + D, src0=256 + A, vsrc1=128 + A)
    assert int(run_code(devices("gfx1100"), high, state).vgprs[D][0]) == 0x4200BBBB
    long = _code("VOP3", "v_add_f16", vdst=D, src0=256 + A, src1=256 + A, opsel=0b1001)
    assert int(run_code(devices("gfx1100"), long, state).vgprs[D][0]) == 0x4200BBBB


def test_dpp8(devices: Callable[[str], Device]) -> None:
    order = [3, 1, 4, 1, 5, 0, 2, 6]
    state = State(exec=0xFFFFFFFF)
    state.vgprs[A], state.vgprs[B] = 100 + LANE, 0
    selectors = {f"lane_sel_{k}": order[k] for k in range(8)}
    code = encode(
        "VOP2",
        "v_or_b32",
        arch="gfx1100",
        variant="VOP2_DPP8",
        vdst=D,
        src0=233,
        vsrc1=B,
        vsrc0=A,
        **selectors,
    )
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert after.vgprs[D][:32].tolist() == [100 + k // 8 * 8 + order[k % 8] for k in range(32)]


def test_wave32_masks(devices: Callable[[str], Device]) -> None:
    state = State(exec=0x0000FFFF)
    state.sgprs[107] = 0xDEAD
    state.vgprs[A], state.vgprs[B] = LANE, 7
    code = _code("VOPC", "v_cmp_gt_u32", src0=256 + A, vsrc1=B)
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert (int(after.sgprs[106]), int(after.sgprs[107])) == (0xFF00, 0xDEAD)
    code = _code("VOPC", "v_cmpx_gt_u32", src0=256 + A, vsrc1=B)
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert after.exec & 0xFFFFFFFF == 0xFF00
    code = _code("SOP1", "s_and_saveexec_b32", sdst=20, ssrc0=106)
    state.sgprs[106] = 0x0F0F
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    assert (int(after.sgprs[20]), after.exec & 0xFFFFFFFF, after.scc) == (0xFFFF, 0x0F0F, 1)


def test_permlane(devices: Callable[[str], Device]) -> None:
    rng = random.Random(1)
    choice = [rng.randrange(16) for _ in range(16)]
    packed = sum(c << 4 * k for k, c in enumerate(choice))
    state = State(exec=0xFFFFFFFF)
    state.vgprs[A] = 100 + LANE
    state.sgprs[20], state.sgprs[21] = packed & 0xFFFFFFFF, packed >> 32
    for name, flip in (("v_permlane16_b32", 0), ("v_permlanex16_b32", 16)):
        code = _code("VOP3", name, vdst=D, src0=256 + A, src1=20, src2=21)
        after = run_code(devices("gfx1100"), code, state, wave_size=32)
        want = [100 + ((k & 16) ^ flip) + choice[k % 16] for k in range(32)]
        assert after.vgprs[D][:32].tolist() == want


def test_null_register(devices: Callable[[str], Device]) -> None:
    code = _code("SOP1", "s_mov_b32", sdst=124, ssrc0=129) + _code(
        "SOP1", "s_mov_b32", sdst=20, ssrc0=124
    )
    assert int(run_code(devices("gfx1100"), code, State()).sgprs[20]) == 0


WMMA = sorted(n for n in opcodes("gfx1100", "VOP3P") if n.startswith("v_wmma"))


@pytest.mark.parametrize("wave", (32, 64))
@pytest.mark.parametrize("name", WMMA)
def test_wmma(devices: Callable[[str], Device], name: str, wave: int) -> None:
    _, _, result, _, kind = name.split("_")
    rng = np.random.default_rng(2)
    bits = {"f16": 16, "bf16": 16, "iu8": 8, "iu4": 4}[kind]
    integer = kind.startswith("iu")
    low, high = (-(1 << bits - 1), 1 << bits - 1) if integer else (-4, 5)
    a, b = rng.integers(low, high, (16, 16)), rng.integers(low, high, (16, 16))
    c = rng.integers(-8, 9, (16, 16))

    def element(value: int, type_: str) -> int:
        if type_ in ("iu8", "iu4", "i32"):
            return value & (1 << {"iu8": 8, "iu4": 4, "i32": 32}[type_]) - 1
        if type_ == "bf16":
            return int(np.float32(value).view(np.uint32)) >> 16
        t, u = (np.float16, np.uint16) if type_ == "f16" else (np.float32, np.uint32)
        return int(np.array(value, t).view(u))

    state = State(exec=(1 << wave) - 1)
    at_a, at_b, at_c = 10, 30, 50
    for lane in range(wave):
        for first, row in ((at_a, a[lane % 16]), (at_b, b[:, lane % 16])):
            packed = sum(element(int(v), kind) << bits * k for k, v in enumerate(row))
            for word in range(bits // 2):
                state.vgprs[first + word][lane] = packed >> 32 * word & 0xFFFFFFFF
    step = wave // 16
    for reg in range(16 // step):
        for lane in range(wave):
            value = int(c[reg * step + lane // 16, lane % 16])
            state.vgprs[at_c + reg][lane] = element(value, result)
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
            assert int(after.vgprs[at_c + reg][lane]) & mask == element(value, result), (reg, lane)
