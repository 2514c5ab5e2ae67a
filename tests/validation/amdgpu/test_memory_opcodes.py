"""Loads, stores and atomics of every kind, on global memory, LDS, scratch and buffers."""

import random
from collections.abc import Callable

import amdgpu_reference as ref
import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode, opcodes
from numpy.typing import NDArray

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.lower_memory import access_of
from crossport.validation.amdgpu.report import DeviceFault
from crossport.validation.amdgpu.stepping import State, addresses_of, run_code

ADDRESS, DATA, DATA2, D = 10, 16, 20, 4
EXEC = 0xFFFF_0F0F_1234_FFF0
ON = [lane for lane in range(64) if EXEC >> lane & 1]
LANE = np.arange(64)
LOADS = {
    "ubyte": (1, 0), "sbyte": (1, 1), "ushort": (2, 0), "sshort": (2, 1), "dword": (4, 0),
    "dwordx2": (8, 0), "dwordx3": (12, 0), "dwordx4": (16, 0),
    "ubyte_d16": (1, 0), "ubyte_d16_hi": (1, 0), "sbyte_d16": (1, 1), "sbyte_d16_hi": (1, 1),
    "short_d16": (2, 0), "short_d16_hi": (2, 0),
}  # fmt: skip
STORES = {
    "byte": 1, "byte_d16_hi": 1, "short": 2, "short_d16_hi": 2, "dword": 4, "dwordx2": 8,
    "dwordx3": 12, "dwordx4": 16,
}  # fmt: skip


def _memory(seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, 4096, dtype=np.uint8)


def _offsets(size: int) -> NDArray[np.int64]:
    """A different place for every lane, in no order."""
    order = np.random.default_rng(size).permutation(64)
    return order.astype(np.int64) * 20


def _wide(state: State, address: NDArray[np.int64]) -> None:
    state.vgprs[ADDRESS] = address & 0xFFFFFFFF
    state.vgprs[ADDRESS + 1] = address >> 32


def _loaded(raw: bytes, kind: str, old: list[int]) -> list[int]:
    """The registers after a load, by the ISA guide."""
    size, is_signed = LOADS[kind]
    if size >= 4:
        return [int.from_bytes(raw[k : k + 4], "little") for k in range(0, size, 4)]
    value = int.from_bytes(raw, "little", signed=bool(is_signed))
    if "d16" not in kind:
        return [value & 0xFFFFFFFF]
    if kind.endswith("_hi"):
        return [old[0] & 0xFFFF | (value & 0xFFFF) << 16]
    return [old[0] & 0xFFFF0000 | value & 0xFFFF]


