"""RDNA3's memory instructions: other names and fields, the same meaning."""

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode
from numpy.typing import NDArray

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, addresses_of, run_code

ADDRESS, DATA, D, NULL = 10, 16, 4, 124
LANE = np.arange(32)
EXEC = 0xFF00_F0F1
ON = [lane for lane in range(32) if EXEC >> lane & 1]
LOADS = {
    "u8": (1, 0), "i8": (1, 1), "u16": (2, 0), "i16": (2, 1), "b32": (4, 0), "b64": (8, 0),
    "b96": (12, 0), "b128": (16, 0), "d16_u8": (1, 0), "d16_i8": (1, 1), "d16_b16": (2, 0),
    "d16_hi_u8": (1, 0), "d16_hi_i8": (1, 1), "d16_hi_b16": (2, 0),
}  # fmt: skip
STORES = {"b8": 1, "b16": 2, "b32": 4, "b64": 8, "b96": 12, "b128": 16, "d16_hi_b8": 1,
          "d16_hi_b16": 2}  # fmt: skip


def _setup() -> tuple[State, NDArray[np.uint8], int]:
    memory = np.random.default_rng(1).integers(0, 256, 2048, dtype=np.uint8)
    state = State(exec=EXEC, arrays=[memory])
    for k in range(4):
        state.vgprs[D + k] = 0x5A5A0000 + k
        state.vgprs[DATA + k] = np.random.default_rng(k).integers(0, 1 << 32, 64, np.uint32)
    return state, memory, addresses_of(state.arrays)[0]


def _code(space: str, what: str, state: State, base: int) -> bytes:
    """Access `base + 20 * lane + 4`."""
    state.vgprs[ADDRESS][:32] = LANE * 20
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 2048, 0x31016000]
    if space == "global":
        return encode(
            "GLOBAL", f"global_{what}", arch="gfx1100", addr=ADDRESS, saddr=20, offset=4,
            vdst=D, data=DATA,
        )  # fmt: skip
    if space == "flat":
        address = base + LANE.astype(np.int64) * 20 + 4
        state.vgprs[ADDRESS][:32], state.vgprs[ADDRESS + 1][:32] = (
            address & 0xFFFFFFFF,
            address >> 32,
        )
        return encode(
            "FLAT", f"flat_{what}", arch="gfx1100", addr=ADDRESS, saddr=NULL, vdst=D, data=DATA
        )
    if space == "buffer":
        vdata = D if what.startswith("load") else DATA
        return encode(
            "MUBUF", f"buffer_{what}", arch="gfx1100", vaddr=ADDRESS, vdata=vdata, srsrc=5,
            soffset=128, offset=4, offen=1,
        )  # fmt: skip
    return encode(
        "SCRATCH", f"scratch_{what}", arch="gfx1100", saddr=NULL, offset=8, vdst=D, data=DATA
    )


