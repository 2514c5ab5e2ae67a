/* Scalar instructions: one value a wave. The arithmetic is generated; control flow is here. */
#ifndef CROSSPORT_SCALAR_H
#define CROSSPORT_SCALAR_H
#include "emu.h"

#if defined(__x86_64__)
#define SET_FLOAT_CONTROL(x) __builtin_ia32_ldmxcsr(x)
#else
#define SET_FLOAT_CONTROL(x) ((void)(x))
#endif
#define PLAIN_FLOAT 0x1f80u /* nearest even, denormals kept, exceptions masked */

/* MODE: bits 0-1 round f32, 2-3 round f64/f16, 4-5 denormals f32, 6-7 denormals f64/f16. */
static u32 float_control(u32 round, u32 denormals) {
    static const u32 rounding[4] = {0, 2, 1, 3}; /* nearest, +inf, -inf, zero -> MXCSR.RC */
    u32 flush_out = !(denormals & 2), flush_in = !(denormals & 1);
    return PLAIN_FLOAT | rounding[round & 3] << 13 | flush_out << 15 | flush_in << 6;
}
static void mode_changed(Wave *w) {
    w->fp_class[1] = float_control(w->mode, w->mode >> 4);
    w->fp_class[2] = float_control(w->mode >> 2, w->mode >> 6);
    w->fp_class[0] = w->fp_class[3] = PLAIN_FLOAT;
}
ALWAYS void use_float(Wave *w, u32 float_class) {
    if (float_class && w->fp_class[float_class] != w->fp_now) {
        w->fp_now = w->fp_class[float_class];
        SET_FLOAT_CONTROL(w->fp_now);
    }
}