def _check_load(after: State, memory: NDArray[np.uint8], places: list[int], kind: str) -> None:
    size = LOADS[kind][0]
    count = max(1, size // 4)
    for lane in range(64):
        old = [0x5A5A0000 + k for k in range(count)]
        got = [int(after.vgprs[D + k][lane]) for k in range(count)]
        raw = memory[places[lane] : places[lane] + size].tobytes()
        assert got == (_loaded(raw, kind, old) if lane in ON else old), (kind, lane)


def _state(memory: NDArray[np.uint8]) -> tuple[State, int]:
    state = State(exec=EXEC, arrays=[memory])
    for k in range(8):
        state.vgprs[D + k] = 0x5A5A0000 + k
    return state, addresses_of(state.arrays)[0]


@pytest.mark.parametrize("space", ("global", "flat", "global-saddr", "buffer", "scratch"))
@pytest.mark.parametrize("kind", LOADS)
def test_load(devices: Callable[[str], Device], kind: str, space: str) -> None:
    memory = _memory()
    state, base = _state(memory)
    offsets = _offsets(LOADS[kind][0])
    code = _access(state, space, f"load_{kind}", base, offsets, 4)
    if space == "scratch":
        # Write each lane's bytes first, then read them back.
        for k in range(4):
            words = [
                int.from_bytes(memory[o + 4 + 4 * k :][:4].tobytes(), "little") for o in offsets
            ]
            state.vgprs[30 + k] = words
        store = encode("SCRATCH", "scratch_store_dwordx4", saddr=0x7F, data=30, offset=64)
        load = encode("SCRATCH", f"scratch_load_{kind}", saddr=0x7F, vdst=D, offset=64)
        after = run_code(devices("gfx942"), store + load, state, scratch=128)
    else:
        after = run_code(devices("gfx942"), code, state)
    _check_load(after, memory, [int(o) + 4 for o in offsets], kind)


def _access(
    state: State, space: str, kind: str, base: int, offsets: NDArray[np.int64], extra: int
) -> bytes:
    """An access of `base + offset + extra` for each lane, through one of the address forms."""
    data = {"vdst": D, "data": DATA}
    if space in ("global", "flat"):
        shift = 16 if space == "global" else 0  # global offsets may be negative
        _wide(state, base + offsets + extra + shift)
        form = space.upper()
        offset = (-shift) & 0x1FFF if space == "global" else 0
        return encode(form, f"{space}_{kind}", addr=ADDRESS, saddr=0x7F, offset=offset, **data)
    if space == "global-saddr":
        state.vgprs[ADDRESS] = offsets
        state.sgprs[20], state.sgprs[21] = base & 0xFFFFFFFF, base >> 32
        return encode("GLOBAL", f"global_{kind}", addr=ADDRESS, saddr=20, offset=extra, **data)
    if space == "buffer":
        state.vgprs[ADDRESS] = offsets
        state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 4096, 0x27000]
        state.sgprs[28] = extra - 2
        vdata = D if kind.startswith("load") else DATA
        return encode(
            "MUBUF",
            f"buffer_{kind}",
            vaddr=ADDRESS,
            vdata=vdata,
            srsrc=5,
            soffset=28,
            offset=2,
            offen=1,
        )
    return b""


@pytest.mark.parametrize("space", ("global", "flat", "global-saddr", "buffer"))
@pytest.mark.parametrize("kind", STORES)
def test_store(devices: Callable[[str], Device], kind: str, space: str) -> None:
    memory = _memory()
    before = memory.copy()
    state, base = _state(memory)
    offsets = _offsets(STORES[kind])
    for k in range(4):
        state.vgprs[DATA + k] = np.random.default_rng(k).integers(0, 1 << 32, 64, np.uint32)
    code = _access(state, space, f"store_{kind}", base, offsets, 4)
    run_code(devices("gfx942"), code, state)
    want = before.copy()
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        raw = raw[2:] if kind.endswith("_hi") else raw
        at = int(offsets[lane]) + 4
        want[at : at + STORES[kind]] = np.frombuffer(raw[: STORES[kind]], np.uint8)
    assert np.array_equal(memory, want)


def test_buffer_out_of_range(devices: Callable[[str], Device]) -> None:
    """Beyond its size a buffer reads 0 and drops stores; that is no fault."""
    memory = _memory()
    state, base = _state(memory)
    state.exec = (1 << 64) - 1
    state.vgprs[ADDRESS] = LANE * 4
    state.vgprs[DATA] = 0x11111111
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 130, 0x27000]
    load = encode(
        "MUBUF", "buffer_load_dword", vaddr=ADDRESS, vdata=D, srsrc=5, soffset=128, offen=1
    )
    store = encode(
        "MUBUF", "buffer_store_dword", vaddr=ADDRESS, vdata=DATA, srsrc=5, soffset=128, offen=1
    )
    before = memory.copy()
    after = run_code(devices("gfx942"), load + store, state)
    words = before.view(np.uint32)
    assert after.vgprs[D].tolist() == [int(words[k]) if k < 32 else 0 for k in range(64)]
    assert (memory.view(np.uint32)[:32] == 0x11111111).all()
    assert np.array_equal(memory[128:], before[128:])


