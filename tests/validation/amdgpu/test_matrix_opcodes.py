"""Matrix instructions against a plain matrix product, through the documented register layouts.

Inputs are small integers, so that every product and sum is exact whatever the order of summation;
the last tests are about rounding.
Layout, from AMD's matrix instruction calculator: see `place_a` and `place_d`.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("tinygrad")

import amdgpu_reference as ref
from amdgpu_encoding import encode, opcodes
from numpy.typing import NDArray

from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.stepping import State, run_code

NAME = re.compile(r"v_(mfma|smfmac)_(f32|f64|i32)_(\d+)x(\d+)x(\d+)_(?:(\d+)b_)?(\w+)$")
BITS = {"f32": 32, "f16": 16, "bf16": 16, "xf32": 32, "f64": 64, "i8": 8, "fp8": 8, "bf8": 8}
GFX950_ONLY = re.compile(
    r"16x16x32_(bf16|f16)$|32x32x16_(bf16|f16)$|x64_i8$|32x32x32_i8$|f8f6f4|smfmac_.*(x64_b?f16|x128|"
    r"32x32x32_b?f16|32x32x64)"
)
A, B, C, D = 0, 32, 64, 100


def _small_float(value: float, kind: str) -> int:
    """Bits of a small integer in an 8-bit float (FNUZ on gfx942, OCP on gfx950)."""
    mantissa = 3 if "fp8" in kind else 2
    bias = {("fp8", False): 8, ("bf8", False): 16, ("fp8", True): 7, ("bf8", True): 15}[
        (kind[:3], kind.endswith("ocp"))
    ]
    if value == 0:
        return 0
    sign, v = (0x80, -value) if value < 0 else (0, value)
    e = int(np.floor(np.log2(v)))
    return sign | (e + bias) << mantissa | round((v / 2.0**e - 1) * (1 << mantissa))


def _element(value: float, kind: str) -> int:
    match kind:
        case "f32" | "xf32":
            return int(np.float32(value).view(np.uint32))
        case "f64":
            return int(np.float64(value).view(np.uint64))
        case "f16":
            return int(np.float16(value).view(np.uint16))
        case "bf16":
            return int(np.float32(value).view(np.uint32)) >> 16
        case "i8":
            return int(value) & 255
        case _:
            return _small_float(value, kind)


def place_a(lane: int, m: int, k: int, blocks: int) -> tuple[int, int, list[int]]:
    """(block, row, columns) of A that a lane holds."""
    per_block = 64 // blocks
    block, inside = divmod(lane, per_block)
    groups = per_block // m
    per = k // groups
    return block, inside % m, [inside // m * per + e for e in range(per)]


def place_d(reg: int, lane: int, m: int, is_f64: bool) -> tuple[int, int, int]:
    """(block, row, column) of D in a register and lane."""
    if is_f64:
        if m == 16:
            return 0, 4 * reg + lane // 16, lane % 16
        return lane // 16, lane % 16 // 4, lane % 4
    if m == 32:
        return reg // 16, reg % 16 // 4 * 8 + lane // 32 * 4 + reg % 4, lane % 32
    if m == 16:
        return reg // 4, lane // 16 * 4 + reg % 4, lane % 16
    return lane // 4, reg, lane % 4


def _fill(
    state: State, first: int, matrix: NDArray[np.float64], kinds: str, shape: tuple[int, ...]
) -> None:
    """Put A (blocks x m x k), or B transposed, into registers."""
    m, k, blocks = shape
    bits = BITS[kinds[:3] if "ocp" in kinds else kinds]
    for lane in range(64):
        block, row, columns = place_a(lane, m, k, blocks)
        packed = 0
        for e, column in enumerate(columns):
            packed |= _element(float(matrix[block, row, column]), kinds) << e * bits
        for word in range(max(1, len(columns) * bits // 32)):
            state.vgprs[first + word][lane] = packed >> 32 * word & 0xFFFFFFFF


def _matrix_names(arch: str, kind: str) -> list[str]:
    names = set(opcodes(arch, "VOP3P_MFMA")) | set(opcodes(arch, "VOP3P"))
    found = sorted(
        n for n in names if NAME.match(n) and n.startswith(f"v_{kind}_") and "f8f6f4" not in n
    )
    if arch == "gfx90a":
        return found
    if arch == "gfx942":
        return [n for n in found if not GFX950_ONLY.search(n)]
    return [n for n in found if GFX950_ONLY.search(n)]


CASES = [(a, n) for a in ("gfx90a", "gfx942", "gfx950") for n in _matrix_names(a, "mfma")]


def _form(arch: str, name: str) -> str:
    return "VOP3P_MFMA" if name in opcodes(arch, "VOP3P_MFMA") else "VOP3P"


def _parts(name: str) -> tuple[str, int, int, int, str, str]:
    match = NAME.match(name)
    assert match is not None, name
    kinds = match[7].split("_")
    return (match[2], int(match[3]), int(match[5]), int(match[6] or 1), kinds[0], kinds[-1])


def _run(
    devices: Callable[[str], Device],
    arch: str,
    name: str,
    *,
    seed: int = 1,
    constant_c: bool = False,
    accumulators: bool = False,
    cbsz: int = 0,
    abid: int = 0,
    blgp: int = 0,
) -> None:
    result, m, k, blocks, kind_a, kind_b = _parts(name)
    rng = np.random.default_rng(seed)
    a = rng.integers(-3, 4, (blocks, m, k)).astype(float)
    b = rng.integers(-3, 4, (blocks, k, m)).astype(float)
    c = rng.integers(-9, 10, (blocks, m, m)).astype(float)
    state = State(exec=0x0F)  # EXEC does not matter
    suffix = "ocp" if arch == "gfx950" else ""
    names = [x + suffix if x in ("fp8", "bf8") else x for x in (kind_a, kind_b)]
    _fill(state, A, a, names[0], (m, k, blocks))
    _fill(state, B, b.transpose(0, 2, 1), names[1], (m, k, blocks))
    is_f64 = result == "f64"
    words = 2 if is_f64 else 1
    registers = blocks * m * m // 64
    base = 256 if accumulators else 0
    for reg in range(registers):
        for lane in range(64):
            value = c[place_d(reg, lane, m, is_f64)]
            raw = int(value) & 0xFFFFFFFF if result == "i32" else _element(value, result)
            for w in range(words):
                state.vgprs[base + C + reg * words + w][lane] = raw >> 32 * w & 0xFFFFFFFF
    fields = {"acc_cd": 1} if accumulators else {}
    if _form(arch, name) == "VOP3P_MFMA":
        fields |= {"cbsz": cbsz, "abid": abid, "blgp": blgp}
    code = encode(
        _form(arch, name),
        name,
        arch=arch,
        vdst=D,
        src0=256 + A,
        src1=256 + B,
        src2=129 if constant_c and result == "i32" else 242 if constant_c else 256 + C,
        **fields,
    )
    if constant_c:
        c = np.ones_like(c)
    a_used = a.copy()
    if cbsz:
        for block in range(blocks):
            a_used[block] = a[block // (1 << cbsz) * (1 << cbsz) + abid]
    want = a_used @ b + c
    after = run_code(devices(arch), code, state)
    for reg in range(registers):
        for lane in range(64):
            raw = sum(
                int(after.vgprs[base + D + reg * words + w][lane]) << 32 * w for w in range(words)
            )
            value = want[place_d(reg, lane, m, is_f64)]
            expected = int(value) & 0xFFFFFFFF if result == "i32" else _element(value, result)
            assert raw == expected or (value == 0 and raw << 1 & (1 << 32 * words) - 1 == 0), (
                reg,
                lane,
            )


@pytest.mark.parametrize(("arch", "name"), CASES, ids=lambda v: v)
def test_mfma(devices: Callable[[str], Device], arch: str, name: str) -> None:
    _run(devices, arch, name)


def test_mfma_with_accumulators_and_constant(devices: Callable[[str], Device]) -> None:
    for name in ("v_mfma_f32_32x32x8_f16", "v_mfma_i32_16x16x32_i8", "v_mfma_f64_16x16x4_f64"):
        _run(devices, "gfx942", name, accumulators=True, seed=2)
        _run(devices, "gfx942", name, constant_c=True, seed=3)


def test_mfma_broadcast(devices: Callable[[str], Device]) -> None:
    for cbsz, abid in ((1, 0), (1, 1), (2, 3), (4, 9)):
        _run(devices, "gfx942", "v_mfma_f32_4x4x4_16b_f16", cbsz=cbsz, abid=abid, seed=4)
    _run(devices, "gfx942", "v_mfma_f32_32x32x4_2b_f16", cbsz=1, abid=1, seed=5)


SPARSE = [(a, n) for a in ("gfx942", "gfx950") for n in _matrix_names(a, "smfmac")]


@pytest.mark.parametrize(("arch", "name"), SPARSE, ids=lambda v: v)
def test_smfmac(devices: Callable[[str], Device], arch: str, name: str) -> None:
    result, m, k, blocks, kind_a, kind_b = _parts(name)
    rng = np.random.default_rng(6)
    suffix = "ocp" if arch == "gfx950" else ""
    names = [x + suffix if x in ("fp8", "bf8") else x for x in (kind_a, kind_b)]
    compact = rng.integers(-3, 4, (1, m, k // 2)).astype(float)
    b = rng.integers(-3, 4, (1, k, m)).astype(float)
    d = rng.integers(-9, 10, (1, m, m)).astype(float)
    dense = np.zeros((1, m, k))
    state = State()
    _fill(state, A, compact, names[0], (m, k // 2, blocks))
    _fill(state, B, b.transpose(0, 2, 1), names[1], (m, k, blocks))
    for lane in range(64):
        _, row, columns = place_a(lane, m, k // 2, 1)
        bits = 0
        for e in range(0, len(columns), 2):
            first, second = sorted(rng.choice(4, 2, replace=False))
            bits |= (int(first) | int(second) << 2) << 2 * e
            for place, column in ((first, columns[e]), (second, columns[e + 1])):
                dense[0, row, columns[e] // 2 * 4 + place] = compact[0, row, column]
        state.vgprs[C][lane] = bits
    registers = m * m // 64
    for reg in range(registers):
        for lane in range(64):
            value = d[place_d(reg, lane, m, False)]
            raw = int(value) & 0xFFFFFFFF if result == "i32" else _element(value, "f32")
            state.vgprs[D + reg][lane] = raw
    code = encode(
        _form(arch, name), name, arch=arch, vdst=D, src0=256 + A, src1=256 + B, src2=256 + C
    )
    after = run_code(devices(arch), code, state)
    want = dense @ b + d
    for reg in range(registers):
        for lane in range(64):
            value = want[place_d(reg, lane, m, False)]
            raw = int(after.vgprs[D + reg][lane])
            expected = int(value) & 0xFFFFFFFF if result == "i32" else _element(value, "f32")
            assert raw == expected or (value == 0 and raw << 1 & 0xFFFFFFFF == 0), (reg, lane)


# ---- rounding: the published description of CDNA2 and CDNA3 in exact arithmetic

_LEAST = {"f16": -14, "bf16": -126, "xf32": -126, "fp8": -7, "bf8": -15}


def _exponent(value: Fraction, least: int) -> int:
    if value == 0:
        return least
    return max(least, math.frexp(float(value))[1] - 1)


def _cut(value: Fraction, bits: int) -> Fraction:
    """Toward zero, to a multiple of 2**-bits."""
    scaled = value * Fraction(2) ** bits
    return Fraction(math.trunc(scaled)) / Fraction(2) ** bits


def _floor(value: Fraction, bits: int) -> Fraction:
    scaled = value * Fraction(2) ** bits
    return Fraction(math.floor(scaled)) / Fraction(2) ** bits


def _fused(x: list[Fraction], y: list[Fraction], least: int) -> tuple[Fraction, int]:
    exponents = [
        -126 if a * b == 0 else _exponent(a, least) + _exponent(b, least)
        for a, b in zip(x, y, strict=True)
    ]
    top = max(exponents)
    return sum((_cut(a * b, 24 - top) for a, b in zip(x, y, strict=True)), Fraction(0)), top


def _round_f32(value: Fraction) -> Fraction:
    return Fraction(ref.to_float(ref.from_fraction(value, 32), 32))


def _sum_cdna3(x: list[Fraction], y: list[Fraction], c: Fraction, kind: str) -> Fraction:
    least = _LEAST[kind]
    eight_bits = kind in ("fp8", "bf8")
    group = 16 if eight_bits else 4 if kind == "xf32" else 8
    for k in range(0, len(x), group):
        own = _exponent(c, -126)
        if eight_bits:
            even, e0 = _fused(x[k : k + group : 2], y[k : k + group : 2], least)
            odd, e1 = _fused(x[k + 1 : k + group : 2], y[k + 1 : k + group : 2], least)
            top = max(e0, e1)
            total = _floor(even, 24 - top) + _floor(odd, 24 - top)
        else:
            total, top = _fused(x[k : k + group], y[k : k + group], least)
        most = max(top, own)
        old = Fraction(0) if eight_bits and own < most - 25 else _floor(c, 24 - most)
        c = _round_f32(_floor(total, 31 - most) + old)
    return c


def _flushed(value: Fraction, least: int = -126) -> Fraction:
    return Fraction(0) if abs(value) < Fraction(2) ** least else value


def _sum_cdna2(
    x: list[Fraction], y: list[Fraction], c: Fraction, kind: str, group: int
) -> Fraction:
    least = _LEAST[kind]
    c = _flushed(c)
    for k in range(0, len(x), group):
        part = [
            _flushed(_round_f32(_flushed(a, least) * _flushed(b, least)))
            for a, b in zip(x[k : k + group], y[k : k + group], strict=True)
        ]
        while len(part) > 1:
            part = [_flushed(_round_f32(a + b)) for a, b in zip(part[::2], part[1::2], strict=True)]
        c = _flushed(_round_f32(c + part[0]))
    return c


ROUNDING = [
    ("gfx942", "v_mfma_f32_32x32x8_f16"),
    ("gfx942", "v_mfma_f32_16x16x16_f16"),
    ("gfx942", "v_mfma_f32_16x16x16_bf16"),
    ("gfx942", "v_mfma_f32_32x32x4_xf32"),
    ("gfx942", "v_mfma_f32_16x16x32_fp8_fp8"),
    ("gfx942", "v_mfma_f32_32x32x16_bf8_bf8"),
    ("gfx90a", "v_mfma_f32_16x16x16_f16"),
    ("gfx90a", "v_mfma_f32_16x16x16_bf16"),
    ("gfx90a", "v_mfma_f32_32x32x4_bf16"),
]


def _numbers(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Values of a type: wide exponents, cancelling neighbours, zeros and denormals."""
    spread = {"f16": 12, "bf16": 60, "xf32": 60, "fp8": 5, "bf8": 10}[kind]
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-spread, min(spread, 8), shape)
    x[rng.random(shape) < 0.1] = 0
    if kind == "f16":
        x[rng.random(shape) < 0.1] *= 2.0**-13
        return x.astype(np.float16).astype(np.float64)
    if kind in ("bf16", "xf32"):
        x[rng.random(shape) < 0.1] *= 2.0**-60
        drop = 16 if kind == "bf16" else 0
        return (x.astype(np.float32).view(np.uint32) >> drop << drop).view(np.float32).astype(float)
    x[np.abs(x) < 2.0 ** _LEAST[kind]] = 0
    exponent = np.floor(np.log2(np.abs(np.where(x == 0, 1, x))))
    step = 2.0 ** (exponent - (3 if kind == "fp8" else 2))
    return np.trunc(x / step) * step


