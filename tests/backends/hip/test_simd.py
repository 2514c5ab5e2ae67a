"""CUDA's SIMD functions as we define them, compiled for the host, against their documentation."""

import ctypes
import operator
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crossport.backends.hip.api.simd import simd_function
from crossport.backends.hip.names import tables

COMPILER = next((c for c in ("c++", "g++", "clang++", "clang++-19") if shutil.which(c)), None)
NAMES = sorted(n for n in tables.cuda_device() if re.fullmatch(r"__v[a-z]+[24]", n))
WORDS = [0, 0xFFFFFFFF, 0x80808080, 0x7F7F7F7F, 0x80008000, 0x7FFF7FFF, 0x01FF0100]
PRELUDE = """
#include <algorithm>
using std::min; using std::max;
#define __device__
#define static extern "C"
#define inline
"""

Lane = Callable[[int, int], int]


def _lanes(word: int, count: int, signed: bool) -> list[int]:
    bits = 32 // count
    values = [(word >> (bits * i)) & ((1 << bits) - 1) for i in range(count)]
    return [v - (1 << bits) if signed and v >> (bits - 1) else v for v in values]


def _meaning(name: str) -> tuple[bool, Lane]:
    """Signedness and the operation on a lane, from CUDA's "SIMD intrinsics" chapter."""
    op, count = name[3:-1], int(name[-1])
    bits = 32 // count
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    ones = (1 << bits) - 1

    def signed_clamp(value: int) -> int:
        return max(low, min(high, value))

    def unsigned_clamp(value: int) -> int:
        return max(0, min(ones, value))

    table: dict[str, tuple[bool, Lane]] = {
        "add": (False, operator.add),
        "sub": (False, operator.sub),
        "addss": (True, lambda a, b: signed_clamp(a + b)),
        "addus": (False, lambda a, b: unsigned_clamp(a + b)),
        "subss": (True, lambda a, b: signed_clamp(a - b)),
        "subus": (False, lambda a, b: unsigned_clamp(a - b)),
        "neg": (True, lambda a, b: -a),
        "negss": (True, lambda a, b: signed_clamp(-a)),
        "abs": (True, lambda a, b: abs(a)),
        "absss": (True, lambda a, b: signed_clamp(abs(a))),
        "absdiffs": (True, lambda a, b: abs(a - b)),
        "absdiffu": (False, lambda a, b: abs(a - b)),
        # Signed averages round away from zero, unsigned ones up; haddu rounds down.
        "avgs": (True, lambda a, b: (abs(a + b) + 1) // 2 * (1 if a + b >= 0 else -1)),
        "avgu": (False, lambda a, b: (a + b + 1) // 2),
        "haddu": (False, lambda a, b: (a + b) // 2),
        "mins": (True, min),
        "minu": (False, min),
        "maxs": (True, max),
        "maxu": (False, max),
    }
    if op in table:
        return table[op]
    match = re.fullmatch(r"(cmp|set)(eq|ne|lt|le|gt|ge)([su]?)", op)
    assert match, name
    compare = getattr(operator, match[2])
    yes = ones if match[1] == "cmp" else 1
    return match[3] == "s", lambda a, b: yes if compare(a, b) else 0


def _expected(name: str, x: int, y: int) -> int:
    count = int(name[-1])
    if name[3:-1] in ("sads", "sadu"):
        signed = name[3:-1] == "sads"
        pairs = zip(_lanes(x, count, signed), _lanes(y, count, signed), strict=True)
        return sum(abs(a - b) for a, b in pairs) & 0xFFFFFFFF
    signed, lane = _meaning(name)
    bits = 32 // count
    pairs = zip(_lanes(x, count, signed), _lanes(y, count, signed), strict=True)
    lanes = [lane(a, b) & ((1 << bits) - 1) for a, b in pairs]
    return sum(value << (bits * i) for i, value in enumerate(lanes))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if COMPILER is None:
        pytest.skip("no C++ compiler on this machine")
    folder: Path = tmp_path_factory.mktemp("simd")
    definitions = [simd_function(name) for name in NAMES]
    (folder / "simd.cpp").write_text(PRELUDE + "".join(d for d in definitions if d))
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-o", "simd.so", "simd.cpp"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return ctypes.CDLL(str(folder / "simd.so"))


@pytest.mark.parametrize("name", NAMES)
def test_meaning(name: str, library: ctypes.CDLL) -> None:
    function = library["crossport_" + name[2:]]
    function.restype = ctypes.c_uint32
    draw = random.Random(name)
    words = [*WORDS, *(draw.getrandbits(32) for _ in range(12))]
    for x in words:
        for y in words:
            got = function(ctypes.c_uint32(x), ctypes.c_uint32(y))
            assert got == _expected(name, x, y), f"{name}({x:#x}, {y:#x}) = {got:#x}"
