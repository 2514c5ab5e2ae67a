// bfloat16 for HIP where a toolchain's headers lack it (the triton wheel's do).
//
// The names and meanings of HIP's <hip/hip_bf16.h>: the upper half of a float, rounded to nearest
// even. Arithmetic is done in float and rounded once. Everything works on host and device.

#pragma once

#include <hip/hip_runtime.h>

#include <cmath>

#pragma push_macro("CP_HD")
#define CP_HD static inline __host__ __device__ __attribute__((always_inline))

struct __hip_bfloat16_raw {
  unsigned short x;
};

struct __hip_bfloat16 {
  unsigned short data;

  __hip_bfloat16() = default;
  __host__ __device__ constexpr __hip_bfloat16(__hip_bfloat16_raw r) : data(r.x) {}
  __host__ __device__ constexpr __hip_bfloat16(float f) : data(round(f)) {}
  __host__ __device__ constexpr __hip_bfloat16(double d) : data(round((float)d)) {}
  __host__ __device__ constexpr __hip_bfloat16(int v) : data(round((float)v)) {}
  __host__ __device__ constexpr __hip_bfloat16(unsigned v) : data(round((float)v)) {}
  __host__ __device__ constexpr __hip_bfloat16(long long v) : data(round((float)v)) {}
  __host__ __device__ constexpr __hip_bfloat16(unsigned long long v) : data(round((float)v)) {}

  __host__ __device__ constexpr operator float() const {
    return __builtin_bit_cast(float, (unsigned)data << 16);
  }
  __host__ __device__ explicit operator double() const { return (float)*this; }
  __host__ __device__ explicit operator int() const { return (int)(float)*this; }
  __host__ __device__ explicit operator bool() const { return (float)*this != 0.0f; }
  __host__ __device__ operator __hip_bfloat16_raw() const { return __hip_bfloat16_raw{data}; }

  __host__ __device__ __hip_bfloat16& operator+=(__hip_bfloat16 o) { return *this = (float)*this + (float)o; }
  __host__ __device__ __hip_bfloat16& operator-=(__hip_bfloat16 o) { return *this = (float)*this - (float)o; }
  __host__ __device__ __hip_bfloat16& operator*=(__hip_bfloat16 o) { return *this = (float)*this * (float)o; }
  __host__ __device__ __hip_bfloat16& operator/=(__hip_bfloat16 o) { return *this = (float)*this / (float)o; }

  static __host__ __device__ constexpr unsigned short round(float f) {
    unsigned bits = __builtin_bit_cast(unsigned, f);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (unsigned short)((bits >> 16) | 0x40u);
    return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
};

#define CP_OPERATOR(op)                                                                            \
  CP_HD __hip_bfloat16 operator op(__hip_bfloat16 a, __hip_bfloat16 b) {                           \
    _Pragma("clang fp contract(off)") return __hip_bfloat16((float)a op(float) b);                 \
  }
CP_OPERATOR(+)
CP_OPERATOR(-)
CP_OPERATOR(*)
CP_OPERATOR(/)
#undef CP_OPERATOR
CP_HD __hip_bfloat16 operator-(__hip_bfloat16 a) {
  return __hip_bfloat16_raw{(unsigned short)(a.data ^ 0x8000)};
}
#define CP_COMPARE(op)                                                                             \
  CP_HD bool operator op(__hip_bfloat16 a, __hip_bfloat16 b) { return (float)a op(float) b; }
CP_COMPARE(==)
CP_COMPARE(!=)
CP_COMPARE(<)
CP_COMPARE(<=)
CP_COMPARE(>)
CP_COMPARE(>=)
#undef CP_COMPARE

struct __attribute__((aligned(4))) __hip_bfloat162 {
  __hip_bfloat16 x, y;

