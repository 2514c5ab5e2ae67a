"""Opcodes that fit no table: mixed dot products, cube faces, relative moves, rarer atomics."""

from collections.abc import Callable

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode

from crossport.validation.amdgpu.device import Device, DeviceFault
from crossport.validation.amdgpu.stepping import State, addresses_of, run_code

A, B, C, D = 10, 12, 14, 4


def _float(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


def _half(value: float) -> int:
    return int(np.float16(value).view(np.uint16))


def test_half_dot_products(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[A] = _half(1.5) | _half(-2.0) << 16
    state.vgprs[B] = _half(4.0) | _half(0.5) << 16
    state.vgprs[C] = state.vgprs[D] = _float(10.0)
    code = encode(
        "VOP3P", "v_dot2_f32_f16", vdst=D, src0=256 + A, src1=256 + B, src2=256 + C, opsel_hi=3,
        opsel_hi2=1,
    )  # fmt: skip
    assert int(run_code(devices("gfx942"), code, state).vgprs[D][0]) == _float(15.0)
    code = encode("VOP2", "v_dot2c_f32_f16", vdst=D, src0=256 + A, vsrc1=B)
    assert int(run_code(devices("gfx942"), code, state).vgprs[D][0]) == _float(15.0)
    state.vgprs[A], state.vgprs[B] = 0x3FC0_4000, 0x4080_3F00  # bf16: 2.0, 1.5 and 0.5, 4.0
    code = encode("VOP2", "v_dot2c_f32_bf16", arch="gfx950", vdst=D, src0=256 + A, vsrc1=B)
    assert int(run_code(devices("gfx950"), code, state).vgprs[D][0]) == _float(17.0)


def test_cube_faces(devices: Callable[[str], Device]) -> None:
    for vector, face, major, s, t in (
        ((3.0, 1.0, -2.0), 0.0, 6.0, 2.0, -1.0),
        ((-3.0, 1.0, -2.0), 1.0, -6.0, -2.0, -1.0),
        ((1.0, 4.0, 2.0), 2.0, 8.0, 1.0, 2.0),
        ((1.0, -4.0, 2.0), 3.0, -8.0, 1.0, -2.0),
        ((1.0, 2.0, 5.0), 4.0, 10.0, 1.0, -2.0),
        ((1.0, 2.0, -5.0), 5.0, -10.0, -1.0, -2.0),
    ):
        state = State()
        for at, value in zip((A, B, C), vector, strict=True):
            state.vgprs[at] = _float(value)
        for name, want in (
            ("v_cubeid_f32", face), ("v_cubema_f32", major), ("v_cubesc_f32", s),
            ("v_cubetc_f32", t),
        ):  # fmt: skip
            code = encode("VOP3", name, vdst=D, src0=256 + A, src1=256 + B, src2=256 + C)
            assert int(run_code(devices("gfx942"), code, state).vgprs[D][0]) == _float(want)


def test_relative_scalar_moves(devices: Callable[[str], Device]) -> None:
    state = State()
    state.sgprs[124] = 3
    state.sgprs[20:30] = range(100, 110)
    code = encode("SOP1", "s_movrels_b32", sdst=40, ssrc0=20)
    assert int(run_code(devices("gfx942"), code, state).sgprs[40]) == 103
    code = encode("SOP1", "s_movreld_b32", sdst=40, ssrc0=20)
    assert int(run_code(devices("gfx942"), code, state).sgprs[43]) == 100
    code = encode("SOP1", "s_movrels_b64", sdst=40, ssrc0=20)
    assert run_code(devices("gfx942"), code, state).pair(40) == 103 | 104 << 32
    code = encode("SOP1", "s_movreld_b64", sdst=41, ssrc0=20)
    assert run_code(devices("gfx942"), code, state).pair(44) == 100 | 101 << 32


def test_register_write_of_the_mode(devices: Callable[[str], Device]) -> None:
    state = State()
    state.sgprs[20] = 0x5
    code = encode("SOPK", "s_setreg_b32", sdst=20, simm16=1 | 4 << 6 | 3 << 11)
    assert run_code(devices("gfx942"), code, state).mode == 0x250


def test_call(devices: Callable[[str], Device]) -> None:
    code = (
        encode("SOPK", "s_call_b64", sdst=20, simm16=2)
        + encode("SOPK", "s_movk_i32", sdst=11, simm16=7)
        + encode("SOPP", "s_endpgm")
        + encode("SOPK", "s_movk_i32", sdst=10, simm16=3)
        + encode("SOP1", "s_setpc_b64", ssrc0=20)
    )
    after = run_code(devices("gfx942"), code, State())
    assert (int(after.sgprs[10]), int(after.sgprs[11])) == (3, 7)


@pytest.mark.parametrize("returns", (0, 1))
@pytest.mark.parametrize("space", ("flat", "buffer"))
@pytest.mark.parametrize("name", ("add", "smax", "and", "swap", "cmpswap", "add_x2", "add_f32"))
def test_atomics_of_other_spaces(
    devices: Callable[[str], Device], space: str, name: str, returns: int
) -> None:
    memory = np.zeros(64, np.uint8)
    is_float = name == "add_f32"
    memory.view(np.uint32)[2] = _float(5.0) if is_float else 5
    state = State(exec=1 << 9, arrays=[memory])
    base = addresses_of(state.arrays)[0]
    state.vgprs[B] = _float(42.0) if is_float else 42
    state.vgprs[B + 1] = 5 if name == "cmpswap" else 0
    if space == "flat":
        state.vgprs[A], state.vgprs[A + 1] = (base + 8) & 0xFFFFFFFF, (base + 8) >> 32
        code = encode(
            "FLAT", f"flat_atomic_{name}", addr=A, data=B, vdst=D, saddr=0x7F, sc0=returns
        )
    else:
        state.vgprs[A] = 8
        state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 64, 0x27000]
        code = encode(
            "MUBUF", f"buffer_atomic_{name}", vaddr=A, vdata=B, srsrc=5, soffset=128, offen=1,
            sc0=returns,
        )  # fmt: skip
    after = run_code(devices("gfx942"), code, state)
    want = {"add": 47, "smax": 42, "and": 42 & 5, "swap": 42, "cmpswap": 42, "add_x2": 47}
    got = int(memory.view(np.uint32)[2])
    assert got == (_float(47.0) if is_float else want[name])
    if returns:
        result = after.vgprs[D if space == "flat" else B][9]
        assert int(result) == (_float(5.0) if is_float else 5)


@pytest.mark.parametrize("kind", ("byte", "short", "dword", "dwordx2", "dwordx3"))
def test_scratch_store(devices: Callable[[str], Device], kind: str) -> None:
    state = State()
    for k in range(3):
        state.vgprs[A + k] = 0x01020304 * (k + 1) + np.arange(64)
    state.sgprs[20] = 12
    store = encode("SCRATCH", f"scratch_store_{kind}", saddr=20, data=A, offset=4)
    load = encode("SCRATCH", "scratch_load_dwordx4", saddr=0x7F, vdst=D, offset=16)
    after = run_code(devices("gfx942"), store + load, state, scratch=64)
    words = {"dwordx2": 2, "dwordx3": 3}.get(kind, 1)
    mask = {"byte": 0xFF, "short": 0xFFFF}.get(kind, 0xFFFFFFFF)
    for k in range(words):
        assert ((after.vgprs[D + k] & mask) == (state.vgprs[A + k] & mask)).all()


def test_float_lds_atomics_that_return(devices: Callable[[str], Device]) -> None:
    for name, want in (("add_rtn_f32", 3.75), ("min_rtn_f32", 1.5), ("max_rtn_f32", 2.25)):
        state = State(exec=1)
        state.lds = np.zeros(64, np.uint8)
        state.lds.view(np.float32)[0] = 1.5
        state.vgprs[B] = _float(2.25)
        after = run_code(
            devices("gfx942"), encode("DS", f"ds_{name}", vdst=D, addr=A, data0=B), state
        )
        assert after.lds.view(np.float32)[0] == want
        assert int(after.vgprs[D][0]) == _float(1.5)


def test_structured_buffer(devices: Callable[[str], Device]) -> None:
    """Index times stride; an index beyond the records reads 0."""
    memory = np.arange(256, dtype=np.uint32).view(np.uint8)
    state = State(arrays=[memory])
    base = addresses_of(state.arrays)[0]
    state.vgprs[A], state.vgprs[A + 1] = np.arange(64), 4
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32 | 12 << 16, 20, 0x27000]
    code = encode(
        "MUBUF", "buffer_load_dword", vaddr=A, vdata=D, srsrc=5, soffset=128, idxen=1, offen=1
    )
    after = run_code(devices("gfx942"), code, state)
    assert after.vgprs[D].tolist() == [3 * k + 1 if k < 20 else 0 for k in range(64)]


