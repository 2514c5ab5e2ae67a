/* Memory: global, flat, scratch, buffer, scalar loads, LDS. Every access is checked.
 *
 * Device addresses are not host addresses: a table of regions maps them. An access outside every
 * region, a store to a read-only one, or LDS beyond the workgroup's share is a fault. */
#ifndef CROSSPORT_MEMORY_H
#define CROSSPORT_MEMORY_H
#include "vector.h"
#include "checks.h"
#include "atomics.h"
#include "hostcall.h"

/* One address to a host pointer, or null. */
static u8 *host_of(Wave *w, u64 address, u32 size, int write, int lane, int flat, u32 *code) {
    const Region *r = find_region(w->launch, address);
    *code = FAULT_GLOBAL_BOUNDS;
    if (r && address - r->base < r->size && size <= r->size - (address - r->base)) {
        if (write && !r->writable) { *code = FAULT_READ_ONLY; return 0; }
        w->last_region = r;
        return r->host + (address - r->base);
    }
    if (!flat) return 0;
    u64 offset = (u32)address;
    if (address >> 32 == w->launch->shared_aperture >> 32) {
        *code = FAULT_LDS_BOUNDS;
        return offset + size <= w->lds_size ? w->lds + offset : 0;
    }
    if (address >> 32 == w->launch->private_aperture >> 32) {
        *code = FAULT_SCRATCH_BOUNDS;
        return offset + size <= w->scratch_stride ? w->scratch + w->scratch_stride * (u64)lane + offset
                                                  : 0;
    }
    return 0;
}
/* w->address -> w->host for every enabled lane. */
static int translate(Wave *w, const Operation *o, const u32 *enabled, u32 size, int write, int flat) {
    const Region *r = w->last_region;
    u64 on = enabled == w->enabled ? EXEC(w) : pack_row(enabled);
    if (!on) return NEXT;
    u64 first = w->address[__builtin_ctzll(on)];
    if (!r || first - r->base >= r->size) w->last_region = r = find_region(w->launch, first);
    if (r && size <= r->size && (!write || r->writable)) {
        u64 base = r->base, limit = r->size - size, bad = 0;
        u8 *host = r->host;
        u64 *hosts = (u64 *)w->host;
        LANES {
            u64 keep = enabled[l] ? ~0ull : 0, at = (w->address[l] - base) & keep;
            bad |= at > limit;
            hosts[l] = (u64)host + at;
        }
        if (!bad) return NEXT;
    }
    for (int l = 0; l < ROW; l++) {
        u32 code;
        if (!enabled[l]) {
            w->host[l] = (u8 *)w->t0; /* never used, but safe to read */
            continue;
        }
        w->host[l] = host_of(w, w->address[l], size, write, l, flat, &code);
        if (!w->host[l]) return fault(w, o, code, (u32)l, w->address[l], size | (u32)write << 31);
    }
    return NEXT;
}

