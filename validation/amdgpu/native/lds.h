/* LDS instructions (DS_*). index: 0 address, 1 data0, 2 data1, 3 destination. */
#ifndef CROSSPORT_LDS_H
#define CROSSPORT_LDS_H
#include "memory.h"

static int lds_hosts(Wave *w, const Operation *o, u32 offset, u32 size, int write) {
    const u32 *a = ROWPTR(w, o->index[0]);
    u32 limit = w->lds_size >= size ? w->lds_size - size : 0, bad = w->lds_size < size;
    u8 *lds = w->lds;
    u64 *hosts = (u64 *)w->host, idle = (u64)(u8 *)w->t0; /* safe to read where a lane is off */
    LANES {
        u32 at = a[l] + offset;
        bad |= (u32)(at > limit) & w->enabled[l];
        w->address[l] = at;
        hosts[l] = w->enabled[l] ? (u64)lds + at : idle;
    }
    if (bad)
        for (int l = 0; l < ROW; l++)
            if (w->enabled[l] && w->address[l] + size > w->lds_size)
                return fault(w, o, FAULT_LDS_BOUNDS, (u32)l, w->address[l], size | (u32)write << 31);
    if (w->launch->checks & CHECK_LDS) check_lds(w, o, size, write);
    if (w->counters) count_lds(w, o, size);
    return NEXT;
}
static int x_lds_read(Wave *w, const Operation *o) {
    if (lds_hosts(w, o, (u32)o->offset, o->size, 0)) return FAULTED;
    load_rows(w, o, w->enabled);
    return NEXT;
}
static int x_lds_write(Wave *w, const Operation *o) {
    if (lds_hosts(w, o, (u32)o->offset, o->size, 1)) return FAULTED;
    store_rows(w, o, w->enabled, ROWPTR(w, o->index[1]));
    return NEXT;
}
/* Two elements, each at its own offset; aux[0], aux[1] are the byte offsets. */
static int x_lds_read2(Wave *w, const Operation *o) {
    u32 words = o->size / 4, *both = w->td, *d = ROWPTR(w, o->index[3]);
    for (u32 half = 0; half < 2; half++) {
        if (lds_hosts(w, o, half ? o->aux[1] : o->aux[0], o->size, 0)) return FAULTED;
        for (u32 k = 0; k < words; k++)
            gather(both + (half * words + k) * ROW, w->enabled, w->host, k);
    }
    for (u32 k = 0; k < 2 * words; k++)
        LANES d[k * ROW + (u32)l] = w->enabled[l] ? both[k * ROW + (u32)l] : d[k * ROW + (u32)l];
    return NEXT;
}
static int x_lds_write2(Wave *w, const Operation *o) {
    for (u32 half = 0; half < 2; half++) {
        if (lds_hosts(w, o, half ? o->aux[1] : o->aux[0], o->size, 1)) return FAULTED;
        store_rows(w, o, w->enabled, ROWPTR(w, o->index[half ? 2 : 1]));
    }
    return NEXT;
}
/* Exchange of two elements: aux[2], as write2 with the old values returned. */
static int x_lds_exchange2(Wave *w, const Operation *o) {
    u32 words = o->size / 4, *d = ROWPTR(w, o->index[3]);
    for (u32 half = 0; half < 2; half++) {
        if (lds_hosts(w, o, half ? o->aux[1] : o->aux[0], o->size, 1)) return FAULTED;
        const u32 *from = ROWPTR(w, o->index[half ? 2 : 1]);
        for (int l = 0; l < ROW; l++) {
            if (!w->enabled[l]) continue;
            u32 old[2], new_[2];
            memcpy(old, w->host[l], o->size);
            for (u32 k = 0; k < words; k++) new_[k] = from[k * ROW + (u32)l];
            memcpy(w->host[l], new_, o->size);
            for (u32 k = 0; k < words; k++) d[(half * words + k) * ROW + (u32)l] = old[k];
        }
    }
    return NEXT;
}
static int x_lds_atomic(Wave *w, const Operation *o) {
    if (lds_hosts(w, o, (u32)o->offset, o->size, 2)) return FAULTED;
    const u32 *first = ROWPTR(w, o->index[1]), *second = ROWPTR(w, o->index[2]);
    use_float(w, o->float_class);
    /* gfx9's CMPST has the comparison first and the new value second; gfx11 the other way. */
    if (o->aux[0] == A_CMPSWAP || o->aux[0] == A_FCMPSWAP)
        return o->aux[1] ? atomic_rows(w, o, w->enabled, first, second, 1)
                         : atomic_rows(w, o, w->enabled, second, first, 1);
    return atomic_rows(w, o, w->enabled, first, second, 1);
}
/* ds_read_addtid / ds_write_addtid: address M0 + offset + 4 * lane. */
static int x_lds_addtid(Wave *w, const Operation *o) {
    u32 *d = ROWPTR(w, o->index[3]), *from = ROWPTR(w, o->index[1]);
    for (int l = 0; l < ROW; l++) {
        if (!w->enabled[l]) continue;
        u64 at = (u64)(w->s[w->m0] & 0xffff) + (u32)o->offset + 4u * (u32)l;
        if (at + 4 > w->lds_size) return fault(w, o, FAULT_LDS_BOUNDS, (u32)l, at, 4);
        if (o->aux[0]) memcpy(w->lds + at, &from[l], 4);
        else memcpy(&d[l], w->lds + at, 4);
    }
    return NEXT;
}

