// PTX's warp-level matrix instructions on AMD GPUs, for a warp of 32 lanes on wavefronts of 32 or 64.
//
//   mma.m16n8kK, mma.m8n8kK     ldmatrix, stmatrix, movmatrix (8 x 8 of 16 bits)
//
// Which lane holds which element is PTX's own layout. With g = lane / 4 and t = lane % 4, and E
// elements a 32-bit register:
//   A   registers of row g (and g + 8), then of the next 4*E columns; t has columns t*E .. t*E + E-1
//   B   the same with the column g of B for the row      C, D   row g (and g + 8), columns 2*t, 2*t + 1
// So the row of A that a lane needs lies in its own quad (DPP), its two columns of B in two others
// (ds_bpermute). Every lane of the warp must be here, as PTX demands; the wavefront's other warp need
// not.
//
// Sums are float (int, double), k ascending, one fused multiply-add each; half results are rounded
// once at the end. tf32 reads the upper 19 bits of a float, as the tensor cores do.
#ifndef CROSSPORT_MMA_H
#define CROSSPORT_MMA_H

#include <hip/hip_runtime.h>

namespace crossport_mma {

struct f16 {
  static constexpr int each = 2;
  static __device__ float value(int word, int i) {
    const unsigned short bits = static_cast<unsigned short>(word >> (16 * i));
    return static_cast<float>(__builtin_bit_cast(_Float16, bits));
  }
};
struct bf16 {
  static constexpr int each = 2;
  static __device__ float value(int word, int i) {
    return __int_as_float(i == 0 ? word << 16 : word & 0xffff0000);
  }
};
struct tf32 {
  static constexpr int each = 1;
  static __device__ float value(int word, int) { return __int_as_float(word & 0xffffe000); }
};
struct s8 {
  static constexpr int each = 4;
  static constexpr bool is_signed = true;
};
struct u8 {
  static constexpr int each = 4;
  static constexpr bool is_signed = false;
};

static __device__ inline int wave_lane() {
  return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
}

// A word of lane `from` of the own quad; of lane `from` of the own warp.
template <int from> static __device__ inline int quad_word(int word) {
  return __builtin_amdgcn_mov_dpp(word, from * 0x55, 0xf, 0xf, true);
}
template <class T> static __device__ inline T warp_word(int from, T word) {
  return __builtin_amdgcn_ds_bpermute(((wave_lane() & 32) + from) * 4, word);
}
template <int from> static __device__ inline double quad_word(double value) {
  int words[2];
  __builtin_memcpy(words, &value, sizeof words);
  words[0] = quad_word<from>(words[0]);
  words[1] = quad_word<from>(words[1]);
  __builtin_memcpy(&value, words, sizeof words);
  return value;
}
static __device__ inline double warp_word(int from, double value) {
  int words[2];
  __builtin_memcpy(words, &value, sizeof words);
  words[0] = warp_word(from, words[0]);
  words[1] = warp_word(from, words[1]);
  __builtin_memcpy(&value, words, sizeof words);
  return value;
}

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

// The products of what lane `from` of the quads holds of k, `a` for each row, `b` for the column g.
template <class A, class B, int from, int rows, class Sum>
static __device__ inline void add_lane(Sum (&sum)[rows][2], const int* a, int b) {
  const int column = (wave_lane() & 3) * 8 + from;
  const int columns[2] = {warp_word(column, b), warp_word(column + 4, b)};
#pragma unroll
  for (int row = 0; row < rows; ++row) {
    const int word = quad_word<from>(a[row]);
    for (int j = 0; j < 2; ++j) {
      if constexpr (__is_same(Sum, int)) {
        sum[row][j] = add_bytes<A::is_signed, B::is_signed>(word, columns[j], sum[row][j]);
      } else {
#pragma unroll
        for (int i = 0; i < A::each; ++i) {
          sum[row][j] = add_product(A::value(word, i), B::value(columns[j], i), sum[row][j]);
        }
      }
    }
  }
}

template <class A, class B, int rows, int registers, class Sum>
static __device__ inline void add_all(
    Sum (&sum)[rows][2], const int (&a)[rows * registers], const int (&b)[registers]) {
  static_assert(A::each == B::each, "operands of one size");
#pragma unroll
  for (int r = 0; r < registers; ++r) {
    add_lane<A, B, 0>(sum, a + r * rows, b[r]);
    add_lane<A, B, 1>(sum, a + r * rows, b[r]);
    add_lane<A, B, 2>(sum, a + r * rows, b[r]);
    add_lane<A, B, 3>(sum, a + r * rows, b[r]);
  }
}

// d += A * B, d in float or int; the number of registers says how long k is.
template <class A, class B, class Sum, int count, int registers>
static __device__ inline void mma(
    Sum (&d)[count], const int (&a)[count / 2 * registers], const int (&b)[registers]) {
  add_all<A, B, count / 2, registers>(reinterpret_cast<Sum(&)[count / 2][2]>(d), a, b);
}

// The same with halves, two in a word.
template <class A, class B, int count, int registers>
static __device__ inline void mma_half(
    int (&d)[count], const int (&a)[count * registers], const int (&b)[registers]) {
  float sum[count][2];
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < 2; ++j) sum[i][j] = f16::value(d[i], j);
  }
  add_all<A, B, count, registers>(sum, a, b);
  for (int i = 0; i < count; ++i) {
    const _Float16 halves[2] = {static_cast<_Float16>(sum[i][0]), static_cast<_Float16>(sum[i][1])};
    __builtin_memcpy(&d[i], halves, sizeof halves);
  }
}

