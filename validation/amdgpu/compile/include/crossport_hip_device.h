// The device-side C and C++ library of HIP for compilers that lack clang's own wrapper headers.
//
// clang ships headers that give `sinf`, `std::sqrt`, `malloc`, placement new and so on a meaning in
// device code. The clang inside the ziglang wheel comes without them, so this file does their job:
// it is force-included in front of every translation unit. Functions forward to AMD's device
// library (ocml, ockl), whose bitcode the triton wheel carries.

#pragma once
#if defined(__HIP__) && !defined(__CLANG_HIP_RUNTIME_WRAPPER_INCLUDED__)

// HIP's own headers leave their fallbacks out when they see this name.
#define __CLANG_HIP_RUNTIME_WRAPPER_INCLUDED__ 1

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __managed__ __attribute__((managed))

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdlib.h>
#include <type_traits>

// Everything that <complex> needs is in by now, so that only its own functions get both sides.
#include <sstream>
#include <tuple>
#pragma clang force_cuda_host_device begin
#include <complex>
#pragma clang force_cuda_host_device end

#pragma push_macro("CP_DEV")
#define CP_DEV static __device__ inline __attribute__((always_inline))

// ---- memory -------------------------------------------------------------------------------------

extern "C" {
__device__ unsigned long long __ockl_dm_alloc(unsigned long long);
__device__ void __ockl_dm_dealloc(unsigned long long);
__device__ inline __attribute__((weak)) void* malloc(__SIZE_TYPE__ size) {
  return (void*)__ockl_dm_alloc(size);
}
__device__ inline __attribute__((weak)) void free(void* p) {
  __ockl_dm_dealloc((unsigned long long)p);
}
__device__ inline __attribute__((weak, noreturn)) void __cxa_pure_virtual(void) { __builtin_trap(); }
__device__ inline __attribute__((weak, noreturn)) void __cxa_deleted_virtual(void) {
  __builtin_trap();
}
}

__device__ inline void* operator new(__SIZE_TYPE__ n) { return ::malloc(n ? n : 1); }
__device__ inline void* operator new[](__SIZE_TYPE__ n) { return ::malloc(n ? n : 1); }
__device__ inline void operator delete(void* p) noexcept { ::free(p); }
__device__ inline void operator delete[](void* p) noexcept { ::free(p); }
__device__ inline void operator delete(void* p, __SIZE_TYPE__) noexcept { ::free(p); }
__device__ inline void operator delete[](void* p, __SIZE_TYPE__) noexcept { ::free(p); }
__device__ inline void* operator new(__SIZE_TYPE__, void* p) noexcept { return p; }
__device__ inline void* operator new[](__SIZE_TYPE__, void* p) noexcept { return p; }
__device__ inline void operator delete(void*, void*) noexcept {}
__device__ inline void operator delete[](void*, void*) noexcept {}

// ---- mathematics --------------------------------------------------------------------------------

// name in C, name in ocml: T f(T)
#define CP_UNARY(X)                                                                                \
  X(acos, acos) X(acosh, acosh) X(asin, asin) X(asinh, asinh) X(atan, atan) X(atanh, atanh)        \
  X(cbrt, cbrt) X(ceil, ceil) X(cos, cos) X(cosh, cosh) X(erf, erf) X(erfc, erfc) X(exp, exp)      \
  X(exp2, exp2) X(expm1, expm1) X(fabs, fabs) X(floor, floor) X(lgamma, lgamma) X(log, log)        \
  X(log10, log10) X(log1p, log1p) X(log2, log2) X(logb, logb) X(nearbyint, nearbyint)              \
  X(rint, rint) X(round, round) X(sin, sin) X(sinh, sinh) X(sqrt, sqrt) X(tan, tan)                \
  X(tanh, tanh) X(tgamma, tgamma) X(trunc, trunc)
// the same, outside the C++ standard (so not in namespace std)
#define CP_UNARY_CUDA(X)                                                                           \
  X(cospi, cospi) X(sinpi, sinpi) X(exp10, exp10) X(erfcinv, erfcinv) X(erfcx, erfcx)              \
  X(erfinv, erfinv) X(j0, j0) X(j1, j1) X(y0, y0) X(y1, y1) X(normcdf, ncdf)                       \
  X(normcdfinv, ncdfinv) X(rcbrt, rcbrt) X(rsqrt, rsqrt) X(cyl_bessel_i0, i0)                      \
  X(cyl_bessel_i1, i1)