/* aux[1] of loads: 0 unsigned/plain, 1 signed, +2 D16 (merge into a half). */
typedef u32 __attribute__((aligned(1))) Loose32;
typedef u16 __attribute__((aligned(1))) Loose16;
/* Word k of every lane's element; lanes that are off read something harmless. */
ALWAYS void gather(u32 *to, const u32 *enabled, u8 *const *host, u32 k) {
    LANES {
        u32 x = *(const Loose32 *)(host[l] + 4 * k);
        to[l] = enabled[l] ? x : to[l];
    }
}
ALWAYS int contiguous(const Wave *w, const u32 *enabled) {
    const u64 *host = (const u64 *)w->host;
    u64 apart = 0, first = host[0];
    if (enabled != w->enabled || EXEC(w) != ~0ull) return 0;
    LANES apart |= (host[l] - first) ^ (u64)(l * 4);
    return !apart;
}
static void load_rows(Wave *w, const Operation *o, const u32 *enabled) {
    if (enabled == w->enabled ? !EXEC(w) : !pack_row(enabled)) return;
    u32 *d = ROWPTR(w, o->index[3]), size = o->size;
    u8 *const *host = w->host;
    if (size == 4) {
        if (contiguous(w, enabled)) __builtin_memcpy(d, host[0], 256);
        else gather(d, enabled, host, 0);
        return;
    }
    if (size > 4) {
        for (u32 k = 0; k < size / 4; k++) gather(d + k * ROW, enabled, host, k);
        return;
    }
    u32 sign = o->aux[1] & 1, merge = o->aux[1] & 2, high = o->flags & HIGH_HALF;
    u32 *x = w->td;
    if (size == 1 && sign) { LANES x[l] = (u32)(i32)*(const i8 *)host[l]; }
    else if (size == 1) { LANES x[l] = *host[l]; }
    else if (sign) { LANES x[l] = (u32)(i32)(i16)*(const Loose16 *)host[l]; }
    else { LANES x[l] = *(const Loose16 *)host[l]; }
    if (!merge) { LANES d[l] = enabled[l] ? x[l] : d[l]; }
    else if (high) { LANES d[l] = enabled[l] ? (d[l] & 0xffff) | (x[l] << 16) : d[l]; }
    else { LANES d[l] = enabled[l] ? (d[l] & 0xffff0000u) | (x[l] & 0xffff) : d[l]; }
}
static void store_rows(Wave *w, const Operation *o, const u32 *enabled, const u32 *from) {
    u32 size = o->size, shift = o->flags & HIGH_HALF ? 16 : 0;
    u8 *const *host = w->host;
    if (size == 4 && contiguous(w, enabled)) {
        __builtin_memcpy(host[0], from, 256);
        return;
    }
    u64 on = enabled == w->enabled ? EXEC(w) : pack_row(enabled);
#define EACH_ENABLED(STORE)                                                                       \
    if (on == ~0ull) for (int l = 0; l < ROW; l++) { STORE; }                                     \
    else for (u64 left = on; left; left &= left - 1) { int l = __builtin_ctzll(left); STORE; }
    switch (size) {
    case 1: EACH_ENABLED(*host[l] = (u8)(from[l] >> shift)) return;
    case 2: EACH_ENABLED(*(Loose16 *)host[l] = (u16)(from[l] >> shift)) return;
    case 4: EACH_ENABLED(*(Loose32 *)host[l] = from[l]) return;
    case 8:
        EACH_ENABLED((((Loose32 *)host[l])[0] = from[l], ((Loose32 *)host[l])[1] = from[ROW + l]))
        return;
    case 12:
        EACH_ENABLED((((Loose32 *)host[l])[0] = from[l], ((Loose32 *)host[l])[1] = from[ROW + l],
                      ((Loose32 *)host[l])[2] = from[2 * ROW + l]))
        return;
    default:
        EACH_ENABLED((((Loose32 *)host[l])[0] = from[l], ((Loose32 *)host[l])[1] = from[ROW + l],
                      ((Loose32 *)host[l])[2] = from[2 * ROW + l],
                      ((Loose32 *)host[l])[3] = from[3 * ROW + l]))
    }
#undef EACH_ENABLED
}

/* ---- global, flat, scratch. index: 0 address, 1 data, 2 scalar base. */
static void global_addresses(Wave *w, const Operation *o) {
    const u32 *a = ROWPTR(w, o->index[0]);
    i64 offset = o->offset;
    if (o->flags & SADDR) {
        u64 base = get64(&w->s[o->index[2]]) + (u64)offset;
        if (o->flags & VADDR) { LANES w->address[l] = base + a[l]; }
        else { LANES w->address[l] = base; }
    } else {
        const u32 *b = a + ROW;
        LANES w->address[l] = ((u64)a[l] | ((u64)b[l] << 32)) + (u64)offset;
    }
}
static void scratch_hosts(Wave *w, const Operation *o, u64 *worst) {
    u64 top = 0;
    u32 base = (u32)o->offset + (o->flags & SADDR ? w->s[o->index[2]] : 0);
    const u32 *a = ROWPTR(w, o->index[0]);
    for (int l = 0; l < ROW; l++) {
        u32 at = base + (o->flags & VADDR ? a[l] : 0);
        w->address[l] = at;
        w->host[l] = w->enabled[l] ? w->scratch + w->scratch_stride * (u64)l + at : (u8 *)w->t0;
        u64 end = (u64)at + o->size;
        if (w->enabled[l] && end > top) top = end;
    }
    *worst = top;
}
ALWAYS int memory_prepare(Wave *w, const Operation *o, int write) {
    if (o->flags & INDEXED) { /* scratch */
        u64 top;
        scratch_hosts(w, o, &top);
        if (top > w->scratch_stride)
            for (int l = 0; l < ROW; l++)
                if (w->enabled[l] && w->address[l] + o->size > w->scratch_stride)
                    return fault(w, o, FAULT_SCRATCH_BOUNDS, (u32)l, w->address[l],
                                 o->size | (u32)write << 31);
        return NEXT;
    }
    global_addresses(w, o);
    return translate(w, o, w->enabled, o->size, write, o->flags & CARRY_IN ? 1 : 0);
}
/* Loads to LDS: M0 gives the base, lane l writes its own element. */
static int lds_landing(Wave *w, const Operation *o, const u32 *enabled, const u32 *present) {
    u32 base = (w->s[w->m0] & 0xffffff) + (u32)o->aux[2];
    for (int l = 0; l < ROW; l++) {
        if (!enabled[l]) continue;
        u64 at = (u64)base + (u64)l * o->size;
        if (at + o->size > w->lds_size)
            return fault(w, o, FAULT_LDS_BOUNDS, (u32)l, at, o->size | 1u << 31);
        if (!present || present[l]) memcpy(w->lds + at, w->host[l], o->size);
        else memset(w->lds + at, 0, o->size);
    }
    return NEXT;
}
static int x_load(Wave *w, const Operation *o) {
    if (memory_prepare(w, o, 0)) return FAULTED;
    if (w->counters) count_access(w, o, w->enabled);
    if (!(o->flags & INDEXED)) check_global(w, o, w->enabled, o->size, READS);
    if (o->flags & TO_LDS) return lds_landing(w, o, w->enabled, 0);
    load_rows(w, o, w->enabled);
    return NEXT;
}
static int x_store(Wave *w, const Operation *o) {
    if (memory_prepare(w, o, 1)) return FAULTED;
    if (w->counters) count_access(w, o, w->enabled);
    if (!(o->flags & INDEXED)) check_global(w, o, w->enabled, o->size, WRITES);
    store_rows(w, o, w->enabled, ROWPTR(w, o->index[1]));
    return NEXT;
}
static int x_atomic(Wave *w, const Operation *o) {
    if (memory_prepare(w, o, 1)) return FAULTED;
    if (w->counters) count_access(w, o, w->enabled);
    if (!(o->flags & INDEXED)) check_global(w, o, w->enabled, o->size, ATOMIC);
    const u32 *data = ROWPTR(w, o->index[1]);
    int compares = o->aux[0] == A_CMPSWAP || o->aux[0] == A_FCMPSWAP;
    if (atomic_rows(w, o, w->enabled, data, compares ? data + ROW * (o->size / 4) : 0, 0))
        return FAULTED;
    const Region *r = w->last_region;
    return r && w->launch->hostcall && r->base == w->launch->hostcall ? serve_host(w, o) : NEXT;
}

