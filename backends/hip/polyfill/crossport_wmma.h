// nvcuda::wmma on AMD GPUs: a fragment is spread over a warp of 32 lanes, also where a wavefront has
// 64 and holds two warps.
//
//   quad q = lane / 4 of the warp, r = lane % 4; the tile of D is cut into blocks of 4 x 4:
//     D     column 4*j + r, the four rows of block (i, j) in neighbouring elements
//     A     row 4*i + r, all of k           B   column 4*j + r, all of k
//   each quad has column block j = q % (N/4) and two row blocks i.
//
// So a product needs nothing from outside a quad: the rows of A come by DPP, or, where the whole
// wavefront takes part, from the matrix instruction for sixteen blocks of 4 x 4, eight for each warp.
// Elements of A and B are held several times; what is done to each x[i] is done to all copies.
//
// Sums: 16-bit floats and tf32 in float, k ascending, one fused multiply-add each (CDNA3's matrix
// instructions add four products at a time); a result of type half is rounded once at the end.
// tf32 reads the upper 19 bits of a float, as the tensor cores do.
#ifndef CROSSPORT_WMMA_H
#define CROSSPORT_WMMA_H

#include <hip/hip_runtime.h>
#include <hip/hip_bf16.h>
#include <hip/hip_fp16.h>

namespace nvcuda {
namespace wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
namespace precision {
struct tf32;
}
enum layout_t { mem_row_major, mem_col_major };

namespace crossport {

// The type that elements are stored as, and that products are summed in.
template <class T> struct element { using stored = T; using sum = float; };
template <> struct element<precision::tf32> { using stored = float; using sum = float; };
template <> struct element<double> { using stored = double; using sum = double; };
template <> struct element<signed char> { using stored = signed char; using sum = int; };
template <> struct element<char> { using stored = char; using sum = int; };
template <> struct element<unsigned char> { using stored = unsigned char; using sum = int; };

static __device__ inline int lane() {
  return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u)) & 31;
}

// What a lane holds of an M x N x K product: `runs` of `length` elements, each along k (A and B) or
// down a column (D). Run i starts at `start(i)` of line `line(i)`: a row of A, a column of B and D.
template <class Use, int M, int N, int K, class T> struct share {
  static_assert((M == 16 && N == 16) || (M == 32 && N == 8) || (M == 8 && N == 32),
                "a shape of tiles that wmma does not have");
  static constexpr int across = N / 4, down = 8 / across;  // quads side by side, and below
  static constexpr bool is_a = __is_same(Use, matrix_a), is_b = __is_same(Use, matrix_b);
  static constexpr int runs = is_b ? 1 : M / 4 / down, length = is_a || is_b ? K : 4;
  static __device__ int row(int i) { return (lane() / 4 / across + i * down) * 4; }
  static __device__ int column() { return lane() / 4 % across * 4 + lane() % 4; }
  static __device__ int line(int i) { return is_a ? row(i) + lane() % 4 : column(); }
  static __device__ int start(int i) { return is_a || is_b ? 0 : row(i); }
};
// double, 8 x 8 x 4: D has row lane / 4 and two columns, A one element, B the two columns.
template <> struct share<matrix_a, 8, 8, 4, double> {
  static constexpr int runs = 1, length = 1;
  static __device__ int line(int) { return lane() / 4; }
  static __device__ int start(int) { return lane() % 4; }
};
template <> struct share<matrix_b, 8, 8, 4, double> {
  static constexpr int runs = 2, length = 4;
  static __device__ int line(int i) { return lane() % 4 * 2 + i; }
  static __device__ int start(int) { return 0; }
};
template <> struct share<accumulator, 8, 8, 4, double> {
  static constexpr int runs = 2, length = 1;
  static __device__ int line(int i) { return lane() % 4 * 2 + i; }
  static __device__ int start(int) { return lane() / 4; }
};

}  // namespace crossport

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
  using element_type = T;
  using storage_element_type = typename crossport::element<T>::stored;
  using own = crossport::share<Use, M, N, K, T>;
  static constexpr int num_elements = own::runs * own::length;
  static constexpr int num_storage_elements = num_elements;
  storage_element_type x[num_elements];
};

template <class Use, int M, int N, int K, class T, class Layout>
static __device__ inline void fill_fragment(
    fragment<Use, M, N, K, T, Layout>& f, const typename crossport::element<T>::stored& value) {
  for (auto& each : f.x) each = value;
}

// To tf32: to the nearest, ties away from zero.
static __device__ inline float __float_to_tf32(float value) {
  return __uint_as_float((__float_as_uint(value) + 0x1000u) & 0xffffe000u);
}

