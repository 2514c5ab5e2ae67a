// fp16 and bf16: scalar and pair types, operators, intrinsics.
#pragma once
#pragma clang force_cuda_host_device begin

#define SHIM_HALF(H, H2, raw, align2)                                                          \
    struct raw { unsigned short x; };                                                          \
    struct __attribute__((aligned(2))) H {                                                     \
        unsigned short __x;                                                                    \
        H() = default;                                                                         \
        H(const raw&);                                                                         \
        H(float); H(double); H(int); H(unsigned); H(long); H(unsigned long); H(long long);     \
        H(unsigned long long); H(short); H(unsigned short); H(bool); H(char);                  \
        operator float() const;                                                                \
        operator raw() const;                                                                  \
        template <class T> H& operator=(T);                                                    \
        H& operator=(const H&) = default;                                                      \
        H& operator+=(const H&); H& operator-=(const H&);                                      \
        H& operator*=(const H&); H& operator/=(const H&);                                      \
        H& operator++(); H operator++(int); H& operator--(); H operator--(int);                \
    };                                                                                         \
    struct raw##2_ { unsigned short x, y; };                                                   \
    struct __attribute__((aligned(4))) H2 {                                                    \
        H x, y;                                                                                \
        H2() = default;                                                                        \
        H2(const H&, const H&);                                                                \
        H2(const raw##2_&);                                                                    \
        H2& operator+=(const H2&); H2& operator-=(const H2&);                                  \
        H2& operator*=(const H2&); H2& operator/=(const H2&);                                  \
    };                                                                                         \
    SHIM_OPERATOR(H, H2, +) SHIM_OPERATOR(H, H2, -) SHIM_OPERATOR(H, H2, *)                    \
    SHIM_OPERATOR(H, H2, /)                                                                    \
    SHIM_COMPARE(H, H2, ==) SHIM_COMPARE(H, H2, !=) SHIM_COMPARE(H, H2, <)                     \
    SHIM_COMPARE(H, H2, >) SHIM_COMPARE(H, H2, <=) SHIM_COMPARE(H, H2, >=)                     \
    H operator-(const H&); H operator+(const H&); H2 operator-(const H2&); H2 operator+(const H2&); \
    SHIM_TWO(H, H2, add) SHIM_TWO(H, H2, sub) SHIM_TWO(H, H2, mul)                             \
    SHIM_TWO(H, H2, max) SHIM_TWO(H, H2, min) SHIM_TWO(H, H2, max_nan) SHIM_TWO(H, H2, min_nan) \
    SHIM_TWO_OF(H, H2, add, _rn) SHIM_TWO_OF(H, H2, sub, _rn) SHIM_TWO_OF(H, H2, mul, _rn)     \
    SHIM_TWO_OF(H, H2, add, _sat) SHIM_TWO_OF(H, H2, sub, _sat) SHIM_TWO_OF(H, H2, mul, _sat)  \
    SHIM_THREE(H, H2, ) SHIM_THREE(H, H2, _rn) SHIM_THREE(H, H2, _sat) SHIM_THREE(H, H2, _relu) \
    H __hdiv(H, H); H2 __h2div(H2, H2); H2 __hcmadd(H2, H2, H2);                               \
    H __hneg(H); H2 __hneg2(H2); H __habs(H); H2 __habs2(H2);                                  \
    SHIM_TEST(H, H2, eq) SHIM_TEST(H, H2, ne) SHIM_TEST(H, H2, lt) SHIM_TEST(H, H2, gt)        \
    SHIM_TEST(H, H2, le) SHIM_TEST(H, H2, ge) SHIM_TEST(H, H2, equ) SHIM_TEST(H, H2, neu)      \
    SHIM_TEST(H, H2, ltu) SHIM_TEST(H, H2, gtu) SHIM_TEST(H, H2, leu) SHIM_TEST(H, H2, geu)    \
    bool __hisnan(H); int __hisinf(H); H2 __hisnan2(H2);                                       \
    SHIM_ONE(H, H2, exp) SHIM_ONE(H, H2, exp2) SHIM_ONE(H, H2, exp10) SHIM_ONE(H, H2, log)     \
    SHIM_ONE(H, H2, log2) SHIM_ONE(H, H2, log10) SHIM_ONE(H, H2, sqrt) SHIM_ONE(H, H2, rsqrt)  \
    SHIM_ONE(H, H2, rcp) SHIM_ONE(H, H2, sin) SHIM_ONE(H, H2, cos) SHIM_ONE(H, H2, tanh)       \
    SHIM_ONE(H, H2, floor) SHIM_ONE(H, H2, ceil) SHIM_ONE(H, H2, rint) SHIM_ONE(H, H2, trunc)  \
    SHIM_ONE(H, H2, tanh_approx)
#define SHIM_OPERATOR(H, H2, op) H operator op(const H&, const H&); H2 operator op(const H2&, const H2&);
#define SHIM_COMPARE(H, H2, op) bool operator op(const H&, const H&); bool operator op(const H2&, const H2&);
#define SHIM_TWO(H, H2, f) H __h##f(H, H); H2 __h##f##2(H2, H2);
#define SHIM_TWO_OF(H, H2, f, mode) H __h##f##mode(H, H); H2 __h##f##2##mode(H2, H2);
#define SHIM_THREE(H, H2, mode) H __hfma##mode(H, H, H); H2 __hfma2##mode(H2, H2, H2);
#define SHIM_TEST(H, H2, f) bool __h##f(H, H); H2 __h##f##2(H2, H2); bool __hb##f##2(H2, H2); unsigned __h##f##2_mask(H2, H2);
#define SHIM_ONE(H, H2, f) H h##f(H); H2 h2##f(H2);
SHIM_HALF(__half, __half2, __half_raw, 4)
SHIM_HALF(__nv_bfloat16, __nv_bfloat162, __nv_bfloat16_raw, 4)
#undef SHIM_HALF
#undef SHIM_OPERATOR
#undef SHIM_COMPARE
#undef SHIM_TWO
#undef SHIM_TWO_OF
#undef SHIM_THREE
#undef SHIM_TEST
#undef SHIM_ONE
typedef __half half;
typedef __half __nv_half;
typedef __half nv_half;
typedef __half2 half2;
typedef __half2 __nv_half2;
typedef __half2 nv_half2;
typedef __half_raw2_ __half2_raw;
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

float __half2float(__half);
double __half2double(__half);
float2 __half22float2(__half2);
float __bfloat162float(__nv_bfloat16);
double __bfloat162double(__nv_bfloat16);
float2 __bfloat1622float2(__nv_bfloat162);
__half __double2half(double);
__nv_bfloat16 __double2bfloat16(double);
__half2 __float22half2_rn(float2);
__half2 __float2half2_rn(float);
__half2 __floats2half2_rn(float, float);
__nv_bfloat162 __float22bfloat162_rn(float2);
__nv_bfloat162 __float2bfloat162_rn(float);
__nv_bfloat162 __floats2bfloat162_rn(float, float);
__half __ushort_as_half(unsigned short);
__half __short_as_half(short);
unsigned short __half_as_ushort(__half);
short __half_as_short(__half);
__nv_bfloat16 __ushort_as_bfloat16(unsigned short);
__nv_bfloat16 __short_as_bfloat16(short);
unsigned short __bfloat16_as_ushort(__nv_bfloat16);
short __bfloat16_as_short(__nv_bfloat16);
__half2 __halves2half2(__half, __half);
__half2 make_half2(__half, __half);
__half2 __half2half2(__half);
__half __low2half(__half2);
__half __high2half(__half2);
float __low2float(__half2);
float __high2float(__half2);
float __low2float(__nv_bfloat162);
float __high2float(__nv_bfloat162);
__half2 __low2half2(__half2);
__half2 __high2half2(__half2);
__half2 __lows2half2(__half2, __half2);
__half2 __highs2half2(__half2, __half2);
__half2 __lowhigh2highlow(__half2);
__nv_bfloat162 __halves2bfloat162(__nv_bfloat16, __nv_bfloat16);
__nv_bfloat162 make_bfloat162(__nv_bfloat16, __nv_bfloat16);
__nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16);
__nv_bfloat16 __low2bfloat16(__nv_bfloat162);
__nv_bfloat16 __high2bfloat16(__nv_bfloat162);
__nv_bfloat162 __low2bfloat162(__nv_bfloat162);
__nv_bfloat162 __high2bfloat162(__nv_bfloat162);
#define SHIM_ROUND(r) __half __float2half##r(float); __nv_bfloat16 __float2bfloat16##r(float);
SHIM_ROUND() SHIM_ROUND(_rn) SHIM_ROUND(_rz) SHIM_ROUND(_ru) SHIM_ROUND(_rd)
#undef SHIM_ROUND
#define SHIM_CONVERT(name, type, r)                 \
    __half __##name##2half_##r(type);               \
    type __half2##name##_##r(__half);               \
    __nv_bfloat16 __##name##2bfloat16_##r(type);    \
    type __bfloat162##name##_##r(__nv_bfloat16);
