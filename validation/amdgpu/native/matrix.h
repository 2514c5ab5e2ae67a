/* Matrix instructions of CDNA: MFMA and SMFMAC.
 *
 * Layout of MFMA, for M x N x K with `blocks` blocks: a block has 64 / blocks lanes. Lane l of a
 * block holds row (column) l % M of A (B), and elements k = (l / M) * per .. + per - 1, packed.
 * A row of C and D lies in consecutive lanes of one register; `row_place` says which. All lanes
 * take part whatever EXEC says. How sums are rounded: matrix_sum.h. */
#ifndef CROSSPORT_MATRIX_H
#define CROSSPORT_MATRIX_H
#include "memory.h"
#include "matrix_sum.h"

static f32 tiny_to_f32(u32 x, int exponent, int mantissa, int bias) {
    u32 m = x & ((1u << mantissa) - 1), e = (x >> mantissa) & ((1u << exponent) - 1);
    f32 v = e ? (f32)(m + (1u << mantissa)) * (f32)power_of_2((i32)e - bias - mantissa)
              : (f32)m * (f32)power_of_2(1 - bias - mantissa);
    return (x >> (exponent + mantissa)) & 1 ? -v : v;
}
static const int BITS_OF[] = {32, 16, 16, 32, 64, 8, 8, 8, 6, 6, 4, 8, 4, 4};

/* Element e of every lane, as f32 rows. */
static void unpack_f32(const u32 *v, u32 type, u32 per, u32 ocp, f32 (*out)[ROW]) {
    for (u32 e = 0; e < per; e++) {
        f32 *to = out[e];
        if (type == M_F32) {
            for (int l = 0; l < ROW; l++) to[l] = F32(v[e * ROW + l]);
        } else if (type == M_XF32) {
            /* 10 mantissa bits are kept, the others dropped. */
            for (int l = 0; l < ROW; l++) {
                u32 x = v[e * ROW + l], is_nan = (x & 0x7fffffffu) > 0x7f800000u;
                to[l] = F32((x & ~0x1fffu) | is_nan << 22);
            }
        } else if (type == M_F16) {
            const u32 *row = v + (e / 2) * ROW;
            u32 shift = (e & 1) * 16;
            for (int l = 0; l < ROW; l++) to[l] = (f32)F16(row[l] >> shift);
        } else if (type == M_BF16) {
            const u32 *row = v + (e / 2) * ROW;
            u32 shift = (e & 1) * 16;
            for (int l = 0; l < ROW; l++) to[l] = F32((u64)(row[l] >> shift) << 16 & 0xffff0000u);
        } else {
            int bits_ = BITS_OF[type];
            u32 at = e * (u32)bits_, word = at / 32, shift = at % 32;
            for (int l = 0; l < ROW; l++) {
                u64 pair = v[word * ROW + l];
                if (shift + (u32)bits_ > 32) pair |= (u64)v[(word + 1) * ROW + l] << 32;
                u32 x = (u32)(pair >> shift) & ((1u << bits_) - 1);
                to[l] = type == M_FP8   ? small_to_f32(x, 3, ocp ? 7 : 8, (int)ocp)
                        : type == M_BF8 ? small_to_f32(x, 2, ocp ? 15 : 16, (int)ocp)
                        : type == M_FP6 ? tiny_to_f32(x, 2, 3, 1)
                        : type == M_BF6 ? tiny_to_f32(x, 3, 2, 3)
                                        : tiny_to_f32(x, 2, 1, 1);
            }
        }
    }
}
static void unpack_i32(const u32 *v, u32 type, u32 per, i32 (*out)[ROW]) {
    u32 bits_ = (u32)BITS_OF[type];
    int is_signed = type == M_I8 || type == M_I4;
    for (u32 e = 0; e < per; e++) {
        u32 at = e * bits_, word = at / 32, shift = at % 32;
        for (int l = 0; l < ROW; l++) {
            u32 x = v[word * ROW + l] >> shift << (32 - bits_);
            out[e][l] = is_signed ? (i32)x >> (32 - bits_) : (i32)(x >> (32 - bits_));
        }
    }
}
/* Where row i of a block lies: register (of 32 bits, or pairs for f64) and first lane. */
static void row_place(u32 m, u32 block, u32 i, int is_f64, u32 *reg, u32 *lane) {
    if (is_f64 && m == 16) { *reg = i / 4; *lane = (i % 4) * 16; }
    else if (is_f64) { *reg = 0; *lane = block * 16 + i * 4; }
    else if (m == 32) { *reg = block * 16 + (i / 8) * 4 + i % 4; *lane = (i % 8) / 4 * 32; }
    else if (m == 16) { *reg = block * 4 + i % 4; *lane = i / 4 * 16; }
    else { *reg = i; *lane = block * 4; }
}
/* BLGP on f32-like types permutes groups of B's lanes. */
static int group_lane(u32 blgp, int l) {
    switch (blgp) {
    case 1: return l & 31;
    case 2: return 32 | (l & 31);
    case 3: return (l + 16) & 63;
    case 4: case 5: case 6: case 7: return (int)(blgp - 4) * 16 + (l & 15);
    default: return l;
    }
}