static inline u64 scalar_source(Wave *w, const Operation *o, int j) {
    switch (o->kind[j]) {
    case FROM_SGPR:
        return o->rows[j] == 2 ? get64(&w->s[o->index[j]]) : w->s[o->index[j]];
    case FROM_CONSTANT: {
        const u32 *row = w->launch->constants + (u64)o->index[j] * ROW;
        return o->rows[j] == 2 ? (u64)row[0] | ((u64)row[ROW] << 32) : row[0];
    }
    case FROM_SCC: return w->scc;
    case FROM_VCCZ: return get_mask(w, 106) == 0;
    case FROM_EXECZ: return EXEC(w) == 0;
    default: return 0;
    }
}
static void write_scalar(Wave *w, const Operation *o, u64 value) {
    u32 d = o->index[3];
    w->s[d] = (u32)value;
    if (o->flags & WIDE_D) w->s[d + 1] = (u32)(value >> 32);
    if (d == 126 || d == 127 || ((o->flags & WIDE_D) && d == 125)) exec_changed(w);
}
static int x_scalar(Wave *w, const Operation *o) {
    ScalarArgs a;
    a.s0 = o->kind[0] == NOTHING ? 0 : scalar_source(w, o, 0);
    a.s1 = o->kind[1] == NOTHING ? 0 : scalar_source(w, o, 1);
    a.d = o->flags & NO_D ? 0 : o->flags & WIDE_D ? get64(&w->s[o->index[3]]) : w->s[o->index[3]];
    a.exec = EXEC(w);
    a.scc = w->scc;
    a.literal = o->literal;
    if (o->float_class) use_float(w, o->float_class);
    ((ScalarBody *)o->body)(&a);
    w->scc = a.scc;
    if (o->flags & EXEC_WRITTEN) set_exec(w, w->wave_mask_words == 2 ? a.exec : (u32)a.exec);
    if (!(o->flags & NO_D)) write_scalar(w, o, a.d);
    return NEXT;
}
static int x_nothing(Wave *w, const Operation *o) { (void)w; (void)o; return NEXT; }
static int x_unknown(Wave *w, const Operation *o) {
    return fault(w, o, FAULT_UNKNOWN_OPCODE, 0, o->pc, o->aux[0]);
}
static int x_end(Wave *w, const Operation *o) { (void)w; (void)o; return ENDED; }
static int x_barrier(Wave *w, const Operation *o) { (void)w; (void)o; return WAIT_BARRIER; }
static int x_grid_barrier(Wave *w, const Operation *o) {
    (void)o;
    if (w->shared->synchronised) w->shared->synchronised[w->group_id] = ++w->shared->clock;
    return WAIT_GRID;
}
static int x_yield(Wave *w, const Operation *o) { (void)w; (void)o; return YIELD; }
static int x_trap(Wave *w, const Operation *o) {
    return fault(w, o, FAULT_TRAP, 0, 0, o->literal);
}
static int jump(Wave *w, const Operation *o, u64 address) {
    u64 offset = address - w->launch->text_base;
    if (offset & 3 || (offset >> 2) >= w->launch->text_words ||
        w->launch->at_offset[offset >> 2] < 0)
        return fault(w, o, FAULT_BAD_JUMP, 0, address, 0);
    w->pc = (u32)w->launch->at_offset[offset >> 2];
    return NEXT;
}
static int branch(Wave *w, const Operation *o) {
    if (o->target < 0) return fault(w, o, FAULT_BAD_JUMP, 0, o->next_pc + o->offset, 0);
    w->pc = (u32)o->target;
    return NEXT;
}
static int x_branch(Wave *w, const Operation *o) { return branch(w, o); }
static int x_branch_scc0(Wave *w, const Operation *o) { return w->scc ? NEXT : branch(w, o); }
static int x_branch_scc1(Wave *w, const Operation *o) { return w->scc ? branch(w, o) : NEXT; }
static int x_branch_vccz(Wave *w, const Operation *o) {
    return get_mask(w, 106) ? NEXT : branch(w, o);
}
static int x_branch_vccnz(Wave *w, const Operation *o) {
    return get_mask(w, 106) ? branch(w, o) : NEXT;
}
static int x_branch_execz(Wave *w, const Operation *o) { return EXEC(w) ? NEXT : branch(w, o); }
static int x_branch_execnz(Wave *w, const Operation *o) { return EXEC(w) ? branch(w, o) : NEXT; }
static int x_never(Wave *w, const Operation *o) { (void)w; (void)o; return NEXT; }
static int x_getpc(Wave *w, const Operation *o) {
    write_scalar(w, o, w->launch->text_base + o->next_pc);
    return NEXT;
}
static int x_setpc(Wave *w, const Operation *o) { return jump(w, o, scalar_source(w, o, 0)); }
static int x_swappc(Wave *w, const Operation *o) {
    u64 to = scalar_source(w, o, 0);
    write_scalar(w, o, w->launch->text_base + o->next_pc);
    return jump(w, o, to);
}
static int x_call(Wave *w, const Operation *o) {
    write_scalar(w, o, w->launch->text_base + o->next_pc);
    return branch(w, o);
}
/* A clock: what counts is that it never goes back and that waiting for it ends. */
static u64 clock_of(Wave *w) {
    w->ticks += 40;
    return w->instructions * 4 + w->ticks;
}
/* Hardware registers: id in bits 0-5 of the immediate, offset in 6-10, width - 1 in 11-15. */
static u32 hardware_register(Wave *w, u32 id) {
    switch (id) {
    case 1: return w->mode;
    case 4: return w->index & 15; /* HW_ID: the wave slot */
    case 20: return 0;            /* XCC_ID */
    case 29: return (u32)clock_of(w) & 0xfffff; /* SHADER_CYCLES */
    default: return 0;
    }
}
static int x_getreg(Wave *w, const Operation *o) {
    u32 id = o->literal & 63, at = (o->literal >> 6) & 31, size = ((o->literal >> 11) & 31) + 1;
    u32 value = hardware_register(w, id) >> at;
    write_scalar(w, o, size == 32 ? value : value & ((1u << size) - 1));
    return NEXT;
}
static int x_setreg(Wave *w, const Operation *o) {
    u32 id = o->literal & 63, at = (o->literal >> 6) & 31, size = ((o->literal >> 11) & 31) + 1;
    u32 mask = (size == 32 ? ~0u : (1u << size) - 1) << at;
    u32 value = o->kind[0] == NOTHING ? o->aux[0] : (u32)scalar_source(w, o, 0);
    if (id != 1) return NEXT; /* other registers have no effect that a program can see here */
    w->mode = (w->mode & ~mask) | ((value << at) & mask);
    mode_changed(w);
#if !defined(__x86_64__)
    if (w->fp_class[1] != PLAIN_FLOAT || w->fp_class[2] != PLAIN_FLOAT)
        return fault(w, o, FAULT_UNSUPPORTED_MODE, 0, w->mode, 0);
#endif
    return NEXT;
}
/* S_ROUND_MODE and S_DENORM_MODE (gfx10+). */
static int x_round_mode(Wave *w, const Operation *o) {
    w->mode = (w->mode & ~15u) | (o->literal & 15);
    mode_changed(w);
    return NEXT;
}
static int x_denorm_mode(Wave *w, const Operation *o) {
    w->mode = (w->mode & ~0xf0u) | (o->literal & 15) << 4;
    mode_changed(w);
    return NEXT;
}
static int x_time(Wave *w, const Operation *o) {
    set64(&w->s[o->index[3]], clock_of(w));
    return NEXT;
}
static int x_movrels(Wave *w, const Operation *o) {
    u32 at = o->index[0] + w->s[w->m0];
    if (at > 105) return fault(w, o, FAULT_BAD_REGISTER, 0, at, 0);
    write_scalar(w, o, o->flags & WIDE_D ? get64(&w->s[at]) : w->s[at]);
    return NEXT;
}
static int x_movreld(Wave *w, const Operation *o) {
    u64 value = scalar_source(w, o, 0);
    u32 at = o->index[3] + w->s[w->m0];
    if (at > 105) return fault(w, o, FAULT_BAD_REGISTER, 0, at, 0);
    w->s[at] = (u32)value;
    if (o->flags & WIDE_D) w->s[at + 1] = (u32)(value >> 32);
    return NEXT;
}
#endif