  __hip_bfloat162() = default;
  __host__ __device__ constexpr __hip_bfloat162(__hip_bfloat16 a, __hip_bfloat16 b) : x(a), y(b) {}
};
CP_HD __hip_bfloat162 operator+(__hip_bfloat162 a, __hip_bfloat162 b) { return {a.x + b.x, a.y + b.y}; }
CP_HD __hip_bfloat162 operator-(__hip_bfloat162 a, __hip_bfloat162 b) { return {a.x - b.x, a.y - b.y}; }
CP_HD __hip_bfloat162 operator*(__hip_bfloat162 a, __hip_bfloat162 b) { return {a.x * b.x, a.y * b.y}; }
CP_HD __hip_bfloat162 operator/(__hip_bfloat162 a, __hip_bfloat162 b) { return {a.x / b.x, a.y / b.y}; }

CP_HD float __bfloat162float(__hip_bfloat16 a) { return (float)a; }
CP_HD __hip_bfloat16 __float2bfloat16(float f) { return __hip_bfloat16(f); }
CP_HD __hip_bfloat16 __float2bfloat16_rn(float f) { return __hip_bfloat16(f); }
CP_HD __hip_bfloat16 __double2bfloat16(double d) { return __hip_bfloat16(d); }
CP_HD __hip_bfloat16 __int2bfloat16_rn(int v) { return __hip_bfloat16(v); }
CP_HD __hip_bfloat16 __uint2bfloat16_rn(unsigned v) { return __hip_bfloat16(v); }
CP_HD int __bfloat162int_rn(__hip_bfloat16 a) { return (int)__builtin_rintf((float)a); }
CP_HD int __bfloat162int_rz(__hip_bfloat16 a) { return (int)(float)a; }
CP_HD unsigned short __bfloat16_as_ushort(__hip_bfloat16 a) { return a.data; }
CP_HD short __bfloat16_as_short(__hip_bfloat16 a) { return (short)a.data; }
CP_HD __hip_bfloat16 __ushort_as_bfloat16(unsigned short u) { return __hip_bfloat16_raw{u}; }
CP_HD __hip_bfloat16 __short_as_bfloat16(short s) { return __hip_bfloat16_raw{(unsigned short)s}; }
CP_HD __hip_bfloat162 make_bfloat162(__hip_bfloat16 a, __hip_bfloat16 b) { return {a, b}; }
CP_HD __hip_bfloat162 __halves2bfloat162(__hip_bfloat16 a, __hip_bfloat16 b) { return {a, b}; }
CP_HD __hip_bfloat162 __bfloat162bfloat162(__hip_bfloat16 a) { return {a, a}; }
CP_HD __hip_bfloat162 __float2bfloat162_rn(float f) { return {__hip_bfloat16(f), __hip_bfloat16(f)}; }
CP_HD __hip_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return {__hip_bfloat16(a), __hip_bfloat16(b)};
}
CP_HD __hip_bfloat162 __float22bfloat162_rn(float2 f) {
  return {__hip_bfloat16(f.x), __hip_bfloat16(f.y)};
}
CP_HD float2 __bfloat1622float2(__hip_bfloat162 a) { return make_float2((float)a.x, (float)a.y); }
CP_HD float __low2float(__hip_bfloat162 a) { return (float)a.x; }
CP_HD float __high2float(__hip_bfloat162 a) { return (float)a.y; }
CP_HD __hip_bfloat16 __low2bfloat16(__hip_bfloat162 a) { return a.x; }
CP_HD __hip_bfloat16 __high2bfloat16(__hip_bfloat162 a) { return a.y; }
CP_HD __hip_bfloat162 __low2bfloat162(__hip_bfloat162 a) { return {a.x, a.x}; }
CP_HD __hip_bfloat162 __high2bfloat162(__hip_bfloat162 a) { return {a.y, a.y}; }

