/* How matrix instructions round sums of products of narrow floats.
 *
 * AMD does not document it; Xie, Wang, Yang and Yang measured it bit by bit ("MMA-Sim", 2025,
 * https://arxiv.org/abs/2511.10909), and this follows their description:
 *
 *     CDNA2, 16 bits   four products (two for the older bf16 instructions) are added pairwise in
 *                      float, then to the sum; denormals count as zero everywhere
 *     CDNA3, 16 bits   eight products (four of XF32) at once: each is cut off 24 bits below the
 *                      largest exponent, and added exactly; that and the old sum are cut off,
 *                      downwards, 31 and 24 bits below the larger of their exponents, added, and
 *                      rounded to float
 *     CDNA3, 8 bits    sixteen products, the even and the odd ones each as above
 *
 * float and double are plain chains of fused multiply-adds. CDNA4 is taken to be as CDNA3. */
#ifndef CROSSPORT_MATRIX_SUM_H
#define CROSSPORT_MATRIX_SUM_H
#include "lane_math.h"

enum { M_F32, M_F16, M_BF16, M_XF32, M_F64, M_I8, M_FP8, M_BF8, M_FP6, M_BF6, M_FP4, M_U8, M_I4,
       M_U4 };
#define MAX_PER 64
/* Operation.aux[3]: 1 OCP, 2 f8f6f4; how to sum: */
enum { SUM_PAIRWISE = 4, SUM_INTERLEAVED = 8 }; /* bits 8..: products at a time; 0: a chain */

typedef struct Shape { u32 m, n, k, blocks, per, groups, per_block; } Shape;

ALWAYS f32 flush(f32 x) { return abs_f32(x) < 0x1p-126f ? x * 0.0f : x; }
/* The smallest exponent of a type: denormals have it too. */
static i32 least_exponent(u32 type, u32 ocp) {
    switch (type) {
    case M_F16: return -14;
    case M_FP8: return ocp ? -6 : -7;
    case M_BF8: return ocp ? -14 : -15;
    case M_FP6: case M_FP4: return 0;
    case M_BF6: return -2;
    default: return -126;
    }
}
ALWAYS i32 exponent_of(f32 x, i32 least) {
    i32 e = (i32)((u32)B32(x) >> 23 & 255) - 127;
    return e < least ? least : e;
}
ALWAYS i64 shift_down(i64 x, i32 by) { return x >> (by > 63 ? 63 : by); }

/* Sixteen columns at a time, as vectors: left alone, compilers vectorise the wrong loop. */
typedef f32 Columns __attribute__((vector_size(64)));
typedef i32 Whole __attribute__((vector_size(64)));
typedef f64 Eight __attribute__((vector_size(64)));
typedef i64 EightWhole __attribute__((vector_size(64)));
typedef f32 EightNarrow __attribute__((vector_size(32)));
typedef i32 EightWholeNarrow __attribute__((vector_size(32)));
#define LOAD(to, from) __builtin_memcpy(&(to), (from), sizeof(to))
#define PICK(mask, yes, no) (((mask) & (yes)) | (~(mask) & (no)))
ALWAYS Eight floor_eight(Eight x) {
#if defined(__clang__)
    return __builtin_elementwise_floor(x);
#else
    for (int c = 0; c < 8; c++) x[c] = __builtin_floor(x[c]);
    return x;
#endif
}
ALWAYS Eight powers_of_2(EightWholeNarrow n) {
    return (Eight)((__builtin_convertvector(n, EightWhole) + 1023) << 52);
}

/* Where the elements of one block lie, in order of k: x[k][i] is row i of A, y[k][c] column c of B. */
typedef struct Products {
    const f32 *x[128], *y[128];
    const i32 *ex[128], *ey[128]; /* marked exponents */
    i32 least_x, least_y;
} Products;
/* Exponents that stand for zero, and for infinity and NaN, whatever they are added to. */
enum { OF_ZERO = -2000, OF_SPECIAL = 8000 };
ALWAYS i32 marked_exponent(f32 x, i32 least) {
    i32 e = exponent_of(x, least);
    return x == 0.0f ? OF_ZERO : e == 128 ? OF_SPECIAL : e;
}
/* Elements of every lane as numbers, and what the sum needs of them beforehand. */
typedef struct Elements {
    f32 value[MAX_PER][ROW];
    i32 exponent[MAX_PER][ROW], least;
    i32 slack[16]; /* a group of 16 columns may start near the end of the last row */
} Elements;
static void prepare_sum(u32 how, u32 type, u32 per, Elements *x) {
    f32 least = type == M_F16 ? 0x1p-14f : 0x1p-126f;
    x->least = least_exponent(type, how & 1);
    if (how & SUM_PAIRWISE) {
        for (u32 e = 0; e < per; e++)
            LANES x->value[e][l] = abs_f32(x->value[e][l]) < least ? 0.0f : x->value[e][l];
    } else if (how >> 8) {
        for (u32 e = 0; e < per; e++)
            LANES x->exponent[e][l] = marked_exponent(x->value[e][l], x->least);
    }
}
/* Exact sums of products cut off 24 bits below `exponent`: sum * 2^(exponent - 24). Columns with a
 * product that is no finite number, or too small for a float, are marked in what is returned: they
 * go the long way. */
