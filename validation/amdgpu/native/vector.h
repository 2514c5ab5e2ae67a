/* Vector arithmetic: gathers the operands, applies modifiers, calls the generated body.
 *
 * An operand is a row of 64 lanes (two rows for 64 bits). A VGPR without modifiers is passed in
 * place; constants are rows made at load; an SGPR is spread over a temporary row. */
#ifndef CROSSPORT_VECTOR_H
#define CROSSPORT_VECTOR_H
#include "scalar.h"

ALWAYS void spread(u32 *row, u32 value) { LANES row[l] = value; }

static inline const u32 *plain_source(Wave *w, const Operation *o, int j, u32 *temporary) {
    u32 index = o->index[j];
    switch (o->kind[j]) {
    case FROM_VGPR: return ROWPTR(w, index);
    case FROM_CONSTANT: return w->launch->constants + (u64)index * ROW;
    case FROM_SGPR:
        spread(temporary, w->s[index]);
        if (o->rows[j] == 2) spread(temporary + ROW, w->s[index + 1]);
        return temporary;
    case NOTHING: return temporary;
    default: {
        u64 value = scalar_source(w, o, j);
        spread(temporary, (u32)value);
        if (o->rows[j] == 2) spread(temporary + ROW, 0);
        return temporary;
    }
    }
}

/* Data-parallel primitives: where lane l of src0 comes from. -1: outside, no valid source. */
static int dpp_lane(u32 control, int l, int wave32) {
    int row = l & ~15, in = l & 15, n = (int)(control & 15);
    if (control < 0x100) return (l & ~3) | ((control >> ((l & 3) * 2)) & 3);   /* quad_perm */
    if (control >= 0x101 && control <= 0x10f) return in + n < 16 ? l + n : -1; /* row_shl */
    if (control >= 0x111 && control <= 0x11f) return in >= n ? l - n : -1;     /* row_shr */
    if (control >= 0x121 && control <= 0x12f) return row | ((in - n) & 15);    /* row_ror */
    if (control >= 0x150 && control <= 0x15f) return row | n;                  /* row_share */
    if (control >= 0x160 && control <= 0x16f) return row | (in ^ n);           /* row_xmask */
    switch (control) {
    case 0x130: return l < 63 ? l + 1 : -1; /* wave_shl */
    case 0x134: return (l + 1) & 63;        /* wave_rol */
    case 0x138: return l > 0 ? l - 1 : -1;  /* wave_shr */
    case 0x13c: return (l - 1) & 63;        /* wave_ror */
    case 0x140: return row | (15 - in);     /* row_mirror */
    case 0x141: return (l & ~7) | (7 - (l & 7)); /* row_half_mirror */
    case 0x142: return l >= 16 ? row - 1 : -1;   /* row_bcast15 */
    case 0x143: return l >= 32 ? 31 : -1;        /* row_bcast31 */
    }
    (void)wave32;
    return -2;
}
/* Fetch a row through DPP; `enabled` becomes the lanes that write. */
static int dpp_fetch(Wave *w, const Operation *o, const u32 *from, u32 *to, u32 *enabled) {
    u32 control = o->dpp & 0xffff, row_mask = (o->dpp >> 16) & 15, bank_mask = (o->dpp >> 20) & 15;
    u32 bound_zero = (o->dpp >> 24) & 1, fetch_inactive = (o->dpp >> 25) & 1;
    u32 row[ROW];
    __builtin_memcpy(row, from, sizeof row);
    for (int l = 0; l < ROW; l++) {
        int source;
        if (o->dpp & (1u << 30)) {
            source = (l & ~7) | ((o->aux[0] >> (3 * (l & 7))) & 7);
            row_mask = bank_mask = 15;
        } else {
            source = dpp_lane(control, l, w->wave_mask_words == 1);
            if (source == -2) return fault(w, o, FAULT_BAD_VALUE, (u32)l, control, 1);
        }
        int valid = source >= 0 && (w->enabled[source & 63] || fetch_inactive);
        int chosen = (row_mask >> (l >> 4)) & (bank_mask >> ((l >> 2) & 3)) & 1;
        to[l] = valid ? row[source] : 0;
        enabled[l] = w->enabled[l] && chosen && (valid || bound_zero) ? ~0u : 0;
    }
    return NEXT;
}