static Shape shape_of(const Operation *o) {
    Shape s;
    s.m = o->aux[0] & 255;
    s.n = (o->aux[0] >> 8) & 255;
    s.k = o->size;
    s.blocks = o->aux[0] >> 16;
    s.per_block = 64 / s.blocks;
    s.groups = s.per_block / s.m;
    s.per = s.k / s.groups;
    return s;
}
#define MULTIPLY(NAME, T, N, FMA)                                                                 \
    static void NAME(const Shape *s, T (*a)[ROW], T (*b)[ROW], u32 a_block, u32 block, u32 i,     \
                     T *acc) {                                                                    \
        for (u32 g = 0; g < s->groups; g++)                                                       \
            for (u32 e = 0; e < s->per; e++) {                                                    \
                T x = a[e][a_block * s->per_block + g * s->m + i];                                \
                const T *y = &b[e][block * s->per_block + g * s->n];                              \
                for (int n = 0; n < N; n++) acc[n] = FMA(x, y[n], acc[n]);                        \
            }                                                                                     \
    }
#define INTEGER_FMA(x, y, z) ((i32)((u32)(x) * (u32)(y) + (u32)(z)))
MULTIPLY(rows_f32_32, f32, 32, __builtin_fmaf)
MULTIPLY(rows_f32_16, f32, 16, __builtin_fmaf)
MULTIPLY(rows_f32_4, f32, 4, __builtin_fmaf)
MULTIPLY(rows_i32_32, i32, 32, INTEGER_FMA)
MULTIPLY(rows_i32_16, i32, 16, INTEGER_FMA)
MULTIPLY(rows_i32_4, i32, 4, INTEGER_FMA)
MULTIPLY(rows_f64_16, f64, 16, __builtin_fma)
MULTIPLY(rows_f64_4, f64, 4, __builtin_fma)