// T f(T, T)
#define CP_BINARY(X)                                                                               \
  X(atan2, atan2) X(copysign, copysign) X(fdim, fdim) X(fmax, fmax) X(fmin, fmin) X(fmod, fmod)    \
  X(hypot, hypot) X(nextafter, nextafter) X(pow, pow) X(remainder, remainder)
#define CP_BINARY_CUDA(X) X(rhypot, rhypot)

#define CP_DECLARE_1(c, ocml)                                                                      \
  extern "C" __device__ __attribute__((const)) float __ocml_##ocml##_f32(float);                   \
  extern "C" __device__ __attribute__((const)) double __ocml_##ocml##_f64(double);
#define CP_DECLARE_2(c, ocml)                                                                      \
  extern "C" __device__ __attribute__((const)) float __ocml_##ocml##_f32(float, float);            \
  extern "C" __device__ __attribute__((const)) double __ocml_##ocml##_f64(double, double);
CP_UNARY(CP_DECLARE_1)
CP_UNARY_CUDA(CP_DECLARE_1)
CP_BINARY(CP_DECLARE_2)
CP_BINARY_CUDA(CP_DECLARE_2)

extern "C" {
#define CP_DECLARE_BOTH(T, s)                                                                      \
  __device__ T __ocml_frexp_##s(T, __attribute__((address_space(5))) int*);                        \
  __device__ T __ocml_modf_##s(T, __attribute__((address_space(5))) T*);                           \
  __device__ T __ocml_remquo_##s(T, T, __attribute__((address_space(5))) int*);                    \
  __device__ T __ocml_sincos_##s(T, __attribute__((address_space(5))) T*);                         \
  __device__ T __ocml_sincospi_##s(T, __attribute__((address_space(5))) T*);                       \
  __device__ __attribute__((const)) T __ocml_ldexp_##s(T, int);                                    \
  __device__ __attribute__((const)) T __ocml_pown_##s(T, int);                                     \
  __device__ __attribute__((const)) T __ocml_scalb_##s(T, T);                                      \
  __device__ __attribute__((const)) T __ocml_fma_##s(T, T, T);                                     \
  __device__ __attribute__((const)) T __ocml_len3_##s(T, T, T);                                    \
  __device__ __attribute__((const)) T __ocml_len4_##s(T, T, T, T);                                 \
  __device__ __attribute__((const)) T __ocml_rlen3_##s(T, T, T);                                   \
  __device__ __attribute__((const)) T __ocml_rlen4_##s(T, T, T, T);                                \
  __device__ __attribute__((const)) int __ocml_ilogb_##s(T);                                       \
  __device__ __attribute__((const)) T __ocml_add_rte_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_add_rtn_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_add_rtp_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_add_rtz_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_sub_rtn_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_sub_rtp_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_sub_rtz_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_mul_rtn_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_mul_rtp_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_mul_rtz_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_div_rtn_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_div_rtp_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_div_rtz_##s(T, T);                                    \
  __device__ __attribute__((const)) T __ocml_sqrt_rtn_##s(T);                                      \
  __device__ __attribute__((const)) T __ocml_sqrt_rtp_##s(T);                                      \
  __device__ __attribute__((const)) T __ocml_sqrt_rtz_##s(T);                                      \
  __device__ __attribute__((const)) T __ocml_fma_rtn_##s(T, T, T);                                 \
  __device__ __attribute__((const)) T __ocml_fma_rtp_##s(T, T, T);                                 \
  __device__ __attribute__((const)) T __ocml_fma_rtz_##s(T, T, T);
CP_DECLARE_BOTH(float, f32)
CP_DECLARE_BOTH(double, f64)
#undef CP_DECLARE_BOTH
__device__ float __ocml_native_sin_f32(float);
__device__ float __ocml_native_cos_f32(float);
__device__ float __ocml_native_exp_f32(float);
__device__ float __ocml_native_exp2_f32(float);
__device__ float __ocml_native_exp10_f32(float);
__device__ float __ocml_native_log_f32(float);
__device__ float __ocml_native_log2_f32(float);
__device__ float __ocml_native_log10_f32(float);

// Names that HIP's headers call but do not declare when a compiler wrapper is present.
__device__ __attribute__((const)) _Float16 __ocml_ceil_f16(_Float16);
__device__ _Float16 __ocml_cos_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_cvtrtn_f16_f32(float);
__device__ __attribute__((const)) _Float16 __ocml_cvtrtp_f16_f32(float);
__device__ __attribute__((const)) _Float16 __ocml_cvtrtz_f16_f32(float);
__device__ __attribute__((pure)) _Float16 __ocml_exp_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_exp10_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_exp2_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_floor_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_fma_f16(_Float16, _Float16, _Float16);
__device__ __attribute__((const)) _Float16 __ocml_fmax_f16(_Float16, _Float16);
__device__ __attribute__((const)) _Float16 __ocml_fmin_f16(_Float16, _Float16);
__device__ __attribute__((const)) _Float16 __ocml_fabs_f16(_Float16);
__device__ __attribute__((const)) int __ocml_isinf_f16(_Float16);
__device__ __attribute__((const)) int __ocml_isnan_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_log_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_log10_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_log2_f16(_Float16);
__device__ __attribute__((pure)) _Float16 __ocml_pown_f16(_Float16, int);
__device__ __attribute__((const)) _Float16 __ocml_rint_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_rsqrt_f16(_Float16);
__device__ _Float16 __ocml_sin_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_sqrt_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_tanh_f16(_Float16);
__device__ __attribute__((const)) _Float16 __ocml_trunc_f16(_Float16);
__device__ __attribute__((pure)) int __ocml_isnan_f32(float);
__device__ __attribute__((pure)) int __ocml_isinf_f32(float);
__device__ __attribute__((pure)) int __ocml_isfinite_f32(float);
__device__ __attribute__((pure)) int __ocml_isnan_f64(double);
__device__ __attribute__((pure)) int __ocml_isinf_f64(double);
__device__ __attribute__((pure)) int __ocml_isfinite_f64(double);
}

