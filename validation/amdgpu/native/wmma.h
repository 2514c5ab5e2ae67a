/* Matrix instructions of RDNA: WMMA. How RDNA rounds within an instruction is not known: sums are
 * made in double and rounded once. */
#ifndef CROSSPORT_WMMA_H
#define CROSSPORT_WMMA_H
#include "matrix.h"

/* WMMA of RDNA3, 16x16x16: lane i % 16 holds row i of A (column i of B), 16 elements. D: register r holds
 * row 2r + lane / 16 in wave32, 4r + lane / 16 in wave64. */
static int x_wmma(Wave *w, const Operation *o) {
    u32 type_a = o->aux[1] & 255, type_b = (o->aux[1] >> 8) & 255, out = (o->aux[1] >> 16) & 255;
    u32 step = w->wave_mask_words * 2, regs = 16 / step, stride, high = o->op_sel >> 2 & 1;
    u32 result[16][ROW];
    const u32 *c = matrix_c(w, o, &stride);
    u32 *d = ROWPTR(w, o->index[3]);
    use_float(w, 3);
    int integer = type_a == M_I8 || type_a == M_U8 || type_a == M_I4 || type_a == M_U4;
    f32 fa[16][ROW], fb[16][ROW];
    i32 ia[16][ROW], ib[16][ROW];
    if (integer) {
        unpack_i32(ROWPTR(w, o->index[0]), type_a, 16, ia);
        unpack_i32(ROWPTR(w, o->index[1]), type_b, 16, ib);
    } else {
        unpack_f32(ROWPTR(w, o->index[0]), type_a, 16, 0, fa);
        unpack_f32(ROWPTR(w, o->index[1]), type_b, 16, 0, fb);
    }
    for (u32 r = 0; r < regs; r++)
        for (u32 l = 0; l < w->wave_mask_words * 32; l++) {
            u32 row = r * step + l / 16, col = l % 16, raw = c[stride * r * ROW + l];
            if (integer) {
                i64 sum = (i32)raw;
                for (u32 k = 0; k < 16; k++) sum += (i64)ia[k][row] * ib[k][col];
                if (o->clamp) sum = sum > 2147483647 ? 2147483647 : sum < -2147483648ll ? -2147483648ll : sum;
                result[r][l] = (u32)sum;
            } else {
                u32 half = high ? raw >> 16 : raw & 0xffff;
                f32 sum = out == M_F32 ? F32(raw) : out == M_F16 ? (f32)F16(half) : bf16_to_f32(half);
                if (out == M_F32 ? (o->neg_hi >> 2) & 1 : 0) sum = abs_f32(sum);
                if ((o->neg >> 2) & 1) sum = -sum;
                f64 exact = sum;
                for (u32 k = 0; k < 16; k++) exact += (f64)fa[k][row] * (f64)fb[k][col];
                sum = (f32)exact;
                result[r][l] = out == M_F32   ? (u32)B32(sum)
                               : out == M_F16 ? (u32)B16((f16)sum)
                                              : f32_to_bf16(sum);
            }
        }
    for (u32 r = 0; r < regs; r++)
        for (u32 l = 0; l < w->wave_mask_words * 32; l++) {
            u32 *to = &d[r * ROW + l];
            if (integer || out == M_F32) *to = result[r][l];
            else if (high) *to = (*to & 0xffff) | result[r][l] << 16;
            else *to = (*to & 0xffff0000u) | result[r][l];
        }
    return NEXT;
}
/* WMMA of RDNA4, wave32: lane l holds `per` elements of row l % 16 of A (column of B) from
 * k = l / 16 * per on. D: register r holds row l / 16 * 8 + r; 16-bit results lie in pairs. */
static int x_wmma_halves(Wave *w, const Operation *o) {
    u32 type_a = o->aux[1] & 255, type_b = (o->aux[1] >> 8) & 255, out = (o->aux[1] >> 16) & 255;
    u32 per = o->size, stride, result[8][32];
    const u32 *c = matrix_c(w, o, &stride);
    u32 *d = ROWPTR(w, o->index[3]);
    int narrow = out != M_F32, integer = type_a >= M_U8 || type_a == M_I8;
    f32 fa[16][ROW], fb[16][ROW];
    i32 ia[16][ROW], ib[16][ROW];
    use_float(w, 3);
    if (integer) {
        narrow = 0;
        unpack_i32(ROWPTR(w, o->index[0]), type_a, per, ia);
        unpack_i32(ROWPTR(w, o->index[1]), type_b, per, ib);
    } else {
        unpack_f32(ROWPTR(w, o->index[0]), type_a, per, 1, fa);
        unpack_f32(ROWPTR(w, o->index[1]), type_b, per, 1, fb);
    }
    for (u32 r = 0; r < 8; r++)
        for (u32 l = 0; l < 32; l++) {
            u32 row = l / 16 * 8 + r, col = l % 16;
            u32 raw = c[stride * (narrow ? r / 2 : r) * ROW + l];
            if (narrow) raw = stride && r & 1 ? raw >> 16 : raw & 0xffff;
            i64 whole = (i32)raw;
            f64 exact = out == M_F16 ? (f64)F16(raw) : out == M_BF16 ? bf16_to_f32(raw) : F32(raw);
            if (out == M_F32 && (o->neg_hi >> 2) & 1) exact = __builtin_fabs(exact);
            if ((o->neg >> 2) & 1) exact = -exact;
            for (u32 k = 0; k < 2 * per; k++) {
                u32 e = k % per, half = k / per * 16;
                if (integer) whole += (i64)ia[e][half + row] * ib[e][half + col];
                else exact += (f64)fa[e][half + row] * (f64)fb[e][half + col];
            }
            if (integer && o->clamp)
                whole = whole > 2147483647 ? 2147483647
                        : whole < -2147483648ll ? -2147483648ll : whole;
            f32 sum = (f32)exact;
            result[r][l] = integer        ? (u32)whole
                           : out == M_F32 ? (u32)B32(sum)
                           : out == M_F16 ? (u32)B16((f16)sum)
                                          : f32_to_bf16(sum);
        }
    for (u32 r = 0; r < 8; r++)
        for (u32 l = 0; l < 32; l++) {
            if (!narrow) d[r * ROW + l] = result[r][l];
            else if (r & 1) d[r / 2 * ROW + l] = result[r - 1][l] | result[r][l] << 16;
        }
    return NEXT;
}
#endif
