"""Whole kernels, compiled here: results, arguments, schedules, observations, faults."""

import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from crossport.diagnostics import Code, PortError
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options, Struct
from crossport.validation.amdgpu.memory_image import Pointer
from crossport.validation.amdgpu.profiling import Profile
from crossport.validation.amdgpu.rendering import render_profile, render_trace
from crossport.validation.amdgpu.report import DeviceFault

ARCHS = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201")
SOURCE = r"""
#include <hip/hip_runtime.h>
#include <hip/hip_cooperative_groups.h>
#include <cassert>
struct Pair { float scale; int shift; double offset; };
__constant__ float table[4];
__device__ int counter;
__device__ __attribute__((noinline)) int plus(int a, int b) { return a + b; }
__device__ __attribute__((noinline)) int times(int a, int b) { return a * b; }
typedef int (*Operation)(int, int);
__device__ Operation operations[2] = {plus, times};
__device__ int values[4] = {100, 200, 300, 400};
__device__ int *elements[4] = {values + 3, values + 2, values + 1, values};
extern "C" {
__global__ void saxpy(int n, float a, const float *x, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
__global__ void with_struct(Pair p, const double *x, double *y, short k, bool flag) {
    y[threadIdx.x] = flag ? x[threadIdx.x] * p.scale + p.offset + (k << p.shift) : -1.0;
}
struct View { const float *data; int length; float *result; };
__global__ void through_struct(View v, float by) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < v.length) v.result[i] = v.data[i] * by;
}
__global__ void shape(int *out) {
    int group = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    int at = group * blockDim.x * blockDim.y * blockDim.z
           + (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    out[at] = threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z + 1000 * blockIdx.x
            + 10000 * blockIdx.y + 100000 * blockIdx.z;
}
__global__ void only_x(int *out) {
    atomicAdd(&out[threadIdx.x], 1);
}
__global__ void dynamic(const int *x, int *y) {
    extern __shared__ int buffer[];
    buffer[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
}
__global__ void uses_globals(float *y) {
    y[threadIdx.x] = table[threadIdx.x & 3];
    atomicAdd(&counter, 1);
}
__global__ void through_pointers(const int *pick, int *out) {
    int result = operations[pick[threadIdx.x] & 1](threadIdx.x, 7);
    out[threadIdx.x] = result + *elements[threadIdx.x & 3];
}
__global__ void private_array(const int *index, float *out) {
    float local[32];
    for (int k = 0; k < 32; k++) local[k] = k * 0.5f + threadIdx.x;
    for (int k = 0; k < 8; k++) local[index[threadIdx.x * 8 + k] & 31] += 1 + k;
    float s = 0;
    for (int k = 0; k < 8; k++) s += local[index[threadIdx.x * 8 + k] & 31] * (k + 1);
    out[threadIdx.x] = s;
}
__global__ void warp_sum(const float *x, float *y) {
    float v = x[blockIdx.x * blockDim.x + threadIdx.x];
    for (int k = warpSize / 2; k > 0; k >>= 1) v += __shfl_down(v, k);
    if (threadIdx.x % warpSize == 0) y[(blockIdx.x * blockDim.x + threadIdx.x) / warpSize] = v;
}
__global__ void racy(const float *x, float *y) {
    __shared__ float s[256];
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[255 - threadIdx.x];
}
__global__ void neighbour_block(const int *x, int *y, int *z) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i] + 1;
    z[i] = y[(i + blockDim.x) % (gridDim.x * blockDim.x)];
}
__global__ void neighbour_wave(const int *x, int *y, int *z) {
    y[threadIdx.x] = x[threadIdx.x] + 1;
    z[threadIdx.x] = y[(threadIdx.x + 64) % blockDim.x];
}
__global__ void neighbour_after_barrier(const int *x, int *y, int *z) {
    y[threadIdx.x] = x[threadIdx.x] + 1;
    __syncthreads();
    z[threadIdx.x] = y[(threadIdx.x + 64) % blockDim.x];
}
__global__ void counts_without_atomics(const int *x, int *y, int *z) {
    if (threadIdx.x == 0) y[0] += x[blockIdx.x];
}
__global__ void counts_with_atomics(const int *x, int *y, int *z) {
    if (threadIdx.x == 0) atomicAdd(y, x[blockIdx.x]);
}
__global__ void last_block_sums(const int *x, int *y, int *z) {
    __shared__ int is_last;
    if (threadIdx.x == 0) {
        y[blockIdx.x] = x[blockIdx.x];
        __threadfence();
        is_last = atomicAdd(z, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (is_last && threadIdx.x == 0)
        for (int k = 0; k < gridDim.x; k++) z[1] += y[k];
}
__global__ void bytes_of_a_word(const int *x, unsigned char *y, int *z) {
    if (threadIdx.x == 0) y[blockIdx.x] = x[blockIdx.x];
}
__global__ void prints(const int *x) {
    if (x[threadIdx.x] > 2)
        printf("%s %d of %5.2f%% [%-4u|%04x] %c %llx\n", "lane", threadIdx.x, x[threadIdx.x] * 0.5,
               7u, 255, 'a' + threadIdx.x, 0x123456789abcdefull);
}
__global__ void asserts(const int *x) { assert(x[threadIdx.x] < 9); }
__global__ void reads_garbage(float *y) {
    __shared__ float s[256];
    if (threadIdx.x < 64) s[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x];
}
__global__ void past_the_end(float *y) { y[threadIdx.x + blockIdx.x * blockDim.x] = 1; }
__global__ void null_pointer(float *y) { y[0] = 1; }
__global__ void endless(volatile int *flag) { while (*flag == 0) {} }
__global__ void waits_for_next(int *flag, int *out) {
    if (threadIdx.x == 0) {
        if (blockIdx.x == gridDim.x - 1) atomicExch(flag, 1);
        while (atomicAdd(flag, 0) == 0) {}
        out[blockIdx.x] = blockIdx.x + 1;
    }
}
__global__ void traps(int *x) { if (x[threadIdx.x] < 0) __builtin_trap(); x[threadIdx.x] = 2; }
__device__ __attribute__((noinline)) int slow(int n) {
    return n < 2 ? n : slow(n - 1) + slow(n - 2);
}
__global__ void recursive(int *x) { x[threadIdx.x] = slow(x[threadIdx.x]); }
__device__ __attribute__((noinline)) int deep(int n, int *seen) {
    int own[8];
    for (int k = 0; k < 8; k++) own[k] = n + k;
    return n == 0 ? *seen : deep(n - 1, own + (n & 7)) + own[n & 3];
}
__global__ void endless_recursion(int *x) { x[threadIdx.x] = deep(x[threadIdx.x], x); }
__global__ void circle(int *flags) {
    if (threadIdx.x == 0) {
        while (atomicAdd(&flags[blockIdx.x], 0) == 0) {}
        atomicExch(&flags[1 - blockIdx.x], 1);
    }
}
__global__ void grid_barrier(int *x, int *y) {
    x[blockIdx.x * blockDim.x + threadIdx.x] = blockIdx.x + 1;
    cooperative_groups::this_grid().sync();
    int sum = 0;
    for (int k = 0; k < gridDim.x; k++) sum += x[k * blockDim.x + threadIdx.x];
    y[blockIdx.x * blockDim.x + threadIdx.x] = sum;
    cooperative_groups::this_grid().sync();
    x[blockIdx.x * blockDim.x + threadIdx.x] = y[((blockIdx.x + 1) % gridDim.x) * blockDim.x];
}
__global__ void strided(const float *x, float *y) {
    __shared__ float s[64 * 32];
    y[threadIdx.x] = x[threadIdx.x * 32];
    s[threadIdx.x * 32] = threadIdx.x;
    __syncthreads();
    y[threadIdx.x] += s[threadIdx.x * 32];
}
}
"""


