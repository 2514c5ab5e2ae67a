"""Together the corpus kernels use every feature class that ports have to deal with."""

from __future__ import annotations

import re
from pathlib import Path

from crossport.validation.cases import load_cases

CORPUS = Path(__file__).resolve().parents[2] / "corpus"

# Feature class -> what it looks like in a source.
CLASSES = {
    "elementwise": "elementwise", "grid-stride": "grid_stride", "reduction": "reduction",
    "scan": "scan", "transpose": "transpose", "stencil": "stencil", "matmul": "matmul",
    "softmax": "softmax", "norm": "norm", "attention": "attention", "histogram": "histogram",
    "spmv": "spmv", "sort": "sort", "rng": "rng", "bits": "bits", "half2": "half2", "bf16": "bf16",
    "atomics": "atomics", "ballot": "ballot", "match": "match", "shuffle width": "shuffle_width",
    "syncwarp": "syncwarp", "lane arithmetic": "lane_arithmetic",
    "warp-sized shared": "warp_sized_shared", "cooperative groups": "coopgroups",
    "grid sync": "grid_sync", "inline PTX": "asm", "mma": "asm_mma", "wmma": "wmma",
    "texture": "texture", "constant memory": "constant_mem", "struct by value": "struct_byval",
    "struct pointer": "struct_ptr", "template": "template", "dynamic shared": "dyn_shared",
    "dynamic parallelism": "dyn_parallel", "device global": "device_global",
    "early return": "early_return", "2-D block": "block_2d", "3-D block": "block_3d",
    "int8": "int8", "dp4a": "dp4a", "double": "double", "recursion": "recursion",
    "lambda": "lambda", "function pointer": "fnptr", "union": "union", "switch": "switch",
    "goto": "goto", "printf": "printf", "assert": "assert", "vote": "vote", "fence": "threadfence",
    "volatile": "volatile", "cub": "cub", "curand": "curand", "cp.async": "cp_async",
    "local array": "local_array", "vector types": "vectype", "operators": "operator_ovl",
    "sync with vote": "sync_reduce", "int64": "int64", "compaction": "compaction",
}  # fmt: skip


def test_every_feature_class_is_there() -> None:
    used = {f for path in CORPUS.glob("*/cases.toml") for f in load_cases(path).features}
    missing = [name for name, feature in CLASSES.items() if feature not in used]
    assert not missing


def test_there_are_enough_kernels_and_odd_sizes() -> None:
    files = [load_cases(path) for path in CORPUS.glob("*/cases.toml")]
    assert len(files) >= 70
    sizes = {int(v) for file in files for case in file.checked for v in case.params.values()}
    assert {1, 31, 33, 65, 257, 1009} <= sizes


def test_features_that_can_be_read_off_are_true() -> None:
    shapes = {
        "shuffle": r"__shfl|shfl_|\.shfl", "atomics": r"atomic", "ballot": r"ballot",
        "dyn_shared": r"extern __shared__", "template": r"template\s*<", "asm": r"\basm\b",
        "texture": r"cudaTextureObject_t", "wmma": r"wmma::", "coopgroups": r"cooperative_groups",
        "constant_mem": r"__constant__", "goto": r"\bgoto\b", "bf16": r"bfloat16",
    }  # fmt: skip
    for path in CORPUS.glob("*/cases.toml"):
        loaded = load_cases(path)
        text = loaded.source.read_text()
        for feature, shape in shapes.items():
            if feature in loaded.features:
                assert re.search(shape, text), (path.parent.name, feature)