// C names: sinf(float), sin(double); C++ overloads: sin(float), sin(integer).
#define CP_DEFINE_1(c, ocml)                                                                       \
  CP_DEV float c##f(float x) { return __ocml_##ocml##_f32(x); }                                    \
  CP_DEV double c(double x) { return __ocml_##ocml##_f64(x); }                                     \
  CP_DEV float c(float x) { return __ocml_##ocml##_f32(x); }                                       \
  template <typename I, typename = std::enable_if_t<std::is_integral_v<I>>>                        \
  CP_DEV double c(I x) {                                                                           \
    return __ocml_##ocml##_f64((double)x);                                                         \
  }
#define CP_DEFINE_2(c, ocml)                                                                       \
  CP_DEV float c##f(float x, float y) { return __ocml_##ocml##_f32(x, y); }                        \
  CP_DEV double c(double x, double y) { return __ocml_##ocml##_f64(x, y); }                        \
  CP_DEV float c(float x, float y) { return __ocml_##ocml##_f32(x, y); }                           \
  template <typename A, typename B,                                                                \
            typename = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B> &&      \
                                        !(std::is_same_v<A, float> && std::is_same_v<B, float>) && \
                                        !(std::is_same_v<A, double> &&                             \
                                          std::is_same_v<B, double>)>>                             \
  CP_DEV double c(A x, B y) {                                                                      \
    return __ocml_##ocml##_f64((double)x, (double)y);                                              \
  }
CP_UNARY(CP_DEFINE_1)
CP_UNARY_CUDA(CP_DEFINE_1)
CP_BINARY(CP_DEFINE_2)
CP_BINARY_CUDA(CP_DEFINE_2)

// Functions with results through pointers, other arities, or integer results. The C name of the
// float version has a trailing f; C++ also has the plain name for float.
#define CP_PRIVATE __attribute__((address_space(5)))
#define CP_OTHERS(T, s, f)                                                                         \
  CP_DEV T frexp##f(T x, int* e) {                                                                 \
    int t;                                                                                         \
    T r = __ocml_frexp_##s(x, (CP_PRIVATE int*)&t);                                                \
    *e = t;                                                                                        \
    return r;                                                                                      \
  }                                                                                                \
  CP_DEV T modf##f(T x, T* whole) {                                                                \
    T t;                                                                                           \
    T r = __ocml_modf_##s(x, (CP_PRIVATE T*)&t);                                                   \
    *whole = t;                                                                                    \
    return r;                                                                                      \
  }                                                                                                \
  CP_DEV T remquo##f(T x, T y, int* q) {                                                           \
    int t;                                                                                         \
    T r = __ocml_remquo_##s(x, y, (CP_PRIVATE int*)&t);                                            \
    *q = t;                                                                                        \
    return r;                                                                                      \
  }                                                                                                \
  CP_DEV void sincos##f(T x, T* sine, T* cosine) {                                                 \
    T t;                                                                                           \
    *sine = __ocml_sincos_##s(x, (CP_PRIVATE T*)&t);                                               \
    *cosine = t;                                                                                   \
  }                                                                                                \
  CP_DEV void sincospi##f(T x, T* sine, T* cosine) {                                               \
    T t;                                                                                           \
    *sine = __ocml_sincospi_##s(x, (CP_PRIVATE T*)&t);                                             \
    *cosine = t;                                                                                   \
  }                                                                                                \
  CP_DEV T fma##f(T x, T y, T z) { return __ocml_fma_##s(x, y, z); }                               \
  CP_DEV int ilogb##f(T x) { return __ocml_ilogb_##s(x); }                                         \
  CP_DEV T ldexp##f(T x, int e) { return __ocml_ldexp_##s(x, e); }                                 \
  CP_DEV T scalbn##f(T x, int e) { return __ocml_ldexp_##s(x, e); }                                \
  CP_DEV T scalbln##f(T x, long e) {                                                               \
    return __ocml_ldexp_##s(x, e > 100000 ? 100000 : e < -100000 ? -100000 : (int)e);              \
  }                                                                                                \
  CP_DEV long lrint##f(T x) { return (long)__ocml_rint_##s(x); }                                   \
  CP_DEV long long llrint##f(T x) { return (long long)__ocml_rint_##s(x); }                        \
  CP_DEV long lround##f(T x) { return (long)__ocml_round_##s(x); }                                 \
  CP_DEV long long llround##f(T x) { return (long long)__ocml_round_##s(x); }