@cache
def code(arch: str) -> CodeObject:
    try:
        return CodeObject.load(compile_hip(SOURCE, arch, flags=("-gline-tables-only",)))
    except PortError as problem:
        if problem.diagnostic.code == Code.NO_COMPILER:
            pytest.skip("no compiler for AMD GPUs here")
        raise


@pytest.mark.parametrize("arch", ARCHS)
def test_saxpy(devices: Callable[[str], Device], arch: str) -> None:
    n = 1000
    x, y = np.arange(n, dtype=np.float32), np.ones(n, np.float32)
    report = devices(arch).launch(code(arch), "saxpy", 4, 256, [n, np.float32(2), x, y])
    assert np.array_equal(y, 2 * np.arange(n, dtype=np.float32) + 1)
    assert report.waves == 4 * 256 // (32 if arch.startswith("gfx1") else 64)
    assert report.instructions > report.waves


@pytest.mark.parametrize("arch", ARCHS)
def test_struct_and_small_arguments(devices: Callable[[str], Device], arch: str) -> None:
    x, y = np.linspace(0, 1, 64), np.zeros(64)
    pair = struct.pack("<fid", 3.0, 2, 0.5)
    devices(arch).launch(
        code(arch), "with_struct", 1, 64, [pair, x, y, np.int16(-5), np.bool_(True)]
    )
    assert np.array_equal(y, x * 3.0 + 0.5 + (-5 << 2))


