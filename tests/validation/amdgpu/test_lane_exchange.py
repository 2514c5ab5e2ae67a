"""DPP, ds_bpermute and friends, readlane: where each lane's value comes from."""

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode
from numpy.typing import NDArray

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code

EXECS = ((1 << 64) - 1, 0xF0F0_FFFF_0F3C_A5A5)
LANE = np.arange(64)


def _state(exec_: int) -> State:
    state = State(exec=exec_)
    state.vgprs[10] = 1000 + LANE
    state.vgprs[11] = 5
    state.vgprs[4] = 7000 + LANE
    return state


def _active(exec_: int) -> NDArray[np.bool_]:
    return (np.uint64(exec_) >> LANE.astype(np.uint64) & np.uint64(1)).astype(bool)


def _dpp_source(control: int, lane: int) -> int | None:
    """Lane that DPP reads from, by the ISA guide's table; None: out of bounds."""
    row, at, n = lane // 16 * 16, lane % 16, control & 15
    if control < 0x100:
        return lane // 4 * 4 + (control >> 2 * (lane % 4) & 3)
    if 0x101 <= control <= 0x10F:
        return lane + n if at + n <= 15 else None
    if 0x111 <= control <= 0x11F:
        return lane - n if at - n >= 0 else None
    if 0x121 <= control <= 0x12F:
        return row + (at - n) % 16
    if 0x150 <= control <= 0x15F:
        return row + n
    return {
        0x130: lane + 1 if lane < 63 else None,
        0x134: (lane + 1) % 64,
        0x138: lane - 1 if lane > 0 else None,
        0x13C: (lane - 1) % 64,
        0x140: row + 15 - at,
        0x141: lane // 8 * 8 + 7 - lane % 8,
        0x142: row - 1 if lane >= 16 else None,
        0x143: 31 if lane >= 32 else None,
    }[control]


CONTROLS = [
    *(0x00, 0x1B, 0xE4, 0xB1, 0x4E, 0x101, 0x108, 0x10F, 0x111, 0x118, 0x11F, 0x121, 0x12F),
    *(0x130, 0x134, 0x138, 0x13C, 0x140, 0x141, 0x142, 0x143, 0x150, 0x155, 0x15F),
]


@pytest.mark.parametrize("control", CONTROLS, ids=hex)
@pytest.mark.parametrize("exec_", EXECS, ids=("all", "some"))
@pytest.mark.parametrize(("rows", "banks", "bound"), ((15, 15, 0), (15, 15, 1), (0xA, 0x5, 0)))
def test_dpp(
    devices: Callable[[str], Device], control: int, exec_: int, rows: int, banks: int, bound: int
) -> None:
    code = encode(
        "VOP2",
        "v_add_u32",
        variant="VOP2_DPP16",
        vdst=4,
        src0=250,
        vsrc1=11,
        vsrc0=10,
        dpp=control,
        row_mask=rows,
        bank_mask=banks,
        bc=bound,
    )
    after = run_code(devices("gfx942"), code, _state(exec_))
    active = _active(exec_)
    for lane in range(64):
        source = _dpp_source(control, lane)
        valid = source is not None and bool(active[source])
        chosen = rows >> lane // 16 & 1 and banks >> lane // 4 % 4 & 1
        writes = active[lane] and chosen and (valid or bound)
        value = 1000 + source if valid and source is not None else 0
        want = value + 5 if writes else 7000 + lane
        assert int(after.vgprs[4][lane]) == want, (hex(control), lane)


def test_dpp_with_modifiers(devices: Callable[[str], Device]) -> None:
    state = _state(EXECS[0])
    state.vgprs[10] = (LANE - 30.5).astype(np.float32).view(np.uint32)
    state.vgprs[11] = np.float32(-2.0).view(np.uint32)
    code = encode(
        "VOP2",
        "v_mul_f32",
        variant="VOP2_DPP16",
        vdst=4,
        src0=250,
        vsrc1=11,
        vsrc0=10,
        dpp=0x140,
        row_mask=15,
        bank_mask=15,
        src0_abs=1,
        src1_neg=1,
    )
    mirrored = LANE // 16 * 16 + 15 - LANE % 16
    want = np.abs(mirrored - 30.5) * 2
    after = run_code(devices("gfx942"), code, state)
    assert (after.vgprs[4].view(np.float32) == want.astype(np.float32)).all()