// .satfinite: an integer sum stops at the ends of its range.
template <class A, class B, int count, int registers>
static __device__ inline void mma_saturated(
    int (&d)[count], const int (&a)[count / 2 * registers], const int (&b)[registers]) {
  int sum[count] = {};
  mma<A, B>(sum, a, b);
  for (int i = 0; i < count; ++i) d[i] = __builtin_elementwise_add_sat(d[i], sum[i]);
}

template <int from, int rows>
static __device__ inline void add_lane(double (&sum)[rows][2], const double* a, double b) {
  const int column = (wave_lane() & 3) * 8 + from;
  const double columns[2] = {warp_word(column, b), warp_word(column + 4, b)};
  for (int row = 0; row < rows; ++row) {
    const double value = quad_word<from>(a[row]);
    for (int j = 0; j < 2; ++j) sum[row][j] = __builtin_fma(value, columns[j], sum[row][j]);
  }
}
template <int count, int registers>
static __device__ inline void mma_double(
    double (&d)[count], const double (&a)[count / 2 * registers], const double (&b)[registers]) {
  constexpr int rows = count / 2;
  auto& sum = reinterpret_cast<double(&)[rows][2]>(d);
#pragma unroll
  for (int r = 0; r < registers; ++r) {
    add_lane<0, rows>(sum, a + r * rows, b[r]);
    add_lane<1, rows>(sum, a + r * rows, b[r]);
    add_lane<2, rows>(sum, a + r * rows, b[r]);
    add_lane<3, rows>(sum, a + r * rows, b[r]);
  }
}

// --- 8 x 8 matrices of 16-bit elements ---

template <class T> static __device__ inline T* lds(unsigned offset) {
  return (T*)(__attribute__((address_space(3))) T*)(size_t)offset;
}
static __device__ inline void in_order() {
  __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
}

// Lane 8*m + i gives the address of row i of matrix m; each lane gets elements 2*t and 2*t + 1 of
// row g, or of column g.
template <bool is_transposed, int count>
static __device__ inline void load_matrices(int (&d)[count], unsigned address) {
  const int g = wave_lane() / 4 & 7, t = wave_lane() & 3;
  in_order();
#pragma unroll
  for (int m = 0; m < count; ++m) {
    if (is_transposed) {
      const unsigned short low = lds<unsigned short>(warp_word(8 * m + 2 * t, address))[g];
      const unsigned short high = lds<unsigned short>(warp_word(8 * m + 2 * t + 1, address))[g];
      d[m] = low | high << 16;
    } else {
      d[m] = lds<int>(warp_word(8 * m + g, address))[t];
    }
  }
}
template <bool is_transposed, int count>
static __device__ inline void store_matrices(unsigned address, const int (&words)[count]) {
  const int g = wave_lane() / 4 & 7, t = wave_lane() & 3;
  in_order();
#pragma unroll
  for (int m = 0; m < count; ++m) {
    if (is_transposed) {
      lds<unsigned short>(warp_word(8 * m + 2 * t, address))[g] = words[m];
      lds<unsigned short>(warp_word(8 * m + 2 * t + 1, address))[g] = words[m] >> 16;
    } else {
      lds<int>(warp_word(8 * m + g, address))[t] = words[m];
    }
  }
  in_order();
}
static __device__ inline int transposed(int word) {
  const int g = wave_lane() / 4 & 7, t = wave_lane() & 3, shift = g % 2 * 16;
  const int low = warp_word(8 * t + g / 2, word) >> shift;
  const int high = warp_word(8 * t + 4 + g / 2, word) >> shift;
  return (low & 0xffff) | high << 16;
}

}  // namespace crossport_mma

#endif  // CROSSPORT_MMA_H
