// Half precision for HIP where a toolchain's headers lack it (the triton wheel's do).
//
// The names and meanings of HIP's <hip/hip_fp16.h>, written over the compiler's own _Float16: values
// round to nearest even, mathematics goes through float. Everything works on host and device.

#pragma once

#include <hip/hip_runtime.h>

#include <cmath>

#pragma push_macro("CP_HD")
#define CP_HD static inline __host__ __device__ __attribute__((always_inline))

struct __half_raw {
  unsigned short x;
};

struct __half {
  _Float16 data;

  __half() = default;
  __host__ __device__ constexpr __half(_Float16 v) : data(v) {}
  __host__ __device__ constexpr __half(float v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(double v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(int v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(unsigned v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(short v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(unsigned short v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(long v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(unsigned long v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(long long v) : data((_Float16)v) {}
  __host__ __device__ constexpr __half(unsigned long long v) : data((_Float16)v) {}
  __host__ __device__ __half(__half_raw r) : data(__builtin_bit_cast(_Float16, r.x)) {}

  __host__ __device__ operator float() const { return (float)data; }
  __host__ __device__ explicit operator _Float16() const { return data; }
  __host__ __device__ explicit operator double() const { return (double)data; }
  __host__ __device__ explicit operator bool() const { return data != (_Float16)0; }
  __host__ __device__ explicit operator int() const { return (int)data; }
  __host__ __device__ explicit operator unsigned() const { return (unsigned)data; }
  __host__ __device__ explicit operator short() const { return (short)data; }
  __host__ __device__ explicit operator unsigned short() const { return (unsigned short)data; }
  __host__ __device__ explicit operator long long() const { return (long long)data; }
  __host__ __device__ explicit operator unsigned long long() const {
    return (unsigned long long)data;
  }
  __host__ __device__ operator __half_raw() const {
    return __half_raw{__builtin_bit_cast(unsigned short, data)};
  }

  __host__ __device__ __half& operator+=(__half o) { return data = data + o.data, *this; }
  __host__ __device__ __half& operator-=(__half o) { return data = data - o.data, *this; }
  __host__ __device__ __half& operator*=(__half o) { return data = data * o.data, *this; }
  __host__ __device__ __half& operator/=(__half o) { return data = data / o.data, *this; }
  __host__ __device__ __half& operator++() { return data = data + (_Float16)1, *this; }
  __host__ __device__ __half& operator--() { return data = data - (_Float16)1, *this; }
  __host__ __device__ __half operator++(int) { __half old = *this; return ++*this, old; }
  __host__ __device__ __half operator--(int) { __half old = *this; return --*this, old; }
  __host__ __device__ __half operator+() const { return *this; }
  __host__ __device__ __half operator-() const { return __half(-data); }
};

// One operation, one rounding: these are never fused with a neighbour.
#define CP_OPERATOR(op)                                                                            \
  CP_HD __half operator op(__half a, __half b) {                                                   \
    _Pragma("clang fp contract(off)") return __half((_Float16)(a.data op b.data));                 \
  }
CP_OPERATOR(+)
CP_OPERATOR(-)
CP_OPERATOR(*)
CP_OPERATOR(/)
#undef CP_OPERATOR
#define CP_COMPARE(op)                                                                             \
  CP_HD bool operator op(__half a, __half b) { return a.data op b.data; }
CP_COMPARE(==)
CP_COMPARE(!=)
CP_COMPARE(<)
CP_COMPARE(<=)
CP_COMPARE(>)
CP_COMPARE(>=)
#undef CP_COMPARE

struct __attribute__((aligned(4))) __half2 {
  __half x, y;

  __half2() = default;
  __host__ __device__ constexpr __half2(__half a, __half b) : x(a), y(b) {}
  __host__ __device__ __half2& operator+=(__half2 o) { return x += o.x, y += o.y, *this; }
  __host__ __device__ __half2& operator-=(__half2 o) { return x -= o.x, y -= o.y, *this; }
  __host__ __device__ __half2& operator*=(__half2 o) { return x *= o.x, y *= o.y, *this; }
  __host__ __device__ __half2& operator/=(__half2 o) { return x /= o.x, y /= o.y, *this; }
};
typedef __half half;
typedef __half2 half2;
typedef __half2 __half2_raw;

CP_HD __half2 operator+(__half2 a, __half2 b) { return __half2(a.x + b.x, a.y + b.y); }
CP_HD __half2 operator-(__half2 a, __half2 b) { return __half2(a.x - b.x, a.y - b.y); }
CP_HD __half2 operator*(__half2 a, __half2 b) { return __half2(a.x * b.x, a.y * b.y); }
CP_HD __half2 operator/(__half2 a, __half2 b) { return __half2(a.x / b.x, a.y / b.y); }
CP_HD __half2 operator-(__half2 a) { return __half2(-a.x, -a.y); }
CP_HD bool operator==(__half2 a, __half2 b) { return a.x == b.x && a.y == b.y; }
CP_HD bool operator!=(__half2 a, __half2 b) { return !(a == b); }

// ---- conversions --------------------------------------------------------------------------------

CP_HD unsigned short __half_as_ushort(__half h) { return __builtin_bit_cast(unsigned short, h.data); }
CP_HD short __half_as_short(__half h) { return __builtin_bit_cast(short, h.data); }
CP_HD __half __ushort_as_half(unsigned short u) { return __half(__builtin_bit_cast(_Float16, u)); }
CP_HD __half __short_as_half(short s) { return __half(__builtin_bit_cast(_Float16, s)); }

CP_HD float __half2float(__half h) { return (float)h.data; }
CP_HD __half __float2half(float f) { return __half(f); }
CP_HD __half __float2half_rn(float f) { return __half(f); }
CP_HD __half __double2half(double d) { return __half(d); }
// A step towards where the nearest value overshot; the representation counts magnitudes.
CP_HD __half __float2half_rz(float f) {
  __half h(f);
  if (!(__builtin_fabsf((float)h.data) > __builtin_fabsf(f)) || f != f) return h;
  return __ushort_as_half((unsigned short)(__half_as_ushort(h) - 1));
}
CP_HD __half __float2half_rd(float f) {
  __half h(f);
  if (!((float)h.data > f)) return h;
  unsigned short u = __half_as_ushort(h);
  return __ushort_as_half((unsigned short)(u == 0 ? 0x8001 : u & 0x8000 ? u + 1 : u - 1));
}
CP_HD __half __float2half_ru(float f) { return -__float2half_rd(-f); }

CP_HD __half2 make_half2(__half a, __half b) { return __half2(a, b); }
CP_HD __half2 __halves2half2(__half a, __half b) { return __half2(a, b); }
CP_HD __half2 __half2half2(__half a) { return __half2(a, a); }
CP_HD __half2 __float2half2_rn(float f) { return __half2(__half(f), __half(f)); }
CP_HD __half2 __floats2half2_rn(float a, float b) { return __half2(__half(a), __half(b)); }
CP_HD __half2 __float22half2_rn(float2 f) { return __half2(__half(f.x), __half(f.y)); }
CP_HD float2 __half22float2(__half2 h) { return make_float2((float)h.x.data, (float)h.y.data); }
CP_HD float __low2float(__half2 h) { return (float)h.x.data; }
CP_HD float __high2float(__half2 h) { return (float)h.y.data; }
CP_HD __half __low2half(__half2 h) { return h.x; }
CP_HD __half __high2half(__half2 h) { return h.y; }
CP_HD __half2 __low2half2(__half2 h) { return __half2(h.x, h.x); }
CP_HD __half2 __high2half2(__half2 h) { return __half2(h.y, h.y); }
CP_HD __half2 __lowhigh2highlow(__half2 h) { return __half2(h.y, h.x); }
CP_HD __half2 __lows2half2(__half2 a, __half2 b) { return __half2(a.x, b.x); }
CP_HD __half2 __highs2half2(__half2 a, __half2 b) { return __half2(a.y, b.y); }

#define CP_INTEGER(name, T)                                                                        \
  CP_HD T __half2##name##_rn(__half h) { return (T)__builtin_rintf((float)h.data); }               \
  CP_HD T __half2##name##_rz(__half h) { return (T)(float)h.data; }                                \
  CP_HD T __half2##name##_rd(__half h) { return (T)__builtin_floorf((float)h.data); }              \
  CP_HD T __half2##name##_ru(__half h) { return (T)__builtin_ceilf((float)h.data); }               \
  CP_HD __half __##name##2half_rn(T v) { return __half(v); }                                       \
  CP_HD __half __##name##2half_rz(T v) { return __float2half_rz((float)v); }                       \
  CP_HD __half __##name##2half_rd(T v) { return __float2half_rd((float)v); }                       \
  CP_HD __half __##name##2half_ru(T v) { return __float2half_ru((float)v); }
CP_INTEGER(int, int)
CP_INTEGER(uint, unsigned)
CP_INTEGER(short, short)
CP_INTEGER(ushort, unsigned short)
CP_INTEGER(ll, long long)
CP_INTEGER(ull, unsigned long long)
#undef CP_INTEGER

// ---- arithmetic, comparison -----------------------------------------------------------------------

CP_HD __half __cp_saturate(__half h) {
  return h.data > (_Float16)0 ? (h.data < (_Float16)1 ? h : __half(1.0f)) : __half(0.0f);
}
CP_HD __half __hneg(__half a) { return -a; }
CP_HD __half __habs(__half a) { return __ushort_as_half(__half_as_ushort(a) & 0x7fff); }
CP_HD __half __hfma(__half a, __half b, __half c) {
#if defined(__HIP_DEVICE_COMPILE__)
  return __half(__builtin_fmaf16(a.data, b.data, c.data));
#else
  return __half((_Float16)__builtin_fma((double)a.data, (double)b.data, (double)c.data));
#endif
}
CP_HD __half __hfma_relu(__half a, __half b, __half c) {
  __half r = __hfma(a, b, c);
  return r.data < (_Float16)0 ? __half(0.0f) : r;
}
CP_HD __half __hfma_sat(__half a, __half b, __half c) { return __cp_saturate(__hfma(a, b, c)); }
CP_HD __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  return __half2(__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y));
}
CP_HD __half2 __hneg2(__half2 a) { return -a; }
CP_HD __half2 __habs2(__half2 a) { return __half2(__habs(a.x), __habs(a.y)); }

#define CP_ARITHMETIC(name, op)                                                                    \
  CP_HD __half __h##name(__half a, __half b) { return a op b; }                                    \
  CP_HD __half __h##name##_rn(__half a, __half b) { return a op b; }                               \
  CP_HD __half __h##name##_sat(__half a, __half b) { return __cp_saturate(a op b); }               \
  CP_HD __half2 __h##name##2(__half2 a, __half2 b) { return a op b; }                              \
  CP_HD __half2 __h##name##2_rn(__half2 a, __half2 b) { return a op b; }                           \
  CP_HD __half2 __h##name##2_sat(__half2 a, __half2 b) {                                           \
    return __half2(__cp_saturate(a.x op b.x), __cp_saturate(a.y op b.y));                          \
  }
CP_ARITHMETIC(add, +)
CP_ARITHMETIC(sub, -)
CP_ARITHMETIC(mul, *)
#undef CP_ARITHMETIC
CP_HD __half __hdiv(__half a, __half b) { return a / b; }
CP_HD __half2 __h2div(__half2 a, __half2 b) { return a / b; }

CP_HD bool __hisnan(__half a) { return a.data != a.data; }
CP_HD int __hisinf(__half a) {
  unsigned short u = __half_as_ushort(a);
  return u == 0x7c00 ? 1 : u == 0xfc00 ? -1 : 0;
}
CP_HD __half2 __hisnan2(__half2 a) {
  return __half2(__half(__hisnan(a.x) ? 1.f : 0.f), __half(__hisnan(a.y) ? 1.f : 0.f));
}
#define CP_RELATION(name, op)                                                                      \
  CP_HD bool __h##name(__half a, __half b) { return a.data op b.data; }                            \
  CP_HD bool __h##name##u(__half a, __half b) {                                                    \
    return __hisnan(a) || __hisnan(b) || a.data op b.data;                                         \
  }                                                                                                \
  CP_HD __half2 __h##name##2(__half2 a, __half2 b) {                                               \
    return __half2(__half(__h##name(a.x, b.x) ? 1.f : 0.f),                                        \
                   __half(__h##name(a.y, b.y) ? 1.f : 0.f));                                       \
  }                                                                                                \
  CP_HD bool __hb##name##2(__half2 a, __half2 b) {                                                 \
    return __h##name(a.x, b.x) && __h##name(a.y, b.y);                                             \
  }
CP_RELATION(eq, ==)
CP_RELATION(ne, !=)
CP_RELATION(lt, <)
CP_RELATION(le, <=)
CP_RELATION(gt, >)
CP_RELATION(ge, >=)
#undef CP_RELATION

CP_HD __half __hmax(__half a, __half b) {
  return __hisnan(a) ? b : __hisnan(b) ? a : a.data > b.data ? a : b;
}
CP_HD __half __hmin(__half a, __half b) {
  return __hisnan(a) ? b : __hisnan(b) ? a : a.data < b.data ? a : b;
}
CP_HD __half __hmax_nan(__half a, __half b) { return __hisnan(a) ? a : __hisnan(b) ? b : __hmax(a, b); }
CP_HD __half __hmin_nan(__half a, __half b) { return __hisnan(a) ? a : __hisnan(b) ? b : __hmin(a, b); }
CP_HD __half2 __hmax2(__half2 a, __half2 b) { return __half2(__hmax(a.x, b.x), __hmax(a.y, b.y)); }
CP_HD __half2 __hmin2(__half2 a, __half2 b) { return __half2(__hmin(a.x, b.x), __hmin(a.y, b.y)); }

// ---- mathematics, on the device -------------------------------------------------------------------

#define CP_MATH(name, f)                                                                           \
  static inline __device__ __half h##name(__half a) { return __half(f((float)a.data)); }           \
  static inline __device__ __half2 h2##name(__half2 a) { return __half2(h##name(a.x), h##name(a.y)); }
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

// ---- between lanes, and through the read-only path --------------------------------------------------

#define CP_SHUFFLE(name, T)                                                                        \
  static inline __device__ __half name(__half v, T lane, int width = warpSize) {                   \
    return __ushort_as_half((unsigned short)name((int)__half_as_ushort(v), lane, width));          \
  }                                                                                                \
  static inline __device__ __half2 name(__half2 v, T lane, int width = warpSize) {                 \
    return __builtin_bit_cast(__half2, name(__builtin_bit_cast(int, v), lane, width));             \
  }
CP_SHUFFLE(__shfl, int)
CP_SHUFFLE(__shfl_xor, int)
CP_SHUFFLE(__shfl_up, unsigned)
CP_SHUFFLE(__shfl_down, unsigned)
#undef CP_SHUFFLE
static inline __device__ __half __ldg(const __half* p) { return *p; }
static inline __device__ __half2 __ldg(const __half2* p) { return *p; }

#pragma pop_macro("CP_HD")