/* Apply op_sel, sub-dword selection, sign extension, |x| and -x to a source. */
static const u32 *modify(const Operation *o, int j, const u32 *in, u32 *out) {
    u32 mod = o->mod[j], sel = o->sel[j];
    u32 wide_sel = (o->op_sel >> j) & 1, wide_hi = (o->op_sel_hi >> j) & 1;
    u32 negate_low = (o->neg >> j) & 1, negate_high = (o->neg_hi >> j) & 1;
    if (mod & PACKED_16) {
        u32 low = wide_sel * 16, high = wide_hi * 16;
        u32 flip = negate_low << 15 | negate_high << 31;
        LANES out[l] = (((in[l] >> low) & 0xffff) | ((in[l] >> high) << 16)) ^ flip;
        return out;
    }
    if (mod & PACKED_32) {
        const u32 *a = in + wide_sel * ROW, *b = in + wide_hi * ROW;
        LANES {
            u32 x = a[l] ^ (negate_low << 31), y = b[l] ^ (negate_high << 31);
            out[l] = x;
            out[ROW + l] = y;
        }
        return out;
    }
    if (mod == 0 && sel == 6) return in;
    u32 sign = mod & HALF_WIDE ? 0x8000u : 0x80000000u;
    u32 flip = mod & NEGATE ? sign : 0, keep = mod & ABSOLUTE ? ~sign : ~0u;
    if (o->rows[j] == 2) {
        LANES out[l] = in[l];
        LANES out[ROW + l] = (in[ROW + l] & keep) ^ flip;
        return out;
    }
    u32 shift = sel < 4 ? sel * 8 : sel == 5 ? 16 : 0;
    u32 top = sel < 4 ? 24 : sel < 6 ? 16 : 0;
    if (mod & SIGN_EXTEND) {
        LANES out[l] = (((u32)((i32)(in[l] >> shift << top) >> top)) & keep) ^ flip;
    } else {
        LANES out[l] = ((in[l] >> shift << top >> top) & keep) ^ flip;
    }
    return out;
}

/* Output modifiers of a float result: multiply (omod), then clamp to [0, 1]. */
static void modify_result(const Operation *o, u32 *d, u32 dx10) {
    static const f32 scale[4] = {1.0f, 2.0f, 4.0f, 0.5f}; /* exact in every type, half included */
    f32 k = scale[o->omod & 3];
#define FINISH(T, LOAD, STORE)                                                                    \
    for (int l = 0; l < ROW; l++) {                                                               \
        T x = LOAD;                                                                               \
        x = (T)(x * (T)k);                                                                        \
        if (o->clamp) x = x != x ? (dx10 ? (T)0 : x) : x > (T)0 ? (x < (T)1 ? x : (T)1) : (T)0;   \
        STORE;                                                                                    \
    }
    if (o->out_bits == 16) {
        FINISH(f16, F16(d[l]), d[l] = (u32)B16(x))
    } else if (o->out_bits == 32) {
        FINISH(f32, F32(d[l]), d[l] = (u32)B32(x))
    } else if (o->out_bits == 64) {
        FINISH(f64, F64((u64)d[l] | ((u64)d[ROW + l] << 32)),
               (d[l] = (u32)B64(x), d[ROW + l] = (u32)(B64(x) >> 32)))
    } else { /* 128 + bits: packed */
        int both = o->out_bits == 128 + 16;
        if (both) {
            for (int part = 0; part < 2; part++) {
                FINISH(f16, F16(d[l] >> (16 * part)),
                       d[l] = (d[l] & ~(0xffffu << (16 * part))) | (u32)B16(x) << (16 * part))
            }
        } else {
            FINISH(f32, F32(d[l]), d[l] = (u32)B32(x))
            d += ROW;
            FINISH(f32, F32(d[l]), d[l] = (u32)B32(x))
        }
    }
#undef FINISH
}

