/* The machine: waves, workgroups, memory regions, and the pre-decoded instruction.
 *
 * `Operation` and `Launch` are filled by Python (records.py has the same layouts, checked at load).
 */
#ifndef CROSSPORT_EMU_H
#define CROSSPORT_EMU_H
#include "base.h"

typedef struct Wave Wave;
typedef struct Operation Operation;
typedef int Execute(Wave *, const Operation *);

enum { NEXT = 0, WAIT_BARRIER = 1, ENDED = 2, FAULTED = 3, YIELD = 4, WAIT_GRID = 5 };
enum { FROM_VGPR = 0, FROM_CONSTANT = 1, FROM_SGPR = 2, FROM_SCC = 3, FROM_VCCZ = 4, FROM_EXECZ = 5,
       FROM_M0 = 6, NOTHING = 7 };
/* Source modifiers of one operand (Operation.mod). */
enum { NEGATE = 1, ABSOLUTE = 2, SIGN_EXTEND = 4, HALF_WIDE = 8, PACKED_16 = 16, PACKED_32 = 32 };
/* Operation.flags */
enum {
    CARRY_IN = 1,        /* carry_in names the SGPR of the lane mask */
    LANE_BIT = 2,        /* produces a lane mask into sdst */
    EXEC_BIT = 4,        /* ... and into EXEC (V_CMPX) */
    KEEP_HALF = 8,       /* a 16-bit result leaves the other half of the register alone */
    TO_HIGH = 16,        /* ... and goes to the upper half */
    WIDE_D = 32,         /* scalar: the destination is 64 bits */
    NO_D = 64,           /* no destination */
    EXEC_WRITTEN = 128,  /* scalar: the body writes EXEC */
    RETURNS = 256,       /* atomic returns the old value */
    SDWA_DST = 512,      /* sub-dword destination */
    NO_SDST = 1024,      /* comparison writes only EXEC (gfx10+ V_CMPX) */
    SADDR = 2048,        /* global/scratch: an SGPR base or offset is present */
    VADDR = 4096,        /* scratch/buffer: a VGPR offset is present */
    INDEXED = 8192,      /* buffer: a VGPR index is present */
    TO_LDS = 16384,      /* load goes to LDS */
    HIGH_HALF = 32768,   /* D16 access of the upper half */
    MODIFIED = 65536,    /* some source has a modifier, or clamp/omod/sub-dword destination */
    INTEGER_CLAMP = 1 << 17,
    SIGNED_CLAMP = 1 << 18,
    KEEP_BITS = 1 << 19, /* op_sel picks the destination byte/half; the body merges itself */
    MERGE_D16 = 1 << 20,
    COHERENT = 1 << 21,  /* memory: volatile, or with a scope beyond the workgroup */
};

struct Operation {
    Execute *execute;
    void *body; /* VectorBody* or ScalarBody* */
    u32 pc, next_pc; /* byte offsets in the text */
    i32 target;      /* operation index of a branch target */
    u32 flags;
    u8 kind[4], rows[4], mod[4], sel[4]; /* sources 0..2, and 3: destination */
    u32 index[4];                        /* register or constant row; 3: destination row */
    u32 sdst, carry_in;
    i32 offset;
    u32 literal;
    u8 clamp, omod, float_class, out_bits;
    u8 op_sel, op_sel_hi, neg, neg_hi;
    u32 dpp;  /* bit 31: present; control | row_mask << 16 | bank_mask << 20 | bound_ctrl << 24 |
                 fetch_inactive << 25; bit 30: DPP8, lanes in aux[0] */
    u32 size; /* bytes of a memory access, or a function code */
    u32 aux[4];
};

typedef struct Shadow Shadow;
typedef struct Region {
    u64 base, size;
    u8 *host;
    u32 writable, id;
    Shadow *shadow; /* checks: one for each 4 bytes, or null */
} Region;

/* What a fault says; Python turns it into a diagnostic. */
typedef struct Fault {
    u32 code, pc, lane, wave;
    u64 group, address, detail;
} Fault;
enum {
    FAULT_NONE, FAULT_UNKNOWN_OPCODE, FAULT_GLOBAL_BOUNDS, FAULT_LDS_BOUNDS, FAULT_SCRATCH_BOUNDS,
    FAULT_READ_ONLY, FAULT_BAD_JUMP, FAULT_TRAP, FAULT_RAN_OFF, FAULT_BAD_REGISTER,
    FAULT_MISALIGNED_ATOMIC, FAULT_BAD_BUFFER, FAULT_MEMORY, FAULT_UNSUPPORTED_MODE,
    FAULT_BAD_VALUE, FAULT_HOST_SERVICE, FAULT_BAD_IMAGE,
};

typedef struct TraceRecord {
    u32 operation, scc;
    u64 exec, sdst;
    u32 vdst[4];
} TraceRecord;

/* Where an unfinished wave stands when a limit ends the run. */
typedef struct Position {
    u64 group, exec, instructions;
    u32 wave, pc, state, pad;
} Position;

typedef struct Finding { /* of the race and initialisation checks */
    u32 kind, pc, other_pc, pad;
    u64 address, group, other_group;
    u32 lane, other_lane, wave, other_wave;
} Finding;
enum { FOUND_RACE_WRITE_WRITE = 1, FOUND_RACE_READ_WRITE = 2, FOUND_UNINITIALISED = 3,
       FOUND_GLOBAL_RACE = 4 };

/* One piece of a message that a lane prints: up to seven words (hostcall.h). */
typedef struct Printed { u64 message, flags, words[7]; } Printed;

typedef struct Counter { /* per operation, for the profile */
    u64 count, lanes, bytes, transactions, conflicts, ideal;
} Counter;

