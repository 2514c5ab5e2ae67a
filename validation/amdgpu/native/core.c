/* The emulator's core: the instruction loop, workgroups and their schedule.
 *
 * A host thread takes workgroups in launch order and runs each to its end. A wave runs until a
 * barrier, its end, a fault, or the end of its time slice; the schedule says which wave is next. A
 * workgroup that does not finish within its slices is set aside, so that a wait for a later
 * workgroup can end; up to `resident_limit` workgroups are alive a thread. */
#include "emu.h"
#include "lane_math.h"
#include "scalar.h"
#include "vector.h"
#include "memory.h"
#include "lds.h"
#include "wmma.h"
#include "images.h"

static int x_fallthrough(Wave *w, const Operation *o) {
    return fault(w, o, FAULT_RAN_OFF, 0, o->pc, 0);
}
/* RDNA3's dual issue: both halves read their operands before either writes. The second half is the
 * next operation. */
static int x_dual(Wave *w, const Operation *o) {
    const Operation *y = o + 1;
    u32 saved[ROW], *dx = ROWPTR(w, o->index[3]);
    u32 before[ROW], after[ROW];
    __builtin_memcpy(before, dx, sizeof before);
    ((void)saved);
    if (x_vector(w, o)) return FAULTED;
    __builtin_memcpy(after, dx, sizeof after);
    __builtin_memcpy(dx, before, sizeof before);
    if (x_vector(w, y)) return FAULTED;
    __builtin_memcpy(dx, after, sizeof after);
    w->pc++;
    return NEXT;
}

/* VGPR indexing of gfx9: the record that follows runs with the registers that M0's upper bits choose
 * moved by M0's lowest byte. */
static int x_indexed(Wave *w, const Operation *o) {
    Operation moved = o[1];
    u32 by = w->s[w->m0] & 255, which = w->s[w->m0] >> 12 & 15;
    for (u32 j = 0; j < 4; j++) {
        if (!(which >> j & 1) || (j < 3 && moved.kind[j] != FROM_VGPR)) continue;
        moved.index[j] += by;
        if (moved.index[j] + moved.rows[j] > w->launch->vgpr_rows)
            return fault(w, o + 1, FAULT_BAD_REGISTER, 0, moved.index[j], j);
    }
    w->pc++;
    return moved.execute(w, &moved);
}
static int x_set_index(Wave *w, const Operation *o) {
    u32 *m0 = &w->s[w->m0], keep = o->aux[1];
    *m0 = (*m0 & keep) | ((u32)scalar_source(w, o, 0) & 255 & ~keep) | o->aux[0] << 12;
    return NEXT;
}

#define EXECUTORS(F)                                                                              \
    F(nothing) F(unknown) F(end) F(barrier) F(grid_barrier) F(yield) F(trap) F(scalar) F(branch) F(branch_scc0)   \
    F(branch_scc1) F(branch_vccz) F(branch_vccnz) F(branch_execz) F(branch_execnz) F(never)       \
    F(getpc) F(setpc) F(swappc) F(call) F(getreg) F(setreg) F(round_mode) F(denorm_mode) F(time)  \
    F(movrels) F(movreld) F(vector) F(vector_modified) F(readfirstlane) F(readlane) F(writelane)  \
    F(swap) F(permlane_swap) F(permlane16) F(permlane64) F(vector_movrel) F(load) F(store)        \
    F(atomic) F(buffer_load) F(buffer_store) F(buffer_atomic) F(buffer_format) F(image) F(scalar_load) F(scalar_store)      \
    F(lds_read) F(lds_write) F(lds_read2) F(lds_write2) F(lds_exchange2) F(lds_atomic)            \
    F(lds_addtid) F(bpermute) F(permute) F(swizzle) F(lds_read_transposed) F(mfma) F(mfma_f64)    \
    F(smfmac) F(wmma) F(wmma_halves) F(indexed) F(set_index) F(dual) F(fallthrough)
#define POINTER(name) x_##name,
#define NAME(name) #name "\0"
static Execute *const executors[] = {EXECUTORS(POINTER)};
/* For Python: names in the order of their numbers, and the sizes of the shared structures. */
const char *executor_names(void) { return EXECUTORS(NAME); }
u32 structure_size(u32 which) {
    u32 sizes[] = {sizeof(Operation), sizeof(Launch), sizeof(Region), sizeof(Fault),
                   sizeof(TraceRecord), sizeof(Position), sizeof(Finding), sizeof(Counter),
                   sizeof(Printed)};
    return which < sizeof sizes / sizeof *sizes ? sizes[which] : 0;
}
/* Python stores the numbers of executors and bodies; make them pointers. */
void link_operations(Operation *ops, u32 count, const u64 *bodies) {
    for (u32 i = 0; i < count; i++) {
        ops[i].execute = executors[(u64)ops[i].execute];
        ops[i].body = (void *)bodies[(u64)ops[i].body];
    }
}

