"""Memory instructions of RDNA3 and RDNA4: other names and fields than CDNA's, the same meaning.

Every load, store and atomic that the encoding tables list runs through every address form; what an
opcode does is read off its name here, independently of the emulator.
"""

import random
import re
from collections.abc import Callable

import amdgpu_reference as ref
import numpy as np
import pytest
from amdgpu_reference_rdna import number

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode, opcodes
from numpy.typing import NDArray

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, addresses_of, run_code

ARCHS = ("gfx1100", "gfx1201")
ADDRESS, DATA, DATA2, D, NULL = 10, 16, 20, 4, 124
LANE = np.arange(32)
EXEC = 0xFF00_F0F1
ON = [lane for lane in range(32) if EXEC >> lane & 1]
SIZES = {"8": 1, "16": 2, "32": 4, "64": 8, "96": 12, "128": 16}
FORM = {"global": "GLOBAL", "flat": "FLAT", "buffer": "MUBUF", "scratch": "SCRATCH"}
_REFUSED = re.compile(
    r"format|addtid|_tr_|block|lds_|ordered|append|consume|condxchg|bvh|gws|permute|swizzle|nop"
    r"|wrap|gs_reg|bpermute"
)


def names(arch: str, form: str, verb: str) -> list[str]:
    """Opcodes of an encoding whose name says `verb`, without their prefix."""
    known = [n.partition("_")[2] for n in opcodes(arch, form)]
    return sorted(n for n in known if n.startswith(verb) and not _REFUSED.search(n))


def _cases(verb: str, spaces: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [(a, s, n) for a in ARCHS for s in spaces for n in names(a, FORM[s], verb)]


def _setup() -> tuple[State, NDArray[np.uint8], int]:
    memory = np.random.default_rng(1).integers(0, 256, 2048, dtype=np.uint8)
    state = State(exec=EXEC, arrays=[memory])
    for k in range(4):
        state.vgprs[D + k] = 0x5A5A0000 + k
        state.vgprs[DATA + k] = np.random.default_rng(k).integers(0, 1 << 32, 64, np.uint32)
    return state, memory, addresses_of(state.arrays)[0]


def _code(
    arch: str, space: str, what: str, state: State, base: int, places: NDArray[np.int64],
    returns: int = 0,
) -> bytes:  # fmt: skip
    """Access `base + places[lane] + 8`."""
    new = arch == "gfx1201"
    state.vgprs[ADDRESS][:32] = places
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 2048, 0x31016000]
    fields = {"arch": arch} | {"th" if new else "glc": returns}
    name = f"{space}_{what}"
    if space == "global":
        fields |= {"addr": ADDRESS, "saddr": 20, "offset": 8, "vdst": D, "data": DATA}
    elif space == "flat":
        address = base + places + 8
        state.vgprs[ADDRESS][:32], state.vgprs[ADDRESS + 1][:32] = (
            address & 0xFFFFFFFF,
            address >> 32,
        )
        fields |= {"addr": ADDRESS, "saddr": NULL, "vdst": D, "data": DATA}
    elif space == "buffer":
        vdata = D if what.startswith("load") else DATA
        fields |= {"vaddr": ADDRESS, "vdata": vdata, "offset": 8, "offen": 1}
        fields |= {"rsrc": 20, "soffset": NULL} if new else {"srsrc": 5, "soffset": 128}
    else:
        fields |= {"saddr": NULL, "offset": 8, "vdst": D, "data": DATA}
    return encode(FORM[space], name, **fields)  # type: ignore[arg-type]