INTEGER_ATOMICS: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda o, x, n: o + x,
    "sub": lambda o, x, n: o - x,
    "smin": lambda o, x, n: min(o, x, key=lambda v: ref.signed(v, n)),
    "umin": lambda o, x, n: min(o, x),
    "smax": lambda o, x, n: max(o, x, key=lambda v: ref.signed(v, n)),
    "umax": lambda o, x, n: max(o, x),
    "and": lambda o, x, n: o & x,
    "or": lambda o, x, n: o | x,
    "xor": lambda o, x, n: o ^ x,
    "inc": lambda o, x, n: 0 if o >= x else o + 1,
    "dec": lambda o, x, n: x if o == 0 or o > x else o - 1,
    "swap": lambda o, x, n: x,
}


@pytest.mark.parametrize("bits", (32, 64))
@pytest.mark.parametrize("name", [*INTEGER_ATOMICS, "cmpswap"])
@pytest.mark.parametrize("returns", (0, 1))
@pytest.mark.parametrize("space", ("global", "flat", "buffer"))
def test_atomic(
    devices: Callable[[str], Device], space: str, name: str, bits: int, returns: int
) -> None:
    size, mask = bits // 8, (1 << bits) - 1
    memory = _memory(7)
    before = memory.copy()
    state, base = _state(memory)
    rng = random.Random(name)
    places = [rng.randrange(8) * 8 for _ in range(64)]  # lanes collide
    x = [rng.getrandbits(bits) for _ in range(64)]
    c = [int.from_bytes(before[p : p + size].tobytes(), "little") for p in places]
    words = size // 4
    for lane in range(64):
        value = x[lane] | (c[lane] << bits if name == "cmpswap" else 0)
        for k in range(words * (2 if name == "cmpswap" else 1)):
            state.vgprs[DATA + k][lane] = value >> 32 * k & 0xFFFFFFFF
    suffix = "_x2" if bits == 64 else ""
    code = _atomic(state, space, f"{name}{suffix}", base, np.array(places, np.int64), returns)
    result = DATA if space == "buffer" and returns else D  # a buffer's result replaces its data
    after = run_code(devices("gfx942"), code, state)
    want = before.copy()
    for lane in ON:
        at = places[lane]
        old = int.from_bytes(want[at : at + size].tobytes(), "little")
        if name == "cmpswap":
            new = x[lane] if old == c[lane] else old
        else:
            new = INTEGER_ATOMICS[name](old, x[lane], bits) & mask
        want[at : at + size] = np.frombuffer(new.to_bytes(size, "little"), np.uint8)
        got = sum(int(after.vgprs[result + k][lane]) << 32 * k for k in range(words))
        if returns:
            assert got == old
        else:
            assert int(after.vgprs[D][lane]) == 0x5A5A0000
    assert np.array_equal(memory, want)


def _atomic(
    state: State, space: str, name: str, base: int, offsets: NDArray[np.int64], returns: int
) -> bytes:
    """An atomic at `base + offset` of each lane."""
    if space == "buffer":
        state.vgprs[ADDRESS] = offsets
        state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 4096, 0x27000]
        return encode(
            "MUBUF", f"buffer_atomic_{name}", vaddr=ADDRESS, vdata=DATA, srsrc=5, soffset=128,
            offen=1, sc0=returns,
        )  # fmt: skip
    _wide(state, base + offsets)
    return encode(
        space.upper(), f"{space}_atomic_{name}", addr=ADDRESS, data=DATA, vdst=D, saddr=0x7F,
        sc0=returns,
    )  # fmt: skip


