"""Real CUDA is parsed without a toolkit; bad input is a finding, never a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from crossport.diagnostics import Code, PortError, Severity
from crossport.frontend.parse import parse
from crossport.frontend.unit import TranslationUnit

PROGRAM = """\
#include <cuda_runtime.h>
#include <vector>
#include <cstdio>
#define TILE 16
__constant__ float weights[4];
__device__ int counter;
__managed__ int both;
template <class T> __device__ T twice(T x) { return x + x; }
template <class T, int N>
__global__ void __launch_bounds__(N * 32, 2) scale(T* x, int n) {
  __shared__ T tile[N];
  extern __shared__ char raw[];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = twice(x[i]);
}
template <class T, int N> __global__ void never(T* x) { x[0] = N; }
__global__ void plain(const float* __restrict__ a, float4 b) {}
template <class T> void run(T* p, int n) {
  int threads = 4 * 32;
  dim3 grid(n / threads, TILE);
  scale<T, 8><<<grid, threads, n * sizeof(T)>>>(p, n);
}
int main() {
  float* p = nullptr;
  dim3 block = dim3(8, 4);
  scale<float, 4><<<dim3(2, 3), 128>>>(p, 1);
  run<double>(nullptr, 3);
  plain<<<1, block>>>(p, make_float4(0, 0, 0, 0));
  void* args[] = {&p};
  cudaLaunchKernel((void*)plain, dim3(7), dim3(64), args, 0, 0);
  undeclared(p);
  return std::vector<int>(3).size();
}
"""


def parse_text(tmp_path: Path, text: str, **options: object) -> TranslationUnit:
    """Parse text as a file of its own."""
    path = tmp_path / "k.cu"
    path.write_text(text)
    return parse(path, **options)  # type: ignore[arg-type]


def test_kernels_are_concrete(tmp_path: Path) -> None:
    """Templates appear once for each instance, with their own launch bounds."""
    unit = parse_text(tmp_path, PROGRAM)
    assert {(k.name, k.origin, k.launch_bounds) for k in unit.kernels} == {
        ("scale<float, 4>", "launched", (128, 2)),
        ("scale<double, 8>", "launched", (256, 2)),
        ("never<float, 32>", "probe", (0, 0)),
        ("plain", "plain", (0, 0)),
    }
    assert unit.kernel("scale<double, 8>").parameters[0].type == "double *"
    assert [p.type for p in unit.kernel("plain").parameters] == [
        "const float *__restrict",
        "float4",
    ]
    assert {(p.name, p.instances) for p in unit.patterns} == {("scale", 2), ("never", 1)}


def test_requested_instances(tmp_path: Path) -> None:
    """--instantiate makes them; what cannot be made is said."""
    unit = parse_text(tmp_path, PROGRAM, instantiate=["never<int, 3>", "nothing<int>"])
    assert unit.kernel("never<int, 3>").origin == "requested"
    assert Code.CANNOT_INSTANTIATE in {d.code for d in unit.diagnostics}


def test_launches(tmp_path: Path) -> None:
    """Chevrons and cudaLaunchKernel, in templates too, with what is known of their sizes."""
    unit = parse_text(tmp_path, PROGRAM)
    found = {(x.kernel, x.style, x.grid.values, x.block.values, x.function) for x in unit.launches}
    assert found == {
        ("scale<double, 8>", "chevrons", (None, 16, 1), (128, 1, 1), "run"),
        ("scale<float, 4>", "chevrons", (2, 3, 1), (128, 1, 1), "main"),
        ("plain", "chevrons", (1, 1, 1), (8, 4, 1), "main"),
        ("plain", "cudaLaunchKernel", (7, 1, 1), (64, 1, 1), "main"),
    }
    first = min(unit.launches, key=lambda x: x.span.offset)
    assert (first.grid.text, first.shared_bytes.text) == ("grid", "n * sizeof(T)")
    assert unit.main.text(first.span.offset, first.span.end_offset).startswith("scale<T, 8><<<")


def test_a_variable_that_changes_has_no_value(tmp_path: Path) -> None:
    """`threads` is 64 at first, not at the launch."""
    text = "__global__ void k() {}\nint main() { int t = 64; t *= 2; k<<<1, t>>>(); }\n"
    assert parse_text(tmp_path, text).launches[0].block.values == (None, 1, 1)


def test_variables(tmp_path: Path) -> None:
    """Device variables by their space."""
    unit = parse_text(tmp_path, PROGRAM)
    spaces = {(v.name, v.space) for v in unit.variables}
    assert spaces == {
        ("weights", "constant"),
        ("counter", "global"),
        ("both", "managed"),
        ("tile", "shared"),
        ("raw", "dynamic_shared"),
    }


def test_host_errors_cost_nothing(tmp_path: Path) -> None:
    """An unknown host function is no finding, and every kernel is there."""
    assert parse_text(tmp_path, PROGRAM).diagnostics == ()


def test_missing_headers_are_tolerated(tmp_path: Path) -> None:
    """A header that is not there is a warning; templates are instantiated all the same."""
    unit = parse_text(tmp_path, '#include "gone.h"\n' + PROGRAM)
    assert [d.code for d in unit.diagnostics] == [Code.MISSING_HEADER]
    assert len(unit.kernels) == 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.EMPTY_INPUT),
        (b" \n\t", Code.EMPTY_INPUT),
        (b"\x7fELF\0\0\0", Code.NOT_TEXT),
        ("int x;".encode("utf-16"), Code.NOT_TEXT),
    ],
)
def test_no_source_at_all(tmp_path: Path, data: bytes, code: Code) -> None:
    """Input that is no text is refused."""
    path = tmp_path / "k.cu"
    path.write_bytes(data)
    with pytest.raises(PortError) as error:
        parse(path)
    assert error.value.diagnostic.code == code


def test_unreadable_paths(tmp_path: Path) -> None:
    """A missing file, a folder, a name with a null byte."""
    for path in (tmp_path / "none.cu", tmp_path, Path("a\0b.cu")):
        with pytest.raises(PortError) as error:
            parse(path)
        assert error.value.diagnostic.code == Code.CANNOT_READ


def test_not_cuda(tmp_path: Path) -> None:
    """Plain C++ is said to be just that."""
    unit = parse_text(tmp_path, "int main() { return 0; }\n")
    assert [d.code for d in unit.diagnostics] == [Code.NOT_CUDA]


def test_syntax_errors_have_a_place(tmp_path: Path) -> None:
    """With the other kernels still there."""
    unit = parse_text(tmp_path, "__global__ void good() {}\n__global__ void bad( {\n")
    codes = {(d.code, d.severity, d.span.line) for d in unit.diagnostics if d.span}
    assert (Code.SYNTAX_ERROR, Severity.ERROR, 2) in codes
    assert "good" in {k.name for k in unit.kernels}


def test_errors_in_device_code_are_said(tmp_path: Path) -> None:
    """What a kernel uses and nobody declares."""
    unit = parse_text(tmp_path, "__global__ void k(float* x) { x[0] = nobody(1); }\n")
    assert [d.code for d in unit.diagnostics] == [Code.DEVICE_CODE_UNRESOLVED]
    assert not unit.kernel("k").clean


def test_other_encodings_and_line_ends(tmp_path: Path) -> None:
    """Latin-1 in comments, strings and names; CRLF: places count bytes."""
    path = tmp_path / "k.cu"
    data = b'// caf\xe9\r\nconst char* s = "\xff";\r\n__global__ void k(int* \xe9) {}\r\n'
    path.write_bytes(data)
    unit = parse(path)
    span = unit.kernel("k").span
    assert data[span.offset : span.end_offset].startswith(b"__global__ void k(")
    assert span.line == 3


def test_include_cycles_end(tmp_path: Path) -> None:
    """Headers that include each other are a finding."""
    (tmp_path / "a.h").write_text('#include "b.h"\n')
    (tmp_path / "b.h").write_text('#include "a.h"\n')
    unit = parse_text(tmp_path, '#include "a.h"\n__global__ void k() {}\n')
    assert Code.INCLUDE_CYCLE in {d.code for d in unit.diagnostics}


def test_long_files(tmp_path: Path) -> None:
    """50,000 lines."""
    lines = "".join(f"  x = x * 3 + {i};\n" for i in range(98))
    body = "".join(f"__device__ int f{i}(int x) {{\n{lines}return x; }}\n" for i in range(500))
    unit = parse_text(tmp_path, body + "__global__ void k(int* x) { *x = f7(*x); }\n", probe=False)
    assert unit.main.data.count(b"\n") > 50_000 - 500
    assert unit.kernel("k").clean and len(unit.functions) == 500


def test_flags_and_headers(tmp_path: Path) -> None:
    """Flags as nvcc takes them; project headers are part of the unit."""
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "size.h").write_text("#pragma once\nconstexpr int size = WIDTH * 2;\n")
    path = tmp_path / "k.cu"
    path.write_text("#include <size.h>\n__global__ void __launch_bounds__(size) k() {}\n")
    flags = [
        "-arch=sm_90",
        "-O3",
        "-Xcompiler",
        "-fopenmp",
        "-I",
        str(tmp_path / "inc"),
        "-DWIDTH=64",
    ]
    unit = parse(path, flags)
    assert unit.kernel("k").launch_bounds == (128, 0)
    assert [Path(name).name for name in unit.includes] == ["size.h"]
    database = [
        {"directory": str(tmp_path), "file": "k.cu", "command": "nvcc -Iinc -DWIDTH=8 k.cu"}
    ]
    (tmp_path / "compile_commands.json").write_text(json.dumps(database))
    assert parse(path, build=tmp_path).kernel("k").launch_bounds == (16, 0)


def test_damaged_sources_never_crash(tmp_path: Path) -> None:
    """Seeded damage: cut, swapped, flipped; a unit or a `PortError` comes back."""
    rng = random.Random(7)
    data = PROGRAM.encode()
    path = tmp_path / "k.cu"
    for _ in range(40):
        damaged = bytearray(data[: rng.randrange(1, len(data))])
        for _ in range(rng.randrange(6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(1, 256)
        path.write_bytes(bytes(damaged))
        try:
            parse(path)
        except PortError as error:
            assert error.diagnostic.code in (Code.NOT_TEXT, Code.EMPTY_INPUT, Code.SYNTAX_ERROR)


def test_unknown_names_are_no_syntax_errors(tmp_path: Path) -> None:
    """A template that the shim lacks makes its line look wrong; that is not the source's fault."""
    text = "using T = std::no_such_thing<int>::type;\n__global__ void k() {}\n"
    assert parse_text(tmp_path, text).diagnostics == ()