@pytest.mark.parametrize("arch", ARCHS)
def test_struct_with_pointers(devices: Callable[[str], Device], arch: str) -> None:
    x, y = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    view = bytearray(24)
    view[8:12] = struct.pack("<i", 90)
    argument = Struct(bytes(view), {0: x, 16: Pointer(y, 16)})
    devices(arch).launch(code(arch), "through_struct", 2, 64, [argument, np.float32(3)])
    want = np.zeros(100, np.float32)
    want[4:94] = 3 * x[:90]
    assert np.array_equal(y, want)


@pytest.mark.parametrize("arch", ARCHS)
def test_shapes(devices: Callable[[str], Device], arch: str) -> None:
    grid, block = (3, 2, 2), (5, 3, 2)
    out = np.zeros(12 * 30, np.int32)
    devices(arch).launch(code(arch), "shape", grid, block, [out])
    want = [
        x + 10 * y + 100 * z + 1000 * bx + 10000 * by + 100000 * bz
        for bz in range(2)
        for by in range(2)
        for bx in range(3)
        for z in range(2)
        for y in range(3)
        for x in range(5)
    ]
    assert out.tolist() == want


@pytest.mark.parametrize("arch", ARCHS)
def test_a_direction_that_the_kernel_ignores(devices: Callable[[str], Device], arch: str) -> None:
    """Such a kernel takes v0 for threadIdx.x unmasked: y and z must not be in it."""
    out = np.zeros(5, np.int32)
    devices(arch).launch(code(arch), "only_x", 1, (5, 3, 2), [out])
    assert out.tolist() == [6] * 5


@pytest.mark.parametrize("arch", ARCHS)
def test_dynamic_shared_memory(devices: Callable[[str], Device], arch: str) -> None:
    x, y = np.arange(128, dtype=np.int32), np.zeros(128, np.int32)
    devices(arch).launch(code(arch), "dynamic", 1, 128, [x, y], dynamic_lds=512)
    assert y.tolist() == list(range(127, -1, -1))
    with pytest.raises(DeviceFault, match="LDS access"):
        devices(arch).launch(code(arch), "dynamic", 1, 128, [x, y], dynamic_lds=508)