@pytest.mark.parametrize(("arch", "name"), ROUNDING, ids=lambda v: v)
def test_sums_round_as_measured_on_hardware(
    devices: Callable[[str], Device], arch: str, name: str
) -> None:
    _, m, k, blocks, kind, _ = _parts(name)
    rng = np.random.default_rng(11)
    a, b = _numbers(kind, (blocks, m, k), rng), _numbers(kind, (blocks, k, m), rng)
    c = (rng.standard_normal((blocks, m, m)) * 2.0 ** rng.integers(-30, 12, (blocks, m, m))).astype(
        np.float32
    )
    state = State()
    _fill(state, A, a, kind, (m, k, blocks))
    _fill(state, B, b.transpose(0, 2, 1), kind, (m, k, blocks))
    registers = blocks * m * m // 64
    for reg in range(registers):
        for lane in range(64):
            state.vgprs[C + reg][lane] = _element(float(c[place_d(reg, lane, m, False)]), "f32")
    code = encode(
        _form(arch, name), name, arch=arch, vdst=D, src0=256 + A, src1=256 + B, src2=256 + C
    )
    after = run_code(devices(arch), code, state)
    if kind == "xf32":
        a, b = (
            (v.astype(np.float32).view(np.uint32) >> 13 << 13).view(np.float32).astype(float)
            for v in (a, b)
        )
    for reg in range(0, registers, 3):
        for lane in range(0, 64, 5):
            block, row, column = place_d(reg, lane, m, False)
            x = [Fraction(v) for v in a[block, row]]
            y = [Fraction(v) for v in b[block, :, column]]
            old = Fraction(float(c[block, row, column]))
            if arch == "gfx90a":
                want = _sum_cdna2(x, y, old, kind, 2 if k * m == 128 else 4)
            else:
                want = _sum_cdna3(x, y, old, kind)
            raw = int(after.vgprs[D + reg][lane])
            assert raw == _element(float(want), "f32") or (want == 0 and raw << 1 & 0xFFFFFFFF == 0)
