"""nvcuda::wmma and PTX's mma of a port, as compiled for AMD GPUs and run on the emulated ones.

Inputs are small integers, so that every order of sums gives the same bits. A wavefront of 64 lanes
holds two warps with tiles of their own; in some launches only one of them takes part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from crossport.backends.hip.port import port_unit
from crossport.backends.hip.semantics import semantic_edits
from crossport.frontend.parse import parse
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device
from crossport.validation.runners.amdgpu import kernel_symbols

ARCHS = ("gfx942", "gfx90a", "gfx1100")
WARPS = 3

# (name, element type, stored type, sum type, shapes)
SMALL = ((16, 16, 16), (32, 8, 16), (8, 32, 16))
KINDS = {
    "half": ("__half", "__half", "float", SMALL),
    "half_half": ("__half", "__half", "__half", SMALL),
    "bf16": ("__nv_bfloat16", "__nv_bfloat16", "float", SMALL),
    "tf32": ("wmma::precision::tf32", "float", "float", ((16, 16, 8),)),
    "s8": ("signed char", "signed char", "int", SMALL),
    "u8": ("unsigned char", "unsigned char", "int", SMALL),
    "double": ("double", "double", "double", ((8, 8, 4),)),
}
TYPES = {
    "__half": np.dtype(np.float16), "__nv_bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float": np.dtype(np.float32), "double": np.dtype(np.float64), "int": np.dtype(np.int32),
    "signed char": np.dtype(np.int8), "unsigned char": np.dtype(np.uint8),
}  # fmt: skip

WMMA = """
#include <mma.h>
#include <cuda_bf16.h>
using namespace nvcuda;
// A program's own names beside those of wmma.
using namespace nvcuda::wmma;
__device__ int lane() { return threadIdx.x % 32; }
template <class T> struct element { T value; };
__device__ int own_names() { return element<int>{lane()}.value; }

