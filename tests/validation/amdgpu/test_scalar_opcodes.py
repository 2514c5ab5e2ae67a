"""Every scalar opcode with a reference, SCC and EXEC included; and the SOPK immediates."""

import random
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("tinygrad")

import amdgpu_reference as ref
import amdgpu_reference_rdna  # noqa: F401  (adds its references to ref's)
from amdgpu_encoding import encode, opcodes, tables

from crossport.validation.amdgpu.bodies import source_operand
from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code

CASES = [
    (arch, form, name)
    for arch in ("gfx942", "gfx1100", "gfx1201")
    for form in ("SOP1", "SOP2", "SOPC")
    for name in sorted(opcodes(arch, form))
    if ref.canonical(name) in ref.SCALAR
]
EDGES = (0, 1, 31, 32, 63, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x00070003, 0x55555555)


def _value(rng: random.Random, bits: int) -> int:
    low = rng.choice(EDGES) if rng.random() < 0.6 else rng.getrandbits(32)
    high = rng.choice(EDGES) if rng.random() < 0.6 else rng.getrandbits(32)
    return low | high << 32 if bits == 64 else low


@pytest.mark.parametrize(("arch", "form", "name"), CASES, ids=lambda v: v)
def test_scalar(devices: Callable[[str], Device], arch: str, form: str, name: str) -> None:
    device = devices(arch)
    fields = {"ssrc0": 10} | ({"ssrc1": 12} if form != "SOP1" else {})
    fields |= {"sdst": 20} if form != "SOPC" else {}
    code = encode(form, name, arch=arch, **fields)
    i = tables(arch).decode(code, 0)
    widths = [o.bits if (o := source_operand(i, j)) else 32 for j in range(2)]
    d_bits = i.operands["sdst"].bits if "sdst" in i.operands else 0
    rng = random.Random(name)
    for _ in range(8):
        a, b = (_value(rng, w) for w in widths)
        is_float = name.endswith(("_f32", "_f16"))
        wave = 32 if "exec_b32" in name else 64
        old, scc, exec_ = _value(rng, 64), rng.randint(0, 1), rng.getrandbits(wave)
        state = State(scc=scc, exec=exec_)
        for at, value in ((10, a), (12, b), (20, old)):
            state.sgprs[at], state.sgprs[at + 1] = value & 0xFFFFFFFF, value >> 32
        after = run_code(device, code, state, wave_size=wave)
        d_old = old if d_bits == 64 else old & 0xFFFFFFFF
        want, want_scc, want_exec = ref.SCALAR[ref.canonical(name)](a, b, d_old, scc, exec_)
        where = f"{name} {a:#x} {b:#x} scc {scc}"
        if want is None:
            assert after.pair(20) == old, where
        elif is_float and (size := int(name[-2:])) and ref.is_nan(want & (1 << size) - 1, size):
            assert ref.is_nan(int(after.sgprs[20]) & (1 << size) - 1, size), where
        elif d_bits == 64:
            assert after.pair(20) == want, where
        else:
            assert int(after.sgprs[20]) == want and int(after.sgprs[21]) == old >> 32, where
        assert after.scc == (scc if want_scc is None else want_scc), where
        assert after.exec == (exec_ if want_exec is None else want_exec), where


