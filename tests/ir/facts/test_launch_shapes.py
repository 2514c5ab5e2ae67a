"""Blocks that a kernel was probably written for."""

from __future__ import annotations

import pytest

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.facts.launch_shapes import Directions, directions, likely_blocks
from crossport.ir.nodes import Module


def _module(text: str) -> Module:
    return lower_unit(parse("k.cu", text=text.encode()))


def test_directions_are_those_that_are_read_also_by_what_is_called() -> None:
    module = _module(
        "__device__ int row() { return blockIdx.z; }\n"
        "__global__ void k(int* out) { out[row() * blockDim.y + threadIdx.x] = 1; }\n"
    )
    found = directions(module, module.kernels[0])
    assert found == Directions(frozenset({0, 1}), frozenset({2}))
    assert found.rank == 2


@pytest.mark.parametrize(
    ("body", "among_the_first", "at_most"),
    [
        ("out[threadIdx.x] = 1;", (256, 1, 1), 9),
        ("__shared__ int s[18]; s[threadIdx.x] = 1; out[0] = s[1];", (16, 1, 1), 12),
        ("__shared__ int s[12][13]; s[threadIdx.y][threadIdx.x] = 1; out[0] = s[1][1];",
         (12, 11, 1), 24),
        ("__shared__ int s[4][160]; s[threadIdx.y][threadIdx.x] = 1; out[0] = s[1][1];",
         (16, 4, 1), 24),
    ],
)  # fmt: skip
def test_shared_extents_propose_blocks(
    body: str, among_the_first: tuple[int, int, int], at_most: int
) -> None:
    module = _module(f"__global__ void k(int* out) {{ {body} }}\n")
    found = likely_blocks(module, module.kernels[0])
    assert among_the_first in found
    assert len(found) <= at_most
    assert all(x * y * z <= 1024 for x, y, z in found)


def test_launch_bounds_come_first() -> None:
    module = _module(
        "__global__ void __launch_bounds__(96) k(int* out) { out[threadIdx.x] = 1; }\n"
    )
    found = likely_blocks(module, module.kernels[0])
    assert found[0] == (96, 1, 1)
    assert max(found) == (96, 1, 1)