template <int M, int N, int K, class T, class S, class C, class LA, class LB>
__global__ void product(const S* a, const S* b, const C* c, C* d, int only, int columns) {
  int warp = threadIdx.x / 32;
  if (only >= 0 && warp != only) return;
  wmma::fragment<wmma::matrix_a, M, N, K, T, LA> x;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LB> y;
  wmma::fragment<wmma::accumulator, M, N, K, C> z, zero;
  bool ra = std::is_same<LA, wmma::row_major>::value, rb = std::is_same<LB, wmma::row_major>::value;
  wmma::layout_t how = columns ? wmma::mem_col_major : wmma::mem_row_major;
  wmma::load_matrix_sync(x, a + warp * M * K, ra ? K : M);
  wmma::load_matrix_sync(y, b + warp * K * N, rb ? N : K);
  wmma::load_matrix_sync(z, c + warp * M * N, columns ? M : N, how);
  wmma::fill_fragment(zero, C(0));
  for (int i = 0; i < x.num_elements; ++i) x.x[i] = x.x[i] + x.x[i];
  for (int i = 0; i < z.num_elements; ++i) z.x[i] = z.x[i] + zero.x[i];
  for (int step = 0; step <= warp; ++step) wmma::mma_sync(z, x, y, z);
  wmma::store_matrix_sync(d + warp * M * N, z, columns ? M : N, how);
}
"""


def _instances() -> list[tuple[str, str, tuple[int, int, int], bool, bool]]:
    return [
        (f"product<{m}, {n}, {k}, {kind}, {stored}, {total}, wmma::{la}, wmma::{lb}>",
         name, (m, n, k), la == "row_major", lb == "row_major")
        for name, (kind, stored, total, shapes) in KINDS.items()
        for m, n, k in shapes
        for la, lb in (("row_major", "col_major"), ("col_major", "row_major"))
    ]  # fmt: skip


def _ported(folder: Path, text: str, keep: list[str]) -> Path:
    """The port of a source, and what else comes with it, with these instances kept."""
    source = folder / "k.cu"
    source.write_text(text)
    ported = port_unit(source, unit=parse(source), semantics=semantic_edits)
    assert not [d for d in ported.diagnostics if d.severity.value == "error"]
    for file in ported.files:
        (folder / file.target).write_bytes(file.ported)
    names = [name.replace("__nv_bfloat16", "__hip_bfloat16") for name in keep]
    kept = "".join(
        f"__attribute__((used)) static auto* keep_{i} = &{name};\n" for i, name in enumerate(names)
    )
    entry = folder / "k.hip"
    entry.write_text(entry.read_text() + kept)
    return entry


@pytest.fixture(scope="module")
def wmma_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wmma")
    return _ported(folder, WMMA, [name for name, *_ in _instances()])


@pytest.mark.parametrize("arch", ARCHS)
def test_every_shape_and_type(wmma_source: Path, arch: str) -> None:
    code = CodeObject.load(compile_hip(wmma_source, arch, include=[wmma_source.parent]), arch)
    # In the order of the instances, as the compiler emits them is no matter: by their names.
    symbols = kernel_symbols(tuple(code.kernels))
    random = np.random.default_rng(7)
    ran = 0
    with Device(arch) as device:
        for instance, name, (m, n, k), a_rows, b_rows in _instances():
            _, stored, total, _ = KINDS[name]
            symbol = _symbol(symbols, instance)
            low = 0 if name == "u8" else -3
            a = random.integers(low, 4, (WARPS, m, k))
            b = random.integers(low, 4, (WARPS, k, n))
            c = random.integers(-5, 6, (WARPS, m, n))
            for only, columns in ((-1, 0), (0, 1), (1, 0)):
                steps = np.arange(1, WARPS + 1)[:, None, None]
                want = c + 2 * steps * (a @ b)
                d = np.full((WARPS, m, n), -77).astype(TYPES[total])
                x = _flat(a if a_rows else a.swapaxes(1, 2), TYPES[stored])
                y = _flat(b if b_rows else b.swapaxes(1, 2), TYPES[stored])
                z = _flat(c.swapaxes(1, 2) if columns else c, TYPES[total])
                out = _flat(d, TYPES[total])
                arguments = [x, y, z, out, np.int32(only), np.int32(columns)]
                device.launch(code, symbol, 1, 32 * WARPS, arguments)
                shape = (WARPS, n, m) if columns else (WARPS, m, n)
                found = out.view(TYPES[total]).reshape(shape).astype(np.float64)
                found = found.swapaxes(1, 2) if columns else found
                for warp in range(WARPS):
                    expected = want[warp] if only in (-1, warp) else d[warp].astype(np.float64)
                    assert np.array_equal(found[warp], expected), (instance, only, columns, warp)
                    ran += 1
    assert ran == len(_instances()) * 3 * WARPS


def _flat(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Contiguous, bfloat16 as its bits."""
    whole = np.ascontiguousarray(values.astype(dtype)).reshape(-1)
    return whole.view(np.uint16) if dtype == TYPES["__nv_bfloat16"] else whole


def _symbol(symbols: dict[str, str], instance: str) -> str:
    wanted = instance.replace("__nv_bfloat16", "__hip_bfloat16").replace("wmma::", "")
    wanted = wanted.replace(" ", "")
    for name, symbol in symbols.items():
        plain = name.replace("nvcuda::", "").replace("wmma::", "").replace(" ", "")
        if plain == wanted:
            return symbol
    raise AssertionError(f"{wanted} is not among {list(symbols)[:3]}")


# --- PTX ---

