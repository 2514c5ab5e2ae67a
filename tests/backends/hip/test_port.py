"""Porting files: which ones, where to, and that a port of a port changes nothing."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossport.backends.hip.edits import encode
from crossport.backends.hip.port import HipOptions, HipPort, PortedFile, port_unit
from crossport.diagnostics import Code, PortError

CORPUS = Path(__file__).parents[3] / "corpus"
WORDS = (
    b'cudaMalloc cudaFree(p); cuInit(0); CUDA_R_32F __nv_bfloat16 \xff "cudaFree" \' ( ) { } ; , x'
    b" // /* */ < = __dp4a(a,b,c) cub::Sum __vmaxs4(a,b) rsqrtf(x) return register int i;"
    b" __launch_bounds__(1,2,3) cudaFuncSetAttribute(k<1>,a) cudaMemcpyToSymbol(a,b)"
    b" cg::reduce(t,v,cg::plus<int>()) case break; cudaErrorInvalidPc: operator*(float2 a,float2 b)"
).split()
LINES = (
    b"#include <cuda.h>\n",
    b"#include <cublas_v2.h>\n",
    b"#if 0\n",
    b"#endif\n",
    b"#if __CUDA_ARCH__ >= 600\n",
    b"#ifdef __CUDACC__\n",
    b"float atomicMax(float* a, float b) {\n",
    b"switch (e) {\n",
)
PIECES = st.sampled_from([*WORDS, *LINES, b"\n", b"\r\n", b" ", b" "])


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _ported(files: tuple[PortedFile, ...]) -> dict[str, str]:
    return {str(f.target): f.ported.decode() for f in files}


def test_headers_of_the_project_are_ported_too(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "k.cu": '#include <cuda.h>\n#include "a/b.cuh"\n#include "kernels.cu"\n',
            "a/b.cuh": '#pragma once\n#include "c.h"\ncudaStream_t s;\n',
            "a/c.h": "cudaEvent_t e;\n",
            "kernels.cu": "__global__ void k();\n",
        },
    )
    result = port_unit(tmp_path / "k.cu", root=tmp_path)
    assert _ported(result.files) == {
        "k.hip": '#include <hip/hip_runtime.h>\n#include "a/b.cuh"\n#include "kernels.hip"\n',
        "a/b.cuh": '#pragma once\n#include "c.h"\nhipStream_t s;\n',
        "a/c.h": "hipEvent_t e;\n",
        "kernels.hip": "__global__ void k();\n",
    }


def test_shared_header_is_ported_once(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {"a.cu": '#include "h.h"\n', "b.cu": '#include "h.h"\n', "h.h": "cudaError_t f();\n"},
    )
    port = HipPort(tmp_path, HipOptions())
    port.add(tmp_path / "a.cu")
    port.add(tmp_path / "b.cu")
    targets = [str(f.target) for f in port.result().files]
    assert sorted(targets) == ["a.hip", "b.hip", "h.h"]


def test_changed_file_outside_the_folder_comes_along(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "p/k.cu": '#include <cuda.h>\n#include "../util/u.h"\n#include "../util/plain.h"\n',
            "util/u.h": "cudaStream_t s;\n",
            "util/plain.h": "int x;\n",
        },
    )
    result = port_unit(tmp_path / "p/k.cu", root=tmp_path / "p")
    ported = _ported(result.files)
    assert ported["external/util/u.h"] == "hipStream_t s;\n"
    assert '#include "external/util/u.h"\n#include "../util/plain.h"\n' in ported["k.hip"]
    assert len(ported) == 2


def test_include_folders(tmp_path: Path) -> None:
    _write(tmp_path, {"k.cu": "#include <x.h>\n", "one/x.h": "", "two/x.h": "cudaStream_t s;\n"})
    options = HipOptions(include_dirs=(tmp_path / "two",))
    result = port_unit(tmp_path / "k.cu", options)
    assert [str(f.target) for f in result.files] == ["k.hip", "two/x.h"]


def test_include_cycle_ends(tmp_path: Path) -> None:
    _write(tmp_path, {"k.cu": '#include "a.h"\n', "a.h": '#include "k.cu"\n#include "a.h"\n'})
    assert len(port_unit(tmp_path / "k.cu").files) == 2


def test_line_ends_and_bytes_survive(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_bytes(b"// \xe9\r\nint x;\r\ncudaFree(p);\r\n")
    ported = port_unit(tmp_path / "k.cu").files[0].ported
    assert ported == b"// \xe9\r\n#include <hip/hip_runtime.h>\r\nint x;\r\nhipFree(p);\r\n"


def test_missing_file_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(PortError) as error:
        port_unit(tmp_path / "none.cu")
    assert error.value.diagnostic.code == Code.CANNOT_READ


def _check_edits(file: PortedFile) -> None:
    """Every byte outside the edits is the original's."""
    at = out = 0
    for edit in file.edits:
        gap = edit.start - at
        assert file.ported[out : out + gap] == file.original[at : edit.start]
        out += gap + len(encode(edit.replacement))
        at = edit.end
    assert file.ported[out:] == file.original[at:]


