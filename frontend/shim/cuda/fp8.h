// fp8 formats: storage types, conversions.
#pragma once
#include "half.h"
#pragma clang force_cuda_host_device begin
typedef unsigned char __nv_fp8_storage_t;
typedef unsigned short __nv_fp8x2_storage_t;
typedef unsigned int __nv_fp8x4_storage_t;
enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 };
#define SHIM_FP8(name, storage, wide)                                 \
    struct name {                                                     \
        storage __x;                                                  \
        name() = default;                                             \
        template <class... T> explicit name(const T&...);             \
        explicit operator wide() const;                               \
    };
#define SHIM_FP8_SCALAR(name)                                         \
    struct name {                                                     \
        __nv_fp8_storage_t __x;                                       \
        name() = default;                                             \
        template <class T> explicit name(const T&);                   \
        explicit operator float() const;                              \
        explicit operator double() const;                             \
        explicit operator __half() const;                             \
        explicit operator __nv_bfloat16() const;                      \
        explicit operator int() const;                                \
        explicit operator bool() const;                               \
    };
SHIM_FP8_SCALAR(__nv_fp8_e4m3) SHIM_FP8_SCALAR(__nv_fp8_e5m2)
SHIM_FP8(__nv_fp8x2_e4m3, __nv_fp8x2_storage_t, float2) SHIM_FP8(__nv_fp8x2_e5m2, __nv_fp8x2_storage_t, float2)
SHIM_FP8(__nv_fp8x4_e4m3, __nv_fp8x4_storage_t, float4) SHIM_FP8(__nv_fp8x4_e5m2, __nv_fp8x4_storage_t, float4)
#undef SHIM_FP8
#undef SHIM_FP8_SCALAR
__nv_fp8_storage_t __nv_cvt_float_to_fp8(float, __nv_saturation_t, __nv_fp8_interpretation_t);
__nv_fp8_storage_t __nv_cvt_double_to_fp8(double, __nv_saturation_t, __nv_fp8_interpretation_t);
__nv_fp8_storage_t __nv_cvt_halfraw_to_fp8(__half_raw, __nv_saturation_t, __nv_fp8_interpretation_t);
__nv_fp8_storage_t __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw, __nv_saturation_t, __nv_fp8_interpretation_t);
__nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2, __nv_saturation_t, __nv_fp8_interpretation_t);
__nv_fp8x2_storage_t __nv_cvt_halfraw2_to_fp8x2(__half2_raw, __nv_saturation_t, __nv_fp8_interpretation_t);
__half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t, __nv_fp8_interpretation_t);
__half2_raw __nv_cvt_fp8x2_to_halfraw2(__nv_fp8x2_storage_t, __nv_fp8_interpretation_t);
#pragma clang force_cuda_host_device end
