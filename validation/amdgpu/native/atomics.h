/* Atomic functions, and their execution lane by lane on host addresses. */
#ifndef CROSSPORT_ATOMICS_H
#define CROSSPORT_ATOMICS_H
#include "vector.h"

/* The function code is Operation.aux[0]. */
enum {
    A_ADD = 1, A_SUB, A_RSUB, A_SMIN, A_UMIN, A_SMAX, A_UMAX, A_AND, A_OR, A_XOR, A_INC, A_DEC,
    A_SWAP, A_CMPSWAP, A_FADD, A_FMIN, A_FMAX, A_PKF16, A_PKBF16, A_CSUB, A_MSKOR, A_FCMPSWAP,
    A_CONDSUB,
};
static u32 atomic32(u32 f, u32 old, u32 x, u32 compare) {
    switch (f) {
    case A_ADD: return old + x;
    case A_SUB: return old - x;
    case A_RSUB: return x - old;
    case A_SMIN: return (i32)old < (i32)x ? old : x;
    case A_UMIN: return old < x ? old : x;
    case A_SMAX: return (i32)old > (i32)x ? old : x;
    case A_UMAX: return old > x ? old : x;
    case A_AND: return old & x;
    case A_OR: return old | x;
    case A_XOR: return old ^ x;
    case A_INC: return old >= x ? 0 : old + 1;
    case A_DEC: return old == 0 || old > x ? x : old - 1;
    case A_SWAP: return x;
    case A_CMPSWAP: return old == compare ? x : old;
    case A_FCMPSWAP: return F32(old) == F32(compare) ? x : old;
    case A_FADD: return (u32)B32(F32(old) + F32(x));
    case A_FMIN: return (u32)B32(min_f32(F32(old), F32(x), 0));
    case A_FMAX: return (u32)B32(max_f32(F32(old), F32(x), 0));
    case A_CSUB: return old >= x ? old - x : 0;
    case A_CONDSUB: return old >= x ? old - x : old;
    case A_MSKOR: return (old & ~x) | compare;
    case A_PKF16:
        return (u32)B16((f16)(F16(old) + F16(x))) |
               (u32)B16((f16)(F16(old >> 16) + F16(x >> 16))) << 16;
    case A_PKBF16:
        return f32_to_bf16(bf16_to_f32(old & 0xffff) + bf16_to_f32(x & 0xffff)) |
               (u32)f32_to_bf16(bf16_to_f32(old >> 16) + bf16_to_f32(x >> 16)) << 16;
    }
    return old;
}
static u64 atomic64(u32 f, u64 old, u64 x, u64 compare) {
    switch (f) {
    case A_ADD: return old + x;
    case A_SUB: return old - x;
    case A_RSUB: return x - old;
    case A_SMIN: return (i64)old < (i64)x ? old : x;
    case A_UMIN: return old < x ? old : x;
    case A_SMAX: return (i64)old > (i64)x ? old : x;
    case A_UMAX: return old > x ? old : x;
    case A_AND: return old & x;
    case A_OR: return old | x;
    case A_XOR: return old ^ x;
    case A_INC: return old >= x ? 0 : old + 1;
    case A_DEC: return old == 0 || old > x ? x : old - 1;
    case A_SWAP: return x;
    case A_CMPSWAP: return old == compare ? x : old;
    case A_FCMPSWAP: return F64(old) == F64(compare) ? x : old;
    case A_FADD: return B64(F64(old) + F64(x));
    case A_FMIN: return B64(min_f64(F64(old), F64(x), 0));
    case A_FMAX: return B64(max_f64(F64(old), F64(x), 0));
    case A_MSKOR: return (old & ~x) | compare;
    }
    return old;
}
/* Lanes in order; real atomics only where other threads may touch the memory. */
static int atomic_rows(Wave *w, const Operation *o, const u32 *enabled, const u32 *data,
                       const u32 *data2, int shared_memory) {
    u32 f = o->aux[0], *d = o->flags & RETURNS ? ROWPTR(w, o->index[3]) : 0;
    int plain = shared_memory || w->launch->threads == 1, wide = o->size == 8;
    for (int l = 0; l < ROW; l++) {
        if (!enabled[l]) continue;
        u8 *at = w->host[l];
        if ((u64)at & (o->size - 1))
            return fault(w, o, FAULT_MISALIGNED_ATOMIC, (u32)l, w->address[l], o->size);
        if (wide) {
            u64 x = (u64)data[l] | ((u64)data[ROW + l] << 32), old;
            u64 c = data2 ? (u64)data2[l] | ((u64)data2[ROW + l] << 32) : 0;
            u64 *p = (u64 *)at;
            if (plain) { old = *p; *p = atomic64(f, old, x, c); }
            else {
                old = __atomic_load_n(p, __ATOMIC_RELAXED);
                while (!__atomic_compare_exchange_n(p, &old, atomic64(f, old, x, c), 1,
                                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
            }
            if (d) { d[l] = (u32)old; d[ROW + l] = (u32)(old >> 32); }
        } else {
            u32 x = data[l], c = data2 ? data2[l] : 0, old;
            u32 *p = (u32 *)at;
            if (plain) { old = *p; *p = atomic32(f, old, x, c); }
            else {
                old = __atomic_load_n(p, __ATOMIC_RELAXED);
                while (!__atomic_compare_exchange_n(p, &old, atomic32(f, old, x, c), 1,
                                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
            }
            if (d) d[l] = old;
        }
    }
    return NEXT;
}
#endif