@pytest.mark.parametrize("space", ("global", "flat", "buffer"))
@pytest.mark.parametrize("kind", LOADS)
def test_load(devices: Callable[[str], Device], space: str, kind: str) -> None:
    state, memory, base = _setup()
    code = _code(space, f"load_{kind}", state, base)
    after = run_code(devices("gfx1100"), code, state, wave_size=32)
    size, is_signed = LOADS[kind]
    for lane in range(32):
        got = [int(after.vgprs[D + k][lane]) for k in range(4)]
        want = [0x5A5A0000 + k for k in range(4)]
        if lane in ON:
            raw = memory[lane * 20 + 4 :][:size].tobytes()
            value = int.from_bytes(raw, "little", signed=bool(is_signed))
            if "hi" in kind:
                want[0] = (value & 0xFFFF) << 16
            elif "d16" in kind:
                want[0] = 0x5A5A0000 | value & 0xFFFF
            elif size < 4:
                want[0] = value & 0xFFFFFFFF
            else:
                for k in range(size // 4):
                    want[k] = int.from_bytes(raw[4 * k : 4 * k + 4], "little")
        assert got == want, (kind, lane)


@pytest.mark.parametrize("space", ("global", "flat", "buffer"))
@pytest.mark.parametrize("kind", STORES)
def test_store(devices: Callable[[str], Device], space: str, kind: str) -> None:
    state, memory, base = _setup()
    want = memory.copy()
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        raw = raw[2:] if "hi" in kind else raw
        at = lane * 20 + 4
        want[at : at + STORES[kind]] = np.frombuffer(raw[: STORES[kind]], np.uint8)
    code = _code(space, f"store_{kind}", state, base)
    run_code(devices("gfx1100"), code, state, wave_size=32)
    assert np.array_equal(memory, want)


@pytest.mark.parametrize("kind", ("b32", "b64", "b96", "b128"))
def test_scratch(devices: Callable[[str], Device], kind: str) -> None:
    state, _, _ = _setup()
    code = _code("scratch", f"store_{kind}", state, 0) + _code("scratch", f"load_{kind}", state, 0)
    after = run_code(devices("gfx1100"), code, state, wave_size=32, scratch=64)
    for k in range(int(kind[1:]) // 32):
        for lane in ON:
            assert after.vgprs[D + k][lane] == state.vgprs[DATA + k][lane]


@pytest.mark.parametrize("words", (1, 2, 4, 8, 16))
def test_scalar_load(devices: Callable[[str], Device], words: int) -> None:
    state, memory, base = _setup()
    state.sgprs[20], state.sgprs[21], state.sgprs[30] = base & 0xFFFFFFFF, base >> 32, 32
    for soffset, at in ((NULL, 8), (30, 40)):
        code = encode(
            "SMEM", f"s_load_b{words * 32}", arch="gfx1100", sbase=10, sdata=40, offset=8,
            soffset=soffset,
        )  # fmt: skip
        after = run_code(devices("gfx1100"), code, state, wave_size=32)
        assert after.sgprs[40 : 40 + words].tobytes() == memory[at : at + 4 * words].tobytes()


def test_lds(devices: Callable[[str], Device]) -> None:
    state = State(exec=(1 << 32) - 1)
    state.lds = np.random.default_rng(3).integers(0, 256, 4096, dtype=np.uint8)
    state.vgprs[ADDRESS][:32] = LANE * 8
    state.vgprs[DATA][:32], state.vgprs[DATA + 1][:32] = 100 + LANE, 200 + LANE
    words = state.lds.view(np.uint32)

    def run(name: str, **fields: int) -> State:
        code = encode("DS", name, arch="gfx1100", addr=ADDRESS, data0=DATA, vdst=D, **fields)
        return run_code(devices("gfx1100"), code, state, wave_size=32)

    assert run("ds_load_b32", offset0=8).vgprs[D][:32].tolist() == words[2:66:2].tolist()
    both = run("ds_load_2addr_b32", offset0=1, offset1=4)
    assert both.vgprs[D][:32].tolist() == words[1:65:2].tolist()
    assert both.vgprs[D + 1][:32].tolist() == words[4:68:2].tolist()
    far = run("ds_load_2addr_stride64_b64", offset0=0, offset1=2)
    assert far.vgprs[D + 2][:32].tolist() == words[256 : 256 + 64 : 2].tolist()
    stored = run("ds_store_b64").lds.view(np.uint32)
    assert stored[:64:2].tolist() == (100 + LANE).tolist()
    assert stored[1:64:2].tolist() == (200 + LANE).tolist()
    pair = run("ds_store_2addr_b32", offset0=0, offset1=1, data1=DATA + 1).lds.view(np.uint32)
    assert pair[1:64:2].tolist() == (200 + LANE).tolist()
    # The compare value comes second on RDNA3.
    state.lds[:4].view(np.uint32)[0] = 200
    state.exec = 1
    swapped = run("ds_cmpstore_rtn_b32", data1=DATA + 1)
    assert int(swapped.lds[:4].view(np.uint32)[0]) == 100
    assert int(swapped.vgprs[D][0]) == 200
    added = run("ds_add_rtn_u32")
    assert int(added.lds[:4].view(np.uint32)[0]) == 300


def test_global_atomics(devices: Callable[[str], Device]) -> None:
    for name, want, returned in (
        ("global_atomic_add_u32", 47, 5),
        ("global_atomic_max_i32", 42, 5),
        ("global_atomic_swap_b32", 42, 5),
        ("global_atomic_add_u64", 42 + 5, 5),
        ("global_atomic_cmpswap_b32", 42, 5),
    ):
        memory = np.zeros(64, np.uint8)
        memory[0] = 5
        state = State(exec=1, arrays=[memory])
        base = addresses_of(state.arrays)[0]
        state.sgprs[20], state.sgprs[21] = base & 0xFFFFFFFF, base >> 32
        state.vgprs[DATA] = 42
        state.vgprs[DATA + 1] = 5 if "cmpswap" in name else 0
        code = encode(
            "GLOBAL", name, arch="gfx1100", addr=ADDRESS, saddr=20, data=DATA, vdst=D, glc=1
        )
        after = run_code(devices("gfx1100"), code, state, wave_size=32)
        assert int(memory.view(np.uint64)[0]) == want, name
        assert int(after.vgprs[D][0]) == returned