def test_dpp_64_bits(devices: Callable[[str], Device]) -> None:
    state = _state(EXECS[0])
    state.vgprs[11] = 2000 + LANE
    code = encode(
        "VOP1",
        "v_mov_b64",
        variant="VOP1_DPP16",
        vdst=4,
        src0=250,
        vsrc0=10,
        dpp=0x153,
        row_mask=15,
        bank_mask=15,
    )
    after = run_code(devices("gfx942"), code, state)
    assert (after.vgprs[4] == 1003 + LANE // 16 * 16).all()
    assert (after.vgprs[5] == 2003 + LANE // 16 * 16).all()


@pytest.mark.parametrize("exec_", EXECS, ids=("all", "some"))
def test_permutes(devices: Callable[[str], Device], exec_: int) -> None:
    active = _active(exec_)
    index = (LANE * 7 + 3) % 64
    state = _state(exec_)
    state.vgprs[11] = index * 4 + 256  # the address wraps
    back = run_code(
        devices("gfx942"), encode("DS", "ds_bpermute_b32", vdst=4, addr=11, data0=10), state
    )
    want = np.where(active, np.where(active[index], 1000 + index, 0), 7000 + LANE)
    assert (back.vgprs[4] == want).all()
    forth = run_code(
        devices("gfx942"), encode("DS", "ds_permute_b32", vdst=4, addr=11, data0=10), state
    )
    out = np.zeros(64, int)
    for lane in range(64):
        if active[lane]:
            out[index[lane]] = 1000 + lane
    assert (forth.vgprs[4] == np.where(active, out, 7000 + LANE)).all()


SWIZZLES = {
    0x8000 | 0x1B: lambda lane: lane // 4 * 4 + 3 - lane % 4,
    0x041F: lambda lane: lane ^ 1,
    0x401F: lambda lane: lane ^ 16,
    0x7C1F: lambda lane: lane ^ 31,
    0x0010: lambda lane: lane & 48,
    0x0200 | 0x0F: lambda lane: lane // 32 * 32 + (lane % 32 & 15 | 16),
    0xC000 | 1 << 5: lambda lane: lane // 32 * 32 + (lane + 1) % 32,
    0xC000 | 1 << 10 | 1 << 5: lambda lane: lane // 32 * 32 + (lane - 1) % 32,
}


@pytest.mark.parametrize("pattern", SWIZZLES, ids=hex)
def test_swizzle(devices: Callable[[str], Device], pattern: int) -> None:
    code = encode(
        "DS", "ds_swizzle_b32", vdst=4, addr=10, offset0=pattern & 255, offset1=pattern >> 8
    )
    after = run_code(devices("gfx942"), code, _state(EXECS[0]))
    want = [1000 + SWIZZLES[pattern](lane) for lane in range(64)]
    assert after.vgprs[4].tolist() == want


def test_read_and_write_lane(devices: Callable[[str], Device]) -> None:
    device = devices("gfx942")
    state = _state(0xFF00)
    state.sgprs[12], state.sgprs[13] = 64 + 37, 99
    read = encode("VOP3", "v_readlane_b32", vdst=20, src0=256 + 10, src1=12)
    assert int(run_code(device, read, state).sgprs[20]) == 1037
    write = encode("VOP3", "v_writelane_b32", vdst=4, src0=13, src1=12)
    after = run_code(device, write, state)
    assert after.vgprs[4].tolist() == [99 if k == 37 else 7000 + k for k in range(64)]
    first = encode("VOP1", "v_readfirstlane_b32", vdst=20, src0=256 + 10)
    assert int(run_code(device, first, state).sgprs[20]) == 1008
    state.exec = 0
    assert int(run_code(device, first, state).sgprs[20]) == 1000


def test_swap(devices: Callable[[str], Device]) -> None:
    after = run_code(
        devices("gfx942"), encode("VOP1", "v_swap_b32", vdst=4, src0=256 + 10), _state(0xFF)
    )
    assert after.vgprs[4].tolist() == [1000 + k if k < 8 else 7000 + k for k in range(64)]
    assert after.vgprs[10].tolist() == [7000 + k if k < 8 else 1000 + k for k in range(64)]


@pytest.mark.parametrize("half", (16, 32))
def test_permlane_swap(devices: Callable[[str], Device], half: int) -> None:
    code = encode("VOP1", f"v_permlane{half}_swap_b32", arch="gfx950", vdst=4, src0=256 + 10)
    after = run_code(devices("gfx950"), code, _state(EXECS[0]))
    d, s = [7000 + k for k in range(64)], [1000 + k for k in range(64)]
    for k in range(64):
        if not k & half:
            d[k + half], s[k] = s[k], d[k + half]
    assert after.vgprs[4].tolist() == d
    assert after.vgprs[10].tolist() == s


def test_accumulator_moves(devices: Callable[[str], Device]) -> None:
    code = (
        encode("VOP3P", "v_accvgpr_write", vdst=5, src0=256 + 10)
        + encode("VOP1", "v_accvgpr_mov_b32", vdst=9, src0=256 + 5)
        + encode("VOP3P", "v_accvgpr_read", vdst=4, src0=256 + 9)
    )
    after = run_code(devices("gfx942"), code, _state(0xFFFF))
    want = [1000 + k if k < 16 else 7000 + k for k in range(64)]
    assert after.vgprs[4].tolist() == want
    assert after.vgprs[256 + 5][3] == 1003