/* ---- buffers. index: 0 vaddr, 1 data, 2 resource SGPR; kind/index of soffset in source 2's slot:
 * rows[2] unused; sdst holds the soffset SGPR or ~0 with the constant in literal. */
static int buffer_prepare(Wave *w, const Operation *o, u32 *present, int write) {
    const u32 *v = &w->s[o->index[2]];
    u64 base = (u64)v[0] | ((u64)(v[1] & 0xffff) << 32);
    u32 stride = (v[1] >> 16) & 0x3fff, records = v[2];
    u32 soffset = o->sdst != ~0u ? w->s[o->sdst] : o->literal;
    u32 gfx9 = o->aux[3];
    u32 swizzled = gfx9 ? v[1] >> 31 : (v[1] >> 30) & 3;
    u32 add_lane = (v[3] >> 23) & 1;
    const u32 *a = ROWPTR(w, o->index[0]);
    const u32 *index_row = a, *offset_row = o->flags & INDEXED ? a + ROW : a;
    if (add_lane && gfx9) { /* the private segment of gfx90a: per-lane memory, offsets per lane */
        u64 top = 0;
        for (int l = 0; l < ROW; l++) {
            u64 at = (u64)(u32)(o->offset + (o->flags & VADDR ? offset_row[l] : 0)) + soffset / 64;
            at += (base - w->launch->scratch_va) / 64;
            w->address[l] = at;
            present[l] = w->enabled[l];
            w->host[l] = w->enabled[l] ? w->scratch + w->scratch_stride * (u64)l + at : (u8 *)w->t0;
            if (w->enabled[l] && at + o->size > top) top = at + o->size;
        }
        if (top > w->scratch_stride)
            for (int l = 0; l < ROW; l++)
                if (w->enabled[l] && w->address[l] + o->size > w->scratch_stride)
                    return fault(w, o, FAULT_SCRATCH_BOUNDS, (u32)l, w->address[l],
                                 o->size | (u32)write << 31);
        return NEXT;
    }
    if (swizzled || add_lane) return fault(w, o, FAULT_BAD_BUFFER, 0, v[1], v[3]);
    for (int l = 0; l < ROW; l++) {
        u32 index = o->flags & INDEXED ? index_row[l] : 0;
        u32 offset = (u32)o->offset + (o->flags & VADDR ? offset_row[l] : 0);
        /* Raw: the offset is checked against bytes; structured: the index against records. */
        u32 inside = stride && (o->flags & INDEXED)
                         ? index < records
                         : (u64)offset + o->size <= records && offset <= records;
        if (stride && (o->flags & INDEXED) && offset >= stride) inside = inside && !gfx9;
        present[l] = w->enabled[l] && inside ? ~0u : 0;
        w->address[l] = base + soffset + (u64)index * stride + offset;
    }
    return translate(w, o, present, o->size, write, 0);
}
static int x_buffer_load(Wave *w, const Operation *o) {
    u32 present[ROW];
    if (buffer_prepare(w, o, present, 0)) return FAULTED;
    if (w->counters) count_access(w, o, present);
    check_global(w, o, present, o->size, READS);
    if (o->flags & TO_LDS) return lds_landing(w, o, w->enabled, present);
    load_rows(w, o, present);
    if (o->aux[1] & 2) { /* D16 keeps the other half; out of range gives 0 in its own */
        u32 *d = ROWPTR(w, o->index[3]), keep = o->flags & HIGH_HALF ? 0xffff : 0xffff0000u;
        LANES d[l] = w->enabled[l] && !present[l] ? d[l] & keep : d[l];
        return NEXT;
    }
    for (u32 k = 0; k < (o->size + 3) / 4; k++) {
        u32 *d = ROWPTR(w, o->index[3] + k);
        LANES d[l] = w->enabled[l] && !present[l] ? 0 : d[l];
    }
    return NEXT;
}
static int x_buffer_store(Wave *w, const Operation *o) {
    u32 present[ROW];
    if (buffer_prepare(w, o, present, 1)) return FAULTED;
    if (w->counters) count_access(w, o, present);
    check_global(w, o, present, o->size, WRITES);
    store_rows(w, o, present, ROWPTR(w, o->index[1]));
    return NEXT;
}
static int x_buffer_atomic(Wave *w, const Operation *o) {
    u32 present[ROW];
    if (buffer_prepare(w, o, present, 1)) return FAULTED;
    if (w->counters) count_access(w, o, present);
    check_global(w, o, present, o->size, ATOMIC);
    const u32 *data = ROWPTR(w, o->index[1]);
    int compares = o->aux[0] == A_CMPSWAP || o->aux[0] == A_FCMPSWAP;
    return atomic_rows(w, o, present, data, compares ? data + ROW * (o->size / 4) : 0, 0);
}