CP_OTHERS(float, f32, f)
CP_OTHERS(float, f32, )
CP_OTHERS(double, f64, )

#define CP_OTHERS_CUDA(T, s, f)                                                                    \
  CP_DEV T norm3d##f(T x, T y, T z) { return __ocml_len3_##s(x, y, z); }                           \
  CP_DEV T norm4d##f(T x, T y, T z, T w) { return __ocml_len4_##s(x, y, z, w); }                   \
  CP_DEV T rnorm3d##f(T x, T y, T z) { return __ocml_rlen3_##s(x, y, z); }                         \
  CP_DEV T rnorm4d##f(T x, T y, T z, T w) { return __ocml_rlen4_##s(x, y, z, w); }                 \
  CP_DEV T norm##f(int n, const T* a) {                                                            \
    T sum = 0;                                                                                     \
    for (int i = 0; i < n; ++i) sum += a[i] * a[i];                                                \
    return __ocml_sqrt_##s(sum);                                                                   \
  }                                                                                                \
  CP_DEV T rnorm##f(int n, const T* a) { return 1 / norm##f(n, a); }                               \
  CP_DEV T powi##f(T x, int n) { return __ocml_pown_##s(x, n); }                                   \
  CP_DEV T jn##f(int n, T x) {                                                                     \
    T below = __ocml_j0_##s(x), here = __ocml_j1_##s(x);                                           \
    if (n == 0) return below;                                                                      \
    for (int k = 1; k < n; ++k) {                                                                  \
      T above = (2 * k) / x * here - below;                                                        \
      below = here;                                                                                \
      here = above;                                                                                \
    }                                                                                              \
    return here;                                                                                   \
  }                                                                                                \
  CP_DEV T yn##f(int n, T x) {                                                                     \
    T below = __ocml_y0_##s(x), here = __ocml_y1_##s(x);                                           \
    if (n == 0) return below;                                                                      \
    for (int k = 1; k < n; ++k) {                                                                  \
      T above = (2 * k) / x * here - below;                                                        \
      below = here;                                                                                \
      here = above;                                                                                \
    }                                                                                              \
    return here;                                                                                   \
  }
CP_OTHERS_CUDA(float, f32, f)
CP_OTHERS_CUDA(double, f64, )

CP_DEV float fdividef(float x, float y) { return x / y; }
CP_DEV float nanf(const char*) { return __builtin_nanf(""); }
CP_DEV double nan(const char*) { return __builtin_nan(""); }
CP_DEV float pow(float x, int n) { return __ocml_pown_f32(x, n); }
CP_DEV double pow(double x, int n) { return __ocml_pown_f64(x, n); }
CP_DEV float abs(float x) { return __builtin_fabsf(x); }
CP_DEV double abs(double x) { return __builtin_fabs(x); }
CP_DEV int abs(int x) { return x < 0 ? -x : x; }
CP_DEV long abs(long x) { return x < 0 ? -x : x; }
CP_DEV long long abs(long long x) { return x < 0 ? -x : x; }
CP_DEV long labs(long x) { return x < 0 ? -x : x; }
CP_DEV long long llabs(long long x) { return x < 0 ? -x : x; }