@pytest.mark.parametrize("source", sorted(CORPUS.rglob("*.cu")), ids=lambda p: p.stem)
def test_corpus_is_stable(source: Path, tmp_path: Path) -> None:
    result = port_unit(source)
    for file in result.files:
        if file.source is not None:
            _check_edits(file)
        path = tmp_path / file.target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.ported)
    again = port_unit(tmp_path / result.files[0].target)
    assert [f.target for f in again.files if f.edits] == []
    assert PurePosixPath(source.with_suffix(".hip").name) == result.files[0].target


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=25).map(b"".join))
def test_any_text_is_stable(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "k.cu").write_bytes(source)
    first = port_unit(tmp_path / "k.cu").files[0]
    _check_edits(first)
    (tmp_path / "k.hip").write_bytes(first.ported)
    assert port_unit(tmp_path / "k.hip").files[0].edits == ()


@pytest.mark.parametrize(("major", "severity"), [("6", "error"), ("7", "warning")])
def test_what_a_rocm_lacks_is_an_error_there(tmp_path: Path, major: str, severity: str) -> None:
    _write(
        tmp_path,
        {
            "k.cu": "cudaLaunchConfig_t c;\n",
            "rocm/include/hip/hip_version.h": f"#define HIP_VERSION_MAJOR {major}\n",
        },
    )
    options = HipOptions(rocm_path=str(tmp_path / "rocm"))
    (found,) = port_unit(tmp_path / "k.cu", options).diagnostics
    assert (found.code, found.severity) == (Code.HIP_NEEDS_NEWER, severity)


def test_halves_in_host_code_get_their_operators_where_they_are_included(tmp_path: Path) -> None:
    body = "template <typename T> void reference(const T* a, T* r) { r[0] += a[1]; }\n"
    _write(tmp_path, {"k.cu": '#include <cuda_fp16.h>\n#include "r.h"\n', "r.h": body})
    ported = _ported(port_unit(tmp_path / "k.cu").files)
    assert "#define CROSSPORT_HOST_HALF\n" in ported["k.hip"]
    assert ported["r.h"] == body


def test_headers_of_ours_lie_beside_what_includes_them(tmp_path: Path) -> None:
    _write(tmp_path, {"k.cu": '#include "sub/tile.h"\n', "sub/tile.h": "#include <mma.h>\n"})
    files = port_unit(tmp_path / "k.cu").files
    ported = _ported(files)
    assert '#include "crossport_wmma.h"' in ported["sub/tile.h"]
    assert "namespace nvcuda" in ported["sub/crossport_wmma.h"]
    assert [f.source for f in files if f.target.name == "crossport_wmma.h"] == [None]


def test_halves_in_device_code_need_none(tmp_path: Path) -> None:
    body = "template <typename T> __global__ void k(const T* a, T* r) { r[0] += a[1]; }\n"
    _write(tmp_path, {"k.cu": "#include <cuda_fp16.h>\n" + body})
    assert "CROSSPORT" not in port_unit(tmp_path / "k.cu").files[0].ported.decode()


def test_headers_of_an_installed_toolkit_and_a_copy_of_cub_are_not_ported(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "p/k.cu": '#include <cuda.h>\n#include <cub/cub.cuh>\n#include "own.h"\nCUdevice d;\n',
            "cuda/cuda.h": "typedef int CUdevice;\n",
            "cuda/cuda_runtime_api.h": "",
            "p/vendor/cub/cub.cuh": "namespace cub {}\n",
            "p/vendor/own.h": "cudaStream_t s;\n",
        },
    )
    options = HipOptions(include_dirs=(tmp_path / "cuda", tmp_path / "p" / "vendor"))
    result = port_unit(tmp_path / "p" / "k.cu", options)
    assert _ported(result.files) == {
        "k.hip": '#include <hip/hip_runtime.h>\n#include <hipcub/hipcub.hpp>\n#include "own.h"\n'
        "hipDevice_t d;\n",
        "vendor/own.h": "hipStream_t s;\n",
    }