/* ---- exchanges that use the LDS crossbar but no memory */
static int x_bpermute(Wave *w, const Operation *o) {
    const u32 *a = ROWPTR(w, o->index[0]), *from = ROWPTR(w, o->index[1]);
    u32 *d = ROWPTR(w, o->index[3]), row[ROW], lanes = w->wave_mask_words * 32 - 1;
    for (int l = 0; l < ROW; l++) {
        u32 source = ((a[l] + (u32)o->offset) >> 2) & lanes;
        row[l] = w->enabled[source] ? from[source] : 0;
    }
    LANES d[l] = w->enabled[l] ? row[l] : d[l];
    return NEXT;
}
static int x_permute(Wave *w, const Operation *o) {
    const u32 *a = ROWPTR(w, o->index[0]), *from = ROWPTR(w, o->index[1]);
    u32 *d = ROWPTR(w, o->index[3]), row[ROW] = {0}, lanes = w->wave_mask_words * 32 - 1;
    for (int l = 0; l < ROW; l++)
        if (w->enabled[l]) row[((a[l] + (u32)o->offset) >> 2) & lanes] = from[l];
    LANES d[l] = w->enabled[l] ? row[l] : d[l];
    return NEXT;
}
/* Fixed patterns within 32 lanes: quad permute, rotate, FFT bit reversal, or and/or/xor masks. */
static int swizzle_lane(u32 pattern, int l) {
    int low = l & 31;
    if (pattern >= 0xe000) {
        u32 mask = pattern & 0x1f;
        u32 n = bit_reverse32((u32)low) >> 27;
        u32 shifted = n >> __builtin_popcount(mask);
        return (l & 32) | (int)(mask == 0 ? n : mask == 0x1f ? (u32)low : shifted | (low & (int)mask));
    }
    if (pattern >= 0xc000) {
        u32 keep = pattern & 0x1f, by = (pattern >> 5) & 0x1f, left = !((pattern >> 10) & 1);
        u32 to = (u32)low + (left ? by : 32 - by);
        return (l & 32) | (int)(((u32)low & keep) | (to & ~keep & 31));
    }
    if (pattern & 0x8000) return (l & ~3) | ((pattern >> ((l & 3) * 2)) & 3);
    return (l & 32) | ((((low & (int)(pattern & 31)) | (int)((pattern >> 5) & 31)) ^
                        (int)((pattern >> 10) & 31)) & 31);
}
static int x_swizzle(Wave *w, const Operation *o) {
    const u32 *from = ROWPTR(w, o->index[0]);
    u32 *d = ROWPTR(w, o->index[3]), row[ROW];
    for (int l = 0; l < ROW; l++) {
        int source = swizzle_lane((u32)o->offset, l);
        row[l] = w->enabled[source] ? from[source] : 0;
    }
    LANES d[l] = w->enabled[l] ? row[l] : d[l];
    return NEXT;
}
/* Transposing reads of gfx950: 16 lanes together hold a tile of 16 rows x 64 bits (128 for b96 is
 * not handled); element e of lane i comes from lane e * n + i / per of the same 16. */
static int x_lds_read_transposed(Wave *w, const Operation *o) {
    u32 element = o->aux[0], per = 64 / element; /* bits, elements a lane */
    u64 raw[ROW] = {0};
    if (lds_hosts(w, o, (u32)o->offset, 8, 0)) return FAULTED;
    for (int l = 0; l < ROW; l++)
        if (w->enabled[l]) memcpy(&raw[l], w->host[l], 8);
    u32 *d = ROWPTR(w, o->index[3]), step = 16 / per;
    for (int l = 0; l < ROW; l++) {
        if (!w->enabled[l]) continue;
        u32 in = (u32)l & 15, first = (u32)l & ~15u;
        u64 out = 0;
        for (u32 e = 0; e < per; e++) {
            u64 piece = raw[first + e * step + in / per] >> (element * (in % per));
            out |= (piece & mask_of((i32)element)) << (element * e);
        }
        d[l] = (u32)out;
        d[ROW + l] = (u32)(out >> 32);
    }
    return NEXT;
}
#endif
