/* What the pseudocode calls: one lane, exact unless said otherwise.
 *
 * Written so that a loop over lanes vectorises: no library calls, no branches where a select does.
 * exp2, log2, sin and cos are evaluated in double and rounded once, which is closer to the exact
 * value than the hardware's own approximation (about 1 ulp). Results can differ in the last bit. */
#ifndef CROSSPORT_LANE_MATH_H
#define CROSSPORT_LANE_MATH_H
#include "base.h"

/* ---- bits */
ALWAYS u64 mask_of(i32 n) { return n >= 64 ? ~0ull : n <= 0 ? 0 : (1ull << n) - 1; }
ALWAYS u64 slice(u64 x, i32 high, i32 low) { return (x >> low) & mask_of(high - low + 1); }
ALWAYS u64 insert(u64 old, i32 high, i32 low, u64 v) {
    u64 m = mask_of(high - low + 1) << low;
    return (old & ~m) | ((v << low) & m);
}
ALWAYS u32 shl_u32(u32 x, u32 n) { return n < 32 ? x << (n & 31) : 0; }
ALWAYS i32 shl_i32(i32 x, u32 n) { return (i32)shl_u32((u32)x, n); }
ALWAYS u64 shl_u64(u64 x, u32 n) { return n < 64 ? x << (n & 63) : 0; }
ALWAYS i64 shl_i64(i64 x, u32 n) { return (i64)shl_u64((u64)x, n); }
ALWAYS u32 shr_u32(u32 x, u32 n) { return n < 32 ? x >> (n & 31) : 0; }
ALWAYS i32 shr_i32(i32 x, u32 n) { return x >> (n < 32 ? n : 31); }
ALWAYS u64 shr_u64(u64 x, u32 n) { return n < 64 ? x >> (n & 63) : 0; }
ALWAYS i64 shr_i64(i64 x, u32 n) { return x >> (n < 64 ? n : 63); }
ALWAYS u64 sign_from_bit(u64 v, u32 n) {
    return n == 0 ? 0 : n > 63 ? v : (u64)((i64)(v << ((64 - n) & 63)) >> ((64 - n) & 63));
}
ALWAYS u32 bit_reverse32(u64 wide) {
    u32 x = (u32)wide;
    x = ((x >> 1) & 0x55555555u) | ((x & 0x55555555u) << 1);
    x = ((x >> 2) & 0x33333333u) | ((x & 0x33333333u) << 2);
    x = ((x >> 4) & 0x0f0f0f0fu) | ((x & 0x0f0f0f0fu) << 4);
    return __builtin_bswap32(x);
}
ALWAYS u64 bit_reverse64(u64 x) {
    return ((u64)bit_reverse32(x) << 32) | bit_reverse32(x >> 32);
}
ALWAYS i32 ff1_b64(u64 x) { return x ? __builtin_ctzll(x) : -1; }
ALWAYS u32 popcount64(u64 x) { return (u32)__builtin_popcountll(x); }
ALWAYS u32 lanes_below(u32 bits_, i32 lane) {
    return bits_ & (lane >= 32 ? ~0u : lane <= 0 ? 0u : (1u << (lane & 31)) - 1);
}
ALWAYS u32 absdiff(u64 a, u64 b) { return (u32)a > (u32)b ? (u32)a - (u32)b : (u32)b - (u32)a; }
ALWAYS u32 sad_u8(u64 a, u64 b, u64 sum) {
    u32 r = (u32)sum;
    for (int i = 0; i < 32; i += 8) r += absdiff((a >> i) & 255, (b >> i) & 255);
    return r;
}
ALWAYS u32 msad_u8(u64 a, u64 b, u64 sum) {
    u32 r = (u32)sum;
    for (int i = 0; i < 32; i += 8)
        r += ((b >> i) & 255) ? absdiff((a >> i) & 255, (b >> i) & 255) : 0;
    return r;
}
ALWAYS u64 byte_permute(u64 data, u64 sel) {
    u32 s = (u32)sel & 255;
    u64 sign = (data >> ((2 * (s & 3) + 1) * 8 + 7)) & 1; /* 8..11: bytes 1, 3, 5, 7 */
    return s >= 13 ? 255 : s == 12 ? 0 : s >= 8 ? sign * 255 : (data >> (8 * (s & 7))) & 255;
}
ALWAYS u32 sat_u8(u64 v) { i32 n = (i16)v; return n <= 0 ? 0 : n >= 255 ? 255 : (u32)n; }
ALWAYS u32 prng(u64 v) { u32 x = (u32)v; return (x << 1) ^ ((x >> 31) ? 197u : 0u); }