static void trace_step(Wave *w, const Operation *o) {
    Launch *launch = w->shared;
    u32 at = launch->trace_count;
    if (at >= launch->trace_capacity) return;
    TraceRecord *r = &launch->trace[at];
    u32 lane = launch->trace_lane & (ROW - 1), d = o->index[3];
    r->operation = (u32)(o - launch->ops);
    r->scc = w->scc;
    r->exec = EXEC(w);
    r->sdst = d < 128 ? get64(&w->s[d]) : 0;
    for (u32 k = 0; k < 4; k++)
        r->vdst[k] = d + k < launch->vgpr_rows ? ROWPTR(w, d + k)[lane] : 0;
    launch->trace_count = at + 1;
}
/* Run a wave for at most `slice` instructions. */
static int run_wave(Wave *w, u64 slice) {
    const Operation *ops = w->launch->ops;
    int result = YIELD;
    u64 left = slice;
    w->fp_now = PLAIN_FLOAT;
    if (w->counters || w->shared->trace) {
        Launch *launch = w->shared;
        int traced = launch->trace && w->group_id == launch->trace_group &&
                     w->index == launch->trace_wave;
        while (left) {
            const Operation *o = &ops[w->pc++];
            left--;
            if (w->counters) {
                Counter *c = &w->counters[o - ops];
                c->count++;
                c->lanes += (u64)__builtin_popcountll(EXEC(w));
            }
            int r = o->execute(w, o);
            if (traced && r != FAULTED) trace_step(w, o);
            if (r) { result = r; break; }
        }
    } else {
        while (left) {
            const Operation *o = &ops[w->pc++];
            left--;
            int r = o->execute(w, o);
            if (r) { result = r; break; }
        }
    }
    if (w->fp_now != PLAIN_FLOAT) SET_FLOAT_CONTROL(PLAIN_FLOAT);
    w->instructions += slice - left;
    return result;
}

enum { RUNNABLE = 0, AT_BARRIER = 1, DONE = 2, AT_GRID = 3 };
static u64 next_random(u64 *state) {
    u64 x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}
static void start_group(const Launch *launch, Launch *shared, Group *g, u64 id, Counter *counters) {
    u32 threads = launch->block[0] * launch->block[1] * launch->block[2];
    g->id = id;
    g->ended = g->waiting = g->cursor = g->at_grid = g->parked = 0;
    g->epoch = 1;
    g->coords[0] = (u32)(id % launch->grid[0]);
    g->coords[1] = (u32)(id / launch->grid[0] % launch->grid[1]);
    g->coords[2] = (u32)(id / launch->grid[0] / launch->grid[1]);
    memset(g->lds, 0xcd, launch->lds_size);
    if (launch->lds_in) memcpy(g->lds, (void *)launch->lds_in, launch->lds_size);
    if (g->lds_writer) {
        memset(g->lds_writer, 0, (launch->lds_size / 4 + 4) * 4ul);
        memset(g->lds_reader, 0, (launch->lds_size / 4 + 4) * 4ul);
    }
    for (u32 k = 0; k < g->wave_count; k++) {
        Wave *w = &g->waves[k];
        u32 first = k * launch->wave_size, active = threads - first;
        if (active > launch->wave_size) active = launch->wave_size;
        memset(w->s, 0, sizeof w->s);
        memcpy(w->s, launch->user_sgprs, 4ul * launch->nsgpr);
        for (int axis = 0; axis < 3; axis++)
            if (launch->group_sgpr[axis] != ~0u) w->s[launch->group_sgpr[axis]] = g->coords[axis];
        if (launch->packed_group_sgpr != ~0u)
            w->s[launch->packed_group_sgpr] = g->coords[1] | g->coords[2] << 16;
        w->launch = launch;
        w->shared = shared;
        w->group = g;
        w->counters = counters;
        w->lds = g->lds;
        w->lds_size = launch->lds_size;
        w->last_region = 0;
        w->scc = 0;
        w->pc = launch->entry;
        w->state = RUNNABLE;
        w->mode = launch->mode;
        w->index = k;
        w->group_id = id;
        w->instructions = w->ticks = 0;
        w->wave_mask_words = launch->wave_size / 32;
        w->m0 = launch->m0_row;
        mode_changed(w);
        set_exec(w, mask_of((i32)active));
        u32 x = first % launch->block[0], y = first / launch->block[0] % launch->block[1];
        u32 z = first / (launch->block[0] * launch->block[1]);
        for (u32 l = 0; l < launch->wave_size; l++) {
            ROWPTR(w, 0)[l] = x | (launch->thread_ids > 1 ? y << 10 : 0) | (launch->thread_ids > 2 ? z << 20 : 0);
            if (++x == launch->block[0]) {
                x = 0;
                if (++y == launch->block[1]) { y = 0; z++; }
            }
        }
        if (launch->initial_v) {
            memcpy(w->v, launch->initial_v, 4ul * ROW * launch->vgpr_rows);
            memcpy(w->s, launch->initial_s, 4ul * 128);
            w->scc = launch->initial_s[128];
            exec_changed(w);
        }
    }
}
static void note_positions(Launch *shared, Group *g) {
    for (u32 k = 0; k < g->wave_count; k++) {
        Wave *w = &g->waves[k];
        if (w->state == DONE) continue;
        u32 at = __atomic_fetch_add(&shared->position_count, 1, __ATOMIC_RELAXED);
        if (at >= shared->position_capacity) return;
        Position *p = &shared->positions[at];
        p->group = g->id;
        p->wave = k;
        p->pc = shared->ops[w->pc].pc;
        p->exec = EXEC(w);
        p->state = w->state;
        p->instructions = w->instructions;
    }
}
/* The barrier across workgroups: a group has arrived when each of its waves has ended or waits, one
 * at least for the grid; it opens when every group has arrived or ended. */