ALWAYS Whole fuse(const Products *p, u32 i, u32 at, u32 first, const u32 step, const u32 count,
                  Whole *exponent, Whole *sum) {
    Whole top, e, total = {0};
    Columns y;
    for (u32 k = first; k < first + count; k += step) {
        LOAD(e, p->ey[k] + at);
        e += p->ex[k][i];
        top = k == first ? e : PICK(e > top, e, top);
    }
    Whole all_zero = top < -1000, special = ~all_zero & ((top < -100) | (top > 125));
    top = PICK(all_zero | special, top * 0 - 126, top);
    Columns scale = (Columns)((PICK(all_zero, top * 0, 24 - top) + 127) << 23);
    for (u32 k = first; k < first + count; k += step) {
        LOAD(y, p->y[k] + at);
        total += __builtin_convertvector(p->x[k][i] * y * scale, Whole);
    }
    *exponent = top;
    *sum = total;
    return special;
}
/* The same for one column, any exponent; infinities and NaN come back as a plain sum. */
static int fuse_slowly(const Products *p, u32 i, u32 c, u32 first, u32 step, u32 count,
                       i32 *exponent, i64 *sum, f64 *plain) {
    int finite = 1;
    *exponent = 2 * OF_ZERO, *sum = 0;
    for (u32 k = first; k < first + count; k += step) {
        f32 x = p->x[k][i], y = p->y[k][c];
        f64 product = (f64)x * (f64)y;
        if (!(__builtin_fabs(product) < 0x1p128)) {
            finite = 0;
            product *= __builtin_inf();
        }
        *plain += product;
        i32 e = product == 0 ? -126 : exponent_of(x, p->least_x) + exponent_of(y, p->least_y);
        *exponent = e > *exponent ? e : *exponent;
    }
    if (!finite) return 0;
    for (u32 k = first; k < first + count; k += step)
        *sum += (i64)((f64)p->x[k][i] * (f64)p->y[k][c] * power_of_2(24 - *exponent));
    return 1;
}
/* Products' sum and the old value, cut off below the larger exponent, added, rounded once. */
ALWAYS f32 add_fused(i64 sum, i32 exponent, f32 old, int drops_tiny) {
    i32 own = exponent_of(old, -126), top = own > exponent ? own : exponent;
    f64 kept = __builtin_floor((f64)old * power_of_2(24 - top));
    kept = drops_tiny & (own < top - 25) ? 0.0 : kept;
    f64 added = __builtin_floor((f64)sum * power_of_2(7 + exponent - top));
    f32 result = (f32)((added + kept * 128.0) * power_of_2(top - 31));
    return own == 128 ? old : result; /* infinity and NaN stay */
}
static void special_column(const Products *p, u32 i, u32 c, u32 first, u32 count, f32 *acc,
                           int interleaved) {
    i32 e, e_odd = 2 * OF_ZERO;
    i64 s, s_odd = 0;
    f64 plain = 0;
    int finite = fuse_slowly(p, i, c, first, interleaved ? 2 : 1, count, &e, &s, &plain);
    if (interleaved)
        finite &= fuse_slowly(p, i, c, first + 1, 2, count, &e_odd, &s_odd, &plain);
    if (!finite) { *acc = (f32)(plain + *acc); return; }
    i32 top = e > e_odd ? e : e_odd;
    if (interleaved) s = shift_down(s, top - e) + shift_down(s_odd, top - e_odd);
    *acc = add_fused(s, top, *acc, interleaved);
}
/* add_fused for eight columns; the sums are whole numbers of 2^(exponent - 24). */
ALWAYS EightNarrow add_eight(Eight sum, EightWholeNarrow exponent, EightNarrow old, int drops_tiny) {
    EightWholeNarrow own = ((EightWholeNarrow)old >> 23 & 255) - 127, tiny = own < -126;
    EightWholeNarrow infinite = own == 128;
    own = PICK(tiny, own * 0 - 126, own);
    EightWholeNarrow top = PICK(own > exponent, own, exponent);
    Eight kept = floor_eight(__builtin_convertvector(old, Eight) * powers_of_2(24 - top));
    if (drops_tiny) {
        EightWhole drop = __builtin_convertvector(own < top - 25, EightWhole);
        kept = (Eight)(~drop & (EightWhole)kept);
    }
    Eight added = floor_eight(sum * powers_of_2(7 + exponent - top));
    EightNarrow result =
        __builtin_convertvector((added + kept * 128.0) * powers_of_2(top - 31), EightNarrow);
    return (EightNarrow)PICK(infinite, (EightWholeNarrow)old, (EightWholeNarrow)result);
}
/* `count` products from `first` on added to sixteen columns' sums, of which n count. */
ALWAYS void sum_fused(const Products *p, u32 i, u32 at, u32 n, u32 first, const u32 count, f32 *acc,
                      const int interleaved) {
    Whole even, odd, e, e_odd;
    Whole special = fuse(p, i, at, first, interleaved ? 2 : 1, count, &e, &even);
    if (interleaved) special |= fuse(p, i, at, first + 1, 2, count, &e_odd, &odd);
    Columns old, made;
    LOAD(old, acc);
    for (int half = 0; half < 2; half++) {
        EightWholeNarrow s, t, top;
        EightNarrow o;
        LOAD(s, (i32 *)&even + 8 * half);
        LOAD(top, (i32 *)&e + 8 * half);
        LOAD(o, (f32 *)&old + 8 * half);
        Eight total = __builtin_convertvector(s, Eight);
        if (interleaved) {
            EightWholeNarrow own = top, other;
            LOAD(t, (i32 *)&odd + 8 * half);
            LOAD(other, (i32 *)&e_odd + 8 * half);
            top = PICK(other > own, other, own);
            total = floor_eight(total * powers_of_2(own - top)) +
                    floor_eight(__builtin_convertvector(t, Eight) * powers_of_2(other - top));
        }
        EightNarrow r = add_eight(total, top, o, interleaved);
        __builtin_memcpy((f32 *)&made + 8 * half, &r, sizeof r);
    }
    __builtin_memcpy(acc, &made, sizeof made);
    u64 any[8];
    __builtin_memcpy(any, &special, sizeof any);
    if (!(any[0] | any[1] | any[2] | any[3] | any[4] | any[5] | any[6] | any[7])) return;
    for (u32 c = 0; c < n; c++) {
        if (!special[c]) continue;
        acc[c] = old[c];
        special_column(p, i, at + c, first, count, &acc[c], interleaved);
    }
}
ALWAYS Columns flush_columns(Columns x) {
    Whole tiny = ((Whole)x & 0x7fffffff) < 0x00800000;
    return (Columns)(PICK(tiny, (Whole)x & (i32)0x80000000, (Whole)x));
}
ALWAYS void sum_pairwise(const Products *p, u32 i, u32 at, u32 first, u32 count, f32 *acc) {
    Columns part[4], y, old;
    for (u32 k = 0; k < count; k++) {
        LOAD(y, p->y[first + k] + at);
        part[k] = flush_columns(p->x[first + k][i] * y);
    }
    for (u32 width = count / 2; width; width /= 2)
        for (u32 k = 0; k < width; k++) part[k] = flush_columns(part[2 * k] + part[2 * k + 1]);
    LOAD(old, acc);
    Whole tiny = ((Whole)old & 0x7fffffff) < 0x00800000;
    old = (Columns)(~tiny & (Whole)old);
    old = flush_columns(old + part[0]);
    __builtin_memcpy(acc, &old, sizeof old);
}
/* Lane l of a block holds row l % m of A, elements from l / m * per on. */
static void place_products(Products *p, const Shape *s, const Elements *a, const Elements *b,
                           u32 a_block, u32 block) {
    p->least_x = a->least, p->least_y = b->least;
    for (u32 g = 0, k = 0; g < s->groups; g++)
        for (u32 e = 0; e < s->per; e++, k++) {
            u32 lane = a_block * s->per_block + g * s->m, from = block * s->per_block + g * s->n;
            p->x[k] = &a->value[e][lane], p->y[k] = &b->value[e][from];
            p->ex[k] = &a->exponent[e][lane], p->ey[k] = &b->exponent[e][from];
        }
}
/* One row of D: `acc` holds C's, with room for 16 columns at least. */
static void sum_row(const Products *p, const Shape *s, u32 i, f32 *acc, u32 how) {
    u32 count = how >> 8 & 31, n = s->n < 16 ? s->n : 16;
    for (u32 at = 0; at < s->n; at += 16)
        for (u32 k = 0; k < s->k; k += count) {
            if (how & SUM_PAIRWISE) sum_pairwise(p, i, at, k, count, acc + at);
            else if (how & SUM_INTERLEAVED) sum_fused(p, i, at, n, k, 16, acc + at, 1);
            else if (count == 8) sum_fused(p, i, at, n, k, 8, acc + at, 0);
            else sum_fused(p, i, at, n, k, count, acc + at, 0);
        }
}
#endif