# (rows, k, type of A and B, type of C and D, registers of A, B, C; operand constraint of C)
PTX = (
    (16, 16, "f16", "f32", 4, 2, 4), (16, 8, "f16", "f32", 2, 1, 4),
    (16, 16, "f16", "f16", 4, 2, 2), (16, 8, "f16", "f16", 2, 1, 2),
    (16, 16, "bf16", "f32", 4, 2, 4), (16, 8, "bf16", "f32", 2, 1, 4),
    (16, 8, "tf32", "f32", 4, 2, 4), (16, 4, "tf32", "f32", 2, 1, 4),
    (16, 32, "s8", "s32", 4, 2, 4), (16, 16, "s8", "s32", 2, 1, 4),
    (16, 32, "u8", "s32", 4, 2, 4), (8, 16, "s8", "s32", 1, 1, 2),
    (8, 4, "f64", "f64", 1, 1, 2), (16, 8, "f64", "f64", 4, 2, 4), (16, 16, "f64", "f64", 8, 4, 4),
)  # fmt: skip
PTX_TYPES = {
    "f16": np.dtype(np.float16), "bf16": TYPES["__nv_bfloat16"], "tf32": np.dtype(np.float32),
    "f32": np.dtype(np.float32), "s8": np.dtype(np.int8), "u8": np.dtype(np.uint8),
    "s32": np.dtype(np.int32), "f64": np.dtype(np.float64),
}  # fmt: skip


def _ptx_kernel(index: int) -> str:
    rows, k, kind, total, na, nb, nc = PTX[index]
    word = "double" if kind == "f64" else "unsigned"
    out = {"f32": "float", "f64": "double"}.get(total, "unsigned")
    of = {"float": "f", "double": "d", "unsigned": "r"}
    number = iter(range(99))

    def part(count: int) -> str:
        return "{" + ", ".join(f"%{next(number)}" for _ in range(count)) + "}"

    text = f"mma.sync.aligned.m{rows}n8k{k}.row.col.{total}.{kind}.{kind}.{total} "
    text += ", ".join((part(nc), part(na), part(nb), part(nc)))
    outputs = ", ".join(f'"={of[out]}"(d[{i}])' for i in range(nc))
    inputs = [f'"{of[word]}"(a[{i}])' for i in range(na)]
    inputs += [f'"{of[word]}"(b[{i}])' for i in range(nb)]
    inputs += [f'"{of[out]}"(c[{i}])' for i in range(nc)]
    return f"""
__global__ void ptx_{index}(const {word}* A, const {word}* B, {out}* C, int only) {{
  if (only >= 0 && threadIdx.x / 32 != only) return;
  const {word} *a = A + threadIdx.x * {na}, *b = B + threadIdx.x * {nb};
  {out} *c = C + threadIdx.x * {nc}, d[{nc}];
  asm volatile("{text};" : {outputs} : {", ".join(inputs)});
  for (int i = 0; i < {nc}; ++i) c[i] = d[i];
}}
"""