/* ---- integers */
#define INTEGER_RULES(T)                                                                          \
    ALWAYS T min_##T(T a, T b) { return a < b ? a : b; }                                          \
    ALWAYS T max_##T(T a, T b) { return a > b ? a : b; }                                          \
    ALWAYS T min3_##T(T a, T b, T c) { return min_##T(min_##T(a, b), c); }                        \
    ALWAYS T max3_##T(T a, T b, T c) { return max_##T(max_##T(a, b), c); }
INTEGER_RULES(i16)
INTEGER_RULES(u16)
INTEGER_RULES(i32)
INTEGER_RULES(u32)
ALWAYS i32 abs_i32(i32 a) { return (i32)(a < 0 ? 0u - (u32)a : (u32)a); }

/* ---- floats: classes and parts */
#define FLOAT_RULES(T, U, BITS, MANTISSA, EXPONENT)                                               \
    ALWAYS u64 raw_##T(T a) { return B##BITS(a); }                                                \
    ALWAYS u32 is_nan_##T(T a) { return a != a; }                                                 \
    ALWAYS u32 is_snan_##T(T a) { return a != a && !((B##BITS(a) >> (MANTISSA - 1)) & 1); }       \
    ALWAYS u32 is_qnan_##T(T a) { return a != a && ((B##BITS(a) >> (MANTISSA - 1)) & 1); }        \
    ALWAYS T quiet_##T(T a) { return F##BITS(B##BITS(a) | (1ull << (MANTISSA - 1))); }            \
    ALWAYS u32 is_zero_##T(T a, int negative) {                                                   \
        return B##BITS(a) == (negative ? 1ull << (BITS - 1) : 0ull);                              \
    }                                                                                             \
    ALWAYS i32 exponent_##T(T a) {                                                                \
        return (i32)((B##BITS(a) >> MANTISSA) & ((1 << EXPONENT) - 1));                           \
    }                                                                                             \
    ALWAYS u32 sign_##T(T a) { return (u32)(B##BITS(a) >> (BITS - 1)); }                          \
    ALWAYS T abs_##T(T a) { return F##BITS(B##BITS(a) & ~(1ull << (BITS - 1))); }                 \
    ALWAYS T copysign_##T(T a, u32 negative) {                                                    \
        return F##BITS((B##BITS(a) & ~(1ull << (BITS - 1))) | ((u64)negative << (BITS - 1)));     \
    }                                                                                             \
    /* IEEE 754-2008 minNum/maxNum with -0 < +0; in IEEE mode a signalling NaN wins, quieted. */  \
    ALWAYS T min_##T(T a, T b, u32 ieee) {                                                        \
        T less = (a < b || (a == b && sign_##T(a))) ? a : b;                                      \
        T r = a != a ? b : b != b ? a : less;                                                     \
        r = (ieee && is_snan_##T(b)) ? quiet_##T(b) : r;                                          \
        return (ieee && is_snan_##T(a)) ? quiet_##T(a) : r;                                       \
    }                                                                                             \
    ALWAYS T max_##T(T a, T b, u32 ieee) {                                                        \
        T more = (a > b || (a == b && !sign_##T(a))) ? a : b;                                     \
        T r = a != a ? b : b != b ? a : more;                                                     \
        r = (ieee && is_snan_##T(b)) ? quiet_##T(b) : r;                                          \
        return (ieee && is_snan_##T(a)) ? quiet_##T(a) : r;                                       \
    }                                                                                             \
    ALWAYS T min3_##T(T a, T b, T c, u32 ieee) {                                                  \
        return min_##T(min_##T(a, b, ieee), c, ieee);                                             \
    }                                                                                             \
    ALWAYS T max3_##T(T a, T b, T c, u32 ieee) {                                                  \
        return max_##T(max_##T(a, b, ieee), c, ieee);                                             \
    }                                                                                             \
    /* RDNA4's minimumNumber/maximumNumber: any NaN loses; of two the first stays, quieted. */    \
    ALWAYS T min_num_##T(T a, T b) { return a != a && b != b ? quiet_##T(a) : min_##T(a, b, 0); } \
    ALWAYS T max_num_##T(T a, T b) { return a != a && b != b ? quiet_##T(a) : max_##T(a, b, 0); } \
    ALWAYS T min3_num_##T(T a, T b, T c) { return min_num_##T(min_num_##T(a, b), c); }            \
    ALWAYS T max3_num_##T(T a, T b, T c) { return max_num_##T(max_num_##T(a, b), c); }            \
    /* minimum/maximum propagate NaN, a signalling one first. */                                  \
    ALWAYS T nan_of_##T(T a, T b) {                                                               \
        return quiet_##T(is_snan_##T(a) ? a : is_snan_##T(b) ? b : a != a ? a : b);               \
    }                                                                                             \
    ALWAYS T minimum_##T(T a, T b) {                                                              \
        return a != a || b != b ? nan_of_##T(a, b)                                                \
               : (a < b || (a == b && sign_##T(a))) ? a : b;                                      \
    }                                                                                             \
    ALWAYS T maximum_##T(T a, T b) {                                                              \
        return a != a || b != b ? nan_of_##T(a, b)                                                \
               : (a > b || (a == b && !sign_##T(a))) ? a : b;                                     \
    }                                                                                             \
    ALWAYS T minimum3_##T(T a, T b, T c) { return minimum_##T(minimum_##T(a, b), c); }            \
    ALWAYS T maximum3_##T(T a, T b, T c) { return maximum_##T(maximum_##T(a, b), c); }
FLOAT_RULES(f16, u16, 16, 10, 5)
FLOAT_RULES(f32, u32, 32, 23, 8)
FLOAT_RULES(f64, u64, 64, 52, 11)
#define less_or_greater(a, b) (((a) < (b)) | ((a) > (b)))
ALWAYS u32 is_even(u64 raw) { f64 x = F64(raw); return __builtin_floor(x * 0.5) * 2.0 == x; }

/* ---- floats: arithmetic */
ALWAYS f32 fma_f32(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
ALWAYS f64 fma_f64(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
/* A double to half by way of float, where few hosts have an instruction for the direct way. The
 * bits that float drops live on in its last one (rounding to odd), so only the second step rounds.
 * For NaN, infinities, zero and what float holds as a normal number. */
ALWAYS f16 odd_f64_to_f16(u64 raw) {
    u64 dropped = raw & ((1ull << 29) - 1);
    return (f16)(f32)F64((raw - dropped) | (u64)(dropped != 0) << 29);
}
/* The product of two halves is exact in double; the sum is rounded to odd there, so that rounding
 * it to half once more gives the correctly rounded result. */
ALWAYS f16 fma_f16(f16 a, f16 b, f16 c) {
    f64 p = (f64)(f32)a * (f64)(f32)b, z = (f64)(f32)c, s = p + z;
    f64 bb = s - p, error = (p - (s - bb)) + (z - bb);
    u64 raw = B64(s);
    u64 finite = ((raw >> 52) & 2047) != 2047;
    u64 inexact = finite && error != 0.0;
    u64 toward_zero = (error < 0.0) != (s < 0.0);
    u64 odd = toward_zero ? (raw - 1) | 1 : raw | 1;
    return odd_f64_to_f16(inexact && !(raw & 1) ? odd : raw);
}
ALWAYS f32 floor_f32(f32 a) { return __builtin_floorf(a); }
ALWAYS f64 floor_f64(f64 a) { return __builtin_floor(a); }
ALWAYS f16 floor_f16(f16 a) { return (f16)__builtin_floorf((f32)a); }
ALWAYS f32 trunc_f32(f32 a) { return __builtin_truncf(a); }
ALWAYS f64 trunc_f64(f64 a) { return __builtin_trunc(a); }
ALWAYS f16 trunc_f16(f16 a) { return (f16)__builtin_truncf((f32)a); }
ALWAYS f32 sqrt_f32(f32 a) { return __builtin_sqrtf(a); }
ALWAYS f64 sqrt_f64(f64 a) { return __builtin_sqrt(a); }
ALWAYS f16 sqrt_f16(f16 a) { return (f16)__builtin_sqrtf((f32)a); }
/* The fraction never reaches 1: a tiny negative number gives the largest value below it. */
ALWAYS f32 fract_f32(f32 a) {
    f32 r = a - __builtin_floorf(a);
    return r >= 1.0f ? 0x1.fffffep-1f : r;
}
ALWAYS f64 fract_f64(f64 a) {
    f64 r = a - __builtin_floor(a);
    return r >= 1.0 ? 0x1.fffffffffffffp-1 : r;
}
ALWAYS f16 fract_f16(f16 a) {
    f16 r = (f16)((f32)a - __builtin_floorf((f32)a));
    return (f32)r >= 1.0f ? (f16)0x1.ffcp-1f : r;
}
ALWAYS f64 power_of_2(i32 n) { return F64((u64)(n + 1023) << 52); } /* -1022 <= n <= 1023 */
ALWAYS f64 ldexp_f64(f64 a, i32 n) {
    n = n > 2200 ? 2200 : n < -2200 ? -2200 : n;
    /* At most one step rounds: big steps up first, and down with the last step the small one. */
    for (int i = 0; i < 2; i++) {
        i32 up = n > 1000 ? 1000 : 0;
        a *= power_of_2(up);
        n -= up;
    }
    if (n < 0) {
        /* Down: normalise first so that only the final multiplication can lose bits. */
        i32 e = (i32)((B64(a) >> 52) & 2047);
        i32 lift = e == 0 ? 64 : 0;
        a *= power_of_2(lift);
        n -= lift;
        e = (i32)((B64(a) >> 52) & 2047);
        i32 room = e > 1 && e < 2047 ? e - 1 : 0;
        i32 first = -n < room ? n : -room;
        first = first < -1000 ? -1000 : first;
        a *= power_of_2(first);
        n -= first;
        e = (i32)((B64(a) >> 52) & 2047);
        room = e > 1 && e < 2047 ? e - 1 : 0;
        first = -n < room ? n : -room;
        first = first < -1000 ? -1000 : first;
        a *= power_of_2(first);
        n -= first;
        n = n < -1000 ? -1000 : n;
    }
    return a * power_of_2(n);
}
ALWAYS f32 ldexp_f32(f32 a, i32 n) {
    n = n > 600 ? 600 : n < -600 ? -600 : n;
    return (f32)((f64)a * power_of_2(n));
}
ALWAYS f16 ldexp_f16(f16 a, i32 n) {
    n = n > 100 ? 100 : n < -100 ? -100 : n;
    return (f16)((f32)a * (f32)power_of_2(n));
}
/* frexp: a = mantissa * 2^exponent, 0.5 <= |mantissa| < 1; infinities, NaN and 0 map to themselves. */
ALWAYS u32 has_parts(f64 a) { return a == a && __builtin_fabs(a) != __builtin_inf() && a != 0; }
ALWAYS i32 frexp_exp_f64(f64 a) {
    i32 tiny = ((B64(a) >> 52) & 2047) == 0;
    f64 n = tiny ? a * 0x1p64 : a;
    i32 e = (i32)((B64(n) >> 52) & 2047) - 1022 - (tiny ? 64 : 0);
    return has_parts(a) ? e : 0;
}
ALWAYS f64 mantissa_f64(f64 a) {
    f64 n = ((B64(a) >> 52) & 2047) == 0 ? a * 0x1p64 : a;
    f64 m = F64((B64(n) & 0x800fffffffffffffull) | (1022ull << 52));
    return has_parts(a) ? m : a;
}
ALWAYS f32 mantissa_f32(f32 a) { return (f32)mantissa_f64((f64)a); }
ALWAYS f16 mantissa_f16(f16 a) { return (f16)(f32)mantissa_f64((f64)(f32)a); }

/* ---- transcendental */
ALWAYS f64 exp2_core(f64 x) {
    f64 c = x < -1000.0 ? -1000.0 : x > 1000.0 ? 1000.0 : x == x ? x : 0.0;
    f64 n = __builtin_rint(c), t = (c - n) * 0.693147180559945309417;
    f64 p = 1.0 / 39916800.0;
    p = p * t + 1.0 / 3628800.0;
    p = p * t + 1.0 / 362880.0;
    p = p * t + 1.0 / 40320.0;
    p = p * t + 1.0 / 5040.0;
    p = p * t + 1.0 / 720.0;
    p = p * t + 1.0 / 120.0;
    p = p * t + 1.0 / 24.0;
    p = p * t + 1.0 / 6.0;
    p = p * t + 0.5;
    p = p * t + 1.0;
    p = p * t + 1.0;
    f64 r = p * power_of_2((i32)n);
    return x == x ? r : x;
}
ALWAYS f64 log2_core(f64 x) {
    u64 raw = B64(x);
    i32 e = (i32)((raw >> 52) & 2047) - 1023;
    f64 m = F64((raw & 0x000fffffffffffffull) | (1023ull << 52));
    i32 big = m > 1.41421356237309504880;
    m = big ? m * 0.5 : m;
    e += big;
    f64 s = (m - 1.0) / (m + 1.0), q = s * s, p = 1.0 / 19.0;
    p = p * q + 1.0 / 17.0;
    p = p * q + 1.0 / 15.0;
    p = p * q + 1.0 / 13.0;
    p = p * q + 1.0 / 11.0;
    p = p * q + 1.0 / 9.0;
    p = p * q + 1.0 / 7.0;
    p = p * q + 1.0 / 5.0;
    p = p * q + 1.0 / 3.0;
    p = p * q + 1.0;
    f64 r = (f64)e + 2.0 * s * p * 1.44269504088896340736;
    r = x == __builtin_inf() ? x : r;
    r = x == 0.0 ? -__builtin_inf() : r;
    r = x < 0.0 ? __builtin_nan("") : r;
    return x == x ? r : x;
}
/* sin and cos of a number of turns. */
ALWAYS f64 turns_core(f64 x, i32 quarter) {
    f64 r = x - __builtin_rint(x), q = __builtin_rint(r * 4.0);
    f64 t = (r - q * 0.25) * 6.28318530717958647693, z = t * t;
    f64 s = -1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    s = (s * z + 1.0) * t;
    f64 c = 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = c * z - 0.5;
    c = c * z + 1.0;
    i32 k = ((q == q ? (i32)q : 0) + quarter) & 3;
    f64 v = (k & 1) ? c : s;
    v = (k & 2) ? -v : v;
    return x - x == 0.0 ? v : __builtin_nan("");
}
/* The single-precision units take and give no denormals (LLVM scales around them). */
ALWAYS f32 flush_f32(f32 a) { return exponent_f32(a) == 0 ? copysign_f32(0.0f, sign_f32(a)) : a; }
ALWAYS f32 exp2_f32(f32 a) { return flush_f32((f32)exp2_core((f64)flush_f32(a))); }
ALWAYS f32 log2_f32(f32 a) { return (f32)log2_core((f64)flush_f32(a)); }
ALWAYS f32 rcp_f32(f32 a) { return flush_f32(1.0f / flush_f32(a)); }
ALWAYS f32 rsq_f32(f32 a) { return (f32)(1.0 / __builtin_sqrt((f64)flush_f32(a))); }
ALWAYS f32 hw_sqrt_f32(f32 a) { return __builtin_sqrtf(flush_f32(a)); }
ALWAYS f32 sin_turns_f32(f32 a) { return (f32)turns_core((f64)a, 0); }
ALWAYS f32 cos_turns_f32(f32 a) { return (f32)turns_core((f64)a, 1); }
ALWAYS f16 exp2_f16(f16 a) { return (f16)(f32)exp2_core((f64)(f32)a); }
ALWAYS f16 log2_f16(f16 a) { return (f16)(f32)log2_core((f64)(f32)a); }
ALWAYS f16 rcp_f16(f16 a) { return (f16)(1.0f / (f32)a); }
ALWAYS f16 rsq_f16(f16 a) { return (f16)(1.0f / __builtin_sqrtf((f32)a)); }
ALWAYS f16 sin_turns_f16(f16 a) { return (f16)(f32)turns_core((f64)(f32)a, 0); }
ALWAYS f16 cos_turns_f16(f16 a) { return (f16)(f32)turns_core((f64)(f32)a, 1); }

/* ---- conversions: to integers they truncate, saturate, and take NaN to 0 */
#define TO_INTEGER(NAME, T, FROM, LOW, HIGH)                                                      \
    ALWAYS T NAME(FROM raw) {                                                                     \
        f64 x = (f64)raw;                                                                         \
        x = x != x ? 0.0 : x < LOW ? LOW : x > HIGH ? HIGH : x;                                   \
        return (T)x;                                                                              \
    }
TO_INTEGER(f32_to_i32, i32, f32, -2147483648.0, 2147483647.0)
TO_INTEGER(f64_to_i32, i32, f64, -2147483648.0, 2147483647.0)
TO_INTEGER(f32_to_u32, u32, f32, 0.0, 4294967295.0)
TO_INTEGER(f64_to_u32, u32, f64, 0.0, 4294967295.0)
TO_INTEGER(f32_to_u8, u8, f32, 0.0, 255.0)
TO_INTEGER(f32_to_i16, i16, f32, -32768.0, 32767.0)
TO_INTEGER(f32_to_u16, u16, f32, 0.0, 65535.0)
TO_INTEGER(f16_to_i16_wide, i16, f32, -32768.0, 32767.0)
TO_INTEGER(f16_to_u16_wide, u16, f32, 0.0, 65535.0)
ALWAYS i16 f16_to_i16(f16 a) { return f16_to_i16_wide((f32)a); }
ALWAYS u16 f16_to_u16(f16 a) { return f16_to_u16_wide((f32)a); }
ALWAYS i32 f16_to_i32(f16 a) { return f32_to_i32((f32)a); }
ALWAYS u32 f16_to_u32(f16 a) { return f32_to_u32((f32)a); }
ALWAYS f32 clamp_unit(f32 a, f32 low) { return a != a ? 0.0f : a < low ? low : a > 1.0f ? 1.0f : a; }
ALWAYS i16 f32_to_snorm(f32 a) { return (i16)__builtin_rintf(clamp_unit(a, -1.0f) * 32767.0f); }
ALWAYS u16 f32_to_unorm(f32 a) { return (u16)__builtin_rintf(clamp_unit(a, 0.0f) * 65535.0f); }
ALWAYS i16 f16_to_snorm(f16 a) { return f32_to_snorm((f32)a); }
ALWAYS u16 f16_to_unorm(f16 a) { return f32_to_unorm((f32)a); }
ALWAYS f32 f16_to_f32(f16 a) { return (f32)a; }
ALWAYS f16 f32_to_f16(f32 a) { return (f16)a; }
ALWAYS f64 f32_to_f64(f32 a) { return (f64)a; }
ALWAYS f32 f64_to_f32(f64 a) { return (f32)a; }
ALWAYS f32 u32_to_f32(u32 a) { return (f32)a; }
ALWAYS f32 i32_to_f32(i32 a) { return (f32)a; }
ALWAYS f64 u32_to_f64(u32 a) { return (f64)a; }
ALWAYS f64 i32_to_f64(i32 a) { return (f64)a; }
ALWAYS f16 u16_to_f16(u16 a) { return (f16)(f32)a; }
ALWAYS f16 i16_to_f16(i16 a) { return (f16)(f32)a; }
ALWAYS i32 i16_to_i32(i16 a) { return a; }
ALWAYS u32 u16_to_u32(u16 a) { return a; }
ALWAYS i32 i8_to_i32(i8 a) { return a; }
ALWAYS u32 u8_to_u32(u8 a) { return a; }
ALWAYS i32 i4_to_i32(i32 a) { return a; }
ALWAYS u32 u4_to_u32(u32 a) { return a; }
ALWAYS u16 u32_to_u16(u32 a) { return (u16)(a > 65535u ? 65535u : a); }
ALWAYS i16 i32_to_i16(i32 a) { return (i16)(a > 32767 ? 32767 : a < -32768 ? -32768 : a); }
ALWAYS f32 bf16_to_f32(u64 raw) { return F32((u64)(u32)raw << 16); }
ALWAYS u16 f32_to_bf16(f32 a) {
    u32 x = (u32)B32(a);
    u32 rounded = (x + 0x7fff + ((x >> 16) & 1)) >> 16;
    return (u16)(a != a ? (x >> 16) | 64 : rounded);
}
ALWAYS f16 toward_zero_f16(f32 a) {
    f16 h = (f16)a;
    f32 back = (f32)h;
    u64 too_big = abs_f32(back) > abs_f32(a);
    return F16(B16(h) - (too_big && a == a));
}

/* ---- 8-bit floats. FNUZ (gfx94x): bias one more, 0x80 is the only NaN, no infinity.
 * OCP (gfx950, gfx12): e4m3 has NaN but no infinity, e5m2 is IEEE-like. */
ALWAYS f32 small_to_f32(u32 x, int mantissa, int bias, int ocp) {
    u32 m = x & ((1u << mantissa) - 1), e = (x & 127) >> mantissa, sign = (x >> 7) & 1;
    f32 v = e ? (f32)(m + (1u << mantissa)) * (f32)power_of_2((i32)e - bias - mantissa)
              : (f32)m * (f32)power_of_2(1 - bias - mantissa);
    v = sign ? -v : v;
    if (!ocp) return (x & 255) == 0x80 ? __builtin_nanf("") : v;
    if (mantissa == 3) return (x & 127) == 127 ? __builtin_nanf("") : v;
    if (e == 31) return m ? __builtin_nanf("") : sign ? -__builtin_inff() : __builtin_inff();
    return v;
}
/* Round to nearest even, saturating to the largest finite value (the hardware default, without
 * the MODE bit that asks for infinities). */
ALWAYS u32 f32_to_small(f32 a, int mantissa, int bias, int ocp) {
    u32 sign = sign_f32(a), top = ocp ? (mantissa == 3 ? 0x7e : 0x7b) : 0x7f;
    f32 x = abs_f32(a);
    i32 e = exponent_f32(x) - 127, low = 1 - bias;
    e = e < low ? low : e;
    f64 scaled = (f64)x * power_of_2(mantissa - (e > 200 ? 200 : e));
    u32 m = (u32)(scaled < 1e6 ? __builtin_rint(scaled) : 1e6);
    u32 r = e - low > 40 ? top : m + ((u32)(e - low) << mantissa); /* carries into the exponent */
    r = r > top ? top : r;
    u32 infinite = x == __builtin_inff();
    if (a != a) return ocp ? (sign << 7) | 0x7f : 0x80;
    if (infinite) return ocp ? (sign << 7) | (mantissa == 3 ? 0x7f : 0x7c) : 0x80;
    if (!ocp && r == 0) return 0;
    return (sign << 7) | r;
}
/* Stochastic rounding: random bits are added below the kept mantissa, which is then truncated. */
ALWAYS f32 add_random(f32 a, u32 random, int kept) {
    u32 x = (u32)B32(a), cut = 23 - (u32)kept;
    u32 r = (x + (random >> (32 - cut))) & ~((1u << cut) - 1);
    return ((x >> 23) & 255) == 255 ? a : F32(r);
}
#define EIGHT_BIT(KIND, OCP, BIAS8, BIAS5)                                                        \
    ALWAYS f32 fp8_to_f32_##KIND(u64 x) { return small_to_f32((u32)x, 3, BIAS8, OCP); }           \
    ALWAYS f32 bf8_to_f32_##KIND(u64 x) { return small_to_f32((u32)x, 2, BIAS5, OCP); }           \
    ALWAYS u32 f32_to_fp8_##KIND(f32 a) { return f32_to_small(a, 3, BIAS8, OCP); }                \
    ALWAYS u32 f32_to_bf8_##KIND(f32 a) { return f32_to_small(a, 2, BIAS5, OCP); }                \
    ALWAYS u32 f32_to_fp8_random_##KIND(f32 a, u32 r) {                                           \
        return f32_to_fp8_##KIND(add_random(a, r, 3));                                            \
    }                                                                                             \
    ALWAYS u32 f32_to_bf8_random_##KIND(f32 a, u32 r) {                                           \
        return f32_to_bf8_##KIND(add_random(a, r, 2));                                            \
    }
EIGHT_BIT(fnuz, 0, 8, 16)
EIGHT_BIT(ocp, 1, 7, 15)

#include "division.h"
#endif
