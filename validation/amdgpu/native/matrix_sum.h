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
#define LOAD(to, from) __builtin_memcpy(&(to), (from), sizeof(to))
#define STORE(to, from) __builtin_memcpy((to), &(from), sizeof(from))
#define PICK(mask, yes, no) (((mask) & (yes)) | (~(mask) & (no)))
#define WIDEST 32 /* rows and columns of a block */

/* The elements of one block in order of k: x[k][i] is row i of A, y[k][c] column c of B. */
typedef struct Products {
    f32 x[128][WIDEST], y[128][WIDEST];
    i32 ex[128][WIDEST], ey[128][WIDEST]; /* marked exponents */
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
/* `count` rows of sixteen columns of B, held in registers while the rows of A pass by. */
typedef struct Held {
    Columns y[16];
    Whole e[16];
} Held;
/* Exact sums of products cut off 24 bits below `exponent`: sum * 2^(exponent - 24). Columns with a
 * product that is no finite number, or too small for a float, are marked in what is returned: they
 * go the long way. */
ALWAYS Whole fuse(const Products *p, const Held *held, u32 i, u32 k, const u32 first,
                  const u32 step, const u32 count, Whole *exponent, Whole *sum) {
    Whole top, e, total = {0};
    for (u32 j = first; j < count; j += step) {
        e = held->e[j] + p->ex[k + j][i];
        top = j == first ? e : PICK(e > top, e, top);
    }
    Whole all_zero = top < -1000, special = ~all_zero & ((top < -100) | (top > 125));
    top = PICK(all_zero | special, top * 0 - 126, top);
    Columns scale = (Columns)((PICK(all_zero, top * 0, 24 - top) + 127) << 23);
    for (u32 j = first; j < count; j += step)
        total += __builtin_convertvector(p->x[k + j][i] * held->y[j] * scale, Whole);
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
/* x / 2^by, downwards. */
ALWAYS Whole shift_columns(Whole x, Whole by) { return x >> PICK(by > 31, by * 0 + 31, by); }
/* add_fused for sixteen columns, in whole numbers. The exact result is high * 128 + low, of
 * 2^(top - 31); where that has more bits than fit, the lowest says whether any below it were set,
 * which rounds to the same. Results so small that a float has fewer bits are marked `special`. */
ALWAYS Columns add_columns(Whole sum, Whole exponent, Columns old, int drops_tiny, Whole *special) {
    Whole bits = (Whole)old, none = {0}, biased = bits >> 23 & 255;
    Whole infinite = biased == 255, denormal = biased == 0;
    Whole own = biased - 127 - denormal; /* -1 is true */
    Whole top = PICK(own > exponent, own, exponent), below = top - exponent;
    Whole mantissa = (bits & 0x7fffff) | (~denormal & 0x800000);
    Whole kept = shift_columns(((mantissa ^ bits >> 31) - (bits >> 31)) << 1, top - own);
    if (drops_tiny) kept &= own >= top - 25;
    Whole high = kept + shift_columns(sum, below);
    Whole low = PICK(below < 7, sum << (7 - PICK(below < 7, below, none)),
                     shift_columns(sum, PICK(below < 7, none, below - 7))) & 127;
    Whole is_small = (high < 0x1000000) & (high >= -0x1000000);
    Whole number = PICK(is_small, high << 7 | low, high << 1 | ((low != 0) & 1));
    *special |= (top < -90) & (number != 0) & ~infinite;
    Columns scale = (Columns)((top - PICK(is_small, none + 31, none + 25) + 127) << 23);
    scale = (Columns)(PICK(top < -90, none, (Whole)scale));
    Columns result = __builtin_convertvector(number, Columns) * scale;
    return (Columns)PICK(infinite, bits, (Whole)result);
}
/* `count` products from k on added to sixteen columns' sums, of which n count. */
ALWAYS void sum_fused(const Products *p, const Held *held, u32 i, u32 at, u32 n, u32 k,
                      const u32 count, f32 *acc, const int interleaved) {
    Whole sum, odd, e, e_odd;
    Whole special = fuse(p, held, i, k, 0, interleaved ? 2 : 1, count, &e, &sum);
    if (interleaved) {
        special |= fuse(p, held, i, k, 1, 2, count, &e_odd, &odd);
        Whole top = PICK(e_odd > e, e_odd, e);
        sum = shift_columns(sum, top - e) + shift_columns(odd, top - e_odd);
        e = top;
    }
    Columns old;
    LOAD(old, acc);
    Columns made = add_columns(sum, e, old, interleaved, &special);
    STORE(acc, made);
    u64 any[8];
    STORE(any, special);
    if (!(any[0] | any[1] | any[2] | any[3] | any[4] | any[5] | any[6] | any[7])) return;
    for (u32 c = 0; c < n; c++) {
        if (!special[c]) continue;
        acc[c] = old[c];
        special_column(p, i, at + c, k, count, &acc[c], interleaved);
    }
}
ALWAYS Columns flush_columns(Columns x) {
    Whole tiny = ((Whole)x & 0x7fffffff) < 0x00800000;
    return (Columns)(PICK(tiny, (Whole)x & (i32)0x80000000, (Whole)x));
}
ALWAYS void sum_pairwise(const Products *p, const Held *held, u32 i, u32 k, u32 count, f32 *acc) {
    Columns part[4], old;
    for (u32 j = 0; j < count; j++) part[j] = flush_columns(p->x[k + j][i] * held->y[j]);
    for (u32 width = count / 2; width; width /= 2)
        for (u32 j = 0; j < width; j++) part[j] = flush_columns(part[2 * j] + part[2 * j + 1]);
    LOAD(old, acc);
    Whole tiny = ((Whole)old & 0x7fffffff) < 0x00800000;
    old = (Columns)(~tiny & (Whole)old);
    old = flush_columns(old + part[0]);
    STORE(acc, old);
}
/* Lane l of a block holds row l % m of A, elements from l / m * per on. */
static void place_products(Products *p, const Shape *s, const Elements *a, const Elements *b,
                           u32 a_block, u32 block) {
    p->least_x = a->least, p->least_y = b->least;
    for (u32 g = 0, k = 0; g < s->groups; g++)
        for (u32 e = 0; e < s->per; e++, k++) {
            u32 lane = a_block * s->per_block + g * s->m, from = block * s->per_block + g * s->n;
            __builtin_memcpy(p->x[k], &a->value[e][lane], s->m * 4);
            __builtin_memcpy(p->ex[k], &a->exponent[e][lane], s->m * 4);
            __builtin_memcpy(p->y[k], &b->value[e][from], s->n * 4);
            __builtin_memcpy(p->ey[k], &b->exponent[e][from], s->n * 4);
        }
}
/* All rows of D's block, C's on entry: `count` products at a time. */
ALWAYS void sum_rows(const Products *p, const Shape *s, f32 (*acc)[WIDEST], u32 how,
                     const u32 count) {
    u32 n = s->n < 16 ? s->n : 16;
    for (u32 at = 0; at < s->n; at += 16)
        for (u32 k = 0; k < s->k; k += count) {
            Held held;
            for (u32 j = 0; j < count; j++) {
                LOAD(held.y[j], p->y[k + j] + at);
                LOAD(held.e[j], p->ey[k + j] + at);
            }
            for (u32 i = 0; i < s->m; i++) {
                if (how & SUM_PAIRWISE) sum_pairwise(p, &held, i, k, count, acc[i] + at);
                else sum_fused(p, &held, i, at, n, k, count, acc[i] + at, count == 16);
            }
        }
}
static void sum_block(const Products *p, const Shape *s, f32 (*acc)[WIDEST], u32 how) {
    switch (how >> 8 & 31) {
    case 16: sum_rows(p, s, acc, SUM_INTERLEAVED, 16); break;
    case 8: sum_rows(p, s, acc, 0, 8); break;
    case 4: if (how & SUM_PAIRWISE) sum_rows(p, s, acc, SUM_PAIRWISE, 4);
            else sum_rows(p, s, acc, 0, 4);
            break;
    default: if (how & SUM_PAIRWISE) sum_rows(p, s, acc, SUM_PAIRWISE, 2);
             else sum_rows(p, s, acc, 0, 2);
    }
}
#endif
