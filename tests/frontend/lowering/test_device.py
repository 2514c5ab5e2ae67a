"""What only device code has: warps, groups, atomics, halves, PTX, CUB. Each against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit, problems
from crossport.frontend.parse import parse
from crossport.ir.interpreter import run
from crossport.ir.nodes import Module
from crossport.ir.verify import verify

Array = np.ndarray[Any, Any]


def lowered(text: str) -> Module:
    """A module of source text, with nothing opaque in it."""
    module = lower_unit(parse(Path("test.cu"), text=text), strict=True)
    assert verify(module) == []
    for kernel in module.kernels:
        assert problems(module, kernel) == []
    return module


def launch(text: str, block: int, *args: Any, grid: int = 1, **options: Any) -> None:
    """Run the only kernel of a source."""
    module = lowered(text)
    run(module, module.kernels[0].name, grid, block, list(args), **options)


def words(count: int, seed: int = 0) -> Array:
    """Random 32-bit words."""
    return np.random.default_rng(seed).integers(0, 1 << 32, count, dtype=np.uint32)


PTX_KERNEL = """
__global__ void k(const unsigned* x, const unsigned* y, unsigned* out) {
    unsigned a = x[threadIdx.x], b = y[threadIdx.x], d;
    asm("%s" : "=r"(d) : "r"(a), "r"(b));
    out[threadIdx.x] = d;
}
"""


def bits(value: int, start: int, length: int) -> int:
    return (value >> start) & ((1 << length) - 1)


PTX = [
    ("add.u32 %0, %1, %2;", lambda a, b: a + b),
    ("sub.s32 %0, %1, %2;", lambda a, b: a - b),
    ("mad.lo.u32 %0, %1, %2, 7;", lambda a, b: a * b + 7),
    ("mul.hi.u32 %0, %1, %2;", lambda a, b: (a * b) >> 32),
    ("and.b32 %0, %1, %2;", lambda a, b: a & b),
    ("not.b32 %0, %1;", lambda a, b: ~a),
    ("bfind.u32 %0, %1;", lambda a, b: a.bit_length() - 1),
    ("bfind.s32 %0, %1;", lambda a, b: (a if a < 1 << 31 else ~a & 0xFFFFFFFF).bit_length() - 1),
    ("shl.b32 %0, %1, 40;", lambda a, b: 0),
    ("shr.u32 %0, %1, 3;", lambda a, b: a >> 3),
    ("bfe.u32 %0, %1, 5, 9;", lambda a, b: bits(a, 5, 9)),
    ("bfe.s32 %0, %1, 5, 9;", lambda a, b: bits(a, 5, 9) - (bits(a, 13, 1) << 9)),
    ("bfi.b32 %0, %1, %2, 8, 4;", lambda a, b: (b & ~0xF00) | (a & 15) << 8),
    ("lop3.b32 %0, %1, %2, 255, 0x96;", lambda a, b: a ^ b ^ 255),
    ("lop3.b32 %0, %1, %2, 255, 0xE8;", lambda a, b: (a & b) | (a & 255) | (b & 255)),
    ("lop3.b32 %0, %1, %2, 255, 0x1B;", lambda a, b: lut(0x1B, a, b, 255)),
    ("popc.b32 %0, %1;", lambda a, b: bin(a).count("1")),
    ("min.s32 %0, %1, %2;", lambda a, b: min(a, b, key=signed)),
    ("{ .reg .pred p; setp.lt.u32 p, %1, %2; selp.u32 %0, 1, 2, p; }", lambda a, b: 1 + (a >= b)),
    (
        "{ .reg .pred p; mov.u32 %0, 5; setp.ge.s32 p, %1, 0; @!p add.u32 %0, %0, %2; }",
        lambda a, b: 5 + (b if signed(a) < 0 else 0),
    ),
    ("{ .reg .b64 t; mul.wide.u32 t, %1, %2; mov.b64 {_, %0}, t; }", lambda a, b: a * b >> 32),
    ("{ .reg .u32 t; add.cc.u32 t, %1, %2; addc.u32 %0, 0, 0; }", lambda a, b: (a + b) >> 32),
    ("{ .reg .s16 h; cvt.s16.u32 h, %1; cvt.s32.s16 %0, h; }", lambda a, b: short(a)),
]


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def short(value: int) -> int:
    value &= 0xFFFF
    return value - 0x10000 if value >> 15 else value


def lut(table: int, a: int, b: int, c: int) -> int:
    picks = [
        (table >> (bits(a, i, 1) * 4 + bits(b, i, 1) * 2 + bits(c, i, 1))) & 1 for i in range(32)
    ]
    return sum(bit << i for i, bit in enumerate(picks))


@pytest.mark.parametrize(("text", "model"), PTX, ids=[text for text, _ in PTX])
def test_ptx(text: str, model: Any) -> None:
    x, y, out = words(32, 1), words(32, 2), np.zeros(32, np.uint32)
    launch(PTX_KERNEL % text, 32, x, y, out)
    expected = [model(int(a), int(b)) & 0xFFFFFFFF for a, b in zip(x, y, strict=True)]
    assert out.tolist() == expected


def test_ptx_that_is_not_known_is_opaque_with_its_text() -> None:
    text = PTX_KERNEL % "szext.wrap.u32 %0, %1, %2;"
    module = lower_unit(parse(Path("test.cu"), text=text))
    found = problems(module, module.kernels[0])
    assert [p.reason for p in found] == ["PTX szext"]
    assert "szext.wrap.u32" in found[0].text
    assert found[0].span is not None and found[0].span.line == 4


def test_shuffles_and_votes() -> None:
    x, out = words(64, 3).astype(np.int32), np.zeros((6, 64), np.int32)
    launch(
        """
        __global__ void k(const int* x, int* out) {
            int t = threadIdx.x, v = x[t];
            out[t] = __shfl_xor_sync(~0u, v, 5);
            out[64 + t] = __shfl_down_sync(~0u, v, 3, 8);
            out[128 + t] = __shfl_up_sync(~0u, v, 1u, 16);
            out[192 + t] = __ballot_sync(~0u, v > 0);
            out[256 + t] = __any_sync(~0u, v == x[7]) + 10 * __all_sync(~0u, v != 1);
            out[320 + t] = __syncthreads_count(v & 1);
        }
        """,
        64, x, out,
    )  # fmt: skip
    lane = np.arange(64)
    assert (out[0] == x[lane ^ 5]).all()
    assert (out[1] == np.where(lane % 8 + 3 < 8, x[np.minimum(lane + 3, 63)], x)).all()
    assert (out[2] == np.where(lane % 16 > 0, x[np.maximum(lane - 1, 0)], x)).all()
    weights = (1 << np.arange(32)).astype(np.int64)
    ballots = [int(((x[w : w + 32] > 0) * weights).sum()) for w in (0, 32)]
    assert (out[3].view(np.uint32) == np.repeat(ballots, 32)).all()
    found = [np.isin(x[7], x[w : w + 32]).item() for w in (0, 32)]
    assert (out[4] == np.repeat(found, 32) + 10).all()
    assert (out[5] == (x & 1).sum()).all()


def test_cooperative_groups() -> None:
    x, out = np.arange(64, dtype=np.int32) ** 2, np.zeros((5, 64), np.int32)
    launch(
        """
        #include <cooperative_groups.h>
        #include <cooperative_groups/reduce.h>
        namespace cg = cooperative_groups;
        template <class G> __device__ int rank_of(const G& g) {
            return g.thread_rank() + 100 * g.size();
        }
        __device__ void wait(cg::thread_group g) { g.sync(); }
        __global__ void k(const int* x, int* out) {
            cg::thread_block block = cg::this_thread_block();
            auto tile = cg::tiled_partition<16>(block);
            int t = block.thread_rank();
            out[t] = cg::reduce(tile, x[t], cg::plus<int>());
            out[64 + t] = tile.shfl_down(x[t], 2) + tile.meta_group_rank() * 1000000;
            out[128 + t] = rank_of(tile) + rank_of(block);
            wait(block);
            wait(tile);
            if (t % 3 == 0) {
                auto active = cg::coalesced_threads();
                out[192 + t] = active.thread_rank() + 100 * active.size();
                out[192 + t] += 10000 * active.shfl(t, 1);
            }
            out[256 + t] = tile.ballot(t & 1) + tile.any(t == 5);
        }
        """,
        64, x, out,
    )  # fmt: skip
    lane = np.arange(64)
    assert (out[0] == np.repeat(x.reshape(4, 16).sum(1), 16)).all()
    down = np.where(lane % 16 + 2 < 16, x[np.minimum(lane + 2, 63)], x)
    assert (out[1] == down + lane // 16 * 1000000).all()
    assert (out[2] == lane % 16 + 1600 + lane + 6400).all()
    for warp in (0, 32):
        members = [t for t in range(warp, warp + 32) if t % 3 == 0]
        for rank, t in enumerate(members):
            assert out[3, t] == rank + 100 * len(members) + 10000 * members[1]
    assert (out[4] == 0xAAAA + (lane < 16)).all()


def test_atomics_of_every_kind() -> None:
    total, low, when, half = (np.zeros(4, t) for t in (np.float32, np.int32, np.uint32, np.uint64))
    low[:] = 1000
    launch(
        """
        __global__ void k(float* f, int* i, unsigned* u, unsigned long long* l) {
            int t = threadIdx.x;
            atomicAdd(&f[t % 4], 0.5f);
            atomicMin(i + t % 4, 50 - t);
            unsigned old = atomicInc(&u[0], 9);
            if (atomicCAS(&u[1], 0u, 7u) == 0) atomicExch(&u[2], old + 100);
            atomicAdd_block(&l[t & 1], 3ull);
            atomicOr(&l[2], 1ull << t);
        }
        """,
        32, total, low, when, half,
    )  # fmt: skip
    assert total.tolist() == [4.0] * 4
    assert low.tolist() == [22, 21, 20, 19]
    assert when[0] == 32 % 10 and when[1] == 7 and when[2] >= 100
    assert half.tolist() == [48, 48, (1 << 32) - 1, 0]


def test_halves() -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.normal(size=32).astype(np.float16) for _ in range(2))
    out, wide = np.zeros((4, 32), np.float16), np.zeros(32, np.float32)
    launch(
        """
        #include <cuda_fp16.h>
        __global__ void k(const half* a, const half* b, half* out, float* wide) {
            int t = threadIdx.x;
            half x = a[t], y = b[t];
            out[t] = x * y + __float2half(0.5f);
            out[32 + t] = __hfma(x, y, x);
            half2 v = __halves2half2(x, y);
            v = __hadd2(v, __float2half2_rn(1.0f));
            v += v;
            out[64 + t] = __low2half(v) - v.y;
            out[96 + t] = __hgt(x, y) ? hsqrt(__habs(x)) : -y;
            wide[t] = __half2float(x) * (float)y;
        }
        """,
        32, a, b, out, wide,
    )  # fmt: skip
    one, half = np.float16(1), np.float16(0.5)
    assert (out[0] == a * b + half).all()
    exact = a.astype(np.float64) * b.astype(np.float64) + a.astype(np.float64)
    assert (out[1] == exact.astype(np.float16)).all()
    x, y = (a + one) + (a + one), (b + one) + (b + one)
    assert (out[2] == x - y).all()
    assert (out[3] == np.where(a > b, np.sqrt(np.abs(a)), -b)).all()
    assert (wide == a.astype(np.float32) * b.astype(np.float32)).all()


CUB = """
#include <cub/cub.cuh>
struct Larger {
    __device__ int operator()(const int& a, const int& b) const { return a > b ? a : b; }
};
struct Pair { int key, at; };
struct First { __device__ Pair operator()(Pair a, Pair b) const { return b.key < a.key ? b : a; } };
__global__ void k(const int* x, int* out) {
    using Reduce = cub::BlockReduce<int, 64>;
    using Pairs = cub::BlockReduce<Pair, 64>;
    using Scan = cub::BlockScan<int, 64>;
    __shared__ union { Reduce::TempStorage r; Pairs::TempStorage p; Scan::TempStorage s; } temp;
    int t = threadIdx.x, v = x[t], total;
    int sum = Reduce(temp.r).Sum(v);
    int top = Reduce(temp.r).Reduce(v, Larger());
    int few = Reduce(temp.r).Reduce(v, cub::Min(), 20);
    Pair best = Pairs(temp.p).Reduce(Pair{v, t}, First());
    if (t == 0) { out[0] = sum; out[1] = top; out[2] = few; out[3] = best.at; }
    Scan scan(temp.s);
    int before;
    scan.ExclusiveSum(v, before, total);
    out[64 + t] = before;
    int items[2] = {v, t}, seen[2];
    Scan(temp.s).InclusiveScan(items, seen, Larger());
    out[128 + t] = seen[1];
    using Warp = cub::WarpReduce<int, 16>;
    __shared__ Warp::TempStorage w[4];
    int part = Warp(w[t / 16]).Sum(v);
    if (t % 16 == 0) out[192 + t] = part;
    if (t == 0) out[4] = total;
}
"""


def test_cub_collectives() -> None:
    x = np.random.default_rng(6).integers(-99, 99, 64).astype(np.int32)
    out = np.zeros(256, np.int32)
    launch(CUB, 64, x, out)
    assert out[:5].tolist() == [x.sum(), x.max(), x[:20].min(), x.argmin(), x.sum()]
    assert (out[64:128] == np.cumsum(x) - x).all()
    pairs = np.stack([x, np.arange(64)], 1).reshape(-1)
    assert (out[128:192] == np.maximum.accumulate(pairs)[1::2]).all()
    assert (out[192::16] == x.reshape(4, 16).sum(1)).all()


def test_shared_memory_of_both_kinds() -> None:
    x, out = np.arange(32, dtype=np.float32), np.zeros(32, np.float32)
    launch(
        """
        extern __shared__ float dynamic[];
        __global__ void k(const float* x, float* out) {
            __shared__ float fixed[2][16];
            extern __shared__ char raw[];
            int t = threadIdx.x;
            dynamic[t] = x[t];
            fixed[t / 16][t % 16] = x[31 - t];
            __syncthreads();
            out[t] = reinterpret_cast<float*>(raw)[t ^ 1] + 100 * fixed[1 - t / 16][t % 16];
        }
        """,
        32, x, out, shared_bytes=128,
    )  # fmt: skip
    t = np.arange(32)
    assert (out == (t ^ 1) + 100 * (31 - (t ^ 16))).all()


def test_what_cannot_be_lowered_is_said_and_the_rest_stays() -> None:
    text = """
    struct Shape { __device__ virtual float area() const; };
    __device__ float missing(float);
    __global__ void k(float* x, Shape* s, int n) {
        x[0] = 1.0f;
        x[1] = s->area();
        x[2] = missing(x[0]);
        if (n > 3) goto inside;
        while (n > 4) {
    inside:
            x[3] = 4.0f;
        }
        x[4] = 5.0f;
    }
    __global__ void fine(float* x) { x[0] = 2.0f; }
    """
    module = lower_unit(parse(Path("test.cu"), text=text), strict=True)
    kernel, fine = module.kernels
    found = [(p.reason, p.span.line if p.span else 0) for p in problems(module, kernel)]
    assert found == [
        ("virtual call", 6),
        ("missing has no definition here", 7),
        ("goto", 8),
    ]
    assert len(kernel.body) == 6
    assert problems(module, fine) == []
    assert verify(module) == []


def test_three_way_minimum_and_maximum() -> None:
    x, y, out = words(64, 7), words(64, 8), np.zeros((5, 64), np.uint32)
    launch(
        """
        __global__ void k(const unsigned* x, const unsigned* y, unsigned* out) {
            int t = threadIdx.x, a = x[t], b = y[t];
            bool first, high, low;
            out[t] = __viaddmax_s32_relu(a, 5, b);
            out[64 + t] = __vimin3_u16x2(x[t], y[t], 0x7fff1000u);
            out[128 + t] = __vimax_s16x2_relu(x[t], y[t]);
            out[192 + t] = __vibmin_s32(a, b, &first) + first;
            out[256 + t] = __vibmax_u16x2(x[t], y[t], &high, &low) * 0 + high * 2 + low;
        }
        """,
        64, x, y, out,
    )  # fmt: skip
    a, b = x.view(np.int32), y.view(np.int32)
    sums = (x + np.uint32(5)).view(np.int32)
    assert (out[0].view(np.int32) == np.maximum(np.maximum(sums, b), 0)).all()
    c = np.array([0x1000, 0x7FFF], np.uint16)
    xs, ys = (w.view(np.uint16).reshape(-1, 2) for w in (x, y))
    assert (out[1].view(np.uint16).reshape(-1, 2) == np.minimum(np.minimum(xs, ys), c)).all()
    larger = np.maximum(np.maximum(xs.view(np.int16), ys.view(np.int16)), 0)
    assert (out[2].view(np.int16).reshape(-1, 2) == larger).all()
    assert (out[3].view(np.int32) == np.minimum(a, b) + (a <= b)).all()
    assert (out[4] == (xs >= ys)[:, 1] * 2 + (xs >= ys)[:, 0]).all()


def test_a_tile_reduces_with_any_function() -> None:
    text = """
    #include <cooperative_groups.h>
    #include <cooperative_groups/reduce.h>
    #include <cooperative_groups/scan.h>
    namespace cg = cooperative_groups;
    struct Best { float value; int place; };
    __device__ Best better(Best a, Best b) {
        return b.value > a.value || (b.value == a.value && b.place < a.place) ? b : a;
    }
    struct First { template <class T> __device__ T operator()(T a, T b) const { return a; } };
    __global__ void k(const float* x, int* place, int* sums, int* firsts) {
        auto tile = cg::tiled_partition<16>(cg::this_thread_block());
        Best best = cg::reduce(tile, Best{x[threadIdx.x], (int)threadIdx.x}, better);
        place[threadIdx.x] = best.place;
        auto add = [](int a, int b) { return a + b; };
        sums[threadIdx.x] = cg::inclusive_scan(tile, best.place, add);
        firsts[threadIdx.x] = cg::inclusive_scan(tile, (int)threadIdx.x, First());
    }
    """
    x = np.random.default_rng(5).integers(0, 9, 64).astype(np.float32)
    place, sums, firsts = (np.zeros(64, np.int32) for _ in range(3))
    launch(text, 64, x, place, sums, firsts)
    for start in range(0, 64, 16):
        best = start + int(np.argmax(x[start : start + 16]))
        assert (place[start : start + 16] == best).all()
        assert sums[start : start + 16].tolist() == [best * (i + 1) for i in range(16)]
        assert (firsts[start : start + 16] == start).all()


MACRO_KERNEL = r"""
#define COPY(d, s) asm volatile(               \
    "mov.b32 %0, %1;\n"                        \
    : "=r"(d) : "r"(s))
