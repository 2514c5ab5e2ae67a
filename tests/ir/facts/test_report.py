"""What `port inspect` says: launches, roofline, changes, called functions, instances, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crossport.frontend.parse import parse
from crossport.inspection import Given, InspectReport, inspect_units

_FOLDER = TemporaryDirectory()
"""Kept while the tests run: a report shows the source from its file."""


def report(text: str, *targets: str, given: Given | None = None) -> InspectReport:
    source = Path(_FOLDER.name, "k.cu")
    source.write_text(text)
    return inspect_units([parse(source)], None, targets or ("sm_90", "gfx942"), given)


def changes(text: str, *targets: str) -> str:
    facts = report(text, *targets).as_json()["kernels"][0]["facts"]  # type: ignore[index]
    return "\n".join(facts["changes"])


LAST_LANE = """
__global__ void k(float* x) {
  __shared__ float s[32];
  if (threadIdx.x % warpSize == warpSize - 1) s[threadIdx.x / warpSize] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x / warpSize];
}
void run(float* x) { k<<<64, 32>>>(x); }
"""


def test_a_block_of_one_warp_leaves_half_a_wave_idle_and_has_no_last_lane() -> None:
    said = changes(LAST_LANE)
    assert "blocks of 32 threads fill 50% of the lanes of their waves" in said
    assert "store of s never happens" in said


def test_a_way_out_is_named() -> None:
    said = changes("__global__ void k(float* x, int n) { x[threadIdx.x * n] = 1; }")
    assert "neighbouring threads are 4*n bytes apart: let them take what lies side by side" in said
    said = changes("""
    struct P { float a, b, c, d; };
    __global__ void k(P* p, float* x) { x[threadIdx.x] = p[threadIdx.x].a; }""")
    assert "16 bytes apart: load what lies between in one piece" in said
    said = changes("__global__ void k(float* x, int* i) { x[threadIdx.x] = x[i[threadIdx.x]]; }")
    assert "fetches 128 B for the 4 it uses, 32 B before" in said
    said = changes("__global__ void k(float* x) { __shared__ float t[32][32];"
                   " t[threadIdx.x][threadIdx.y] = x[threadIdx.x + 32 * threadIdx.y];"
                   " __syncthreads(); x[threadIdx.x] = t[0][threadIdx.x]; }")  # fmt: skip
    assert "store of t takes 32 times the LDS cycles it needs (as before)" in said
    assert "pad the rows by one word" in said


def test_a_broadcast_is_no_waste() -> None:
    assert changes("__global__ void k(float* x, int n) { x[threadIdx.x] = x[n]; }") == ""


def test_a_loop_of_constant_length_is_left_with_known_values() -> None:
    facts = (
        report("""
    __global__ void k(float* x) {
      __shared__ float s[256];
      int offset = 1;
      for (int d = 128; d > 0; d >>= 1) offset *= 2;
      s[threadIdx.x] = x[threadIdx.x];
      x[threadIdx.x] = s[threadIdx.x * offset / 256];
    }""")
        .kernels[0]
        .facts
    )
    load = facts.accesses.where(space="shared", kind="load")[0]
    assert load.offset.text == "4*thread.x"


@pytest.mark.parametrize(
    ("body", "bound", "name"),
    [
        ("x[t] = y[t];", "memory", "memory"),
        ("int v = z[t]; for (int i = 0; i < 1000; ++i) v = v * 5 + i; z[t] = v;", "compute", "int"),
        ("float v = x[t]; for (int i = 0; i < 99; ++i) v = __fsqrt_rn(v); x[t] = v;",
         "compute", "special"),
        ("__shared__ float s[8192]; for (int i = 0; i < 99; ++i) s[32 * t + i] = s[32 * t];"
         " x[t] = s[t];", "shared memory", "shared memory"),
    ],
)  # fmt: skip
def test_what_a_kernel_waits_for(body: str, bound: str, name: str) -> None:
    text = f"__global__ void k(float* x, float* y, int* z) {{ int t = threadIdx.x; {body} }}"
    line = report(text).kernels[0].facts.on("sm_90").roofline
    assert (line.bound, line.name) == (bound, name)
    assert line.limits[name] == 1.0


def test_a_wave_fetches_whole_sectors() -> None:
    text = "__global__ void k(float* x, float* y) { y[threadIdx.x] = x[threadIdx.x * 8]; }"
    facts = report(text).kernels[0].facts
    assert facts.on("sm_90").roofline.fetched == 32 + 4
    assert facts.on("gfx942").roofline.fetched == 32 + 4  # 16 lines of 128 B for 64 lanes
    assert facts.bytes_moved == 8


def test_the_launch_can_be_said() -> None:
    text = "__global__ void k(float* x, int n) { if (threadIdx.y < 2) x[threadIdx.x * n] = 1; }"
    guessed = report(text)
    assert guessed.kernels[0].facts.launch.block == (16, 16, 1)
    assert "blocks have 16x16x1 threads" in guessed.as_text()
    given = Given(grid=(7, 1, 1), block=(32, 4, 1), sizes={"n": 1})
    said = report(text, given=given).kernels[0].facts
    assert (said.launch.grid, said.launch.block) == ((7, 1, 1), (32, 4, 1))
    assert said.on("sm_90").patterns[0].segments == 4
    assert not any("not constant" in note for note in said.assumptions)


def test_functions_of_the_kernel_are_shown_and_those_of_a_library_are_not() -> None:
    text = report("""
#include <cub/cub.cuh>
__device__ float one(const float* p) { return p[threadIdx.x]; }
__device__ float twice(const float* p) {
  float v = one(p);
  return 2 * v;
}
__global__ void k(float* x) {
  typedef cub::BlockReduce<float, 256> R;
  __shared__ typename R::TempStorage s;
  x[0] = R(s).Sum(twice(x));
}
""").as_text()
    head, called = text.split("\n  twice\n")
    assert "load cells, shared" in head and "load x, 4 B" not in head.split("line  access")[0]
    assert "load x, 4 B a lane: sm_90 4 sectors" in called.split("line  access")[0]
    # A function of one statement is not shown: what it does stands where it is called.
    assert "\n  one\n" not in text


def test_instances_share_a_report() -> None:
    text = """
    template <int N> __global__ void k(float* x) { __shared__ float s[N]; s[threadIdx.x] = x[0]; }
    void run(float* x) { k<64><<<1, 64>>>(x); k<40000><<<1, 64>>>(x); }
    """
    shown = report(text).as_text()
    assert shown.count("__global__") == 1 and "1 more instance of k" in shown
    assert "k<40000>: gfx942: a block needs 160000 B of shared memory" in shown
    assert len(report(text).as_json()["kernels"]) == 2  # type: ignore[arg-type]


def test_the_json_says_what_the_text_says() -> None:
    given = report(LAST_LANE, "sm_90", "gfx942", "gfx1100", "v5e")
    text, facts = given.as_text(), json.loads(json.dumps(given.as_json()))["kernels"][0]["facts"]
    for change in facts["changes"]:
        assert change in text
    for note in facts["notes"]:
        assert note["text"] in text
    for name, on in facts["targets"].items():
        assert name in text and on["predicted"]
    assert facts["targets"]["sm_90"]["limits"]
    for assumption in facts["assumptions"]:
        assert assumption in text
