"""Headers that come with a port: what CUDA has and HIP has not, too long to stand in each file.

    #include <mma.h>    ->    #include "crossport_wmma.h"      and that file beside the one it is in

crossport_wmma.h                nvcuda::wmma for warps of 32 lanes
crossport_mma.h                 PTX's mma.sync, ldmatrix and their kin
crossport_array.h               arrays and texture objects where a target has no image instructions
crossport_texture.h             reading and writing them
crossport_texture_reference.h   texture<float, 2> of old programs
crossport_cuda.h                the part of libcu++ that needs nothing of NVIDIA's hardware
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("polyfill")
_INCLUDES = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"(crossport_\w+\.h)"', re.MULTILINE)


def is_supplied(header: str) -> bool:
    """Whether an include path is that of a header of ours."""
    return header.startswith("crossport_")


def include_line(header: str) -> str:
    """The line that includes a header of ours."""
    assert is_supplied(header), header
    return f'#include "{header}"'


def supplied_headers(ported: bytes) -> Iterator[tuple[str, bytes]]:
    """The headers of ours that a file of a port includes, with their text."""
    for name in sorted({match.decode() for match in _INCLUDES.findall(ported)}):
        if (_FOLDER / name).is_file():
            yield name, _text(name)


@cache
def _text(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