def test_launches_that_a_formatter_pulled_apart(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "template <int N> __global__ void k(int* p) { *p = N; }\n"
        "void f(int* p) { k<3> << <1, 64 >> > (p); }\n"
    )
    unit = parse(source)
    assert [kernel.name for kernel in unit.kernels] == ["k<3>"]
    assert [launch.block.values[0] for launch in unit.launches] == [64]
    assert unit.diagnostics == ()


def test_a_launch_from_the_device_is_named() -> None:
    text = """__global__ void child(int* p) { *p = 1; }
__global__ void parent(int* p) { child<<<1, 32>>>(p); }
"""
    unit = parse("k.cu", text=text)
    [found] = unit.diagnostics
    assert found.code == Code.DEVICE_CODE_UNRESOLVED
    assert found.span is not None and found.span.line == 2
    assert "child is launched from the device (dynamic parallelism)" in found.message


@pytest.mark.parametrize(
    "declaration",
    [
        "__shared__ alignas(alignof(float4)) float a[64];",
        "extern __shared__ alignas(16) float a[];",
        "alignas(16) __shared__ float a[64];",
    ],
)
def test_alignas_may_stand_behind_shared(declaration: str) -> None:
    text = f"__global__ void k(float* p) {{ {declaration} a[0] = p[0]; p[1] = a[0]; }}"
    unit = parse("k.cu", text=text)
    assert unit.diagnostics == ()
    assert unit.files["k.cu"].data.decode() == text
