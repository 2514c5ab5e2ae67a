"""Write the tables of names that HIP and CUDA declare, from header folders given to it.

    python -m crossport.backends.hip.names.generate \\
        --hip ROCM/include --hip CLANG/include --cuda CUDA/include --version "ROCm 6.3"

A name is in a table when it stands in the code (not in a comment) of a header of that family. Only
names are kept: no signature, no value, no text of a header. `tables.py` reads what is written here.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossport.backends.hip.lexer import Kind, Tokens

# What binding generators and profilers make up around the real names.
_MADE_UP = re.compile(
    r"__bindgen|_v\d{4,}|_params(_st)?$|^cudaEgl|^HIP_API_ID|_fn$|_H_*$|_INCLUDE_"
)
HERE = Path(__file__).parent
_HEADER = (".h", ".hpp", ".cuh", ".in", ".rs", ".inl")


@dataclass(frozen=True, slots=True)
class Family:
    """Which names of which headers make up one section of a table."""

    name: str
    pattern: str
    path: str = ""
    calls_only: bool = False


HIP = (
    Family("runtime", r"hip[A-Z]\w*|HIP_\w+|hipi?_[A-Z]\w*|HIP[a-z]\w+|hip_\w+|CUstream\w*"),
    Family("rtc", r"hiprtc\w+|HIPRTC_\w+"),
    Family("blas", r"hipblas\w+|HIPBLAS\w+"),
    Family("fft", r"hipfft\w+|HIPFFT_\w+"),
    Family("rand", r"hiprand\w*|HIPRAND_\w+"),
    Family("sparse", r"hipsparse\w+|HIPSPARSE\w+"),
    Family("solver", r"hipsolver\w+|HIPSOLVER\w+"),
    Family("miopen", r"miopen\w+"),
    Family("ccl", r"nccl\w+|NCCL_\w+", "nccl"),
    Family("roctx", r"roctx\w+"),
    Family("tensor", r"hiptensor\w+|HIPTENSOR_\w+"),
    Family("cub", r"[A-Za-z]\w+", r"/hipcub/(?!backend/cub/)"),
    Family("cg", r"[A-Za-z]\w+", r"hip_cooperative_groups"),
    Family("device", r"[A-Za-z_]\w+", r"(?<!system)/hip/(?!std/)|__clang_(hip|cuda)_"),
    Family("fp16", r"[A-Za-z_]\w+", r"/(amd_)?hip_fp16"),
    Family("bf16", r"[A-Za-z_]\w+", r"/(amd_)?hip_bf16"),
    Family("fp8", r"[A-Za-z_]\w+", r"/(amd_)?hip_fp8"),
    Family("wmma", r"[a-z]\w+", r"/rocwmma/(rocwmma|internal/types)\.hpp"),
)
CUDA = (
    Family("runtime", r"cuda(?!rt_)[A-Z_]\w*|CUDART_\w+|CUDA_R_\w+|CUDA_C_\w+|CUDA_[A-Z]\w+"),
    Family(
        "driver", r"cu[A-Z]\w*|CU_\w+|CU[a-z]\w+", r"/cu(da|Complex)[A-Za-z]*\.h$|/src/driver/sys"
    ),
    Family("rtc", r"nvrtc\w+|NVRTC_\w+"),
    Family("blas", r"cublas\w+|CUBLAS\w+"),
    Family("fft", r"cufft\w+|CUFFT_\w+"),
    Family("rand", r"curand\w+|CURAND_\w+"),
    Family("sparse", r"cusparse\w+|CUSPARSE_\w+"),
    Family("solver", r"cusolver\w+|CUSOLVER_\w+"),
    Family("cudnn", r"cudnn\w+|CUDNN_\w+"),
    Family("ccl", r"nccl\w+|NCCL_\w+"),
    Family("nvtx", r"nvtx\w+|NVTX_\w+"),
    Family("tensor", r"cutensor\w+|CUTENSOR_\w+"),
    Family(
        "device",
        r"__\w+|[a-z]\w+",
        r"/(device_\w*functions|sm_\d+_\w+|math_functions|surface\w+_functions"
        r"|texture_\w+_functions|device_\w+_functions|cuda_(pipeline|awbarrier)_primitives)",
        calls_only=True,
    ),
    Family("fp16", r"__\w+|[a-z]\w+", r"/cuda_fp16", calls_only=True),
    Family("bf16", r"__\w+|[a-z]\w+", r"/cuda_bf16", calls_only=True),
    Family("fp8", r"__\w+|[a-z]\w+", r"/cuda_fp8", calls_only=True),
)
# Words that a header uses but no program names as an API.
_NOISE = re.compile(
    r"__(host|device|global|shared|constant|inline|forceinline|noinline|attribute|asm|volatile"
    r"|restrict|align|declspec|builtin|cudart|cuda_builtin|nv|CUDA|DEVICE|func|cplusplus)\w*_*$"
    r"|(if|for|while|switch|return|sizeof|defined|decltype|static_assert|alignas|operator|asm|void"
    r"|static|const|int|float|double|char|short|long|unsigned|bool|template|typename|struct|class"
    r"|namespace|using|typedef|inline|extern|else|do|case|default|break|continue|constexpr"
    r"|noexcept|enum|union|public|private|protected|friend|this|true|false|nullptr|explicit|auto)$"
)


def collect(roots: Iterable[Path], families: tuple[Family, ...]) -> dict[str, set[str]]:
    """Family name -> the names that the headers under `roots` hold."""
    found: dict[str, set[str]] = defaultdict(set)
    compiled = [
        (f, re.compile(f"(?:{f.pattern})\\Z"), re.compile(f.path) if f.path else None)
        for f in families
    ]
    for path in _headers(roots):
        here = [
            (family, pattern)
            for family, pattern, where in compiled
            if where is None or where.search(path.as_posix())
        ]
        tokens = Tokens(path.read_bytes())
        for index, kind in enumerate(tokens.kind):
            if kind != Kind.NAME:
                continue
            name = tokens.text[index].decode("utf-8", "replace")
            for family, pattern in here:
                is_wanted = not family.calls_only or tokens.at(index + 1) == b"("
                if is_wanted and pattern.match(name) and not _is_noise(name):
                    found[family.name].add(name)
    return found


def _is_noise(name: str) -> bool:
    return bool(_NOISE.match(name) or _MADE_UP.search(name))


def header_paths(roots: Iterable[Path]) -> set[str]:
    """The headers as one writes them in `#include <...>`, for families that keep their paths."""
    wanted = re.compile(r"(?:^|/)((?:thrust|hipcub|rocwmma|hip|hip/std|rocprim)/.+)$")
    paths: set[str] = set()
    for path in _headers(roots):
        match = wanted.search(path.as_posix())
        if match and "/detail/" not in match[1] and "/amd_detail/" not in match[1]:
            paths.add(match[1])
    return paths


def write_table(path: Path, version: str, sections: dict[str, set[str]]) -> None:
    """One section a family, names sorted, so that a new version is a readable diff."""
    lines = [f"# Names declared by the headers of {version}. Written by generate.py."]
    for family in sorted(sections):
        lines += [f"[{family}]", *sorted(sections[family])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _headers(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        yield from sorted(p for p in root.rglob("*") if p.suffix in _HEADER and p.is_file())


def main() -> None:
    """Read the command line and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hip", type=Path, action="append", default=[], help="HIP header folder")
    parser.add_argument("--newer", type=Path, action="append", default=[], help="a later HIP's")
    parser.add_argument("--cuda", type=Path, action="append", default=[], help="CUDA header folder")
    parser.add_argument("--version", default="an unnamed ROCm", help="what --hip holds")
    parser.add_argument("--cuda-version", default="an unnamed CUDA", help="what --cuda holds")
    options = parser.parse_args()
    if options.hip:
        sections = collect(options.hip, HIP)
        sections["headers"] = header_paths(options.hip)
        for family in ("runtime", "rtc", "fp16", "bf16", "fp8"):
            sections["device"] -= sections[family]
        later = collect(options.newer, HIP)
        sections["newer"] = set().union(
            *(later[f] - sections[f] for f in ("runtime", "rtc", "fp16", "bf16", "fp8", "cg"))
        )
        write_table(HERE / "hip.txt", options.version, sections)
    if options.cuda:
        sections = collect(options.cuda, CUDA)
        # cublas_v2.h and cuda.h give the versioned names their plain spelling by macros.
        for family in ("blas", "driver"):
            plain = {re.sub(r"_v\d$", "", n) for n in sections[family]}
            sections[family] |= plain
        write_table(HERE / "cuda.txt", options.cuda_version, sections)


if __name__ == "__main__":
    main()
