"""min and max have CUDA's types in a port, in host code and on the device."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.backends.hip.port import port_unit
from crossport.backends.hip.semantics import semantic_edits
from crossport.frontend.parse import parse
from crossport.validation.amdgpu.compile import check_device, check_host, find_toolchains

needs_compiler = pytest.mark.skipif(not find_toolchains(), reason="needs a HIP compiler")
HOST = """\
template <class T, class U> struct same { static constexpr bool value = false; };
template <class T> struct same<T, T> { static constexpr bool value = true; };
#define IS(type, call) static_assert(same<type, decltype(call)>::value, #call)
void host(float f, double d, unsigned u, size_t s, int i) {
  IS(float, max(f, f));
  IS(double, min(f, d));
  IS(unsigned, max(u, i));
  IS(size_t, min(s, s));
  IS(int, max(i, i));
}
__host__ __device__ float both(float f) { IS(float, max(f, 0.0f)); return f; }
__global__ void k(int* p, unsigned u, long l, unsigned long m, float f) {
  IS(unsigned, min(p[0], u));
  IS(unsigned long, max(m, l));
  IS(float, max(f, f));
  p[min(p[0], threadIdx.x)] = 0;
}
"""


def _port(tmp_path: Path, text: str) -> tuple[str, Path]:
    source = tmp_path / "k.cu"
    source.write_text(text)
    unit = parse(source)
    ported = port_unit(source, unit=unit, semantics=semantic_edits).files[0].ported
    target = tmp_path / "k.hip"
    target.write_bytes(ported)
    return ported.decode(), target


@needs_compiler
def test_types_are_those_of_cuda(tmp_path: Path) -> None:
    ported, target = _port(tmp_path, HOST)
    assert _port(tmp_path, ported)[0] == ported
    assert check_host(target, language="hip").diagnostics == ()
    assert check_device(target, "gfx942").diagnostics == ()


@needs_compiler
def test_std_takes_its_own_calls(tmp_path: Path) -> None:
    text = "#include <algorithm>\nusing namespace std;\n"
    text += "float f(float a, double b, size_t n) { return max(a, a) + max(a, b) + min(n, n); }\n"
    ported, target = _port(tmp_path, text)
    assert "CROSSPORT_HOST_MIN_MAX" in ported
    assert check_host(target, language="hip").diagnostics == ()


@pytest.mark.parametrize(
    "text",
    [
        "int f(int a, int b) { return max(a, b); }\n",
        "#include <algorithm>\nfloat f(float a) { return std::max(a, a); }\n",
        "#include <algorithm>\nusing namespace std;\nfloat f(float a) { return max(a, a); }\n",
        "__device__ float f(float a) { return max(a, a); }\n",
        "#define max(a, b) ((a) > (b) ? (a) : (b))\nfloat f(float a) { return max(a, a); }\n",
        "float max(float a, float b) { return a; }\nfloat f(float a) { return max(a, a); }\n",
    ],
)
def test_calls_that_mean_the_same_need_nothing(tmp_path: Path, text: str) -> None:
    assert "MIN_MAX" not in _port(tmp_path, text)[0]