def _loaded(raw: bytes, kind: str) -> list[int]:
    """The registers after a load, from its name."""
    want = [0x5A5A0000 + k for k in range(4)]
    type_ = re.findall(r"[biu]\d+", kind)[-1]
    value = int.from_bytes(raw, "little", signed=type_[0] == "i")
    if "d16_hi" in kind:
        want[0] = (value & 0xFFFF) << 16
    elif "d16" in kind:
        want[0] = 0x5A5A0000 | value & 0xFFFF
    elif len(raw) < 4:
        want[0] = value & 0xFFFFFFFF
    else:
        for k in range(len(raw) // 4):
            want[k] = int.from_bytes(raw[4 * k : 4 * k + 4], "little")
    return want


def _size(kind: str) -> int:
    return SIZES[re.findall(r"[biuf](\d+)", kind)[-1]]


@pytest.mark.parametrize(
    ("arch", "space", "kind"), _cases("load", ("global", "flat", "buffer")), ids=lambda v: v
)
def test_load(devices: Callable[[str], Device], arch: str, space: str, kind: str) -> None:
    state, memory, base = _setup()
    code = _code(arch, space, kind, state, base, LANE * 20)
    after = run_code(devices(arch), code, state, wave_size=32)
    for lane in range(32):
        got = [int(after.vgprs[D + k][lane]) for k in range(4)]
        want = [0x5A5A0000 + k for k in range(4)]
        if lane in ON:
            want = _loaded(memory[lane * 20 + 8 :][: _size(kind)].tobytes(), kind)
        assert got == want, (kind, lane)


@pytest.mark.parametrize(
    ("arch", "space", "kind"), _cases("store", ("global", "flat", "buffer")), ids=lambda v: v
)
def test_store(devices: Callable[[str], Device], arch: str, space: str, kind: str) -> None:
    state, memory, base = _setup()
    want = memory.copy()
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        raw = raw[2:] if "hi" in kind else raw
        at = lane * 20 + 8
        want[at : at + _size(kind)] = np.frombuffer(raw[: _size(kind)], np.uint8)
    code = _code(arch, space, kind, state, base, LANE * 20)
    run_code(devices(arch), code, state, wave_size=32)
    assert np.array_equal(memory, want)


@pytest.mark.parametrize(
    ("arch", "kind"), [(a, n) for a in ARCHS for n in names(a, "SCRATCH", "load")], ids=lambda v: v
)
def test_scratch(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    """Each lane's own memory: four words stored, one load of every kind."""
    state, _, _ = _setup()
    store = _code(arch, "scratch", "store_b128", state, 0, LANE)
    code = store + _code(arch, "scratch", kind, state, 0, LANE)
    after = run_code(devices(arch), code, state, wave_size=32, scratch=64)
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        want = _loaded(raw[: _size(kind)], kind)
        assert [int(after.vgprs[D + k][lane]) for k in range(4)] == want, lane


@pytest.mark.parametrize(
    ("arch", "kind"), [(a, n) for a in ARCHS for n in names(a, "SCRATCH", "store")], ids=lambda v: v
)
def test_scratch_store(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    state, _, _ = _setup()
    code = _code(arch, "scratch", kind, state, 0, LANE)
    code += _code(arch, "scratch", "load_b128", state, 0, LANE)
    after = run_code(devices(arch), code, state, wave_size=32, scratch=64)
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        raw = raw[2:] if "hi" in kind else raw
        got = b"".join(int(after.vgprs[D + k][lane]).to_bytes(4, "little") for k in range(4))
        assert got[: _size(kind)] == raw[: _size(kind)], lane


ATOMICS: dict[str, Callable[[int, int, int], int]] = {
    "add_u": lambda o, x, n: o + x,
    "sub_u": lambda o, x, n: o - x,
    "rsub_u": lambda o, x, n: x - o,
    "min_i": lambda o, x, n: min(o, x, key=lambda v: ref.signed(v, n)),
    "min_u": lambda o, x, n: min(o, x),
    "max_i": lambda o, x, n: max(o, x, key=lambda v: ref.signed(v, n)),
    "max_u": lambda o, x, n: max(o, x),
    "and_b": lambda o, x, n: o & x,
    "or_b": lambda o, x, n: o | x,
    "xor_b": lambda o, x, n: o ^ x,
    "inc_u": lambda o, x, n: 0 if o >= x else o + 1,
    "dec_u": lambda o, x, n: x if o == 0 or o > x else o - 1,
    "swap_b": lambda o, x, n: x,
    "storexchg_b": lambda o, x, n: x,
    "csub_u": lambda o, x, n: max(o - x, 0),
    "sub_clamp_u": lambda o, x, n: max(o - x, 0),
    "cond_sub_u": lambda o, x, n: o - x if o >= x else o,
    "add_f": lambda o, x, n: ref.arithmetic("+", o, x, n),
    "min_f": lambda o, x, n: number(o, x, n, most=False),
    "max_f": lambda o, x, n: number(o, x, n, most=True),
    "pk_add_f": lambda o, x, n: (
        ref.arithmetic("+", o & 0xFFFF, x & 0xFFFF, 16)
        | ref.arithmetic("+", o >> 16, x >> 16, 16) << 16
    ),
    "pk_add_bf": lambda o, x, n: _add_bf16(o, x) | _add_bf16(o >> 16, x >> 16) << 16,
}


def _add_bf16(a: int, b: int) -> int:
    total = ref.arithmetic("+", (a & 0xFFFF) << 16, (b & 0xFFFF) << 16, 32)
    return ref._bfloat(total)


def _atomic(kind: str) -> tuple[str, int]:
    """`atomic_min_num_f32` -> ("min_f", 32)."""
    plain = re.sub(r"^atomic_|_rtn|_num", "", kind)
    stem = re.sub(r"\d+$", "", plain)
    return stem, 32 if stem.startswith("pk_") else int(re.findall(r"\d+$", plain)[0])


def _operands(stem: str, bits: int, seed: str) -> tuple[list[int], list[int]]:
    """Old values and operands of 32 lanes; finite where they are floats."""
    rng = random.Random(seed)

    def value() -> int:
        if stem.startswith("pk_add"):
            half = [ref.from_float(rng.uniform(-8, 8), 16) for _ in range(2)]
            if stem.endswith("bf"):
                half = [ref.from_float(rng.uniform(-8, 8), 32) >> 16 for _ in range(2)]
            return half[0] | half[1] << 16
        if stem.endswith("_f"):
            return ref.from_float(rng.uniform(-8, 8), bits)
        return rng.choice([rng.getrandbits(bits), rng.getrandbits(6), (1 << bits) - 1, 0])

    return [value() for _ in range(32)], [value() for _ in range(32)]


def _check_atomic(
    kind: str, memory: NDArray[np.uint8], run: Callable[[State], State], state: State, result: int,
    *, returns: bool,
) -> None:  # fmt: skip
    """Lanes at places of their own, 8 bytes apart; `run` executes and leaves `memory` changed."""
    compares = "cmp" in kind
    stem, bits = ("cmp", int(re.findall(r"\d+$", kind)[0])) if compares else _atomic(kind)
    size, words = bits // 8, bits // 32
    kept = "swap_f" if re.search(r"_f\d+$", kind) else "swap_b"
    old, x = _operands(kept if compares else stem, bits, kind)
    other = [o if lane % 2 else o ^ 1 for lane, o in enumerate(old)]
    for lane in range(32):
        memory[lane * 8 + 8 :][:size] = np.frombuffer(old[lane].to_bytes(size, "little"), np.uint8)
        for k in range(words):
            state.vgprs[DATA + k][lane] = x[lane] >> 32 * k & 0xFFFFFFFF
            state.vgprs[(DATA2 if "cmpstore" in kind else DATA + words) + k][lane] = (
                other[lane] >> 32 * k & 0xFFFFFFFF
            )
            if not compares:
                state.vgprs[DATA + words + k][lane] = 0
    want = memory.copy()
    after = run(state)
    for lane in ON:
        new = (
            (x[lane] if other[lane] == old[lane] else old[lane])
            if compares
            else ATOMICS[stem](old[lane], x[lane], bits) & (1 << bits) - 1
        )
        want[lane * 8 + 8 :][:size] = np.frombuffer(new.to_bytes(size, "little"), np.uint8)
        got = sum(int(after.vgprs[result + k][lane]) << 32 * k for k in range(words))
        if returns:
            assert got == old[lane], lane
    assert np.array_equal(memory if len(after.lds) == 0 else after.lds, want), kind


@pytest.mark.parametrize("returns", (0, 1))
@pytest.mark.parametrize(
    ("arch", "space", "kind"), _cases("atomic", ("global", "flat", "buffer")), ids=lambda v: v
)
def test_atomic(
    devices: Callable[[str], Device], arch: str, space: str, kind: str, returns: int
) -> None:
    memory = np.zeros(512, np.uint8)
    state = State(exec=EXEC, arrays=[memory])
    code = _code(arch, space, kind, state, addresses_of(state.arrays)[0], LANE * 8, returns)
    result = DATA if space == "buffer" and returns else D
    _check_atomic(
        kind, memory, lambda s: run_code(devices(arch), code, s, wave_size=32), state, result,
        returns=bool(returns),
    )  # fmt: skip


def _lds_names(arch: str, verbs: tuple[str, ...], without: str = "2addr") -> list[tuple[str, str]]:
    found = [n for verb in verbs for n in names(arch, "DS", verb)]
    return [(arch, n) for n in found if without not in n]


LDS_ATOMICS = [
    case
    for arch in ARCHS
    for case in _lds_names(
        arch,
        (
            *("add", "sub", "rsub", "inc", "dec", "min", "max", "and", "or", "xor"),
            *("storexchg_rtn", "cmpstore", "pk_add", "cond_sub"),
        ),
    )
]


@pytest.mark.parametrize(("arch", "kind"), LDS_ATOMICS, ids=lambda v: v)
def test_lds_atomic(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    state = State(exec=EXEC)
    state.lds = np.zeros(512, np.uint8)
    state.vgprs[ADDRESS][:32] = LANE * 8
    code = encode(
        "DS", f"ds_{kind}", arch=arch, addr=ADDRESS, data0=DATA, data1=DATA2, vdst=D, offset0=8
    )
    _check_atomic(
        kind, state.lds, lambda s: run_code(devices(arch), code, s, wave_size=32), state, D,
        returns="_rtn" in kind,
    )  # fmt: skip


LDS_LOADS = [case for arch in ARCHS for case in _lds_names(arch, ("load",))]
LDS_STORES = [case for arch in ARCHS for case in _lds_names(arch, ("store_",))]


@pytest.mark.parametrize(("arch", "kind"), LDS_LOADS, ids=lambda v: v)
def test_lds_load(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    state, memory, _ = _setup()
    state.lds = memory.copy()
    state.vgprs[ADDRESS][:32] = LANE * 20
    kind_ = re.sub(r"(\w+)_(d16\w*)$", r"\2_\1", kind.removeprefix("load_"))  # u8_d16 as d16_u8
    code = encode("DS", f"ds_{kind}", arch=arch, addr=ADDRESS, vdst=D, offset0=8)
    after = run_code(devices(arch), code, state, wave_size=32)
    for lane in ON:
        raw = state.lds[lane * 20 + 8 :][: _size(kind_)].tobytes()
        assert [int(after.vgprs[D + k][lane]) for k in range(4)] == _loaded(raw, kind_), lane


@pytest.mark.parametrize(("arch", "kind"), LDS_STORES, ids=lambda v: v)
def test_lds_store(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    state, memory, _ = _setup()
    state.lds = memory.copy()
    state.vgprs[ADDRESS][:32] = LANE * 20
    size = SIZES[re.findall(r"b(\d+)", kind)[0]]
    code = encode("DS", f"ds_{kind}", arch=arch, addr=ADDRESS, data0=DATA, offset0=8)
    after = run_code(devices(arch), code, state, wave_size=32)
    want = state.lds.copy()
    for lane in ON:
        raw = b"".join(int(state.vgprs[DATA + k][lane]).to_bytes(4, "little") for k in range(4))
        raw = raw[2:] if "hi" in kind else raw
        want[lane * 20 + 8 :][:size] = np.frombuffer(raw[:size], np.uint8)
    assert np.array_equal(after.lds, want)


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("bits", (32, 64))
@pytest.mark.parametrize("stride", ("2addr", "2addr_stride64"))
def test_lds_two_addresses(
    devices: Callable[[str], Device], arch: str, bits: int, stride: str
) -> None:
    """Load, store and exchange of two places a lane."""
    size, words = bits // 8, bits // 32
    unit = size * (64 if "64" in stride else 1)
    first, second = (1, 3) if "64" in stride else (2, 70)
    for verb in ("load", "store", "storexchg"):
        state, _, _ = _setup()
        state.lds = np.random.default_rng(5).integers(0, 256, 4096, dtype=np.uint8)
        state.vgprs[ADDRESS][:32] = LANE * 8
        for k in range(words):
            state.vgprs[DATA2 + k] = np.random.default_rng(9 + k).integers(
                0, 1 << 32, 64, np.uint32
            )
        rtn = "_rtn" if verb == "storexchg" else ""
        code = encode(
            "DS", f"ds_{verb}_{stride}{rtn}_b{bits}", arch=arch, addr=ADDRESS, vdst=D, data0=DATA,
            data1=DATA2, offset0=first, offset1=second,
        )  # fmt: skip
        after = run_code(devices(arch), code, state, wave_size=32)
        want = state.lds.copy()
        for lane in ON:
            for n, (place, data) in enumerate(((first, DATA), (second, DATA2))):
                at = lane * 8 + place * unit
                got = b"".join(
                    int(after.vgprs[D + n * words + k][lane]).to_bytes(4, "little")
                    for k in range(words)
                )
                if verb != "store":
                    assert got == want[at : at + size].tobytes(), (verb, lane)
                if verb != "load":
                    new = [int(state.vgprs[data + k][lane]) for k in range(words)]
                    want[at : at + size] = np.array(new, np.uint32).view(np.uint8)
        assert np.array_equal(after.lds, want), verb


def _scalar_loads(arch: str) -> list[tuple[str, str]]:
    return [(arch, n) for n in names(arch, "SMEM", "load") + names(arch, "SMEM", "buffer_load")]


@pytest.mark.parametrize(("arch", "kind"), [c for a in ARCHS for c in _scalar_loads(a)])
def test_scalar_load(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    state, memory, base = _setup()
    state.sgprs[20:24] = [base & 0xFFFFFFFF, base >> 32, 2048, 0x31016000]
    state.sgprs[30] = 32
    bits = int(re.findall(r"[biu](\d+)", kind)[-1])
    for soffset, at in ((NULL, 8), (30, 40)):
        code = encode("SMEM", f"s_{kind}", arch=arch, sbase=10, sdata=40, offset=8, soffset=soffset)
        after = run_code(devices(arch), code, state, wave_size=32)
        raw = memory[at : at + bits // 8].tobytes()
        if bits < 32:
            value = int.from_bytes(raw, "little", signed="_i" in kind)
            assert int(after.sgprs[40]) == value & 0xFFFFFFFF
        else:
            assert after.sgprs[40 : 40 + bits // 32].tobytes() == raw