#define CP_CLASSIFY(T)                                                                             \
  CP_DEV bool isnan(T x) { return __builtin_isnan(x); }                                            \
  CP_DEV bool isinf(T x) { return __builtin_isinf(x); }                                            \
  CP_DEV bool isfinite(T x) { return __builtin_isfinite(x); }                                      \
  CP_DEV bool isnormal(T x) { return __builtin_isnormal(x); }                                      \
  CP_DEV bool signbit(T x) { return __builtin_signbit(x); }                                        \
  CP_DEV bool isgreater(T x, T y) { return __builtin_isgreater(x, y); }                            \
  CP_DEV bool isless(T x, T y) { return __builtin_isless(x, y); }
CP_CLASSIFY(float)
CP_CLASSIFY(double)
#undef CP_CLASSIFY

// Single-precision intrinsics: the fast ones are AMD's native instructions, as under ROCm.
CP_DEV float __sinf(float x) { return __ocml_native_sin_f32(x); }
CP_DEV float __cosf(float x) { return __ocml_native_cos_f32(x); }
CP_DEV float __tanf(float x) { return __ocml_native_sin_f32(x) / __ocml_native_cos_f32(x); }
CP_DEV void __sincosf(float x, float* s, float* c) {
  *s = __sinf(x);
  *c = __cosf(x);
}
CP_DEV float __expf(float x) { return __ocml_native_exp_f32(x); }
CP_DEV float __exp10f(float x) { return __ocml_native_exp10_f32(x); }
CP_DEV float __logf(float x) { return __ocml_native_log_f32(x); }
CP_DEV float __log2f(float x) { return __ocml_native_log2_f32(x); }
CP_DEV float __log10f(float x) { return __ocml_native_log10_f32(x); }
CP_DEV float __powf(float x, float y) { return __ocml_pow_f32(x, y); }
CP_DEV float __fdividef(float x, float y) { return x / y; }
CP_DEV float __saturatef(float x) { return x < 0 ? 0 : x > 1 ? 1 : x == x ? x : 0; }
CP_DEV float __frsqrt_rn(float x) { return __builtin_amdgcn_rsqf(x); }

#define CP_ROUNDED(prefix, T, s, mode, ocml)                                                       \
  CP_DEV T __##prefix##add_##mode(T x, T y) { return __ocml_add_##ocml##_##s(x, y); }              \
  CP_DEV T __##prefix##sub_##mode(T x, T y) { return __ocml_sub_##ocml##_##s(x, y); }              \
  CP_DEV T __##prefix##mul_##mode(T x, T y) { return __ocml_mul_##ocml##_##s(x, y); }              \
  CP_DEV T __##prefix##div_##mode(T x, T y) { return __ocml_div_##ocml##_##s(x, y); }              \
  CP_DEV T __##prefix##rcp_##mode(T x) { return __ocml_div_##ocml##_##s(1, x); }                   \
  CP_DEV T __##prefix##sqrt_##mode(T x) { return __ocml_sqrt_##ocml##_##s(x); }
CP_ROUNDED(f, float, f32, rd, rtn)
CP_ROUNDED(f, float, f32, ru, rtp)
CP_ROUNDED(f, float, f32, rz, rtz)
CP_ROUNDED(d, double, f64, rd, rtn)
CP_ROUNDED(d, double, f64, ru, rtp)
CP_ROUNDED(d, double, f64, rz, rtz)
#undef CP_ROUNDED
// Never contracted with a neighbour: that is what the _rn forms are for.
#define CP_NEAREST(prefix, T, s)                                                                   \
  CP_DEV T __##prefix##add_rn(T x, T y) { return __ocml_add_rte_##s(x, y); }                       \
  CP_DEV T __##prefix##sub_rn(T x, T y) { return __ocml_add_rte_##s(x, -y); }                      \
  CP_DEV T __##prefix##mul_rn(T x, T y) {                                                          \
    _Pragma("clang fp contract(off)") return x * y;                                                \
  }                                                                                                \
  CP_DEV T __##prefix##div_rn(T x, T y) { return x / y; }                                          \
  CP_DEV T __##prefix##rcp_rn(T x) { return 1 / x; }                                               \
  CP_DEV T __##prefix##sqrt_rn(T x) { return __ocml_sqrt_##s(x); }