@pytest.mark.parametrize("space", ("global", "flat", "buffer"))
@pytest.mark.parametrize("name", ("add_f32", "add_f64", "min_f64", "max_f64", "pk_add_f16"))
def test_float_atomic(devices: Callable[[str], Device], name: str, space: str) -> None:
    t = {"32": np.float32, "64": np.float64, "16": np.float16}[name[-2:]]
    memory = np.zeros(64, np.uint8)
    memory.view(t)[:2] = [1.5, -2.0]
    state, base = _state(memory)
    x = (LANE * 0.25 - 3).astype(t)
    raw = x.view(f"u{np.dtype(t).itemsize}").astype(np.uint64)
    state.vgprs[DATA] = raw & 0xFFFFFFFF if t != np.float16 else raw | raw << 16
    state.vgprs[DATA + 1] = raw >> 32
    code = _atomic(state, space, name, base, np.zeros(64, np.int64), 0)
    run_code(devices("gfx942"), code, state)
    first, second = t(1.5), t(-2.0)
    for lane in ON:
        if "add" in name:
            first, second = t(first + x[lane]), t(second + x[lane])
        else:
            first = (min if "min" in name else max)(first, x[lane])
    assert memory.view(t)[0] == first
    if name == "pk_add_f16":
        assert memory.view(t)[1] == second


LDS_READS = {"b32": 4, "b64": 8, "b96": 12, "b128": 16, "u8": 1, "i8": 1, "u16": 2, "i16": 2,
             "u8_d16": 1, "u8_d16_hi": 1, "i8_d16": 1, "i8_d16_hi": 1, "u16_d16": 2,
             "u16_d16_hi": 2}  # fmt: skip


