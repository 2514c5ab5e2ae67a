"""Which kinds of CUDA a program uses: the rows of the suite's per-construct table.

    constructs_of(text) == {"warp", "cub"}

A rough count by words, only ever used to group results, never to decide a port.
"""

from __future__ import annotations

import re
from pathlib import Path

_WORDS = {
    "warp": r"__(?:shfl|ballot|any|all|activemask|match|reduce|syncwarp)\w*\s*\(|\bwarpSize\b"
    r"|\bWARP_?SIZE\b",
    "ptx": r"\basm\s*(?:volatile|__volatile__)?\s*\(|__asm__",
    "wmma": r"\bwmma::|\bmma_sync\b|<mma\.h>",
    "texture": r"\btex(?:1D|2D|3D)\w*\s*[<(]|cudaTextureObject_t|\btexture\s*<|surf\dD",
    "cooperative groups": r"cooperative_groups",
    "half/bf16/fp8": r"<cuda_(?:fp16|bf16|fp8)\.h>|\b__half2?\b|__nv_bfloat16",
    "atomics": r"\batomic(?:Add|CAS|Max|Min|Exch|Or|And|Xor|Inc|Dec|Sub)\w*\s*\(",
    "constant memory": r"\b__constant__\b",
    "managed memory": r"cudaMallocManaged|__managed__",
    "streams/graphs": r"cudaStreamCreate|cudaGraph\w+",
    "cub": r"\bcub::|<cub/",
    "thrust": r"\bthrust::|<thrust/",
    "cublas": r"\bcublas\w+",
    "cufft": r"\bcufft\w+",
    "curand": r"\bcurand\w+",
    "cusparse": r"\bcusparse\w+",
    "cusolver": r"\bcusolver\w+",
    "cudnn": r"\bcudnn\w+",
    "nccl": r"\bnccl[A-Z]\w+",
    "driver API": r"\bcu(?:Module|Launch|Ctx|Device|Mem|Func)[A-Z]\w+",
    "libcu++": r"<cuda/(?:std/)?\w+>|\bcuda::(?:std|atomic|barrier|pipeline)",
}
_PATTERNS = {name: re.compile(words) for name, words in _WORDS.items()}
HARD = ("warp", "ptx", "wmma", "texture")
_CODE = frozenset({".cu", ".cuh", ".h", ".hpp", ".cpp", ".cc", ".c", ".inl", ".hip"})


def constructs_of(text: str) -> frozenset[str]:
    """The names of the kinds that occur in `text`."""
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(text))


def constructs_in(folder: Path) -> frozenset[str]:
    """The kinds that occur in a folder's sources and headers."""
    found: frozenset[str] = frozenset()
    for path in folder.rglob("*"):
        if path.suffix in _CODE and path.is_file():
            found |= constructs_of(path.read_bytes().decode("utf-8", "replace"))
    return found