CP_NEAREST(f, float, f32)
CP_NEAREST(d, double, f64)
#undef CP_NEAREST
#define CP_FMA(name, T, s)                                                                         \
  CP_DEV T name##_rn(T x, T y, T z) { return __ocml_fma_##s(x, y, z); }                            \
  CP_DEV T name##_rd(T x, T y, T z) { return __ocml_fma_rtn_##s(x, y, z); }                        \
  CP_DEV T name##_ru(T x, T y, T z) { return __ocml_fma_rtp_##s(x, y, z); }                        \
  CP_DEV T name##_rz(T x, T y, T z) { return __ocml_fma_rtz_##s(x, y, z); }
CP_FMA(__fmaf, float, f32)
CP_FMA(__fma, double, f64)
#undef CP_FMA

// ---- min and max, as CUDA overloads them at global scope -------------------------------------------

#define CP_MINMAX(R, A, B)                                                                         \
  CP_DEV R min(A x, B y) { return (R)x < (R)y ? (R)x : (R)y; }                                     \
  CP_DEV R max(A x, B y) { return (R)x > (R)y ? (R)x : (R)y; }
CP_MINMAX(int, int, int)
CP_MINMAX(unsigned, unsigned, unsigned)
CP_MINMAX(unsigned, int, unsigned)
CP_MINMAX(unsigned, unsigned, int)
CP_MINMAX(long, long, long)
CP_MINMAX(unsigned long, unsigned long, unsigned long)
CP_MINMAX(unsigned long, long, unsigned long)
CP_MINMAX(unsigned long, unsigned long, long)
CP_MINMAX(long long, long long, long long)
CP_MINMAX(unsigned long long, unsigned long long, unsigned long long)
CP_MINMAX(unsigned long long, long long, unsigned long long)
CP_MINMAX(unsigned long long, unsigned long long, long long)
#undef CP_MINMAX
CP_DEV float min(float x, float y) { return __builtin_fminf(x, y); }
CP_DEV float max(float x, float y) { return __builtin_fmaxf(x, y); }
CP_DEV double min(double x, double y) { return __builtin_fmin(x, y); }
CP_DEV double max(double x, double y) { return __builtin_fmax(x, y); }
CP_DEV double min(float x, double y) { return __builtin_fmin(x, y); }
CP_DEV double max(float x, double y) { return __builtin_fmax(x, y); }
CP_DEV double min(double x, float y) { return __builtin_fmin(x, y); }
CP_DEV double max(double x, float y) { return __builtin_fmax(x, y); }
// On the host CUDA offers the same names.
#define CP_HOST_MINMAX(T)                                                                          \
  static inline __host__ T min(T x, T y) { return y < x ? y : x; }                                 \
  static inline __host__ T max(T x, T y) { return x < y ? y : x; }
CP_HOST_MINMAX(int)
CP_HOST_MINMAX(unsigned)
CP_HOST_MINMAX(long)
CP_HOST_MINMAX(unsigned long)
CP_HOST_MINMAX(long long)
CP_HOST_MINMAX(unsigned long long)
CP_HOST_MINMAX(float)
CP_HOST_MINMAX(double)
#undef CP_HOST_MINMAX

// ---- the same functions under their C++ names -----------------------------------------------------

// libc++ keeps its host overloads in std; a using-declaration adds the device ones beside them.
_LIBCPP_BEGIN_NAMESPACE_STD
#define CP_USING(c, ocml) using ::c; using ::c##f;
CP_UNARY(CP_USING)
CP_BINARY(CP_USING)
#undef CP_USING
using ::abs;
using ::fma;
using ::fmaf;
using ::frexp;
using ::ilogb;
using ::isfinite;
using ::isgreater;
using ::isinf;
using ::isless;
using ::isnan;
using ::isnormal;
using ::ldexp;
using ::llrint;
using ::llround;
using ::lrint;
using ::lround;
using ::modf;
using ::nan;
using ::nanf;
using ::remquo;
using ::scalbln;
using ::scalbn;
using ::signbit;
_LIBCPP_END_NAMESPACE_STD

#undef CP_OTHERS
#undef CP_OTHERS_CUDA
#undef CP_PRIVATE
#undef CP_UNARY
#undef CP_UNARY_CUDA
#undef CP_BINARY
#undef CP_BINARY_CUDA
#undef CP_DECLARE_1
#undef CP_DECLARE_2
#undef CP_DEFINE_1
#undef CP_DEFINE_2
#pragma pop_macro("CP_DEV")
#endif
