"""CUB's block and warp collectives, through the interpreter, against NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from crossport.frontend.lowering import lower_unit, problems
from crossport.frontend.parse import parse
from crossport.ir.interpreter import Checks, run
from crossport.ir.verify import verify

Array = NDArray[np.int32]
THREADS, ITEMS = 96, 3
TOTAL = THREADS * ITEMS

HEAD = """
#include <cub/cub.cuh>
struct Affine { int scale, shift; };
struct Compose {  // does not commute
    __device__ Affine operator()(Affine f, Affine g) const { return {f.scale * g.scale, f.shift * g.scale + g.shift}; }
};
struct Most {
    template <class A, class B> __device__ auto operator()(A&& a, B&& b) const -> typename std::common_type<A, B>::type { return a > b ? a : b; }
};
struct Differs { __device__ bool operator()(int a, int b) const { return a / 8 != b / 8; } };
struct Difference { __device__ int operator()(const int& a, const int& b) const { return a - b; } };
struct Running {
    int total;
    __device__ int operator()(int more) { int old = total; total += more; return old; }
};
struct Lower { template <class T> __device__ bool operator()(const T& a, const T& b) const { return a < b; } };
#define STORE for (int i = 0; i < 3; ++i) out[3 * t + i] = items[i];
"""  # noqa: E501


def launch(body: str, x: Array, threads: int = THREADS, size: int = TOTAL) -> Array:
    """What a kernel of that body writes; x is read as three items a thread."""
    text = HEAD + (
        "__global__ void k(const int* x, int* out) {"
        " int t = threadIdx.x; int items[3] = {x[3 * t], x[3 * t + 1], x[3 * t + 2]};" + body + "}"
    )
    module = lower_unit(parse(Path("test.cu"), text=text), strict=True)
    assert verify(module) == []
    assert problems(module, module.kernels[0]) == []
    out = np.zeros(size, np.int32)
    report = run(module, "k", 1, threads, [x, out], checks=Checks(races=True, barriers=True))
    assert not report.findings
    return out


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(3).integers(-99, 99, TOTAL).astype(np.int32)


def storage(kind: str) -> str:
    return f"typedef {kind} C; __shared__ typename C::TempStorage s;"


def test_reduce_with_a_generic_operator_and_several_items(x: Array) -> None:
    out = launch(
        storage("cub::BlockReduce<int, 96>") + "int most = C(s).Reduce(items, Most());"
        "int few = C(s).Reduce(items[0], Most(), 20); if (t == 0) { out[0] = most; out[1] = few; }",
        x,
    )
    assert out[:2].tolist() == [x.max(), x[:60:3].max()]


def test_reduce_keeps_the_order(x: Array) -> None:
    out = launch(
        storage("cub::BlockReduce<Affine, 96>")
        + "Affine f = C(s).Reduce(Affine{items[0], items[1]}, Compose());"
        "if (t == 0) { out[0] = f.scale; out[1] = f.shift; }",
        x,
    )
    scale, shift = np.uint32(1), np.uint32(0)
    with np.errstate(over="ignore"):
        for a, b in zip(x[0::3].astype(np.uint32), x[1::3].astype(np.uint32), strict=True):
            scale, shift = scale * a, shift * a + b
    assert out[:2].view(np.uint32).tolist() == [scale, shift]


def test_blocks_of_two_dimensions(x: Array) -> None:
    text = (
        HEAD
        + """
    __global__ void k(const int* x, int* out) {
        typedef cub::BlockScan<int, 8, cub::BLOCK_SCAN_RAKING, 4> C;
        __shared__ typename C::TempStorage s;
        int t = threadIdx.x + 8 * threadIdx.y, before;
        C(s).ExclusiveSum(x[t], before);
        out[t] = before;
    }"""
    )
    module = lower_unit(parse(Path("test.cu"), text=text), strict=True)
    out = np.zeros(32, np.int32)
    run(module, "k", 1, (8, 4), [x, out])
    assert (out == np.cumsum(x[:32]) - x[:32]).all()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("InclusiveSum(items, items)", np.cumsum),
        ("ExclusiveSum(items, items)", lambda x: np.cumsum(x) - x),
        ("InclusiveScan(items, items, Most())", np.maximum.accumulate),
        ("ExclusiveScan(items, items, 5, cub::Max())",
         lambda x: np.maximum.accumulate(np.append(5, x))[:-1]),
        ("InclusiveSum(items, items, running)", lambda x: np.cumsum(x) + 1000),
        ("ExclusiveSum(items, items, running)", lambda x: np.cumsum(x) - x + 1000),
    ],
)  # fmt: skip
def test_block_scan(x: Array, call: str, expected: object) -> None:
    out = launch(
        storage("cub::BlockScan<int, 96>") + f"Running running{{1000}}; C(s).{call}; STORE", x
    )
    assert (out == expected(x)).all()  # type: ignore[operator]


def test_warp_scans(x: Array) -> None:
    out = launch(
        """
        typedef cub::WarpScan<int, 16> C; __shared__ typename C::TempStorage s[6];
        int inclusive, exclusive, total, first = C(s[t / 16]).Broadcast(items[0], 3);
        C(s[t / 16]).InclusiveSum(items[0], inclusive, total);
        C(s[t / 16]).ExclusiveScan(items[0], exclusive, 7, Most());
        out[t] = inclusive; out[96 + t] = exclusive; out[192 + t] = total + first;
        """,
        x,
    )
    rows = x[::3].reshape(6, 16)
    assert (out[:96].reshape(6, 16) == np.cumsum(rows, 1)).all()
    begun = np.concatenate([np.full((6, 1), 7), rows], 1)
    assert (out[96:192].reshape(6, 16) == np.maximum.accumulate(begun, 1)[:, :-1]).all()
    assert (out[192:].reshape(6, 16) == rows.sum(1, keepdims=True) + rows[:, 3:4]).all()


def test_warp_reductions_of_segments_and_of_structs(x: Array) -> None:
    out = launch(
        """
        typedef cub::WarpReduce<int> C; __shared__ typename C::TempStorage s[3];
        typedef cub::WarpReduce<Affine> D; __shared__ typename D::TempStorage d[3];
        out[t] = C(s[t / 32]).HeadSegmentedSum(items[0], t % 5 == 0);
        Affine f = D(d[t / 32]).Reduce(Affine{items[0], items[1]}, Compose());
        if (t % 32 == 0) { out[96 + t] = f.scale; out[97 + t] = f.shift; }
        """,
        x,
    )
    first = x[::3]
    for t in range(THREADS):
        end = min((t // 5 + 1) * 5, (t // 32 + 1) * 32)
        if t % 5 == 0 or t % 32 == 0:
            assert out[t] == first[t:end].sum()
    with np.errstate(over="ignore"):
        scale, shift = np.uint32(1), np.uint32(0)
        for a, b in zip(x[0:96:3].astype(np.uint32), x[1:96:3].astype(np.uint32), strict=True):
            scale, shift = scale * a, shift * a + b
    assert out[96:98].view(np.uint32).tolist() == [scale, shift]


def test_exchanges(x: Array) -> None:
    kind = storage("cub::BlockExchange<int, 96, 3>")
    striped = launch(kind + "C(s).BlockedToStriped(items); STORE", x)
    assert (striped == x.reshape(3, 96).T.reshape(-1)).all()
    assert (launch(kind + "C(s).StripedToBlocked(items, items); STORE", striped) == x).all()
    ranks = "int ranks[3]; for (int i = 0; i < 3; ++i) ranks[i] = 287 - (3 * t + i);"
    assert (launch(kind + ranks + "C(s).ScatterToBlocked(items, ranks); STORE", x) == x[::-1]).all()


def test_neighbours(x: Array) -> None:
    flags = storage("cub::BlockDiscontinuity<int, 96>") + "int flags[3];"
    show = "for (int i = 0; i < 3; ++i) out[3 * t + i] = flags[i];"
    x = np.sort(x)
    changes = (np.diff((x.astype(np.float64) / 8).astype(int)) != 0).astype(np.int32)
    heads = launch(flags + "C(s).FlagHeads(flags, items, Differs());" + show, x)
    assert (heads == np.append(1, changes)).all()
    tails = launch(flags + "C(s).FlagTails(flags, items, Differs());" + show, x)
    assert (tails == np.append(changes, 1)).all()
    kind = storage("cub::BlockAdjacentDifference<int, 96>")
    left = launch(kind + "C(s).SubtractLeft(items, items, Difference()); STORE", x)
    assert (left == np.append(x[0], np.diff(x))).all()
    right = launch(kind + "C(s).SubtractRight(items, items, Difference(), 1000); STORE", x)
    assert (right == -np.diff(np.append(x, 1000))).all()
    up = launch(storage("cub::BlockShuffle<int, 96>") + "C(s).Up(items, items); STORE", x)
    assert (up[1:] == x[:-1]).all()


def test_histogram(x: Array) -> None:
    out = launch(
        """
        typedef cub::BlockHistogram<unsigned char, 96, 3, 64> C;
        __shared__ typename C::TempStorage s;
        __shared__ unsigned counts[64]; unsigned char bytes[3];
        for (int i = 0; i < 3; ++i) bytes[i] = items[i] & 63;
        C(s).Histogram(bytes, counts); __syncthreads();
        if (t < 64) out[t] = counts[t];
        """,
        x,
    )
    assert (out[:64] == np.bincount(x & 63, minlength=64)).all()


@pytest.mark.parametrize("down", ["", "Descending"])
@pytest.mark.parametrize("key", ["int", "unsigned", "float", "long long", "short"])
def test_radix_sort(x: Array, key: str, down: str) -> None:
    out = launch(
        storage(f"cub::BlockRadixSort<{key}, 96, 3, int>")
        + f"{key} keys[3]; int at[3]; for (int i = 0; i < 3; ++i) {{"
        f" keys[i] = ({key})(items[i] / 4); at[i] = 3 * t + i; }} C(s).Sort{down}(keys, at);"
        "for (int i = 0; i < 3; ++i) out[3 * t + i] = at[i];",
        x,
    )
    keys = np.trunc(x / 4).astype(np.int64)
    keys = keys.astype(np.uint32).astype(np.int64) if key == "unsigned" else keys
    assert (out == np.argsort(-keys if down else keys, kind="stable")).all()


def test_radix_sort_of_some_bits_ends_striped(x: Array) -> None:
    out = launch(
        storage("cub::BlockRadixSort<int, 96, 3>") + "C(s).SortBlockedToStriped(items, 2, 5);"
        "for (int i = 0; i < 3; ++i) out[i * 96 + t] = items[i];",
        x,
    )
    assert (out == x[np.argsort((x >> 2) & 7, kind="stable")]).all()


def test_merge_sort_is_stable(x: Array) -> None:
    out = launch(
        storage("cub::BlockMergeSort<int, 96, 3, int>")
        + "int at[3]; for (int i = 0; i < 3; ++i) { at[i] = 3 * t + i; items[i] /= 9; }"
        "C(s).StableSort(items, at, Lower()); for (int i = 0; i < 3; ++i) out[3 * t + i] = at[i];",
        x,
    )
    assert (out == np.argsort(np.trunc(x / 9).astype(int), kind="stable")).all()


def test_loads_and_stores(x: Array) -> None:
    kinds = (
        "typedef cub::BlockLoad<int, 96, 3, cub::BLOCK_LOAD_STRIPED> L;"
        "typedef cub::BlockStore<int, 96, 3, cub::BLOCK_STORE_TRANSPOSE> S;"
        "__shared__ union { L::TempStorage l; S::TempStorage r; } s;"
    )
    out = launch(kinds + "L(s.l).Load(x, items, 250, -1); S(s.r).Store(out, items, 280);", x)
    loaded = np.where(np.arange(TOTAL) < 250, x, -1).reshape(3, 96).T.reshape(-1)
    assert (out[:280] == loaded[:280]).all() and (out[280:] == 0).all()