COMPARE = {
    "eq": lambda a, b: a == b,
    "lg": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


@pytest.mark.parametrize("name", sorted(n for n in opcodes("gfx942", "SOPK") if "cmpk" in n))
def test_compare_immediate(devices: Callable[[str], Device], name: str) -> None:
    _, _, relation, type_ = name.split("_")
    for register in (0, 5, 0xFFFFFFFB, 0x8000, 0xFFFF8000, 0xFFFF):
        for immediate in (0, 5, 0xFFFB, 0x8000, 0x7FFF):
            state = State()
            state.sgprs[10] = register
            after = run_code(
                devices("gfx942"), encode("SOPK", name, sdst=10, simm16=immediate), state
            )
            right = ref.signed(immediate, 16) if type_ == "i32" else immediate
            left = ref.signed(register, 32) if type_ == "i32" else register
            assert after.scc == int(COMPARE[relation](left, right)), (register, immediate)


def test_immediate_arithmetic(devices: Callable[[str], Device]) -> None:
    def run(name: str, old: int, immediate: int, scc: int = 0) -> tuple[int, int]:
        state = State(scc=scc)
        state.sgprs[10] = old
        code = encode("SOPK", name, sdst=10, simm16=immediate & 0xFFFF)
        after = run_code(devices("gfx942"), code, state)
        return int(after.sgprs[10]), after.scc

    assert run("s_movk_i32", 7, -3) == (0xFFFFFFFD, 0)
    assert run("s_cmovk_i32", 7, -3) == (7, 0)
    assert run("s_cmovk_i32", 7, -3, scc=1) == (0xFFFFFFFD, 1)
    assert run("s_addk_i32", 0x7FFFFFFF, 1) == (0x80000000, 1)
    assert run("s_addk_i32", 5, -6, scc=1) == (0xFFFFFFFF, 0)
    assert run("s_mulk_i32", 5, -6) == (0xFFFFFFE2, 0)


def test_literal_and_inline_constants(devices: Callable[[str], Device]) -> None:
    cases = {
        128: 0,
        192: 64,
        193: 0xFFFFFFFF,
        208: 0xFFFFFFF0,
        240: 0x3F000000,
        247: 0xC0800000,
        248: 0x3E22F983,
    }
    for code_, want in cases.items():
        after = run_code(
            devices("gfx942"), encode("SOP1", "s_mov_b32", sdst=10, ssrc0=code_), State()
        )
        assert int(after.sgprs[10]) == want, code_
    code = encode("SOP2", "s_add_u32", sdst=10, ssrc0=255, ssrc1=129, literal=0x12345678)
    assert int(run_code(devices("gfx942"), code, State()).sgprs[10]) == 0x12345679
    code = encode("SOP1", "s_mov_b64", sdst=10, ssrc0=193)
    assert run_code(devices("gfx942"), code, State()).pair(10) == (1 << 64) - 1
    code = encode("SOP1", "s_mov_b64", sdst=10, ssrc0=242)
    one = int(np.array(1.0).view(np.uint64))
    assert run_code(devices("gfx942"), code, State()).pair(10) == one


def test_branches_and_calls(devices: Callable[[str], Device]) -> None:
    def flow(name: str, *, scc: int = 0, vcc: int = 0, exec_: int = 1) -> bool:
        """Whether the branch over `s_mov s10, 1` is taken."""
        code = encode("SOPP", name, simm16=1) + encode("SOP1", "s_mov_b32", sdst=10, ssrc0=129)
        state = State(scc=scc, exec=exec_)
        state.sgprs[106], state.sgprs[107] = vcc & 0xFFFFFFFF, vcc >> 32
        return int(run_code(devices("gfx942"), code, state).sgprs[10]) == 0

    assert flow("s_branch")
    for scc in (0, 1):
        assert flow("s_cbranch_scc0", scc=scc) == (scc == 0)
        assert flow("s_cbranch_scc1", scc=scc) == (scc == 1)
    for vcc in (0, 1, 1 << 63):
        assert flow("s_cbranch_vccz", vcc=vcc) == (vcc == 0)
        assert flow("s_cbranch_vccnz", vcc=vcc) == (vcc != 0)
    for exec_ in (0, 1 << 40):
        assert flow("s_cbranch_execz", exec_=exec_) == (exec_ == 0)
        assert flow("s_cbranch_execnz", exec_=exec_) == (exec_ != 0)
    # A loop that counts to 5, and a call there and back.
    loop = (
        encode("SOPK", "s_addk_i32", sdst=10, simm16=1)
        + encode("SOPC", "s_cmp_lt_u32", ssrc0=10, ssrc1=133)
        + encode("SOPP", "s_cbranch_scc1", simm16=0xFFFD)
    )
    assert int(run_code(devices("gfx942"), loop, State()).sgprs[10]) == 5
    call = (
        encode("SOP1", "s_getpc_b64", sdst=20)
        + encode("SOP2", "s_add_u32", sdst=20, ssrc0=20, ssrc1=128 + 16)
        + encode("SOP1", "s_swappc_b64", sdst=22, ssrc0=20)
        + encode("SOPK", "s_movk_i32", sdst=11, simm16=7)
        + encode("SOPP", "s_endpgm")
        + encode("SOPK", "s_movk_i32", sdst=10, simm16=3)
        + encode("SOP1", "s_setpc_b64", ssrc0=22)
    )
    after = run_code(devices("gfx942"), call, State())
    assert (int(after.sgprs[10]), int(after.sgprs[11])) == (3, 7)


def test_mode_register(devices: Callable[[str], Device]) -> None:
    # HW register 1, bits 4..7: denormals; flush f32 only.
    immediate = 1 | 4 << 6 | 3 << 11
    code = (
        encode("SOPK", "s_setreg_imm32_b32", simm16=immediate, literal=0xC)
        + encode("SOPK", "s_getreg_b32", sdst=10, simm16=1 | 31 << 11)
        + encode("VOP2", "v_mul_f32", vdst=4, src0=256 + 10, vsrc1=11)
        + encode("VOP3", "v_mul_f64", vdst=6, src0=256 + 12, src1=256 + 14)
    )
    state = State()
    state.vgprs[10] = np.float32(2.0**-100).view(np.uint32)
    state.vgprs[11] = np.float32(2.0**-30).view(np.uint32)
    tiny = int(np.array(2.0**-1000).view(np.uint64))
    state.vgprs[12], state.vgprs[13] = tiny & 0xFFFFFFFF, tiny >> 32
    half = int(np.array(2.0**-40).view(np.uint64))
    state.vgprs[14], state.vgprs[15] = half & 0xFFFFFFFF, half >> 32
    after = run_code(devices("gfx942"), code, state)
    assert int(after.sgprs[10]) & 0xF0 == 0xC0
    assert (after.vgprs[4] == 0).all()
    product = after.vgprs[6].astype(np.uint64) | after.vgprs[7].astype(np.uint64) << np.uint64(32)
    assert (product.view(np.float64) == 2.0**-1040).all()


def test_rounding_mode(devices: Callable[[str], Device]) -> None:
    for mode, want in ((0, 1.0), (1, 1.0 + 2**-23), (2, 1.0), (3, 1.0)):
        code = encode("SOPK", "s_setreg_imm32_b32", simm16=1 | 1 << 11, literal=mode) + encode(
            "VOP2", "v_add_f32", vdst=4, src0=256 + 10, vsrc1=11
        )
        state = State()
        state.vgprs[10] = np.float32(1.0).view(np.uint32)
        state.vgprs[11] = np.float32(2.0**-40).view(np.uint32)
        after = run_code(devices("gfx942"), code, state)
        assert after.vgprs[4].view(np.float32)[0] == np.float32(want), mode