// --- memory ---

namespace crossport {

static __device__ inline void in_order() {
  __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
}

// Where run i lies in memory, given the distance of its elements and of its lines.
template <class Own, class T>
static __device__ inline T* run_of(T* tile, int i, unsigned along, unsigned between) {
  return tile + static_cast<size_t>(Own::line(i)) * between +
         static_cast<size_t>(Own::start(i)) * along;
}

// CUDA asks for 32 bytes of alignment, and for lines that are a multiple of 16 bytes.
template <class Own, class T>
static __device__ inline void load_runs(T* x, const T* from, unsigned ldm, bool is_contiguous) {
  constexpr int bytes = Own::length * sizeof(T);
  in_order();
#pragma unroll
  for (int i = 0; i < Own::runs; ++i) {
    if (is_contiguous) {
      const T* run = run_of<Own>(from, i, 1, ldm);
      __builtin_memcpy(x + i * Own::length,
                       __builtin_assume_aligned(run, bytes < 16 ? bytes : 16), bytes);
    } else {
      const T* run = run_of<Own>(from, i, ldm, 1);
#pragma unroll
      for (int e = 0; e < Own::length; ++e) x[i * Own::length + e] = run[e * ldm];
    }
  }
}

}  // namespace crossport

template <int M, int N, int K, class T, class Layout>
static __device__ inline void load_matrix_sync(
    fragment<matrix_a, M, N, K, T, Layout>& f, const typename crossport::element<T>::stored* from,
    unsigned ldm) {
  crossport::load_runs<crossport::share<matrix_a, M, N, K, T>>(f.x, from, ldm, __is_same(Layout, row_major));
}
template <int M, int N, int K, class T, class Layout>
static __device__ inline void load_matrix_sync(
    fragment<matrix_b, M, N, K, T, Layout>& f, const typename crossport::element<T>::stored* from,
    unsigned ldm) {
  crossport::load_runs<crossport::share<matrix_b, M, N, K, T>>(f.x, from, ldm, __is_same(Layout, col_major));
}
template <int M, int N, int K, class T>
static __device__ inline void load_matrix_sync(
    fragment<accumulator, M, N, K, T>& f, const T* from, unsigned ldm, layout_t layout) {
  crossport::load_runs<crossport::share<accumulator, M, N, K, T>>(f.x, from, ldm, layout == mem_col_major);
}
template <int M, int N, int K, class T>
static __device__ inline void store_matrix_sync(
    T* to, const fragment<accumulator, M, N, K, T>& f, unsigned ldm, layout_t layout) {
  using Own = crossport::share<accumulator, M, N, K, T>;
  constexpr int bytes = Own::length * sizeof(T);
  crossport::in_order();
#pragma unroll
  for (int i = 0; i < Own::runs; ++i) {
    if (layout == mem_col_major) {
      T* run = crossport::run_of<Own>(to, i, 1, ldm);
      __builtin_memcpy(__builtin_assume_aligned(run, bytes < 16 ? bytes : 16),
                       f.x + i * Own::length, bytes);
    } else {
      T* run = crossport::run_of<Own>(to, i, ldm, 1);
#pragma unroll
      for (int e = 0; e < Own::length; ++e) run[e * ldm] = f.x[i * Own::length + e];
    }
  }
  crossport::in_order();
}

// --- products ---