def test_signed_dot_with_clamp(devices: Callable[[str], Device]) -> None:
    state = State()
    state.vgprs[A], state.vgprs[B], state.vgprs[C] = 0x7F7F7F7F, 0x7F7F7F7F, 0x7FFFFFFF
    for clamp in (0, 1):
        code = encode(
            "VOP3P", "v_dot4_i32_i8", vdst=D, src0=256 + A, src1=256 + B, src2=256 + C,
            opsel_hi=3, opsel_hi2=1, clmp=clamp,
        )  # fmt: skip
        got = int(run_code(devices("gfx942"), code, state).vgprs[D][0])
        total = 4 * 127 * 127 + 0x7FFFFFFF
        assert got == (0x7FFFFFFF if clamp else total & 0xFFFFFFFF)
    assert ref.signed(0x80, 8) == -128


def test_clock_does_not_go_back(devices: Callable[[str], Device]) -> None:
    code = b"".join(encode("SMEM", "s_memtime", sdata=20 + 2 * k) for k in range(2))
    code += encode("SMEM", "s_memrealtime", sdata=24)
    after = run_code(devices("gfx942"), code, State())
    assert 0 < after.pair(20) <= after.pair(22) <= after.pair(24)


def test_unfused_multiply_adds_of_gfx90a(devices: Callable[[str], Device]) -> None:
    """Two roundings, under numbers that gfx942 uses for fused ones."""
    state = State()
    a, b, c = (_float(v) for v in (1.0 + 2.0**-12, 1.0 + 2.0**-12, -1.0))
    state.vgprs[A], state.vgprs[B], state.vgprs[C], state.vgprs[D] = a, b, c, c
    want = ref.arithmetic("+", ref.arithmetic("*", a, b, 32), c, 32)
    assert want != ref.fma(a, b, c, 32)

    def run(form: str, name: str, **fields: int | None) -> int:
        code = encode(form, name, arch="gfx90a", vdst=D, src0=256 + A, **fields)
        return int(run_code(devices("gfx90a"), code, state).vgprs[D][0])

    assert run("VOP2", "v_mac_f32", vsrc1=B) == want
    assert run("VOP3", "v_mac_f32", src1=256 + B) == want
    assert run("VOP3", "v_mad_f32", src1=256 + B, src2=256 + C) == want
    assert run("VOP2", "v_madak_f32", vsrc1=B, literal=c) == want
    assert run("VOP2", "v_madmk_f32", vsrc1=C, literal=b) == want