def test_a_source_that_is_also_included_gets_the_runtime_header(tmp_path: Path) -> None:
    _write(tmp_path, {"a.cu": '#include "b.cu"\n', "b.cu": "__global__ void k() {}\n"})
    port = HipPort(tmp_path, HipOptions())
    port.add(tmp_path / "a.cu")
    port.add(tmp_path / "b.cu")
    runtime = "#include <hip/hip_runtime.h>\n"
    assert _ported(port.result().files) == {
        "a.hip": f'{runtime}#include "b.hip"\n',
        "b.hip": f"{runtime}__global__ void k() {{}}\n",
    }


def test_a_guard_in_host_code_asks_for_what_host_compilers_define(tmp_path: Path) -> None:
    guard = "#if CUDART_VERSION >= 9000\n#endif\n"
    _write(tmp_path, {"k.cu": "#include <cuda.h>\n", "h.cpp": guard})
    port = HipPort(tmp_path, HipOptions())
    port.add(tmp_path / "k.cu")
    port.add(tmp_path / "h.cpp")
    ported = _ported(port.result().files)
    assert ported["h.cpp"] == guard.replace("9000", "9000 || defined(__HIP_PLATFORM_AMD__)")


def test_host_operators_of_halves_stay_in_the_branch_of_their_header(tmp_path: Path) -> None:
    branch = "#ifdef GPU\n#include <cuda_fp16.h>\ntypedef half H;\n#else\ntypedef int H;\n#endif\n"
    use = '#include "h.h"\nhalf f(half a, half b) { return a + b; }\n'
    _write(tmp_path, {"k.cu": use, "h.h": branch})
    ported = _ported(port_unit(tmp_path / "k.cu").files)["h.h"]
    assert ported.index("hip_fp16.h") < ported.index("CROSSPORT_HOST_HALF") < ported.index("#else")


def test_a_header_has_math_h_of_its_own(tmp_path: Path) -> None:
    header = "template <class T> bool f(T x) { return isfinite(x); }\n"
    _write(tmp_path, {"a.cu": '#include "h.h"\n', "b.cu": "#include <math.h>\n", "h.h": header})
    port = HipPort(tmp_path, HipOptions())
    port.add(tmp_path / "a.cu")
    port.add(tmp_path / "b.cu")
    assert _ported(port.result().files)["h.h"].startswith("#include <math.h>\n")


def test_a_ported_source_that_others_include_gets_no_second_runtime_header(tmp_path: Path) -> None:
    _write(tmp_path, {"main.hip": '#include "k.hip"\nint main() {}\n', "k.hip": "int k;\n"})
    port = HipPort(tmp_path, HipOptions())
    for name in ("main.hip", "k.hip"):
        port.add(tmp_path / name)
    changed = [f.target.name for f in port.result().files if f.is_changed]
    assert changed == ["main.hip"]


def test_a_case_that_hip_lacks_is_left_out_for_host_compilers_too(tmp_path: Path) -> None:
    lines = "switch (e) {\n  case CUBLAS_STATUS_LICENSE_ERROR:\n    return 1;\n  }\n"
    _write(tmp_path, {"a.cu": '#include "e.h"\n', "e.h": f"int f(int e) {{\n  {lines}}}\n"})
    port = HipPort(tmp_path, HipOptions())
    port.add(tmp_path / "a.cu")
    ported = _ported(port.result().files)["e.h"]
    assert "#ifndef __HIP_PLATFORM_AMD__\n  case CUBLAS_STATUS_LICENSE_ERROR:" in ported


def test_a_name_of_another_source_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    own = "int curand(int x) { return x; }\n"
    _write(
        tmp_path,
        {
            "a.cu": f"#include <curand_kernel.h>\n{own}int a() {{ return curand(1); }}\n",
            "b.cu": "#include <curand_kernel.h>\n__device__ int b(S* s) { return curand(s); }\n",
            "c.cu": "int curand(int x);\nint c() { return curand(1); }\n",
        },
    )
    port = HipPort(tmp_path, HipOptions())
    for name in ("a.cu", "b.cu", "c.cu"):
        port.add(tmp_path / name)
    ported = _ported(port.result().files)
    assert ["hiprand(" in ported[name] for name in ("a.hip", "b.hip", "c.hip")] == [0, 1, 0]


def test_a_header_of_ours_in_what_was_ported_before_stays(tmp_path: Path) -> None:
    source = "#include <mma.h>\n#include <cuda_fp16.h>\nfloat f(half a) { return a * a; }\n"
    _write(tmp_path, {"in/k.cu": source})
    for folder, name in (("in", "k.cu"), ("out", "k.hip")):
        port = HipPort(tmp_path / folder, HipOptions())
        port.add(tmp_path / folder / name)
        files = port.result().files
        if folder == "in":
            _write(tmp_path / "out", _ported(files))
    assert [f.target.name for f in files if f.is_changed] == []