typedef struct Launch {
    const Operation *ops;
    const i32 *at_offset; /* text offset / 4 -> operation index, or -1 */
    const u32 *constants;
    const Region *regions;
    u32 op_count, text_words, region_count, vgpr_rows;
    u64 text_base;
    u32 grid[3], block[3];
    u32 entry, wave_size, nsgpr, group_sgpr[3]; /* group_sgpr: SGPR of the group id, or ~0 */
    u32 user_sgprs[32];
    u32 lds_size, scratch_size, mode, thread_ids;
    u32 schedule, quantum;
    u64 seed, instruction_limit;
    u32 resident_limit, threads, profile, checks;
    u64 trace_group, shared_aperture, private_aperture;
    u32 trace_wave, trace_lane, trace_capacity, position_capacity, finding_capacity, m0_row;
    u32 packed_group_sgpr; /* SGPR of group id y | z << 16 (RDNA4), or ~0 */
    u64 scratch_va;
    /* shared state */
    u64 next_group, done_groups, instructions;
    u32 stop, trace_count, position_count, finding_count;
    TraceRecord *trace;
    Position *positions;
    Finding *findings;
    Fault fault;
    u32 *initial_v, *initial_s; /* test entry: register state to start from, or null */
    u32 *final_v, *final_s;
    u32 grid_lock, grid_arrived, grid_phase, grid_pad; /* the barrier across workgroups */
    u64 lds_out; /* host address to copy the first group's LDS to, or 0 */
    u64 lds_in;
    u64 hostcall, messages; /* address of the host call buffer, or 0; messages begun so far */
    Printed *printed;
    u32 printed_count, printed_capacity;
    u64 clock, *synchronised; /* checks: accesses so far; for each workgroup, its last atomic */
} Launch;

typedef struct Group {
    Wave *waves;
    u8 *lds;
    u32 *lds_writer, *lds_reader; /* checks: last access per 4 bytes: epoch<<?; see checks.h */
    u32 wave_count, ended, waiting, epoch, at_grid, parked, grid_phase, pad;
    u64 id;
    u32 coords[3], cursor;
} Group;

struct Wave {
    u32 enabled[ROW]; /* EXEC as a row of all-ones/zeros */
    u32 t0[2 * ROW], t1[2 * ROW], t2[2 * ROW], td[4 * ROW], ten[ROW], tcarry[ROW], tbit[ROW];
    u64 address[ROW];
    u8 *host[ROW];
    u32 s[160]; /* SGPRs; 106 VCC, 124/125 M0, 126 EXEC; 128.. swallow writes to null */
    u32 *v;
    u8 *lds, *scratch;
    u64 scratch_stride;
    const Launch *launch;
    Launch *shared;
    Group *group;
    const Region *last_region;
    Counter *counters;
    u32 scc, pc, state, mode, wave_mask_words, m0, index;
    u32 lds_size, ticks;
    u64 instructions, group_id;
    u32 fp_now, fp_class[4];
};
ALWAYS u64 get64(const u32 *s) { return (u64)s[0] | ((u64)s[1] << 32); }
ALWAYS void set64(u32 *s, u64 v) { s[0] = (u32)v; s[1] = (u32)(v >> 32); }
#define EXEC(w) get64(&(w)->s[126])

ALWAYS int fault(Wave *w, const Operation *o, u32 code, u32 lane, u64 address, u64 detail) {
    Fault *f = &w->shared->fault;
    u32 none = 0;
    if (__atomic_compare_exchange_n(&f->code, &none, code, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        f->pc = o ? o->pc : w->pc;
        f->lane = lane;
        f->wave = w->index;
        f->group = w->group_id;
        f->address = address;
        f->detail = detail;
    }
    __atomic_store_n(&w->shared->stop, 1, __ATOMIC_SEQ_CST);
    return FAULTED;
}
ALWAYS void expand_mask(u32 *row, u64 mask, u32 one) {
    LANES row[l] = ((mask >> l) & 1) ? one : 0;
}
ALWAYS void exec_changed(Wave *w) { expand_mask(w->enabled, EXEC(w), ~0u); }
ALWAYS void set_exec(Wave *w, u64 mask) { set64(&w->s[126], mask); exec_changed(w); }
/* A lane mask in SGPRs: 64 bits, or 32 in wave32. */
ALWAYS u64 get_mask(const Wave *w, u32 sgpr) {
    return w->wave_mask_words == 2 ? get64(&w->s[sgpr]) : w->s[sgpr];
}
ALWAYS void set_mask(Wave *w, u32 sgpr, u64 mask) {
    w->s[sgpr] = (u32)mask;
    if (w->wave_mask_words == 2) w->s[sgpr + 1] = (u32)(mask >> 32);
    if (sgpr == 126) exec_changed(w);
}
ALWAYS u64 pack_row(const u32 *row) {
    u64 mask = 0;
#if defined(__AVX512F__) && defined(__clang__)
    typedef int v16 __attribute__((vector_size(64)));
    for (int part = 0; part < 4; part++) {
        v16 x;
        __builtin_memcpy(&x, row + part * 16, 64);
        typedef int i16x __attribute__((ext_vector_type(16)));
        typedef _Bool b16 __attribute__((ext_vector_type(16)));
        i16x y;
        __builtin_memcpy(&y, &x, 64);
        b16 b = __builtin_convertvector(y != 0, b16);
        u16 m;
        __builtin_memcpy(&m, &b, 2);
        mask |= (u64)m << (part * 16);
    }
#else
    for (int l = 0; l < ROW; l++) mask |= (u64)(row[l] != 0) << l;
#endif
    return mask;
}
#define ROWPTR(w, r) ((w)->v + (u64)(r) * ROW)
#endif