/* ---- scalar loads and stores. index[0] base SGPR, index[3] destination; soffset in sdst. */
static int scalar_address(Wave *w, const Operation *o, u64 *address, u32 *count) {
    u64 offset = (u64)(i64)o->offset + (o->sdst != ~0u ? w->s[o->sdst] : 0);
    u64 align = o->size < 4 ? o->size : 4;
    *count = o->size; /* bytes */
    if (o->aux[0]) { /* a buffer resource: beyond its size reads 0 */
        const u32 *v = &w->s[o->index[0]];
        u64 base = (u64)v[0] | ((u64)(v[1] & 0xffff) << 32);
        u32 stride = (v[1] >> 16) & 0x3fff;
        u64 bytes = stride ? (u64)stride * v[2] : v[2];
        offset &= -align;
        u64 left = offset < bytes ? (bytes - offset) / align * align : 0;
        if (left < *count) *count = (u32)left;
        *address = base + offset;
    } else {
        *address = (get64(&w->s[o->index[0]]) + offset) & -align;
    }
    return NEXT;
}
/* A scalar load reads as a lane would. */
static void check_scalar(Wave *w, const Operation *o, u64 address, u32 size) {
    u32 first[ROW] = {~0u};
    if (!(w->launch->checks & CHECK_GLOBAL)) return;
    w->address[0] = address;
    check_global(w, o, first, size, READS);
}
static int x_scalar_load(Wave *w, const Operation *o) {
    u64 address;
    u32 count, code, values[16] = {0}, words = (o->size + 3) / 4;
    scalar_address(w, o, &address, &count);
    if (count) {
        u8 *host = host_of(w, address, count, 0, 0, 0, &code);
        if (!host) return fault(w, o, code, 0, address, count);
        check_scalar(w, o, address, count);
        memcpy(values, host, count);
    }
    if (o->aux[1] && o->size == 1) values[0] = (u32)(i32)(i8)values[0];
    if (o->aux[1] && o->size == 2) values[0] = (u32)(i32)(i16)values[0];
    memcpy(&w->s[o->index[3]], values, words * 4);
    return NEXT;
}
static int x_scalar_store(Wave *w, const Operation *o) {
    u64 address;
    u32 count, code;
    scalar_address(w, o, &address, &count);
    if (!count) return NEXT;
    u8 *host = host_of(w, address, count, 1, 0, 0, &code);
    if (!host) return fault(w, o, code, 0, address, count | 1u << 31);
    memcpy(host, &w->s[o->index[3]], count);
    return NEXT;
}
#endif