ALWAYS void lane_bits_out(Wave *w, const Operation *o, const u32 *enabled) {
    u64 bits = pack_row(w->tbit) & (enabled == w->enabled ? EXEC(w) : pack_row(enabled));
    if (!(o->flags & NO_SDST)) set_mask(w, o->sdst, bits);
    if (o->flags & EXEC_BIT) set_exec(w, bits);
}
ALWAYS void fill_args(Wave *w, const Operation *o, VectorArgs *a) {
    a->literal = o->literal;
    a->ieee = (w->mode >> 9) & 1;
    a->dx10 = (w->mode >> 8) & 1;
    a->bit = w->tbit;
    a->carry = w->tcarry;
    a->op_sel = o->op_sel;
    a->op_sel_hi = o->op_sel_hi;
    a->neg = o->neg;
    a->neg_hi = o->neg_hi;
    a->table = o->aux[1];
    a->clamp = o->clamp;
    if (o->flags & CARRY_IN) expand_mask(w->tcarry, get_mask(w, o->carry_in), 1);
}
static int x_vector(Wave *w, const Operation *o) {
    VectorArgs a;
    fill_args(w, o, &a);
    a.s[0] = plain_source(w, o, 0, w->t0);
    a.s[1] = plain_source(w, o, 1, w->t1);
    a.s[2] = plain_source(w, o, 2, w->t2);
    a.d = ROWPTR(w, o->index[3]);
    a.enabled = w->enabled;
    use_float(w, o->float_class);
    ((VectorBody *)o->body)(&a);
    if (o->flags & LANE_BIT) lane_bits_out(w, o, w->enabled);
    return NEXT;
}
/* The same with every kind of modifier. */
static int x_vector_modified(Wave *w, const Operation *o) {
    VectorArgs a;
    u32 spare0[2 * ROW], spare1[2 * ROW], spare2[2 * ROW], *spare[3] = {spare0, spare1, spare2};
    fill_args(w, o, &a);
    a.enabled = w->enabled;
    u32 *rows[3] = {w->t0, w->t1, w->t2};
    for (int j = 0; j < 3; j++) {
        const u32 *in = plain_source(w, o, j, rows[j]);
        if (j == 0 && (o->dpp >> 30)) {
            if (dpp_fetch(w, o, in, w->td, w->ten)) return FAULTED;
            if (o->rows[0] == 2 && dpp_fetch(w, o, in + ROW, w->td + ROW, w->ten)) return FAULTED;
            __builtin_memcpy(w->t0, w->td, sizeof w->t0);
            in = w->t0;
            a.enabled = w->ten;
        }
        a.s[j] = o->kind[j] == NOTHING ? in : modify(o, j, in, spare[j]);
    }
    u32 *d = ROWPTR(w, o->index[3]);
    use_float(w, o->float_class);
    if (o->rows[3] == 0) { /* comparison */
        a.d = w->td;
        ((VectorBody *)o->body)(&a);
        lane_bits_out(w, o, a.enabled);
        return NEXT;
    }
    int n = o->rows[3];
    __builtin_memcpy(w->td, d, sizeof(u32) * ROW * (unsigned)n);
    if (o->flags & TO_HIGH) LANES w->td[l] >>= 16;
    a.d = w->td;
    ((VectorBody *)o->body)(&a);
    if ((o->clamp || o->omod) && !(o->flags & INTEGER_CLAMP)) modify_result(o, w->td, a.dx10);
    if (o->flags & TO_HIGH) {
        LANES w->td[l] = (d[l] & 0xffff) | (w->td[l] << 16);
    } else if (o->flags & KEEP_HALF) {
        LANES w->td[l] = (d[l] & 0xffff0000u) | (w->td[l] & 0xffff);
    } else if (o->flags & SDWA_DST) {
        u32 sel = o->sel[3], shift = sel < 4 ? sel * 8 : (sel - 4) * 16;
        u32 field = sel < 4 ? 255u : 0xffffu, unused = o->aux[2];
        u32 top = sel < 4 ? 24 : 16;
        if (unused == 2) { /* preserve */
            LANES w->td[l] = (d[l] & ~(field << shift)) | ((w->td[l] & field) << shift);
        } else if (unused == 1) { /* sign-extend above, zero below */
            LANES w->td[l] = (u32)((i32)(w->td[l] << top) >> top) << shift;
        } else {
            LANES w->td[l] = (w->td[l] & field) << shift;
        }
    }
    const u32 *enabled = a.enabled;
    for (int r = 0; r < n; r++) {
        u32 *to = d + r * ROW;
        const u32 *from = w->td + r * ROW;
        LANES to[l] = enabled[l] ? from[l] : to[l];
    }
    if (o->flags & LANE_BIT) lane_bits_out(w, o, a.enabled);
    return NEXT;
}