#define SHIM_CONVERTS(r)                                                                      \
    SHIM_CONVERT(short, short, r) SHIM_CONVERT(ushort, unsigned short, r) SHIM_CONVERT(int, int, r) \
    SHIM_CONVERT(uint, unsigned, r) SHIM_CONVERT(ll, long long, r)                             \
    SHIM_CONVERT(ull, unsigned long long, r)
SHIM_CONVERTS(rn) SHIM_CONVERTS(rz) SHIM_CONVERTS(ru) SHIM_CONVERTS(rd)
#undef SHIM_CONVERTS
#undef SHIM_CONVERT
signed char __half2char_rz(__half);
unsigned char __half2uchar_rz(__half);
signed char __bfloat162char_rz(__nv_bfloat16);
unsigned char __bfloat162uchar_rz(__nv_bfloat16);
#define CUDART_INF_FP16 __ushort_as_half((unsigned short)0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half((unsigned short)0x7FFFU)
#define CUDART_ZERO_FP16 __ushort_as_half((unsigned short)0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half((unsigned short)0x3C00U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half((unsigned short)0x7BFFU)
#define CUDART_INF_BF16 __ushort_as_bfloat16((unsigned short)0x7F80U)
#define CUDART_NAN_BF16 __ushort_as_bfloat16((unsigned short)0x7FFFU)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16((unsigned short)0x0000U)
#define CUDART_ONE_BF16 __ushort_as_bfloat16((unsigned short)0x3F80U)
#pragma clang force_cuda_host_device end