namespace crossport {

// A 32-bit word of lane `from` of the own quad.
template <int from> static __device__ inline int quad_word(int word) {
  return __builtin_amdgcn_mov_dpp(word, from * 0x55, 0xf, 0xf, true);
}

// The number in element `i` of a word, as it enters the product.
template <class T> struct operand;
template <> struct operand<__half> {
  static constexpr int each = 2;
  static __device__ float value(int word, int i) {
    const unsigned short bits = static_cast<unsigned short>(word >> (16 * i));
    return static_cast<float>(__builtin_bit_cast(_Float16, bits));
  }
};
template <> struct operand<__hip_bfloat16> {
  static constexpr int each = 2;
  static __device__ float value(int word, int i) {
    return __int_as_float(i == 0 ? word << 16 : word & 0xffff0000);
  }
};
template <> struct operand<precision::tf32> {
  static constexpr int each = 1;
  static __device__ float value(int word, int) { return __int_as_float(word & 0xffffe000); }
};
template <> struct operand<signed char> { static constexpr int each = 4; };
template <> struct operand<char> { static constexpr int each = 4; };
template <> struct operand<unsigned char> { static constexpr int each = 4; };

static __device__ inline float add_product(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
static __device__ inline int add_product(int a, int b, int c) {
  return static_cast<int>(static_cast<unsigned>(a * b) + static_cast<unsigned>(c));
}

// c + the four products of bytes in two words; each is signed or not.
template <bool a_is_signed, bool b_is_signed>
static __device__ inline int add_bytes(int a, int b, int c) {
#if defined(__gfx1100__) || defined(__gfx1101__) || defined(__gfx1102__) || defined(__gfx1103__) || \
    defined(__gfx1150__) || defined(__gfx1151__) || defined(__gfx1200__) || defined(__gfx1201__)
  return __builtin_amdgcn_sudot4(a_is_signed, a, b_is_signed, b, c, false);
#else
#if defined(__gfx90a__) || defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) || \
    defined(__gfx950__)
  if (a_is_signed && b_is_signed) return __builtin_amdgcn_sdot4(a, b, c, false);
  if (!a_is_signed && !b_is_signed) return __builtin_amdgcn_udot4(a, b, c, false);
#endif
  for (int i = 0; i < 32; i += 8) {
    const int x = a_is_signed ? static_cast<signed char>(a >> i) : a >> i & 0xff;
    const int y = b_is_signed ? static_cast<signed char>(b >> i) : b >> i & 0xff;
    c = add_product(x, y, c);
  }
  return c;
#endif
}

// sum[4] += A block times B block, one word of k: the four rows of A are in the lanes of the quad.
template <class T, int row, class Sum>
static __device__ inline void add_row(Sum (&sum)[4], int a, int b) {
  const int word = quad_word<row>(a);
  if constexpr (__is_same(Sum, int)) {
    constexpr bool is_signed = !__is_same(T, unsigned char);
    sum[row] = add_bytes<is_signed, is_signed>(word, b, sum[row]);
  } else {
#pragma unroll
    for (int i = 0; i < operand<T>::each; ++i) {
      sum[row] = add_product(operand<T>::value(word, i), operand<T>::value(b, i), sum[row]);
    }
  }
}

#if defined(__gfx90a__) || defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) || \
    defined(__gfx950__)
#define CROSSPORT_WMMA_HAS_MATRIX_CORES 1

// Matrix instructions work on all lanes, whatever EXEC says: they are for wavefronts whose lanes
// (as many as the block gave it) are all here.
static __device__ inline bool is_whole_wavefront() {
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned left = threads - (__builtin_amdgcn_readfirstlane(thread) & ~63u);
  const unsigned long long lanes = left >= 64 ? ~0ull : (1ull << left) - 1;
  return __builtin_amdgcn_ballot_w64(true) == lanes;
}

typedef float float4_t __attribute__((ext_vector_type(4)));
typedef int int4_t __attribute__((ext_vector_type(4)));
typedef short short4_t __attribute__((ext_vector_type(4)));
typedef _Float16 half4_t __attribute__((ext_vector_type(4)));

// Four of k at a time (`words` of 32 bits): sum[4] += A block times B block, in sixteen quads.
template <class T> struct matrix_core;
template <class T> struct matrix_core_float {
  static __device__ void add(float (&sum)[4], const int* a, const int* b) {
    float4_t total = __builtin_bit_cast(float4_t, sum);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int word = k / operand<T>::each, i = k % operand<T>::each;
      total = __builtin_amdgcn_mfma_f32_4x4x1f32(
          operand<T>::value(a[word], i), operand<T>::value(b[word], i), total, 0, 0, 0);
    }
    __builtin_memcpy(sum, &total, sizeof sum);
  }
};
template <> struct matrix_core<precision::tf32> : matrix_core_float<precision::tf32> {};
#if defined(__gfx90a__)
// CDNA2's 16-bit matrix instructions take denormal numbers for zero; its 32-bit ones do not.
template <> struct matrix_core<__half> : matrix_core_float<__half> {};
template <> struct matrix_core<__hip_bfloat16> : matrix_core_float<__hip_bfloat16> {};
#else
template <> struct matrix_core<__half> {
  static __device__ void add(float (&sum)[4], const int* a, const int* b) {
    half4_t x, y;
    __builtin_memcpy(&x, a, sizeof x);
    __builtin_memcpy(&y, b, sizeof y);
    const float4_t total =
        __builtin_amdgcn_mfma_f32_4x4x4f16(x, y, __builtin_bit_cast(float4_t, sum), 0, 0, 0);
    __builtin_memcpy(sum, &total, sizeof sum);
  }
};
template <> struct matrix_core<__hip_bfloat16> {
  static __device__ void add(float (&sum)[4], const int* a, const int* b) {
    short4_t x, y;
    __builtin_memcpy(&x, a, sizeof x);
    __builtin_memcpy(&y, b, sizeof y);
    const float4_t total =
        __builtin_amdgcn_mfma_f32_4x4x4bf16_1k(x, y, __builtin_bit_cast(float4_t, sum), 0, 0, 0);
    __builtin_memcpy(sum, &total, sizeof sum);
  }
};
#endif
template <> struct matrix_core<signed char> {
  static __device__ void add(int (&sum)[4], const int* a, const int* b) {
    const int4_t total =
        __builtin_amdgcn_mfma_i32_4x4x4i8(*a, *b, __builtin_bit_cast(int4_t, sum), 0, 0, 0);
    __builtin_memcpy(sum, &total, sizeof sum);
  }
};
template <> struct matrix_core<char> : matrix_core<signed char> {};
#endif

}  // namespace crossport