#define ADD_THEN(d, a, n) asm("add.u32 %0, %1, " #n ";" : "=r"(d) : "r"(a)); COPY(d, d)
template <int N> __global__ void k(unsigned* out) {
    unsigned a = threadIdx.x, b;
    COPY(b, a);
    ADD_THEN(out[threadIdx.x], b, 40);
}
template __global__ void k<3>(unsigned*);
"""


def test_assembly_in_macros() -> None:
    out = np.zeros(32, np.uint32)
    launch(MACRO_KERNEL, 32, out)
    assert out.tolist() == [i + 40 for i in range(32)]


ASYNC = """
#include <cooperative_groups.h>
#include <cuda/barrier>
#include <cuda/pipeline>
namespace cg = cooperative_groups;
__device__ void meet(cuda::barrier<cuda::thread_scope_block>& all) {
    auto token = all.arrive();
    all.wait(std::move(token));
}
__global__ void k(const float* x, float* out, int fewer) {
    __shared__ cuda::barrier<cuda::thread_scope_block> all;
    __shared__ float4 one[32];
    __shared__ float two[32];
    int t = threadIdx.x;
    if (t == 0) init(&all, blockDim.x - fewer);
    __syncthreads();
    cuda::memcpy_async(&one[t], reinterpret_cast<const float4*>(x) + t,
                       cuda::aligned_size_t<16>(sizeof(float4)), all);
    cuda::memcpy_async(cg::this_thread_block(), two, x, sizeof(float) * 32, all);
    meet(all);
    float sum = one[t ^ 1].y + two[31 - t];
    all.arrive_and_wait();
    cuda::pipeline<cuda::thread_scope_thread> pipe = cuda::make_pipeline();
    pipe.producer_acquire();
    cuda::memcpy_async(&two[t], &x[64 + t], sizeof(float), pipe);
    pipe.producer_commit();
    cuda::pipeline_consumer_wait_prior<0>(pipe);
    out[t] = sum + two[t];
    pipe.consumer_release();
}
"""


def test_barriers_and_pipelines_of_libcudacxx() -> None:
    x, out = np.arange(128, dtype=np.float32), np.zeros(32, np.float32)
    launch(ASYNC, 32, x, out, 0)
    t = np.arange(32)
    assert (out == (4 * (t ^ 1) + 1) + (31 - t) + (64 + t)).all()
    with pytest.raises(PortError, match="trap"):
        launch(ASYNC, 32, x, out, 1)


THRUST = """
#include <thrust/complex.h>
#include <thrust/device_ptr.h>
typedef thrust::complex<float> C;
__global__ void k(const C* x, C* out, const int* raw, float* size) {
    int t = threadIdx.x;
    thrust::device_ptr<const int> order(raw);
    int at = order[t];
    C z = x[at], sum = 0.0f;
    sum += z * C(2.0f, 1.0f) - z / 4.0f;
    sum = sum / conj(z) + exp(-z);
    out[t] = sum;
    size[t] = thrust::abs(sum) + norm(z) + (thrust::sqrt(z) * 2.0f).real();
}
"""


def test_complex_numbers_and_pointers_of_thrust() -> None:
    rng = np.random.default_rng(4)
    parts = rng.standard_normal((32, 2)).astype(np.float32)
    order, out, size = (
        rng.permutation(32).astype(np.int32),
        np.zeros(64, np.float32),
        parts[:, 0] * 0,
    )
    module = lowered(THRUST)
    run(module, "k", 1, 32, [parts.reshape(-1).copy(), out, order, size])
    z = (parts[:, 0] + 1j * parts[:, 1])[order].astype(np.complex128)
    total = (z * (2 + 1j) - z / 4) / np.conj(z) + np.exp(-z)
    assert np.allclose(out[0::2] + 1j * out[1::2], total, rtol=1e-4)
    assert np.allclose(size, np.abs(total) + np.abs(z) ** 2 + (np.sqrt(z) * 2).real, rtol=1e-4)


def test_halves_to_integers_in_every_rounding() -> None:
    x, out = np.linspace(-9, 9, 37).astype(np.float32), np.zeros(4 * 37, np.int32)
    launch(
        """
        #include <cuda_fp16.h>
        #include <cuda_bf16.h>
        __global__ void k(const float* x, int* out) {
            int t = threadIdx.x;
            __half h = __float2half(x[t]);
            out[4 * t] = __half2int_rn(h);
            out[4 * t + 1] = __half2int_ru(h);
            out[4 * t + 2] = (int)__half2ll_rd(h);
            out[4 * t + 3] = __bfloat162int_rn(__float2bfloat16(x[t]));
        }
        """,
        37, x, out,
    )  # fmt: skip
    assert (out[0::4] == np.rint(x)).all() and (out[1::4] == np.ceil(x)).all()
    assert (out[2::4] == np.floor(x)).all() and (out[3::4] == np.rint(x)).all()