CP_HD __hip_bfloat16 __hneg(__hip_bfloat16 a) { return -a; }
CP_HD __hip_bfloat16 __habs(__hip_bfloat16 a) {
  return __hip_bfloat16_raw{(unsigned short)(a.data & 0x7fff)};
}
CP_HD __hip_bfloat16 __hadd(__hip_bfloat16 a, __hip_bfloat16 b) { return a + b; }
CP_HD __hip_bfloat16 __hsub(__hip_bfloat16 a, __hip_bfloat16 b) { return a - b; }
CP_HD __hip_bfloat16 __hmul(__hip_bfloat16 a, __hip_bfloat16 b) { return a * b; }
CP_HD __hip_bfloat16 __hdiv(__hip_bfloat16 a, __hip_bfloat16 b) { return a / b; }
CP_HD __hip_bfloat16 __hfma(__hip_bfloat16 a, __hip_bfloat16 b, __hip_bfloat16 c) {
  return __hip_bfloat16(__builtin_fmaf((float)a, (float)b, (float)c));
}
CP_HD __hip_bfloat162 __hadd2(__hip_bfloat162 a, __hip_bfloat162 b) { return a + b; }
CP_HD __hip_bfloat162 __hsub2(__hip_bfloat162 a, __hip_bfloat162 b) { return a - b; }
CP_HD __hip_bfloat162 __hmul2(__hip_bfloat162 a, __hip_bfloat162 b) { return a * b; }
CP_HD __hip_bfloat162 __h2div(__hip_bfloat162 a, __hip_bfloat162 b) { return a / b; }
CP_HD __hip_bfloat162 __hfma2(__hip_bfloat162 a, __hip_bfloat162 b, __hip_bfloat162 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
CP_HD bool __hisnan(__hip_bfloat16 a) { return (a.data & 0x7fff) > 0x7f80; }
CP_HD int __hisinf(__hip_bfloat16 a) { return a.data == 0x7f80 ? 1 : a.data == 0xff80 ? -1 : 0; }
#define CP_RELATION(name, op)                                                                      \
  CP_HD bool __h##name(__hip_bfloat16 a, __hip_bfloat16 b) { return (float)a op(float) b; }
CP_RELATION(eq, ==)
CP_RELATION(ne, !=)
CP_RELATION(lt, <)
CP_RELATION(le, <=)
CP_RELATION(gt, >)
CP_RELATION(ge, >=)
#undef CP_RELATION
CP_HD __hip_bfloat16 __hmax(__hip_bfloat16 a, __hip_bfloat16 b) {
  return __hisnan(a) ? b : __hisnan(b) ? a : (float)a > (float)b ? a : b;
}
CP_HD __hip_bfloat16 __hmin(__hip_bfloat16 a, __hip_bfloat16 b) {
  return __hisnan(a) ? b : __hisnan(b) ? a : (float)a < (float)b ? a : b;
}

#define CP_MATH(name, f)                                                                           \
  static inline __device__ __hip_bfloat16 h##name(__hip_bfloat16 a) {                              \
    return __hip_bfloat16(f((float)a));                                                            \
  }
CP_MATH(sqrt, ::sqrtf)
CP_MATH(rsqrt, ::rsqrtf)
CP_MATH(rcp, 1.0f /)
CP_MATH(exp, ::expf)
CP_MATH(exp2, ::exp2f)
CP_MATH(exp10, ::exp10f)
CP_MATH(log, ::logf)
CP_MATH(log2, ::log2f)
CP_MATH(log10, ::log10f)
CP_MATH(sin, ::sinf)
CP_MATH(cos, ::cosf)
CP_MATH(ceil, ::ceilf)
CP_MATH(floor, ::floorf)
CP_MATH(trunc, ::truncf)
CP_MATH(rint, ::rintf)
#undef CP_MATH

#define CP_SHUFFLE(name, T)                                                                        \
  static inline __device__ __hip_bfloat16 name(__hip_bfloat16 v, T lane, int width = warpSize) {   \
    return __hip_bfloat16_raw{(unsigned short)name((int)v.data, lane, width)};                     \
  }
CP_SHUFFLE(__shfl, int)
CP_SHUFFLE(__shfl_xor, int)
CP_SHUFFLE(__shfl_up, unsigned)
CP_SHUFFLE(__shfl_down, unsigned)
#undef CP_SHUFFLE

#pragma pop_macro("CP_HD")