def _held(index: int, which: str, tile: NDArray[Any]) -> NDArray[Any]:
    """What each lane of a warp holds of a tile, by the tables of the PTX ISA: lane by element."""
    rows, _, kind, total, na, nb, nc = PTX[index]
    lane = np.arange(32)[:, None]
    g, t = lane // 4, lane % 4
    if which == "c":
        count = nc * (2 if total == "f16" else 1)
        i = np.arange(count)[None, :]
        return np.asarray(tile[g + 8 * (i // 2), 2 * t + i % 2])
    each = max(4 // PTX_TYPES[kind].itemsize, 1)
    registers = na if which == "a" else nb
    i = np.arange(registers * each)[None, :]
    r, e = i // each, i % each
    down = rows // 8 if which == "a" else 1
    line, along = g + 8 * (r % down), t * each + e + 4 * each * (r // down)
    return np.asarray(tile[line, along] if which == "a" else tile[along, line])


@pytest.mark.parametrize("arch", ARCHS)
def test_mma_holds_what_ptx_says(tmp_path: Path, arch: str) -> None:
    text = "#include <cuda_fp16.h>\n" + "".join(map(_ptx_kernel, range(len(PTX))))
    entry = _ported(tmp_path, text, [])
    code = CodeObject.load(compile_hip(entry, arch, include=[tmp_path]), arch)
    symbols = kernel_symbols(tuple(code.kernels))
    random = np.random.default_rng(11)
    with Device(arch) as device:
        for index, (rows, k, kind, total, *_) in enumerate(PTX):
            low = 0 if kind == "u8" else -4
            a = random.integers(low, 5, (WARPS, rows, k))
            b = random.integers(low, 5, (WARPS, k, 8))
            c = random.integers(-9, 9, (WARPS, rows, 8))
            own, out = PTX_TYPES[kind], PTX_TYPES[total]
            for only in (-1, 0, 1):
                x, y, z = (
                    np.stack([_held(index, which, tile) for tile in tiles])
                    for which, tiles in (("a", a), ("b", b), ("c", c))
                )
                x, y, z = _flat(x, own), _flat(y, own), _flat(z, out)
                device.launch(
                    code, symbols[f"ptx_{index}"], 1, 32 * WARPS, [x, y, z, np.int32(only)]
                )
                want = np.stack([_held(index, "c", tile) for tile in a @ b + c])
                kept = np.stack([_held(index, "c", tile) for tile in c])
                found = z.view(out).reshape(want.shape).astype(np.float64)
                for warp in range(WARPS):
                    expected = want[warp] if only in (-1, warp) else kept[warp]
                    assert np.array_equal(found[warp], expected), (PTX[index], only, warp)


MATRICES = """
#include <cuda_fp16.h>
__global__ void matrices(const unsigned short* in, unsigned* out, unsigned short* stored) {
  __shared__ __align__(16) unsigned short tile[2][32 * 8], back[2][32 * 8];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int i = 0; i < 8; ++i) tile[warp][lane * 8 + i] = in[threadIdx.x * 8 + i];
  __syncwarp();
  unsigned address = (unsigned)__cvta_generic_to_shared(&tile[warp][lane * 8]);
  unsigned target = (unsigned)__cvta_generic_to_shared(&back[warp][lane * 8]);
  unsigned w[4], v[4], m;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3]) : "r"(address));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3]) : "r"(address));
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(m) : "r"(w[0]));
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 9 + i] = w[i];
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 9 + 4 + i] = v[i];
  out[threadIdx.x * 9 + 8] = m;
  asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};"
               :: "r"(target), "r"(w[0]), "r"(w[1]));
  asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0 + 256], {%1, %2};"
               :: "r"(target), "r"(w[2]), "r"(w[3]));
  __syncwarp();
  for (int i = 0; i < 8; ++i) stored[threadIdx.x * 8 + i] = back[warp][lane * 8 + i];
}
"""


@pytest.mark.parametrize("arch", ARCHS)
def test_matrices_of_16_bits(tmp_path: Path, arch: str) -> None:
    entry = _ported(tmp_path, MATRICES, [])
    code = CodeObject.load(compile_hip(entry, arch, include=[tmp_path]), arch)
    numbers = np.random.default_rng(3).permutation(2 * 32 * 8).astype(np.uint16)
    out = np.zeros((2, 32, 9), np.uint32)
    stored = np.zeros((2, 4, 8, 8), np.uint16)
    with Device(arch) as device:
        device.launch(code, next(iter(code.kernels)), 1, 64, [numbers.reshape(-1), out, stored])
    tiles = numbers.reshape(2, 4, 8, 8)
    # Lane l has elements 2*(l % 4) and the next of row l / 4.
    plain = tiles.reshape(2, 4, 32, 2).view(np.uint32)[..., 0].swapaxes(1, 2)
    across: NDArray[Any] = np.ascontiguousarray(tiles.swapaxes(2, 3))
    turned = across.reshape(2, 4, 32, 2).view(np.uint32)[..., 0].swapaxes(1, 2)
    assert np.array_equal(out[:, :, :4], plain)
    assert np.array_equal(out[:, :, 4:8], turned)
    assert np.array_equal(out[:, :, 8], turned[:, :, 0])
    assert np.array_equal(stored[:, :2], tiles[:, :2])
    assert np.array_equal(stored[:, 2:], tiles[:, 2:].swapaxes(2, 3))
