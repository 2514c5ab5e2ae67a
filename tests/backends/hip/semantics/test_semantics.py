"""What the semantic edits report, and where they put their helpers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from backends.hip.semantics.test_cases import port

from crossport.backends.hip.semantics.helpers import HELPERS
from crossport.diagnostics import Code, Severity

REPORTED = {
    Code.SPIN_LOCK: "__device__ void f(int* lock) { while (atomicCAS(lock, 0, 1) != 0); }",
    Code.WARP_WIDTH_DEFAULT: "#include <cub/cub.cuh>\nusing Load = cub::WarpLoad<float, 4>;",
    Code.GROUP_MASK_WIDTH: "#define HIP_ENABLE_WARP_SYNC_BUILTINS\n"
    "#include <cooperative_groups.h>\nusing namespace cooperative_groups;\n"
    "__device__ unsigned f(coalesced_group g, int v) { return g.ballot(v); }",
    Code.WARP_CALL_OPEN: "#define SHFL(...) __shfl_sync(0xffffffff, __VA_ARGS__)",
    Code.PTX_NOT_TRANSLATED: '__device__ void f() { asm volatile("wgmma.fence.sync.aligned;"); }',
    Code.DYNAMIC_PARALLELISM: "__global__ void c() {} __global__ void p() { c<<<1, 1>>>(); }",
    Code.WMMA: "using namespace nvcuda;\nusing Bits = wmma::experimental::precision::b1;",
    Code.LAUNCH_BOUNDS_DIFFER: "__global__ void __launch_bounds__(128, 2) k() {}",
    Code.WARP_WIDTH_QUERY: "void f(int* w) { cudaDeviceGetAttribute(w, cudaDevAttrWarpSize, 0); }",
    Code.VECTOR_OPERATOR_CLASH: "inline void operator*=(float2& a, float2 b)"
    " { a.x = a.x * b.x - a.y * b.y; }",
}


@pytest.mark.parametrize("code", REPORTED, ids=lambda code: code.name)
def test_reports(code: Code, tmp_path: Path) -> None:
    """What cannot be ported is said, and left as it is."""
    text = REPORTED[code] + "\n"
    ported, diagnostics = port(text, tmp_path)
    assert code in {d.code for d in diagnostics}
    assert ported == text


@pytest.mark.parametrize(("use", "severity"), [("", "warning"), ("BULK();", "error")])
def test_ptx_in_a_macro_counts_where_it_is_used(use: str, severity: str, tmp_path: Path) -> None:
    text = '#define BULK() asm volatile("wgmma.fence.sync.aligned;")\n'
    _, (found,) = port(f"{text}__device__ void f() {{ {use} }}\n", tmp_path)
    assert (found.code, found.severity) == (Code.PTX_NOT_TRANSLATED, severity)


@pytest.mark.parametrize(
    "body",
    ["a.x += b.x; a.y += b.y;", "a.y = a.y + b.y; a.x = a.x + b.x; /* done */", "a = a + b;"],
)
def test_elementwise_operators_are_fine(body: str, tmp_path: Path) -> None:
    """HIP's own operator does the same."""
    _, found = port(f"inline void operator+=(float2& a, float2 b) {{ {body} }}\n", tmp_path)
    assert not found


def test_an_operator_of_another_rounding_is_a_warning(tmp_path: Path) -> None:
    """Division by way of a reciprocal rounds differently: said, but no refusal."""
    text = (
        "inline void operator/=(float2& a, float b) { float s = 1.0f / b; a.x *= s; a.y *= s; }\n"
    )
    _, found = port(text, tmp_path)
    assert [d.severity for d in found] == [Severity.WARNING]


def test_helpers_follow_the_includes(tmp_path: Path) -> None:
    """After the last include before the use, inside the include guard, each once."""
    text = (
        "#ifndef A_H\n#define A_H\n#include <stdio.h>\n\n"
        "__device__ int f(int v) { return __any_sync(~0u, v) + __any_sync(~0u, !v); }\n#endif\n"
    )
    ported, _ = port(text, tmp_path)
    assert ported.count("static __device__ inline int warp32_any(") == 1
    assert ported.index("stdio.h") < ported.index("warp32_ballot(unsigned") < ported.index("int f(")


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    """What goes in ends its lines as the file does."""
    path = tmp_path / "case.cu"
    text = b"#include <stdio.h>\r\n__device__ int f(int v) { return __any_sync(~0u, v); }\r\n"
    path.write_bytes(text)
    from crossport.backends.hip.edits import apply_edits
    from crossport.backends.hip.port import HipOptions
    from crossport.backends.hip.semantics import semantic_edits
    from crossport.frontend.parse import parse

    edits, _ = semantic_edits(parse(path), HipOptions())
    assert b"\n" not in apply_edits(text, edits).replace(b"\r\n", b"")


def test_helpers_are_guarded_by_their_name() -> None:
    """A header and a source that both need one compile together."""
    for name, helper in HELPERS.items():
        if helper.is_header:
            assert helper.text == f'#include "{name}"'
            continue
        for function in helper.functions or (name,):
            assert re.search(rf"\b{function}\(", helper.text)
        assert all(need in HELPERS for need in helper.needs)


def test_helpers_in_a_header_that_host_compilers_read(tmp_path: Path) -> None:
    """They are for HIP's compiler only; a port of the port changes nothing."""
    text = (
        "#pragma once\n#ifdef __CUDACC__\n"
        "__device__ int f(int v) { return __any_sync(~0u, v); }\n#endif\n"
    )
    ported, _ = port(text, tmp_path)
    assert "#if defined(__HIPCC__) && !defined(CROSSPORT_WARP32_ANY)" in ported
    assert port(ported, tmp_path)[0] == ported