static const u32 *matrix_c(Wave *w, const Operation *o, u32 *stride) {
    if (o->kind[2] == FROM_VGPR) { *stride = 1; return ROWPTR(w, o->index[2]); }
    *stride = 0;
    return plain_source(w, o, 2, w->t2);
}
static void broadcast_a(const Operation *o, u32 block, u32 *from) {
    u32 cbsz = o->aux[2] & 255, abid = (o->aux[2] >> 8) & 255;
    *from = cbsz ? (block & ~((1u << cbsz) - 1)) + abid : block;
}
static void permute_b(void *rows, u32 per, u32 blgp) {
    u32(*b)[ROW] = rows;
    u32 copy[ROW];
    if (!blgp) return;
    for (u32 e = 0; e < per; e++) {
        __builtin_memcpy(copy, b[e], sizeof copy);
        for (int l = 0; l < ROW; l++) b[e][l] = copy[group_lane(blgp, l)];
    }
}
static void matrix_rows(Wave *w, const Operation *o, const Shape *s, void *a, void *b, int integer,
                        const u32 *c, u32 c_stride) {
    u32 *d = ROWPTR(w, o->index[3]), size = s->n * 4;
    int rounded = o->aux[3] >> 8 && !integer;
    Products products;
    f32 block_sum[WIDEST][WIDEST];
    for (u32 block = 0; block < s->blocks; block++) {
        u32 from, reg, lane;
        broadcast_a(o, block, &from);
        for (u32 i = 0; i < s->m; i++) {
            row_place(s->m, block, i, 0, &reg, &lane);
            __builtin_memcpy(block_sum[i], c + (c_stride * reg) * ROW + lane, size);
        }
        if (rounded) {
            place_products(&products, s, a, b, from, block);
            sum_block(&products, s, block_sum, o->aux[3]);
        }
        for (u32 i = 0; i < s->m; i++) {
            f32 *sum = block_sum[i];
            if (integer) {
                if (s->n == 32) rows_i32_32(s, a, b, from, block, i, (i32 *)sum);
                else if (s->n == 16) rows_i32_16(s, a, b, from, block, i, (i32 *)sum);
                else rows_i32_4(s, a, b, from, block, i, (i32 *)sum);
            } else if (!rounded) {
                if (s->n == 32) rows_f32_32(s, a, b, from, block, i, sum);
                else if (s->n == 16) rows_f32_16(s, a, b, from, block, i, sum);
                else rows_f32_4(s, a, b, from, block, i, sum);
            }
            row_place(s->m, block, i, 0, &reg, &lane);
            __builtin_memcpy(d + reg * ROW + lane, sum, size);
        }
    }
}
static int x_mfma(Wave *w, const Operation *o) {
    Shape s = shape_of(o);
    u32 type_a = o->aux[1] & 255, type_b = (o->aux[1] >> 8) & 255, stride;
    u32 blgp = (o->aux[2] >> 16) & 255, ocp = o->aux[3] & 1;
    const u32 *va = ROWPTR(w, o->index[0]), *vb = ROWPTR(w, o->index[1]);
    const u32 *c = matrix_c(w, o, &stride);
    if (s.per > MAX_PER) return fault(w, o, FAULT_BAD_VALUE, 0, s.per, 2);
    use_float(w, 3);
    if (type_a == M_I8) {
        i32 a[MAX_PER][ROW], b[MAX_PER][ROW];
        unpack_i32(va, type_a, s.per, a);
        unpack_i32(vb, type_b, s.per, b);
        permute_b(b, s.per, blgp);
        matrix_rows(w, o, &s, a, b, 1, c, stride);
        return NEXT;
    }
    Elements a, b;
    unpack_f32(va, type_a, s.per, ocp, a.value);
    unpack_f32(vb, type_b, s.per, ocp, b.value);
    /* For f8f6f4 the fields name the formats instead. */
    if (!(o->aux[3] & 2)) permute_b(b.value, s.per, blgp);
    prepare_sum(o->aux[3], type_a, s.per, &a);
    prepare_sum(o->aux[3], type_b, s.per, &b);
    matrix_rows(w, o, &s, &a, &b, 0, c, stride);
    return NEXT;
}
static int x_mfma_f64(Wave *w, const Operation *o) {
    Shape s = shape_of(o);
    f64 a[1][ROW], b[1][ROW];
    const u32 *va = ROWPTR(w, o->index[0]), *vb = ROWPTR(w, o->index[1]);
    u32 stride, blgp = (o->aux[2] >> 16) & 255; /* here: negate A, B, C */
    const u32 *c = matrix_c(w, o, &stride);
    if (stride == 0 && o->rows[2] < 2) return fault(w, o, FAULT_BAD_VALUE, 0, 0, 3);
    for (int l = 0; l < ROW; l++) {
        a[0][l] = F64((u64)va[l] | ((u64)va[ROW + l] << 32)) * (blgp & 1 ? -1.0 : 1.0);
        b[0][l] = F64((u64)vb[l] | ((u64)vb[ROW + l] << 32)) * (blgp & 2 ? -1.0 : 1.0);
    }
    u32 *d = ROWPTR(w, o->index[3]);
    use_float(w, 3);
    for (u32 block = 0; block < s.blocks; block++) {
        u32 from;
        broadcast_a(o, block, &from);
        for (u32 i = 0; i < s.m; i++) {
            u32 reg, lane;
            f64 acc[16];
            row_place(s.m, block, i, 1, &reg, &lane);
            const u32 *low = c + (stride * reg * 2) * ROW + lane, *high = low + ROW;
            for (u32 n = 0; n < s.n; n++) {
                acc[n] = F64((u64)low[n] | ((u64)high[n] << 32));
                if (blgp & 4) acc[n] = -acc[n];
            }
            if (s.n == 16) rows_f64_16(&s, a, b, from, block, i, acc);
            else rows_f64_4(&s, a, b, from, block, i, acc);
            u32 *to = d + reg * 2 * ROW + lane;
            for (u32 n = 0; n < s.n; n++) {
                to[n] = (u32)B64(acc[n]);
                to[ROW + n] = (u32)(B64(acc[n]) >> 32);
            }
        }
    }
    return NEXT;
}
/* SMFMAC: A holds two of every four elements along k; the index register says which two. */
static int x_smfmac(Wave *w, const Operation *o) {
    Shape s = shape_of(o);
    u32 type_a = o->aux[1] & 255, type_b = (o->aux[1] >> 8) & 255, ocp = o->aux[3] & 1;
    u32 cbsz = o->aux[2] & 255, abid = (o->aux[2] >> 8) & 255, packed = s.per / 2;
    const u32 *va = ROWPTR(w, o->index[0]), *vb = ROWPTR(w, o->index[1]);
    const u32 *index = ROWPTR(w, o->index[2]);
    u32 set_bits = packed * 2, shift = cbsz == 0 && set_bits < 32 ? (abid * set_bits) & 31 : 0;
    if (s.per > MAX_PER) return fault(w, o, FAULT_BAD_VALUE, 0, s.per, 2);
    use_float(w, 3);
    u32 sparse[MAX_PER][ROW];
    Elements dense, b; /* of integers, where A is */
    int integer = type_a == M_I8;
    if (integer) {
        unpack_i32(va, type_a, packed, (i32(*)[ROW])sparse);
        unpack_i32(vb, type_b, s.per, (i32(*)[ROW])b.value);
    } else {
        unpack_f32(va, type_a, packed, ocp, (f32(*)[ROW])sparse);
        unpack_f32(vb, type_b, s.per, ocp, b.value);
    }
    memset(dense.value, 0, sizeof dense.value);
    for (u32 e = 0; e < packed; e++)
        for (int l = 0; l < ROW; l++) {
            u32 place = (index[l] >> (shift + 2 * e)) & 3;
            dense.value[(e / 2) * 4 + place][l] = F32(sparse[e][l]);
        }
    if (!integer) {
        prepare_sum(o->aux[3], type_a, s.per, &dense);
        prepare_sum(o->aux[3], type_b, s.per, &b);
    }
    Operation plain = *o;
    plain.aux[2] = 0;
    matrix_rows(w, &plain, &s, &dense, &b, integer, ROWPTR(w, o->index[3]), 1);
    return NEXT;
}
#endif
