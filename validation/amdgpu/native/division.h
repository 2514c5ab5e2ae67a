/* Division helpers (V_DIV_SCALE, V_DIV_FMAS, V_DIV_FIXUP).
 *
 * AMD's text is followed where the quotient that LLVM builds from the three comes out right, and
 * deviates where it would not: a huge divisor with a denormal quotient is scaled down, not up, and
 * a quotient that overflowed on the way (infinite or NaN) is an infinity. */
#ifndef CROSSPORT_DIVISION_H
#define CROSSPORT_DIVISION_H
#define DIVISION(T, BITS, GAP, TINY, STEP, MIDDLE, LEAST)                                         \
    ALWAYS u32 is_denormal_##T(f64 a) { return a != 0.0 && __builtin_fabs(a) < LEAST; }           \
    ALWAYS T div_scale_##T(T value, T divisor, T dividend, u32 *flag) {                           \
        u32 is_divisor = B##BITS(value) == B##BITS(divisor);                                      \
        u32 is_dividend = B##BITS(value) == B##BITS(dividend);                                    \
        T up = ldexp_##T(value, STEP), down = ldexp_##T(value, -STEP);                            \
        i32 e2 = exponent_##T(dividend), e1 = exponent_##T(divisor);                              \
        T ratio = dividend / divisor;                                                             \
        u32 tiny_ratio = ratio != 0 && abs_##T(ratio) < (T)LEAST;                                 \
        T inverse = (T)1 / divisor;                                                               \
        u32 tiny_inverse = inverse != 0 && abs_##T(inverse) < (T)LEAST;                           \
        *flag = 0;                                                                                \
        if (dividend == 0 || divisor == 0) return F##BITS(BITS == 32 ? 0x7fc00000ull              \
                                                                     : 0x7ff8000000000000ull);    \
        if (e2 - e1 >= GAP) { *flag = 1; return is_divisor ? up : value; }                        \
        if (e1 == 0) return up;                                                                   \
        if (tiny_inverse && tiny_ratio) { *flag = 1; return is_divisor ? down : value; }          \
        if (tiny_inverse) return down;                                                            \
        if (tiny_ratio) { *flag = 1; return is_dividend ? up : value; }                           \
        if (e2 <= TINY) return up;                                                                \
        return value;                                                                             \
    }                                                                                             \
    /* The flag says that a scale was applied; the addend's size says which way to undo it. */    \
    ALWAYS T div_fmas_##T(T a, T b, T c, u32 flag) {                                              \
        T r = fma_##T(a, b, c);                                                                   \
        T scaled = exponent_##T(c) > MIDDLE ? ldexp_##T(r, STEP) : ldexp_##T(r, -STEP);           \
        return flag ? scaled : r;                                                                 \
    }
DIVISION(f32, 32, 96, 23, 64, 127, 0x1p-126)
DIVISION(f64, 64, 768, 53, 128, 1023, 0x1p-1022)
#define DIV_FIXUP(T, BITS, NAN_BITS, LIMIT)                                                       \
    ALWAYS T div_fixup_##T(T quotient, T divisor, T dividend) {                                   \
        u32 negative = sign_##T(divisor) ^ sign_##T(dividend);                                    \
        T infinite = (T)__builtin_inff(), r = copysign_##T(quotient, negative);                   \
        r = quotient - quotient == 0 ? r : copysign_##T(infinite, negative);                      \
        r = exponent_##T(dividend) - exponent_##T(divisor) < LIMIT                                \
                ? copysign_##T((T)0, negative) : r;                                               \
        r = (abs_##T(divisor) == infinite || dividend == 0) ? copysign_##T((T)0, negative) : r;   \
        r = (divisor == 0 || abs_##T(dividend) == infinite)                                       \
                ? copysign_##T(infinite, negative) : r;                                           \
        r = (divisor == 0 && dividend == 0) ? F##BITS(NAN_BITS) : r;                              \
        r = (abs_##T(divisor) == infinite && abs_##T(dividend) == infinite)                       \
                ? F##BITS(NAN_BITS) : r;                                                          \
        r = divisor != divisor ? quiet_##T(divisor) : r;                                          \
        return dividend != dividend ? quiet_##T(dividend) : r;                                    \
    }
DIV_FIXUP(f16, 16, 0xfe00, -100)
DIV_FIXUP(f32, 32, 0xffc00000, -150)
DIV_FIXUP(f64, 64, 0xfff8000000000000ull, -1075)

/* The 1201 bits of 2/pi from 2^-1 down, most significant word first: argument reduction of large doubles. */
static const u64 TWO_OVER_PI[20] = {
    0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull, 0xfe5163abdebbc561ull,
    0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull, 0xfe1deb1cb129a73eull, 0xe88235f52ebb4484ull,
    0xe99c7026b45f7e41ull, 0x3991d639835339f4ull, 0x9c845f8bbdf9283bull, 0x1ff897ffde05980full,
    0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull, 0x7527bac7ebe5f17bull,
    0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull, 0x56033046fc7b0000ull, 0x0000000000000000ull,
};
ALWAYS f64 trig_preop(f64 a, u32 segment) {
    i32 e = (i32)((B64(a) >> 52) & 2047), shift = (i32)(segment & 31) * 53;
    shift += e > 1077 ? e - 1077 : 0;
    /* 53 bits starting `shift` bits below the binary point. */
    i32 word = shift >> 6, bit = shift & 63;
    u64 high = word < 20 ? TWO_OVER_PI[word] : 0, low = word < 19 ? TWO_OVER_PI[word + 1] : 0;
    u64 window = (bit ? (high << bit) | (low >> (64 - bit)) : high) >> 11;
    return ldexp_f64((f64)window, -53 - shift + (e >= 1968 ? 128 : 0));
}
#endif