/* ---- across lanes */
static int x_readfirstlane(Wave *w, const Operation *o) {
    u64 exec = EXEC(w);
    int lane = exec ? __builtin_ctzll(exec) : 0;
    write_scalar(w, o, plain_source(w, o, 0, w->t0)[lane]);
    return NEXT;
}
static int x_readlane(Wave *w, const Operation *o) {
    u32 lane = (u32)scalar_source(w, o, 1) & (w->wave_mask_words * 32 - 1);
    write_scalar(w, o, plain_source(w, o, 0, w->t0)[lane]);
    return NEXT;
}
static int x_writelane(Wave *w, const Operation *o) {
    u32 lane = (u32)scalar_source(w, o, 1) & (w->wave_mask_words * 32 - 1);
    ROWPTR(w, o->index[3])[lane] = (u32)scalar_source(w, o, 0);
    return NEXT;
}
static int x_swap(Wave *w, const Operation *o) {
    u32 *a = ROWPTR(w, o->index[3]), *b = ROWPTR(w, o->index[0]);
    for (int l = 0; l < ROW; l++)
        if (w->enabled[l]) { u32 t = a[l]; a[l] = b[l]; b[l] = t; }
    return NEXT;
}
/* V_PERMLANE32_SWAP / 16_SWAP: upper half of vdst against lower half of src0 (per row pair). */
static int x_permlane_swap(Wave *w, const Operation *o) {
    u32 *a = ROWPTR(w, o->index[3]), *b = ROWPTR(w, o->index[0]);
    int half = (int)o->size;
    for (int l = 0; l < ROW; l++)
        if (!(l & half) && (w->enabled[l] || w->enabled[l + half])) {
            u32 t = b[l]; b[l] = a[l + half]; a[l + half] = t;
        }
    return NEXT;
}
/* V_PERMLANE16 / X16: any lane of the own (or the other) row of 16; 4 bits a lane in two SGPRs. */
static int x_permlane16(Wave *w, const Operation *o) {
    u32 row[ROW], *d = ROWPTR(w, o->index[3]);
    u64 choice = (u32)scalar_source(w, o, 1) | scalar_source(w, o, 2) << 32;
    u32 inactive = o->op_sel & 1, zero = (o->op_sel >> 1) & 1;
    __builtin_memcpy(row, plain_source(w, o, 0, w->t0), sizeof row);
    for (int l = 0; l < ROW; l++) {
        int from = ((l & ~15) ^ (o->size ? 16 : 0)) | ((choice >> (4 * (l & 15))) & 15);
        int valid = w->enabled[from] || inactive;
        if (w->enabled[l] && (valid || zero)) d[l] = valid ? row[from] : 0;
    }
    return NEXT;
}
static int x_permlane64(Wave *w, const Operation *o) {
    u32 row[ROW], *d = ROWPTR(w, o->index[3]);
    if (w->wave_mask_words == 1) return NEXT;
    __builtin_memcpy(row, plain_source(w, o, 0, w->t0), sizeof row);
    for (int l = 0; l < ROW; l++)
        if (w->enabled[l]) d[l] = row[l ^ 32];
    return NEXT;
}
/* V_MOVRELS/D: the register number plus M0. */
static int x_vector_movrel(Wave *w, const Operation *o) {
    u32 from = o->index[0], to = o->index[3], by = w->s[w->m0];
    if (o->size & 1) from += by;
    if (o->size & 2) to += by;
    if (from >= w->launch->vgpr_rows || to >= w->launch->vgpr_rows)
        return fault(w, o, FAULT_BAD_REGISTER, 0, by, 0);
    const u32 *in = o->kind[0] == FROM_VGPR ? ROWPTR(w, from) : plain_source(w, o, 0, w->t0);
    u32 *d = ROWPTR(w, to);
    LANES d[l] = w->enabled[l] ? in[l] : d[l];
    return NEXT;
}
/* V_PERMUTE-like copies between AccVGPRs and VGPRs use x_vector with the mov body. */
#endif