@pytest.mark.parametrize("kind", LDS_READS)
def test_lds_read_and_write(devices: Callable[[str], Device], kind: str) -> None:
    size = LDS_READS[kind]
    state = State(exec=EXEC)
    state.lds = _memory(3)
    offsets = _offsets(size)
    state.vgprs[ADDRESS] = offsets
    count = max(1, size // 4)
    for k in range(count):
        state.vgprs[D + k] = 0x5A5A0000 + k
    code = encode("DS", f"ds_read_{kind}", vdst=D, addr=ADDRESS, offset0=8)
    after = run_code(devices("gfx942"), code, state)
    for lane in range(64):
        raw = state.lds[int(offsets[lane]) + 8 :][:size].tobytes()
        got = [int(after.vgprs[D + k][lane]) for k in range(count)]
        if lane not in ON:
            assert got == [0x5A5A0000 + k for k in range(count)]
        elif size >= 4:
            assert b"".join(g.to_bytes(4, "little") for g in got) == raw
        else:
            value = int.from_bytes(raw, "little", signed=kind.startswith("i"))
            want = value & 0xFFFFFFFF
            if kind.endswith("_hi"):
                want = (value & 0xFFFF) << 16
            elif "d16" in kind:
                want = 0x5A5A0000 | value & 0xFFFF
            assert got[0] == want, (kind, lane)
    if kind[0] != "b":
        return
    for k in range(4):
        state.vgprs[DATA + k] = np.random.default_rng(k).integers(0, 1 << 32, 64, np.uint32)
    code = encode("DS", f"ds_write_{kind}", addr=ADDRESS, data0=DATA, offset0=8)
    after = run_code(devices("gfx942"), code, state)
    want_lds = state.lds.copy()
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        at = int(offsets[lane]) + 8
        want_lds[at : at + size] = np.frombuffer(raw[:size], np.uint8)
    assert np.array_equal(after.lds, want_lds)


@pytest.mark.parametrize("kind", ("b8", "b16", "b8_d16_hi", "b16_d16_hi"))
def test_lds_write_small(devices: Callable[[str], Device], kind: str) -> None:
    state = State(exec=EXEC)
    state.lds = _memory(4)
    state.vgprs[ADDRESS] = LANE * 4
    state.vgprs[DATA] = 0x44332211
    code = encode("DS", f"ds_write_{kind}", addr=ADDRESS, data0=DATA)
    after = run_code(devices("gfx942"), code, state)
    access = access_of(kind)
    raw = bytes.fromhex("11223344")[2 if access.high else 0 :][: access.size]
    want = state.lds.copy()
    for lane in ON:
        want[lane * 4 : lane * 4 + access.size] = np.frombuffer(raw, np.uint8)
    assert np.array_equal(after.lds, want)


@pytest.mark.parametrize("bits", (32, 64))
@pytest.mark.parametrize("stride", ("", "st64"))
def test_lds_two_addresses(devices: Callable[[str], Device], bits: int, stride: str) -> None:
    unit = bits // 8 * (64 if stride else 1)
    words = bits // 32
    state = State(exec=EXEC)
    state.lds = np.random.default_rng(5).integers(0, 256, 8192, dtype=np.uint8)
    state.vgprs[ADDRESS] = LANE * 8
    code = encode("DS", f"ds_read2{stride}_b{bits}", vdst=D, addr=ADDRESS, offset0=3, offset1=1)
    after = run_code(devices("gfx942"), code, state)
    for lane in ON:
        got = b"".join(
            int(after.vgprs[D + k][lane]).to_bytes(4, "little") for k in range(2 * words)
        )
        first, second = (lane * 8 + n * unit for n in (3, 1))
        size = bits // 8
        assert (
            got
            == state.lds[first : first + size].tobytes()
            + state.lds[second : second + size].tobytes()
        )
    for k in range(words):
        state.vgprs[DATA + k], state.vgprs[DATA2 + k] = 100 + LANE + k, 900 + LANE + k
    code = encode(
        "DS",
        f"ds_write2{stride}_b{bits}",
        addr=ADDRESS,
        data0=DATA,
        data1=DATA2,
        offset0=64 if not stride else 3,
        offset1=1,
    )
    state.exec = 1 << 5
    after = run_code(devices("gfx942"), code, state)
    at = 40 + (64 if not stride else 3) * unit
    assert after.lds[at : at + 4].view(np.uint32)[0] == 105
    assert after.lds[40 + unit : 44 + unit].view(np.uint32)[0] == 905


LDS_NAMES = {
    "add_u32": "add", "sub_u32": "sub", "inc_u32": "inc", "dec_u32": "dec", "min_i32": "smin",
    "max_i32": "smax", "min_u32": "umin", "max_u32": "umax", "and_b32": "and", "or_b32": "or",
    "xor_b32": "xor", "add_u64": "add", "sub_u64": "sub", "min_i64": "smin", "max_i64": "smax",
    "min_u64": "umin", "max_u64": "umax", "and_b64": "and", "or_b64": "or", "xor_b64": "xor",
    "inc_u64": "inc", "dec_u64": "dec",
}  # fmt: skip


@pytest.mark.parametrize("name", LDS_NAMES)
@pytest.mark.parametrize("returns", ("", "_rtn"))
def test_lds_atomic(devices: Callable[[str], Device], name: str, returns: str) -> None:
    stem, type_ = name.split("_")
    bits = int(type_[1:])
    size, words = bits // 8, bits // 32
    state = State(exec=EXEC)
    state.lds = _memory(9)
    rng = random.Random(name)
    places = [rng.randrange(8) * 8 for _ in range(64)]
    state.vgprs[ADDRESS] = places
    x = [rng.getrandbits(bits) for _ in range(64)]
    for k in range(words):
        state.vgprs[DATA + k] = [v >> 32 * k & 0xFFFFFFFF for v in x]
    code = encode("DS", f"ds_{stem}{returns}_{type_}", vdst=D, addr=ADDRESS, data0=DATA)
    after = run_code(devices("gfx942"), code, state)
    want = state.lds.copy()
    for lane in ON:
        at = places[lane]
        old = int.from_bytes(want[at : at + size].tobytes(), "little")
        new = INTEGER_ATOMICS[LDS_NAMES[name]](old, x[lane], bits) & (1 << bits) - 1
        want[at : at + size] = np.frombuffer(new.to_bytes(size, "little"), np.uint8)
        if returns:
            got = sum(int(after.vgprs[D + k][lane]) << 32 * k for k in range(words))
            assert got == old
    assert np.array_equal(after.lds, want)


@pytest.mark.parametrize("bits", (32, 64))
def test_lds_compare_and_exchange(devices: Callable[[str], Device], bits: int) -> None:
    words = bits // 32
    state = State(exec=1)
    state.lds = np.zeros(64, np.uint8)
    state.lds[:8].view(np.uint64)[0] = 7
    for k in range(words):
        state.vgprs[DATA + k], state.vgprs[DATA2 + k] = (7, 9) if k == 0 else (0, 0)
    code = encode("DS", f"ds_cmpst_rtn_b{bits}", vdst=D, addr=ADDRESS, data0=DATA, data1=DATA2)
    after = run_code(devices("gfx942"), code, state)
    assert (int(after.vgprs[D][0]), int(after.lds[0])) == (7, 9)
    code = encode("DS", f"ds_wrxchg_rtn_b{bits}", vdst=D, addr=ADDRESS, data0=DATA2)
    after = run_code(devices("gfx942"), code, state)
    assert (int(after.vgprs[D][0]), int(after.lds[0])) == (7, 9)


def test_lds_float_atomics(devices: Callable[[str], Device]) -> None:
    for name, t, want in (
        ("ds_add_f32", np.float32, 1.5 + 2.25),
        ("ds_min_f32", np.float32, 1.5),
        ("ds_max_f32", np.float32, 2.25),
        ("ds_add_f64", np.float64, 1.5 + 2.25),
        ("ds_max_f64", np.float64, 2.25),
        ("ds_min_f64", np.float64, 1.5),
    ):
        state = State(exec=1)
        state.lds = np.zeros(64, np.uint8)
        state.lds.view(t)[0] = 1.5
        raw = int(np.array(2.25, t).view(f"u{np.dtype(t).itemsize}"))
        state.vgprs[DATA], state.vgprs[DATA + 1] = raw & 0xFFFFFFFF, raw >> 32
        after = run_code(devices("gfx942"), encode("DS", name, addr=ADDRESS, data0=DATA), state)
        assert after.lds.view(t)[0] == want, name


def test_flat_reaches_lds_and_scratch(devices: Callable[[str], Device]) -> None:
    state = State(exec=EXEC)
    state.lds = _memory(2)
    state.vgprs[ADDRESS], state.vgprs[ADDRESS + 1] = LANE * 8, 0x10000
    code = encode("FLAT", "flat_load_dword", vdst=D, addr=ADDRESS, saddr=0x7F)
    after = run_code(devices("gfx942"), code, state)
    words = state.lds.view(np.uint32)
    assert all(int(after.vgprs[D][lane]) == int(words[lane * 2]) for lane in ON)
    state.vgprs[ADDRESS], state.vgprs[ADDRESS + 1], state.vgprs[DATA] = 16, 0x20000, LANE + 5
    code = encode("FLAT", "flat_store_dword", data=DATA, addr=ADDRESS, saddr=0x7F) + encode(
        "SCRATCH", "scratch_load_dword", vdst=D, saddr=0x7F, offset=16
    )
    after = run_code(devices("gfx942"), code, state, scratch=64)
    assert all(int(after.vgprs[D][lane]) == lane + 5 for lane in ON)


def test_load_to_lds(devices: Callable[[str], Device]) -> None:
    memory = _memory()
    state, base = _state(memory)
    state.exec = (1 << 64) - 1
    state.lds = np.zeros(1024, np.uint8)
    state.sgprs[124] = 64  # M0
    _wide(state, base + LANE[::-1].astype(np.int64) * 4 - 16)
    state.sgprs[124] -= 16
    code = encode("GLOBAL", "global_load_lds_dword", addr=ADDRESS, saddr=0x7F, offset=16)
    after = run_code(devices("gfx942"), code, state)
    assert np.array_equal(after.lds[64:320].view(np.uint32), memory.view(np.uint32)[63::-1])


def test_scalar_loads(devices: Callable[[str], Device]) -> None:
    memory = _memory()
    for name, words in (
        ("dword", 1),
        ("dwordx2", 2),
        ("dwordx4", 4),
        ("dwordx8", 8),
        ("dwordx16", 16),
    ):
        state, base = _state(memory)
        state.sgprs[20], state.sgprs[21], state.sgprs[30] = base & 0xFFFFFFFF, base >> 32, 32
        for fields, at in (
            ({"imm": 1, "offset": 16}, 16),
            ({"soffset_en": 1, "soffset": 30}, 32),
            ({"imm": 1, "offset": 8, "soffset_en": 1, "soffset": 30}, 40),
            ({"offset": 30}, 32),
        ):
            code = encode("SMEM", f"s_load_{name}", sbase=10, sdata=40, **fields)
            after = run_code(devices("gfx942"), code, state)
            assert after.sgprs[40 : 40 + words].tobytes() == memory[at : at + 4 * words].tobytes()
    state, base = _state(memory)
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 12, 0]
    code = encode("SMEM", "s_buffer_load_dwordx4", sbase=10, sdata=40, imm=1)
    after = run_code(devices("gfx942"), code, state)
    assert after.sgprs[40:44].tolist() == [*memory[:12].view(np.uint32).tolist(), 0]