template <int M, int N, int K, class T, class LA, class LB, class D, class C>
static __device__ inline void mma_sync(
    fragment<accumulator, M, N, K, D>& d, const fragment<matrix_a, M, N, K, T, LA>& a,
    const fragment<matrix_b, M, N, K, T, LB>& b, const fragment<accumulator, M, N, K, C>& c,
    bool saturates = false) {
  using Sum = typename crossport::element<T>::sum;
  constexpr int steps = crossport::share<accumulator, M, N, K, D>::runs, words = K / crossport::operand<T>::each;
  int x[steps][words], y[words];
  __builtin_memcpy(x, a.x, sizeof x);
  __builtin_memcpy(y, b.x, sizeof y);
  Sum sum[steps][4];
#pragma unroll
  for (int i = 0; i < steps * 4; ++i) {
    sum[i / 4][i % 4] = saturates ? Sum(0) : static_cast<Sum>(c.x[i]);
  }
#ifdef CROSSPORT_WMMA_HAS_MATRIX_CORES
  if (!__is_same(T, unsigned char) && crossport::is_whole_wavefront()) {
    if constexpr (!__is_same(T, unsigned char)) {
      constexpr int four = 4 / crossport::operand<T>::each;
#pragma unroll
      for (int i = 0; i < steps; ++i) {
#pragma unroll
        for (int k = 0; k < words; k += four) crossport::matrix_core<T>::add(sum[i], x[i] + k, y + k);
      }
    }
  } else
#endif
  {
#pragma unroll
    for (int i = 0; i < steps; ++i) {
#pragma unroll
      for (int k = 0; k < words; ++k) {
        crossport::add_row<T, 0>(sum[i], x[i][k], y[k]);
        crossport::add_row<T, 1>(sum[i], x[i][k], y[k]);
        crossport::add_row<T, 2>(sum[i], x[i][k], y[k]);
        crossport::add_row<T, 3>(sum[i], x[i][k], y[k]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < steps * 4; ++i) {
    Sum total = sum[i / 4][i % 4];
    if (saturates) {
      if constexpr (__is_same(Sum, int)) total = __builtin_elementwise_add_sat(total, c.x[i]);
      else total = total + static_cast<Sum>(c.x[i]);
    }
    d.x[i] = static_cast<D>(total);
  }
}

template <class LA, class LB>
static __device__ inline void mma_sync(
    fragment<accumulator, 8, 8, 4, double>& d, const fragment<matrix_a, 8, 8, 4, double, LA>& a,
    const fragment<matrix_b, 8, 8, 4, double, LB>& b,
    const fragment<accumulator, 8, 8, 4, double>& c) {
  double row[4];
  int words[2], others[2];
  __builtin_memcpy(words, a.x, sizeof words);
#define CROSSPORT_WMMA_ROW(k)          \
  others[0] = crossport::quad_word<k>(words[0]);  \
  others[1] = crossport::quad_word<k>(words[1]);  \
  __builtin_memcpy(&row[k], others, sizeof others);
  CROSSPORT_WMMA_ROW(0) CROSSPORT_WMMA_ROW(1) CROSSPORT_WMMA_ROW(2) CROSSPORT_WMMA_ROW(3)
#undef CROSSPORT_WMMA_ROW
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    double sum = c.x[i];
    for (int k = 0; k < 4; ++k) sum = __builtin_fma(row[k], b.x[i * 4 + k], sum);
    d.x[i] = sum;
  }
}

}  // namespace wmma
}  // namespace nvcuda

#endif  // CROSSPORT_WMMA_H