static void grid_check(Launch *shared, int arrives) {
    while (__atomic_exchange_n(&shared->grid_lock, 1, __ATOMIC_ACQUIRE)) {}
    u64 total = (u64)shared->grid[0] * shared->grid[1] * shared->grid[2];
    shared->grid_arrived += (u32)arrives;
    if (shared->grid_arrived &&
        shared->grid_arrived + __atomic_load_n(&shared->done_groups, __ATOMIC_SEQ_CST) >= total) {
        shared->grid_arrived = 0;
        __atomic_add_fetch(&shared->grid_phase, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&shared->grid_lock, 0, __ATOMIC_RELEASE);
}
/* 1 when the group waits for the grid and cannot go on yet. */
static int parked_at_grid(Launch *shared, Group *g) {
    if (!g->parked) {
        if (!g->at_grid || g->at_grid + g->waiting + g->ended != g->wave_count) return 0;
        g->parked = 1;
        g->grid_phase = __atomic_load_n(&shared->grid_phase, __ATOMIC_SEQ_CST);
        grid_check(shared, 1);
    }
    if (__atomic_load_n(&shared->grid_phase, __ATOMIC_SEQ_CST) == g->grid_phase) return 1;
    for (u32 k = 0; k < g->wave_count; k++)
        if (g->waves[k].state == AT_GRID) g->waves[k].state = RUNNABLE;
    g->parked = g->at_grid = 0;
    g->epoch = (g->epoch + 1) & 0xffff;
    return 0;
}
/* Give every wave of a group a turn; returns 1 when the group has ended, 0 when it needs more, -1
 * to stop. */
static int run_group(const Launch *launch, Launch *shared, Group *g, u64 *random, u64 budget) {
    u64 quantum = launch->quantum ? launch->quantum : 1u << 13;
    u64 slices = budget / quantum + g->wave_count;
    for (u64 turn = 0; turn < slices; turn++) {
        if (__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) return -1;
        if (g->at_grid && parked_at_grid(shared, g)) return 0;
        u32 k = g->cursor;
        u64 slice = quantum;
        if (launch->schedule == 2) {
            u64 r = next_random(random);
            k = (u32)(r % g->wave_count);
            slice = 1 + (r >> 32) % quantum;
        }
        while (g->waves[k].state != RUNNABLE) k = (k + 1) % g->wave_count;
        Wave *w = &g->waves[k];
        u64 before = w->instructions;
        SET_FLOAT_CONTROL(PLAIN_FLOAT);
        int result = run_wave(w, slice);
        u64 done = __atomic_add_fetch(&shared->instructions, w->instructions - before,
                                      __ATOMIC_RELAXED);
        if (result == FAULTED) return -1;
        if (result == ENDED) {
            w->state = DONE;
            g->ended++;
        } else if (result == WAIT_GRID) {
            w->state = AT_GRID;
            g->at_grid++;
        } else if (result == WAIT_BARRIER) {
            w->state = AT_BARRIER;
            g->waiting++;
        } else if (done > launch->instruction_limit) {
            __atomic_store_n(&shared->stop, 2, __ATOMIC_SEQ_CST);
            return -1;
        }
        if (g->ended == g->wave_count) return 1;
        if (g->waiting && g->waiting + g->ended == g->wave_count) {
            for (u32 j = 0; j < g->wave_count; j++)
                if (g->waves[j].state == AT_BARRIER) g->waves[j].state = RUNNABLE;
            g->waiting = 0;
            g->epoch = (g->epoch + 1) & 0xffff;
        }
        /* In order: a wave runs to its barrier or end before the next one does. */
        g->cursor = (k + (launch->schedule != 2)) % g->wave_count;
    }
    return 0;
}
static Group *new_group(const Launch *launch) {
    u32 threads = launch->block[0] * launch->block[1] * launch->block[2];
    Group *g = calloc(1, sizeof *g);
    if (!g) return 0;
    g->wave_count = (threads + launch->wave_size - 1) / launch->wave_size;
    g->waves = calloc(g->wave_count, sizeof(Wave));
    g->lds = calloc(launch->lds_size + 64, 1);
    if (launch->checks & CHECK_LDS) {
        g->lds_writer = calloc(launch->lds_size / 4 + 4, 4);
        g->lds_reader = calloc(launch->lds_size / 4 + 4, 4);
    }
    int failed = !g->waves || !g->lds;
    for (u32 k = 0; k < g->wave_count && !failed; k++) {
        Wave *w = &g->waves[k];
        w->v = calloc((u64)launch->vgpr_rows + 40, 4 * ROW); /* slack: a matrix at the last register */
        w->scratch_stride = launch->scratch_size;
        w->scratch = calloc((u64)launch->scratch_size * ROW + 64, 1);
        failed = !w->v || !w->scratch;
    }
    return failed ? 0 : g;
}
static void free_group(Group *g) {
    for (u32 k = 0; k < g->wave_count; k++) {
        free(g->waves[k].v);
        free(g->waves[k].scratch);
    }
    free(g->waves);
    free(g->lds);
    free(g->lds_writer);
    free(g->lds_reader);
    free(g);
}
/* One host thread's share of a launch. Returns 0, or 1 when it stopped early. */
int run_thread(const Launch *launch, Launch *shared, Counter *counters, u32 thread) {
    u64 total = (u64)launch->grid[0] * launch->grid[1] * launch->grid[2];
    u64 random = launch->seed * 0x9e3779b97f4a7c15ull + thread + 1;
    Group *alive[1024], *idle = 0;
    u32 count = 0, turn = 0, limit = launch->resident_limit < 1024 ? launch->resident_limit : 1024;
    int exhausted = 0, status = 0;
    for (;;) {
        if (!exhausted && (count == 0 || (count < limit && turn == 0))) {
            u64 id = __atomic_fetch_add(&shared->next_group, 1, __ATOMIC_RELAXED);
            if (id >= total) exhausted = 1;
            else {
                Group *g = idle ? idle : new_group(launch);
                idle = 0;
                if (!g) {
                    Wave dummy_wave_index;
                    dummy_wave_index.shared = shared;
                    dummy_wave_index.index = 0;
                    dummy_wave_index.group_id = id;
                    dummy_wave_index.pc = 0;
                    fault(&dummy_wave_index, launch->ops, FAULT_MEMORY, 0, 0, 0);
                    status = 1;
                    break;
                }
                start_group(launch, shared, g, id, counters);
                alive[count++] = g;
                turn = count - 1;
            }
        }
        if (!count) break;
        Group *g = alive[turn];
        /* Alone, a workgroup gets time to finish; among others that did not, all take short turns. */
        int result = run_group(launch, shared, g, &random, count == 1 ? 1u << 22 : 1u << 14);
        if (result < 0) { status = 1; break; }
        if (result == 1) {
            if (g->id == 0) {
                if (launch->final_v) {
                    memcpy(launch->final_v, g->waves[0].v, 4ul * ROW * launch->vgpr_rows);
                    memcpy(launch->final_s, g->waves[0].s, 4ul * 128);
                    launch->final_s[128] = g->waves[0].scc;
                    launch->final_s[129] = g->waves[0].mode;
                }
                if (launch->lds_out) memcpy((void *)launch->lds_out, g->lds, launch->lds_size);
            }
            __atomic_fetch_add(&shared->done_groups, 1, __ATOMIC_SEQ_CST);
            grid_check(shared, 0);
            if (idle) free_group(idle);
            idle = g;
            alive[turn] = alive[--count];
            if (turn >= count) turn = 0;
        } else {
            turn = (turn + 1) % count;
        }
    }
    for (u32 i = 0; i < count; i++) {
        note_positions(shared, alive[i]);
        free_group(alive[i]);
    }
    if (idle) free_group(idle);
    return status;
}
