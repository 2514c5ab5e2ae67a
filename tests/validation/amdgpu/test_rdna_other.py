"""Opcodes of RDNA3 and RDNA4 that fit no table: lanes, immediates, calls, relative moves, dots."""

import itertools
from collections.abc import Callable

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode, opcodes

from crossport.validation.amdgpu.device import Device, DeviceFault
from crossport.validation.amdgpu.stepping import State, run_code

ARCHS = ("gfx1100", "gfx1201")
each_arch = pytest.mark.parametrize("arch", ARCHS)
LANE = np.arange(64)
A, B, C, D, M0 = 10, 11, 12, 4, 125


def _state(exec_: int = 0xFFFF_FFFF) -> State:
    state = State(exec=exec_)
    state.vgprs[A], state.vgprs[D] = 1000 + LANE, 7000 + LANE
    return state


def _float(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


def _half(value: float) -> int:
    return int(np.float16(value).view(np.uint16))


# ---- lanes


@each_arch
@pytest.mark.parametrize("exec_", (0xFFFF_FFFF, 0x0F3C_A5A5))
def test_permutes(devices: Callable[[str], Device], arch: str, exec_: int) -> None:
    on = [bool(exec_ >> lane & 1) for lane in range(32)]
    index = (LANE[:32] * 7 + 3) % 32
    state = _state(exec_)
    state.vgprs[B][:32] = index * 4 + 128  # the address wraps
    code = encode("DS", "ds_bpermute_b32", arch=arch, vdst=D, addr=B, data0=A)
    back = run_code(devices(arch), code, state, wave_size=32)
    code = encode("DS", "ds_permute_b32", arch=arch, vdst=D, addr=B, data0=A)
    forth = run_code(devices(arch), code, state, wave_size=32)
    sent = [0] * 32
    for lane in range(32):
        if on[lane]:
            sent[index[lane]] = 1000 + lane
    for lane in range(32):
        pulled = 1000 + index[lane] if on[index[lane]] else 0
        assert int(back.vgprs[D][lane]) == (pulled if on[lane] else 7000 + lane)
        assert int(forth.vgprs[D][lane]) == (sent[lane] if on[lane] else 7000 + lane)


@each_arch
@pytest.mark.parametrize(
    ("pattern", "source"),
    (
        (0x8000 | 0x1B, lambda lane: lane // 4 * 4 + 3 - lane % 4),
        (0x041F, lambda lane: lane ^ 1),
        (0x401F, lambda lane: lane ^ 16),
        (0x0200 | 0x0F, lambda lane: lane & 15 | 16),
        (0xC000 | 1 << 5, lambda lane: (lane + 1) % 32),
    ),
)
def test_swizzle(
    devices: Callable[[str], Device], arch: str, pattern: int, source: Callable[[int], int]
) -> None:
    code = encode(
        "DS", "ds_swizzle_b32", arch=arch, vdst=D, addr=A, offset0=pattern & 255,
        offset1=pattern >> 8,
    )  # fmt: skip
    after = run_code(devices(arch), code, _state(), wave_size=32)
    assert after.vgprs[D][:32].tolist() == [1000 + source(lane) for lane in range(32)]


@each_arch
def test_read_and_write_lane(devices: Callable[[str], Device], arch: str) -> None:
    state = _state(0xFF00)
    state.sgprs[12], state.sgprs[13] = 32 + 17, 99

    def run(form: str, name: str, **fields: int) -> State:
        return run_code(devices(arch), encode(form, name, arch=arch, **fields), state, wave_size=32)

    assert int(run("VOP3", "v_readlane_b32", vdst=20, src0=256 + A, src1=12).sgprs[20]) == 1017
    after = run("VOP3", "v_writelane_b32", vdst=D, src0=13, src1=12)
    assert after.vgprs[D][:32].tolist() == [99 if k == 17 else 7000 + k for k in range(32)]
    assert int(run("VOP1", "v_readfirstlane_b32", vdst=20, src0=256 + A).sgprs[20]) == 1008
    swapped = run("VOP1", "v_swap_b32", vdst=D, src0=256 + A)
    for lane in range(32):
        off = not state.exec >> lane & 1
        assert int(swapped.vgprs[D][lane]) == (7000 if off else 1000) + lane
        assert int(swapped.vgprs[A][lane]) == (1000 if off else 7000) + lane


@each_arch
def test_halves_of_a_wave64(devices: Callable[[str], Device], arch: str) -> None:
    code = encode("VOP1", "v_permlane64_b32", arch=arch, vdst=D, src0=256 + A)
    after = run_code(devices(arch), code, _state((1 << 64) - 1))
    assert after.vgprs[D].tolist() == [1000 + (lane ^ 32) for lane in range(64)]


@each_arch
def test_lds_by_thread(devices: Callable[[str], Device], arch: str) -> None:
    """The address is M0 plus the lane's number."""
    state = _state()
    state.lds = np.arange(64, dtype=np.uint32).view(np.uint8).copy()
    state.sgprs[M0] = 16
    code = encode("DS", "ds_load_addtid_b32", arch=arch, vdst=D, offset0=8)
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.vgprs[D][:32].tolist() == [6 + lane for lane in range(32)]
    code = encode("DS", "ds_store_addtid_b32", arch=arch, data0=A, offset0=8)
    after = run_code(devices(arch), code, state, wave_size=32)
    assert after.lds.view(np.uint32)[6:38].tolist() == [1000 + lane for lane in range(32)]


@each_arch
@pytest.mark.parametrize("bits", (32, 64))
@pytest.mark.parametrize("returns", ("", "_rtn"))
def test_masked_or(devices: Callable[[str], Device], arch: str, bits: int, returns: str) -> None:
    state = _state(1)
    state.lds = np.full(64, 0xF5, np.uint8)
    state.vgprs[A], state.vgprs[A + 1] = 0x0FF0, 0xFF
    state.vgprs[20], state.vgprs[21], state.vgprs[B + 10] = 0x1230, 0x44, 0x44
    state.vgprs[30] = 0
    code = encode("DS", f"ds_mskor{returns}_b{bits}", arch=arch, vdst=D, addr=30, data0=A, data1=20)
    after = run_code(devices(arch), code, state, wave_size=32)
    old, mask, add = 0xF5F5F5F5F5F5F5F5, 0xFF00000FF0, 0x4400001230
    low = (1 << bits) - 1
    want = (old & ~mask | add) & low
    assert int.from_bytes(after.lds[: bits // 8].tobytes(), "little") == want
    if returns:
        assert int(after.vgprs[D][0]) == 0xF5F5F5F5


# ---- immediates, control, calls

_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "lg": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


@pytest.mark.parametrize("name", sorted(n for n in opcodes("gfx1100", "SOPK") if "cmpk" in n))
def test_compare_immediate(devices: Callable[[str], Device], name: str) -> None:
    _, _, relation, type_ = name.split("_")
    values = itertools.product((0, 5, 0xFFFFFFFB, 0x8000, 0xFFFF8000), (0, 5, 0xFFFB, 0x8000))
    for register, immediate in values:
        state = State()
        state.sgprs[10] = register
        code = encode("SOPK", name, arch="gfx1100", sdst=10, simm16=immediate)
        right = ref.signed(immediate, 16) if type_ == "i32" else immediate
        left = ref.signed(register, 32) if type_ == "i32" else register
        after = run_code(devices("gfx1100"), code, state)
        assert after.scc == int(_RELATIONS[relation](left, right)), (register, immediate)


@each_arch
def test_immediate_arithmetic(devices: Callable[[str], Device], arch: str) -> None:
    def run(name: str, old: int, immediate: int, scc: int = 0) -> tuple[int, int]:
        state = State(scc=scc)
        state.sgprs[10] = old
        code = encode("SOPK", name, arch=arch, sdst=10, simm16=immediate & 0xFFFF)
        after = run_code(devices(arch), code, state)
        return int(after.sgprs[10]), after.scc

    add = "s_addk_i32" if arch == "gfx1100" else "s_addk_co_i32"
    assert run("s_movk_i32", 7, -3) == (0xFFFFFFFD, 0)
    assert run("s_cmovk_i32", 7, -3) == (7, 0)
    assert run("s_cmovk_i32", 7, -3, scc=1) == (0xFFFFFFFD, 1)
    assert run(add, 0x7FFFFFFF, 1) == (0x80000000, 1)
    assert run(add, 5, -6, scc=1) == (0xFFFFFFFF, 0)
    assert run("s_mulk_i32", 5, -6) == (0xFFFFFFE2, 0)
    assert run("s_version", 5, 3) == (5, 0)


@each_arch
def test_scalar_literals(devices: Callable[[str], Device], arch: str) -> None:
    state = State()
    state.sgprs[10], state.sgprs[12] = _float(3.0), _float(5.0)
    for name, want in (("s_fmaak_f32", 3 * 5 + 0.5), ("s_fmamk_f32", 3 * 0.5 + 5)):
        code = encode("SOP2", name, arch=arch, sdst=20, ssrc0=10, ssrc1=12, literal=_float(0.5))
        assert int(run_code(devices(arch), code, state).sgprs[20]) == _float(want)


@each_arch
def test_dual_issue_with_a_factor(devices: Callable[[str], Device], arch: str) -> None:
    state = State(exec=0xFFFFFFFF)
    state.vgprs[6], state.vgprs[7] = _float(2.0), _float(5.0)
    names = opcodes(arch, "VOPD")
    code = encode(
        "VOPD", "v_dual_fmamk_f32", arch=arch, opx=names["v_dual_fmamk_f32"],
        opy=names["v_dual_mov_b32"], vdstx=4, vdsty=2, srcx0=256 + 6, vsrcx1=7, srcy0=256 + 7,
        literal=_float(0.5),
    )  # fmt: skip
    after = run_code(devices(arch), code, state, wave_size=32)
    assert (int(after.vgprs[4][0]), int(after.vgprs[5][0])) == (_float(6.0), _float(5.0))


@each_arch
def test_calls(devices: Callable[[str], Device], arch: str) -> None:
    def one(form: str, name: str, **fields: int) -> bytes:
        return encode(form, name, arch=arch, **fields)

    add = "s_add_u32" if arch == "gfx1100" else "s_add_co_u32"
    body = (
        one("SOPK", "s_movk_i32", sdst=11, simm16=7)
        + one("SOPP", "s_endpgm")
        + one("SOPK", "s_movk_i32", sdst=10, simm16=3)
        + one("SOP1", "s_setpc_b64", ssrc0=22)
    )
    by_address = (
        one("SOP1", "s_getpc_b64", sdst=20)
        + one("SOP2", add, sdst=20, ssrc0=20, ssrc1=128 + 16)
        + one("SOP1", "s_swappc_b64", sdst=22, ssrc0=20)
    )
    for code in (by_address + body, one("SOPK", "s_call_b64", sdst=22, simm16=2) + body):
        after = run_code(devices(arch), code, State())
        assert (int(after.sgprs[10]), int(after.sgprs[11])) == (3, 7)


@each_arch
def test_mode_register(devices: Callable[[str], Device], arch: str) -> None:
    """Denormals of f32 off, read back; and by the two short instructions."""
    product = encode("VOP2", "v_mul_f32", arch=arch, vdst=D, src0=256 + A, vsrc1=B)
    read = encode("SOPK", "s_getreg_b32", arch=arch, sdst=10, simm16=1 | 31 << 11)
    by_register = encode("SOPK", "s_setreg_b32", arch=arch, sdst=12, simm16=1 | 4 << 6 | 3 << 11)
    by_literal = encode(
        "SOPK", "s_setreg_imm32_b32", arch=arch, simm16=1 | 4 << 6 | 3 << 11, literal=0xC
    )
    for change in (by_register, by_literal, encode("SOPP", "s_denorm_mode", arch=arch, simm16=0xC)):
        state = State()
        state.sgprs[12] = 0xC
        state.vgprs[A], state.vgprs[B] = _float(2.0**-100), _float(2.0**-30)
        after = run_code(devices(arch), change + read + product, state)
        assert int(after.sgprs[10]) & 0xF0 == 0xC0
        assert not after.vgprs[D].any()
    total = encode("VOP2", "v_add_f32", arch=arch, vdst=D, src0=256 + A, vsrc1=B)
    for mode, want in ((0, 1.0), (1, 1.0 + 2**-23)):
        state = State()
        state.vgprs[A], state.vgprs[B] = _float(1.0), _float(2.0**-40)
        code = encode("SOPP", "s_round_mode", arch=arch, simm16=mode) + total
        assert int(run_code(devices(arch), code, state).vgprs[D][0]) == _float(want)


_HINTS = {
    *("s_sleep", "s_setkill", "s_incperflevel", "s_decperflevel", "s_ttracedata", "s_wakeup"),
    *("s_ttracedata_imm", "s_cbranch_cdbgsys", "s_cbranch_cdbguser", "s_wait_event"),
    *("s_cbranch_cdbgsys_or_user", "s_cbranch_cdbgsys_and_user", "s_sendmsg", "s_sethalt"),
}


@each_arch
def test_hints_change_nothing(devices: Callable[[str], Device], arch: str) -> None:
    move = encode("VOP1", "v_mov_b32", arch=arch, vdst=D, src0=256 + A)
    codes = [
        encode("SOPP", n, arch=arch, simm16=1) for n in sorted(_HINTS & {*opcodes(arch, "SOPP")})
    ]
    if arch == "gfx1201":
        codes += [encode("SOP1", "s_sleep_var", arch=arch, ssrc0=129)]
        codes += [
            encode("SMEM", n, arch=arch, sbase=10, soffset=124)
            for n in opcodes(arch, "SMEM")
            if "prefetch" in n
        ]
    else:
        codes += [encode("SMEM", "s_gl1_inv", arch=arch)]
    for code in codes:
        after = run_code(devices(arch), code + move, _state())
        assert after.vgprs[D][:32].tolist() == (1000 + LANE[:32]).tolist()
        assert not after.sgprs[:100].any()


@each_arch
def test_trap_and_early_end(devices: Callable[[str], Device], arch: str) -> None:
    with pytest.raises(DeviceFault, match="a trap"):
        run_code(devices(arch), encode("SOPP", "s_trap", arch=arch, simm16=2), State())
    move = encode("VOP1", "v_mov_b32", arch=arch, vdst=D, src0=129)
    after = run_code(devices(arch), encode("SOPP", "s_endpgm_saved", arch=arch) + move, State())
    assert not after.vgprs[D].any()


# ---- relative moves


@each_arch
def test_relative_moves(devices: Callable[[str], Device], arch: str) -> None:
    state = _state()
    state.sgprs[M0] = 3
    state.sgprs[20:30] = range(100, 110)
    for k in range(8):
        state.vgprs[40 + k] = 50 + k

    def run(form: str, name: str, **fields: int) -> State:
        return run_code(devices(arch), encode(form, name, arch=arch, **fields), state, wave_size=32)

    assert int(run("SOP1", "s_movrels_b32", sdst=40, ssrc0=20).sgprs[40]) == 103
    assert int(run("SOP1", "s_movreld_b32", sdst=40, ssrc0=20).sgprs[43]) == 100
    assert run("SOP1", "s_movrels_b64", sdst=40, ssrc0=20).pair(40) == 103 | 104 << 32
    assert run("SOP1", "s_movreld_b64", sdst=40, ssrc0=20).pair(43) == 100 | 101 << 32
    for form, source in (("VOP1", {"src0": 256 + 40}), ("VOP3", {"src0": 256 + 40})):
        read = run(form, "v_movrels_b32", vdst=D, **source)
        assert read.vgprs[D][:32].tolist() == [53] * 32
        written = run(form, "v_movreld_b32", vdst=D, **source)
        assert written.vgprs[D + 3][:32].tolist() == [50] * 32
        both = run(form, "v_movrelsd_b32", vdst=D, **source)
        assert both.vgprs[D + 3][:32].tolist() == [53] * 32


# ---- dots and cubes


@each_arch
@pytest.mark.parametrize("clamp", (0, 1))
@pytest.mark.parametrize("signs", (0, 1, 2, 3))
@pytest.mark.parametrize(("count", "bits"), ((4, 8), (8, 4)))
def test_integer_dots(
    devices: Callable[[str], Device], arch: str, count: int, bits: int, signs: int, clamp: int
) -> None:
    """Which operands are signed is in their NEG bits."""
    state = _state()
    rng = np.random.default_rng(bits + signs)
    a, b = (rng.integers(0, 1 << 32, 64, np.uint32) for _ in range(2))
    state.vgprs[A], state.vgprs[B] = a, b
    state.vgprs[C] = np.where(LANE % 2, 0x7FFFFFF0, LANE).astype(np.uint32)
    code = encode(
        "VOP3P", f"v_dot{count}_i32_iu{bits}", arch=arch, vdst=D, src0=256 + A, src1=256 + B,
        src2=256 + C, opsel_hi=3, opsel_hi2=1, neg=signs, clmp=clamp,
    )  # fmt: skip
    after = run_code(devices(arch), code, state, wave_size=32)

    def parts(x: int, is_signed: int) -> list[int]:
        found = [x >> bits * k & (1 << bits) - 1 for k in range(count)]
        return [ref.signed(v, bits) if is_signed else v for v in found]

    for lane in range(32):
        pairs = zip(parts(int(a[lane]), signs & 1), parts(int(b[lane]), signs >> 1), strict=True)
        total = sum(x * y for x, y in pairs) + ref.signed(int(state.vgprs[C][lane]), 32)
        if clamp:
            total = min(max(total, -(1 << 31)), (1 << 31) - 1)
        assert int(after.vgprs[D][lane]) == total & 0xFFFFFFFF, lane


@each_arch
def test_float_dots(devices: Callable[[str], Device], arch: str) -> None:
    state = _state()
    state.vgprs[A] = _half(1.5) | _half(-2.0) << 16
    state.vgprs[B] = _half(4.0) | _half(0.5) << 16
    state.vgprs[C] = _float(10.0)

    def run(form: str, name: str, **fields: int) -> int:
        code = encode(
            form, name, arch=arch, vdst=D, src0=256 + A, src1=256 + B, src2=256 + C, **fields
        )
        return int(run_code(devices(arch), code, state, wave_size=32).vgprs[D][0])

    packed = {"opsel_hi": 3, "opsel_hi2": 1}
    assert run("VOP3P", "v_dot2_f32_f16", **packed) == _float(15.0)
    state.vgprs[C], state.vgprs[D] = _half(10.0), 0
    assert run("VOP3", "v_dot2_f16_f16") & 0xFFFF == _half(15.0)
    state.vgprs[A], state.vgprs[B] = 0x3FC0_4000, 0x4080_3F00  # bf16: 2.0, 1.5 and 0.5, 4.0
    state.vgprs[C] = _float(10.0)
    assert run("VOP3P", "v_dot2_f32_bf16", **packed) == _float(17.0)
    if arch == "gfx1100":
        return
    # E4M3 has 1.0 at 0x38, E5M2 at 0x3C; one step of the exponent is 8 and 4.
    eight = {"fp8": (0x38, 8), "bf8": (0x3C, 4)}
    for first, second in itertools.product(eight, eight):
        (a, step_a), (b, step_b) = eight[first], eight[second]
        state.vgprs[A] = a | a + step_a << 8 | a << 16 | (a | 0x80) << 24  # 1, 2, 1, -1
        state.vgprs[B] = b | b << 8 | b + step_b << 16 | b + 2 * step_b << 24  # 1, 1, 2, 4
        got = run("VOP3P", f"v_dot4_f32_{first}_{second}", **packed)
        assert got == _float(10.0 + 1 + 2 + 2 - 4)


@each_arch
def test_cube_faces(devices: Callable[[str], Device], arch: str) -> None:
    for vector, found in (
        ((3.0, 1.0, -2.0), (0.0, 6.0, 2.0, -1.0)),
        ((-3.0, 1.0, -2.0), (1.0, -6.0, -2.0, -1.0)),
        ((1.0, 4.0, 2.0), (2.0, 8.0, 1.0, 2.0)),
        ((1.0, 2.0, -5.0), (5.0, -10.0, -1.0, -2.0)),
    ):
        state = _state()
        for at, value in zip((A, B, C), vector, strict=True):
            state.vgprs[at] = _float(value)
        for part, want in zip(("id", "ma", "sc", "tc"), found, strict=True):
            code = encode(
                "VOP3", f"v_cube{part}_f32", arch=arch, vdst=D, src0=256 + A, src1=256 + B,
                src2=256 + C,
            )  # fmt: skip
            got = int(run_code(devices(arch), code, state, wave_size=32).vgprs[D][0])
            assert got == _float(want)


@each_arch
def test_fma_mix(devices: Callable[[str], Device], arch: str) -> None:
    state = _state()
    state.vgprs[A], state.vgprs[B] = _half(1.5) | _half(3.0) << 16, _float(2.0)
    state.vgprs[C], state.vgprs[D] = _half(0.25), 0xAAAABBBB
    fields = {"src0": 256 + A, "src1": 256 + B, "src2": 256 + C, "opsel": 1}
    fields |= {"opsel_hi": 1, "opsel_hi2": 1}  # the upper half of A, all of B, the lower half of C
    for end, want in (
        ("_f32", _float(6.25)),
        ("lo_f16", 0xAAAA0000 | _half(6.25)),
        ("hi_f16", 0xBBBB | _half(6.25) << 16),
    ):
        code = encode("VOP3P", f"v_fma_mix{end}", arch=arch, vdst=D, **fields)
        assert int(run_code(devices(arch), code, state, wave_size=32).vgprs[D][0]) == want