@pytest.mark.parametrize("space", ("global", "lds", "scratch", "scalar"))
def test_out_of_bounds_is_a_fault(devices: Callable[[str], Device], space: str) -> None:
    memory = np.zeros(256, np.uint8)
    state, base = _state(memory)
    state.lds = np.zeros(256, np.uint8)
    state.exec = 1 << 3
    if space == "global":
        _wide(state, np.full(64, base + 253, np.int64))
        code, message = (
            encode("GLOBAL", "global_load_dword", addr=ADDRESS, saddr=0x7F),
            "offset 253",
        )
    elif space == "lds":
        state.vgprs[ADDRESS] = 253
        code, message = encode("DS", "ds_read_b32", addr=ADDRESS), "LDS access"
    elif space == "scratch":
        code = encode("SCRATCH", "scratch_load_dword", saddr=0x7F, offset=62)
        message = "scratch access"
    else:
        state.sgprs[20], state.sgprs[21] = base & 0xFFFFFFFF, base >> 32
        code = encode("SMEM", "s_load_dwordx4", sbase=10, sdata=40, imm=1, offset=248)
        message = "offset 248"
    with pytest.raises(DeviceFault, match=message):
        run_code(devices("gfx942"), code, state, scratch=64)


def test_every_memory_opcode_lowers(devices: Callable[[str], Device]) -> None:
    """Names that no rule covers are listed here, so that a new table shows up."""
    from crossport.validation.amdgpu.stepping import program_of

    refused = set()
    for form in ("DS", "GLOBAL", "FLAT", "SCRATCH", "MUBUF", "SMEM"):
        for name in opcodes("gfx942", form):
            _, program = program_of(devices("gfx942").arch, encode(form, name), 64)
            if program.problems:
                refused.add(name)
    typed = {
        n
        for n in refused
        if "format" in n or n.startswith(("s_scratch", "s_atomic", "s_buffer_atomic"))
    }
    ordered = {n for n in refused - typed if n.startswith("ds_gws")}
    assert refused - typed - ordered <= {
        "ds_append", "ds_consume", "ds_condxchg32_rtn_b64", "ds_wrap_rtn_b32", "ds_ordered_count",
        "ds_read_b64_tr_b4", "ds_read_b64_tr_b8", "ds_read_b96_tr_b6", "s_atc_probe",
        "s_atc_probe_buffer", "global_load_lds_ubyte", "global_load_lds_sbyte",
        "global_load_lds_ushort", "global_load_lds_sshort", "scratch_load_lds_ubyte",
        "scratch_load_lds_sbyte", "scratch_load_lds_ushort", "scratch_load_lds_sshort",
        "buffer_store_lds_dword", "buffer_wbl2", "buffer_inv",
    }  # fmt: skip
