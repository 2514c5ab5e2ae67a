"""The declarations that CUDA sources are parsed against; no toolkit, libc or libstdc++ is read.

prelude.h        what every source sees without asking: C, std, CUDA's runtime and device functions
std/  cuda/      its parts by topic, and the CUDA headers that are asked for (fp16, groups, wmma)
libraries/       CUB, Thrust, cuBLAS and the others
headers.py       which header name stands for which file

Declarations only, and lenient ones: enough for kernels to have exact types, for host code to
resolve mostly. Where many functions have one shape, a macro holds the shape and rows the names.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from crossport.frontend.shim.headers import header_parts

ROOT = Path(__file__).resolve().parent
PRELUDE = ROOT / "prelude.h"


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """A hash of all that the shim says; caches of parsed headers are named after it."""
    digest = hashlib.sha256()
    for file in sorted([*ROOT.rglob("*.h"), ROOT / "headers.py"]):
        digest.update(str(file).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def write_headers(folder: Path) -> None:
    """Write one small file for each header name that a source may include."""
    for name, part in header_parts().items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        include = f'#include "{ROOT / part}"\n' if part else ""
        file.write_text(f"#pragma once\n{include}", encoding="utf-8")