_HINTS = (
    "s_sleep", "s_setprio", "s_sendmsg", "s_sethalt", "s_setkill", "s_icache_inv",
    "s_incperflevel", "s_decperflevel", "s_cbranch_cdbgsys", "s_cbranch_cdbguser",
    "s_cbranch_cdbgsys_or_user", "s_cbranch_cdbgsys_and_user",
)  # fmt: skip


@pytest.mark.parametrize("name", _HINTS)
def test_hints_change_nothing(devices: Callable[[str], Device], name: str) -> None:
    """Waits, priorities, messages and a debugger's branches: the next instruction follows."""
    state = State()
    state.vgprs[A] = 7
    code = encode("SOPP", name, simm16=1) + encode("VOP1", "v_mov_b32", vdst=D, src0=256 + A)
    after = run_code(devices("gfx942"), code, state)
    assert int(after.vgprs[D][0]) == 7
    assert np.array_equal(after.sgprs[:100], state.sgprs[:100])


def test_trap_and_early_end(devices: Callable[[str], Device]) -> None:
    move = encode("VOP1", "v_mov_b32", vdst=D, src0=129)
    with pytest.raises(DeviceFault, match="a trap"):
        run_code(devices("gfx942"), encode("SOPP", "s_trap", simm16=2), State())
    with pytest.raises(DeviceFault, match="message 7"):
        run_code(devices("gfx942"), encode("SOPP", "s_sendmsg", simm16=7), State())
    after = run_code(devices("gfx942"), encode("SOPP", "s_endpgm_saved") + move, State())
    assert int(after.vgprs[D][0]) == 0


def test_register_indexing(devices: Callable[[str], Device]) -> None:
    """Between ON and OFF the operands that M0 chooses are moved; not before, not after."""
    state = State()
    for k in range(8):
        state.vgprs[40 + k] = 50 + k
    state.sgprs[20], state.sgprs[21] = 3, 2
    move = encode("VOP1", "v_mov_b32", vdst=D, src0=256 + 40)

    def on(which: int) -> bytes:
        return encode("SOPC", "s_set_gpr_idx_on", ssrc0=20, ssrc1=which)

    off = encode("SOPP", "s_set_gpr_idx_off")
    after = run_code(devices("gfx942"), on(1) + move + off + move, state)
    assert int(after.vgprs[D][0]) == 50  # the move after OFF
    after = run_code(devices("gfx942"), on(1) + move + off, state)
    assert int(after.vgprs[D][0]) == 53
    assert int(after.sgprs[124]) & 0xF0FF == 1 << 12 | 3
    after = run_code(devices("gfx942"), on(8) + move + off, state)
    assert int(after.vgprs[D + 3][0]) == 50
    assert int(after.vgprs[D][0]) == 0
    changed = on(1) + encode("SOP1", "s_set_gpr_idx_idx", ssrc0=21)
    changed += encode("SOPP", "s_set_gpr_idx_mode", simm16=9) + move + off
    after = run_code(devices("gfx942"), changed, state)
    assert int(after.vgprs[D + 2][0]) == 52
    state.sgprs[20] = 255
    with pytest.raises(DeviceFault, match="register number"):
        run_code(devices("gfx942"), on(8) + move + off, state)
