"""Collectives of cooperative groups compute in a port what CUDA's do, on wavefronts of 64 lanes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from crossport.backends.hip.port import port_unit
from crossport.backends.hip.semantics import semantic_edits
from crossport.diagnostics import Code, PortError
from crossport.frontend.parse import parse
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device

SOURCE = """\
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
namespace cg = cooperative_groups;
struct Pair { int a; double b; };
extern "C" __global__ void scans(
    const int* in, int* sum, int* inclusive, int* exclusive, int* greatest) {
  auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  int value = in[threadIdx.x];
  sum[threadIdx.x] = cg::reduce(tile, value, cg::plus<int>());
  inclusive[threadIdx.x] = cg::inclusive_scan(tile, value);
  exclusive[threadIdx.x] = cg::exclusive_scan(tile, value, cg::plus<int>());
  Pair pair{value, value * 0.5};
  auto later = [](Pair x, Pair y) { return x.a < y.a ? y : x; };
  greatest[threadIdx.x] = (int)(2 * cg::reduce(tile, pair, later).b);
}
extern "C" __global__ void copies(const int* in, int* out) {
  __shared__ int part[128];
  auto block = cg::this_thread_block();
  cg::memcpy_async(block, part, in, sizeof(int) * 100);
  cg::memcpy_async(block, part + 100, 28, in, 28);
  cg::wait(block);
  out[threadIdx.x] = part[127 - threadIdx.x];
}
"""
LABELS = """\
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;
extern "C" __global__ void labels(const int* in, int* label_sum, int* rank) {
  auto tile = cg::tiled_partition<32>(cg::this_thread_block());
  int value = in[threadIdx.x];
  auto same = cg::labeled_partition(tile, value % 5);
  label_sum[threadIdx.x] = cg::reduce(same, value, cg::plus<int>());
  rank[threadIdx.x] = same.thread_rank();
}
"""
COUNT = 128
VALUES = np.array([(i * 37 + 11) % 101 for i in range(COUNT)], np.int32)
WARPS = VALUES.reshape(-1, 32)


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    made = Device("gfx942")
    yield made
    made.close()


def _code(source: Path, text: str) -> CodeObject:
    source.write_text(text)
    ported = port_unit(source, unit=parse(source), semantics=semantic_edits)
    assert ported.diagnostics == ()
    try:
        return CodeObject.load(compile_hip(ported.files[0].ported.decode(), "gfx942"))
    except PortError as problem:
        if problem.diagnostic.code == Code.NO_COMPILER:
            pytest.skip("no compiler for AMD GPUs here")
        if "binary_partition" in problem.diagnostic.message:
            pytest.skip("these HIP headers are older than binary_partition (ROCm 6.1)")
        raise


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> CodeObject:
    return _code(tmp_path_factory.mktemp("groups") / "k.cu", SOURCE)


def _run(device: Device, code: CodeObject, kernel: str, outputs: int) -> list[np.ndarray]:
    results = [np.zeros(COUNT, np.int32) for _ in range(outputs)]
    device.launch(code, kernel, (1, 1, 1), (COUNT, 1, 1), [VALUES, *results])
    return results


def test_partitions_by_label(device: Device, tmp_path: Path) -> None:
    code = _code(tmp_path / "k.cu", LABELS)
    label_sum, rank = _run(device, code, "labels", 2)
    for warp, sums, ranks in zip(
        WARPS, label_sum.reshape(-1, 32), rank.reshape(-1, 32), strict=True
    ):
        labels = warp % 5
        assert sums.tolist() == [warp[labels == label].sum() for label in labels]
        assert ranks.tolist() == [(labels[:i] == label).sum() for i, label in enumerate(labels)]


def test_reductions_and_scans_of_tiles(device: Device, code: CodeObject) -> None:
    total, inclusive, exclusive, greatest = _run(device, code, "scans", 4)
    assert (total.reshape(-1, 32) == WARPS.sum(1, keepdims=True)).all()
    assert (inclusive.reshape(-1, 32) == WARPS.cumsum(1)).all()
    assert (exclusive.reshape(-1, 32) == WARPS.cumsum(1) - WARPS).all()
    assert (greatest.reshape(-1, 32) == WARPS.max(1, keepdims=True)).all()


def test_copies_are_there_after_the_wait(device: Device, code: CodeObject) -> None:
    (out,) = _run(device, code, "copies", 1)
    assert out[::-1].tolist() == [*VALUES[:100], *VALUES[:28]]