@pytest.mark.parametrize("arch", ARCHS)
def test_globals(devices: Callable[[str], Device], arch: str) -> None:
    y = np.zeros(64, np.float32)
    table, counter = np.array([1, 2, 3, 4], np.float32), np.array([5], np.int32)
    devices(arch).launch(
        code(arch), "uses_globals", 2, 64, [y], globals={"table": table, "counter": counter}
    )
    assert y.tolist() == [1, 2, 3, 4] * 16
    assert counter[0] == 5 + 128


@pytest.mark.parametrize("arch", ARCHS)
def test_tables_of_functions_and_pointers(devices: Callable[[str], Device], arch: str) -> None:
    """Words that the loader relocates."""
    lane = np.arange(64, dtype=np.int32)
    pick, out = lane % 3, np.zeros(64, np.int32)
    devices(arch).launch(code(arch), "through_pointers", 1, 64, [pick, out])
    called = np.where(pick & 1, lane * 7, lane + 7)
    assert np.array_equal(out, called + np.array([400, 300, 200, 100])[lane & 3])


@pytest.mark.parametrize("arch", ARCHS)
def test_private_memory_and_calls(devices: Callable[[str], Device], arch: str) -> None:
    index = np.random.default_rng(1).integers(0, 64, (64, 8)).astype(np.int32)
    out = np.zeros(64, np.float32)
    devices(arch).launch(code(arch), "private_array", 1, 64, [index, out])
    for i in range(64):
        local = np.arange(32) * 0.5 + i
        for k in range(8):
            local[index[i, k] & 31] += 1 + k
        assert out[i] == np.float32(sum(local[index[i, k] & 31] * (k + 1) for k in range(8)))
    x = np.arange(64, dtype=np.int32) % 9
    devices(arch).launch(code(arch), "recursive", 1, 64, [x])
    assert x.tolist() == [[0, 1, 1, 2, 3, 5, 8, 13, 21][i % 9] for i in range(64)]


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("schedule", ("in-order", "round-robin", "random"))
def test_schedules(devices: Callable[[str], Device], arch: str, schedule: str) -> None:
    x = np.arange(1024, dtype=np.float32)
    wave = 32 if arch.startswith("gfx1") else 64
    y = np.zeros(1024 // wave, np.float32)
    options = Options(schedule=schedule, seed=3)  # type: ignore[arg-type]
    devices(arch).launch(code(arch), "warp_sum", 4, 256, [x, y], options=options)
    assert np.array_equal(y, x.reshape(-1, wave).sum(1))


def test_pointers_and_aliasing(devices: Callable[[str], Device]) -> None:
    whole = np.arange(300, dtype=np.float32)
    devices("gfx942").launch(
        code("gfx942"), "saxpy", 1, 64, [64, 1.0, Pointer(whole, 400), whole[:64]]
    )
    assert np.array_equal(whole[:64], np.arange(64) + np.arange(100, 164))
    with pytest.raises(PortError, match="not contiguous"):
        devices("gfx942").launch(
            code("gfx942"), "saxpy", 1, 64, [64, 1.0, whole[::2], whole[:64].copy()]
        )


def test_threads_agree(devices: Callable[[str], Device]) -> None:
    n = 1 << 14
    results = []
    for threads in (1, 2, 4):
        x, y = np.arange(n, dtype=np.float32), np.ones(n, np.float32)
        devices("gfx942").launch(
            code("gfx942"), "saxpy", n // 64, 64, [n, 2.0, x, y], options=Options(threads=threads)
        )
        results.append(y)
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_races_are_found(devices: Callable[[str], Device]) -> None:
    x, y = np.arange(256, dtype=np.float32), np.zeros(256, np.float32)
    options = Options(check_lds=True, schedule="round-robin")
    report = devices("gfx942").launch(code("gfx942"), "racy", 1, 256, [x, y], options=options)
    kinds = {o.kind for o in report.observations}
    assert "read-write race" in kinds
    report = devices("gfx942").launch(
        code("gfx942"),
        "dynamic",
        1,
        128,
        [np.arange(128, dtype=np.int32)] * 2,
        dynamic_lds=512,
        options=options,
    )
    assert report.observations == ()
    report = devices("gfx942").launch(code("gfx942"), "reads_garbage", 1, 256, [y], options=options)
    assert {o.kind for o in report.observations} == {"uninitialised read"}
    assert min(o.address for o in report.observations) == 256


@pytest.mark.parametrize(
    ("kernel", "is_race"),
    (
        ("neighbour_block", True),
        ("neighbour_wave", True),
        ("neighbour_after_barrier", False),
        ("counts_without_atomics", True),
        ("counts_with_atomics", False),
        ("last_block_sums", False),
        ("bytes_of_a_word", False),
    ),
)
def test_races_in_global_memory(
    devices: Callable[[str], Device], kernel: str, is_race: bool
) -> None:
    x, y, z = (np.arange(512, dtype=np.int32) for _ in range(3))
    z[:] = 0
    grid, block = (1, 256) if kernel.endswith(("wave", "barrier")) else (4, 128)
    for arch in ("gfx942", "gfx1100"):
        if arch == "gfx1100" and kernel == "neighbour_wave":
            continue  # the same, by other waves
        report = devices(arch).launch(
            code(arch), kernel, grid, block, [x, y, z], options=Options(check_global=True)
        )
        assert bool(report.observations) == is_race
        for seen in report.observations:
            assert seen.kind == "global race"
            assert "argument 1" in seen.array
            assert "source.hip:" in seen.place
            assert "source.hip:" in seen.other_place


@pytest.mark.parametrize("arch", ("gfx942", "gfx1100"))
def test_printf(devices: Callable[[str], Device], arch: str) -> None:
    x = np.zeros(200, np.int32)
    x[[5, 70, 130]] = [3, 4, 5]
    report = devices(arch).launch(code(arch), "prints", 1, 200, [x])
    assert sorted(report.output.splitlines()) == [
        f"lane {lane} of {value:5.2f}% [7   |00ff] {chr(97 + lane & 255)} 123456789abcdef"
        for lane, value in ((130, 2.5), (5, 1.5), (70, 2.0))
    ]


def test_assert_says_what_failed(devices: Callable[[str], Device]) -> None:
    x = np.zeros(64, np.int32)
    devices("gfx942").launch(code("gfx942"), "asserts", 1, 64, [x])
    x[9] = 9
    text = _fault(devices, "asserts", [x])
    assert "a trap" in text and "`x[threadIdx.x] < 9' failed" in text


def test_profile(devices: Callable[[str], Device]) -> None:
    x, y = np.zeros(64 * 32, np.float32), np.zeros(64, np.float32)
    report = devices("gfx942").launch(
        code("gfx942"), "strided", 1, 64, [x, y], options=Options(profile=True)
    )
    profile = report.profile
    assert isinstance(profile, Profile) and profile.basis == "predicted"
    assert sum(profile.instructions.values()) == report.instructions
    assert profile.instructions["barrier"] == 1
    loads = [a for a in profile.accesses if "load" in a.instruction]
    assert (loads[0].transactions, loads[0].ideal) == (64, 4)
    assert profile.lds_conflict_cycles == 2 * 2 * 31
    assert profile.lane_utilisation == 1.0
    assert 1 <= profile.waves_per_simd <= 8
    text = render_profile(profile)
    assert "64 transactions, 4 at best" in text and "predicted" in text


def test_trace(devices: Callable[[str], Device]) -> None:
    x, y = np.arange(64, dtype=np.float32), np.ones(64, np.float32)
    report = devices("gfx942").launch(
        code("gfx942"), "saxpy", 1, 64, [64, 2.0, x, y], options=Options(trace=(0, 5))
    )
    names = [step.instruction for step in report.trace]
    assert names[-1] == "s_endpgm" and len(names) == report.instructions
    fused = next(s for s in report.trace if s.instruction in ("v_fmac_f32", "v_fma_f32"))
    assert np.uint32(fused.vdst[0]).view(np.float32) == 11.0
    assert ".hip" in fused.place
    text = render_trace(report.trace).splitlines()
    assert len(text) == len(names) and any("= 41300000" in line for line in text)


def _fault(
    devices: Callable[[str], Device], kernel: str, args: list[object], **rest: object
) -> str:
    with pytest.raises(DeviceFault) as caught:
        devices("gfx942").launch(code("gfx942"), kernel, 2, 64, args, **rest)  # type: ignore[arg-type]
    return caught.value.diagnostic.render()


def test_faults_say_what_and_where(devices: Callable[[str], Device]) -> None:
    text = _fault(devices, "past_the_end", [np.zeros(100, np.float32)])
    assert "0 bytes past the end of argument 0" in text
    assert "store of 4 bytes" in text and "lane 36" in text and "source.hip:" in text
    text = _fault(devices, "null_pointer", [None])
    assert "null pointer" in text
    x = np.ones(64, np.int32)
    x[7] = -1
    assert "trap" in _fault(devices, "traps", [x])
    read_only = np.zeros(128, np.float32)
    read_only.flags.writeable = False
    assert "read-only" in _fault(devices, "past_the_end", [read_only])
    # The device goes on after a fault.
    y = np.zeros(128, np.float32)
    devices("gfx942").launch(code("gfx942"), "past_the_end", 2, 64, [y])
    assert (y == 1).all()


def test_a_stack_that_outgrows_its_memory_is_a_fault(devices: Callable[[str], Device]) -> None:
    """A lane's scratch ends; a recursion that goes on must not reach the next lane's."""
    text = _fault(devices, "endless_recursion", [np.full(64, 1 << 20, np.int32)])
    assert "scratch access outside the lane's share" in text and "source.hip:" in text


def test_waves_that_wait_for_each_other_are_shown(devices: Callable[[str], Device]) -> None:
    """The first workgroup waits for a flag that the last one would set, which waits for its own."""
    flags = np.zeros(2, np.int32)
    with pytest.raises(DeviceFault, match="did not end") as caught:
        devices("gfx942").launch(
            code("gfx942"), "circle", 2, 64, [flags], options=Options(instruction_limit=200_000)
        )
    assert {p.group for p in caught.value.positions} == {0, 1}
    assert "circle" in caught.value.diagnostic.render()


def test_endless_loops_end(devices: Callable[[str], Device]) -> None:
    flag = np.zeros(1, np.int32)
    text = _fault(devices, "endless", [flag], options=Options(instruction_limit=500_000))
    assert "did not end within 500,000 wave instructions" in text and "endless+" in text
    text = _fault(devices, "endless", [flag], options=Options(seconds=0.5))
    assert "0.5 seconds" in text


def test_a_wait_for_a_later_workgroup_ends(devices: Callable[[str], Device]) -> None:
    flag, out = np.zeros(1, np.int32), np.zeros(40, np.int32)
    for threads in (1, 2):
        flag[:], out[:] = 0, 0
        devices("gfx942").launch(
            code("gfx942"), "waits_for_next", 40, 64, [flag, out], options=Options(threads=threads)
        )
        assert out.tolist() == list(range(1, 41))


@pytest.mark.parametrize("threads", (1, 2))
def test_barrier_across_workgroups(devices: Callable[[str], Device], threads: int) -> None:
    x, y = np.zeros(20 * 128, np.int32), np.zeros(20 * 128, np.int32)
    devices("gfx942").launch(
        code("gfx942"), "grid_barrier", 20, 128, [x, y], options=Options(threads=threads)
    )
    assert (y == 210).all() and (x == 210).all()


def test_bad_launches(devices: Callable[[str], Device]) -> None:
    x = np.zeros(64, np.float32)

    def refused(match: str, *args: object, **rest: object) -> None:
        with pytest.raises(PortError, match=match):
            devices("gfx942").launch(code("gfx942"), *args, **rest)  # type: ignore[arg-type]

    refused("no kernel nothing", "nothing", 1, 64, [])
    refused("argument 1 has 4 bytes; an array was given", "saxpy", 1, 64, [1, x, x, x])
    refused("takes 4 arguments, 3 were given", "saxpy", 1, 64, [1, 2.0, x])
    refused("4 bytes, a float64 has 8", "saxpy", 1, 64, [1, np.float64(2), x, x])
    refused("more than", "saxpy", 1, 2048, [1, 2.0, x, x])
    refused("must not be empty", "saxpy", 0, 64, [1, 2.0, x, x])
    refused("bytes of LDS", "dynamic", 1, 64, [x, x], dynamic_lds=1 << 17)
    refused("does not fit", "saxpy", 1, 64, [1 << 40, 2.0, x, x])
    refused("no variable missing", "uses_globals", 1, 64, [x], globals={"missing": x})
    with pytest.raises(PortError, match="for gfx942, the device is a gfx90a"):
        devices("gfx90a").launch(code("gfx942"), "saxpy", 1, 64, [1, 2.0, x, x])


def test_bad_code_objects() -> None:
    good = compile_hip(SOURCE, "gfx942", flags=("-gline-tables-only",))
    for data in (b"", b"\x7fELF", good[:1000], b"not an object at all", bytes(4096)):
        with pytest.raises(PortError):
            CodeObject.load(data)
    with pytest.raises(PortError, match="is for gfx942, not gfx90a"):
        CodeObject.load(good, "gfx90a")
    with pytest.raises(PortError, match="cannot read"):
        CodeObject.load("/nonexistent/file.hsaco")
    with pytest.raises(PortError, match="does not know"):
        Device("gfx803")


def test_damaged_code_objects_do_no_harm() -> None:
    """Bytes changed anywhere: refused, a fault, or a run that ends; the next launch works."""
    good = compile_hip(SOURCE, "gfx942")
    rng = np.random.default_rng(7)
    x, y = np.zeros(64, np.float32), np.zeros(64, np.float32)
    limits = Options(seconds=5, instruction_limit=1_000_000)
    outcomes = set()
    with Device("gfx942") as device:
        for _ in range(60):
            damaged = bytearray(good)
            for _ in range(rng.integers(1, 40)):
                damaged[rng.integers(len(damaged))] = rng.integers(256)
            try:
                device.launch(
                    CodeObject.load(bytes(damaged)), "saxpy", 1, 64, [64, 2.0, x, y], options=limits
                )
                outcomes.add("ran")
            except PortError as error:
                outcomes.add(error.diagnostic.code.name)
        y[:] = 1
        device.launch(CodeObject.load(good), "saxpy", 1, 64, [64, 2.0, x, y])
    assert "BAD_CODE_OBJECT" in outcomes and "INTERNAL" not in outcomes


def test_unknown_opcode_is_a_fault_only_when_reached(devices: Callable[[str], Device]) -> None:
    from amdgpu_encoding import encode

    from crossport.validation.amdgpu.stepping import State, run_code

    skipped = encode("SOPP", "s_branch", simm16=2) + b"\xff\xff\xff\xff" * 2
    run_code(devices("gfx942"), skipped, State())
    with pytest.raises(DeviceFault, match="undecodable word 0xffffffff"):
        run_code(devices("gfx942"), b"\xff\xff\xff\xff", State())


def test_the_process_may_die(devices: Callable[[str], Device]) -> None:
    with Device("gfx942") as device:
        y = np.zeros(128, np.float32)
        device.launch(code("gfx942"), "past_the_end", 2, 64, [y])
        process = device.worker().process
        process.kill()
        process.wait()
        device.launch(code("gfx942"), "past_the_end", 2, 64, [y])
