/* Optional observation: races, uninitialised LDS, coalescing and bank conflicts.
 *
 * A race in LDS: two waves touch the same LDS word in the same barrier phase, one of them writing, and not
 * both with atomics. Each word remembers its last writer and reader: phase << 16 | wave + 1 <<1 |
 * atomic. Word 0 means never written. */
#ifndef CROSSPORT_CHECKS_H
#define CROSSPORT_CHECKS_H
#include "lane_math.h"
#include "vector.h"

enum { CHECK_LDS = 1, CHECK_GLOBAL = 2 };
enum { READS = 0, WRITES = 1, ATOMIC = 2 };

/* The last write and the last read of 4 bytes of global memory. time 0: none. */
typedef struct Seen {
    u64 time;
    u32 group, pc;
    u16 wave, epoch;
    u8 bytes, atomic;
} Seen;
struct Shadow { Seen write, read; };

/* The last region that begins at or before an address. */
static const Region *find_region(const Launch *launch, u64 address) {
    u32 low = 0, high = launch->region_count;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (launch->regions[mid].base <= address) low = mid + 1;
        else high = mid;
    }
    return low ? &launch->regions[low - 1] : 0;
}
static void found(Wave *w, const Operation *o, u32 kind, u32 address, u32 other_wave, int lane) {
    u32 at = __atomic_fetch_add(&w->shared->finding_count, 1, __ATOMIC_RELAXED);
    if (at >= w->launch->finding_capacity) return;
    Finding *f = &w->shared->findings[at];
    f->kind = kind;
    f->pc = o->pc;
    f->address = address;
    f->group = w->group_id;
    f->lane = (u32)lane;
    f->wave = w->index;
    f->other_wave = other_wave;
}
/* write: 0 read, 1 write, 2 atomic */
static void check_lds(Wave *w, const Operation *o, u32 size, int write) {
    Group *g = w->group;
    if (!g->lds_writer) return;
    u32 me = g->epoch << 16 | (w->index + 1) << 1 | (write == 2);
    for (int l = 0; l < ROW; l++) {
        if (!w->enabled[l]) continue;
        for (u32 word = (u32)w->address[l] / 4; word <= ((u32)w->address[l] + size - 1) / 4; word++) {
            u32 writer = g->lds_writer[word], reader = g->lds_reader[word];
            u32 other = ((writer >> 1) & 0x7fff), same_phase = writer >> 16 == g->epoch;
            int atomics = write == 2 && (writer & 1);
            if (writer == 0 && write != 1) found(w, o, FOUND_UNINITIALISED, word * 4, 0, l);
            else if (writer && same_phase && other != w->index + 1 && !atomics)
                found(w, o, write ? FOUND_RACE_WRITE_WRITE : FOUND_RACE_READ_WRITE, word * 4,
                      other - 1, l);
            if (write && reader && reader >> 16 == g->epoch &&
                ((reader >> 1) & 0x7fff) != w->index + 1)
                found(w, o, FOUND_RACE_READ_WRITE, word * 4, ((reader >> 1) & 0x7fff) - 1, l);
            if (write) g->lds_writer[word] = me;
            else g->lds_reader[word] = me;
        }
    }
}

/* Global memory: two accesses to a byte, one of them a write and not both atomic, by different waves
 * of a workgroup in one barrier phase or by different workgroups, are a race, unless both sides used
 * an atomic or volatile access after the first of them: how else could they have been put in order.
 * So a race beside unrelated atomics is missed, but what is reported is one. */
static int races(const Wave *w, const Seen *before, const Seen *me) {
    if (!before->time || !(before->bytes & me->bytes) || (before->atomic && me->atomic)) return 0;
    int same_group = before->group == me->group;
    if (same_group && (before->wave == me->wave || before->epoch != me->epoch)) return 0;
    const u64 *synchronised = w->shared->synchronised;
    return !(synchronised[before->group] > before->time && synchronised[me->group] > before->time);
}
static void found_global(Wave *w, const Seen *before, const Seen *me, u64 address, int lane) {
    Launch *launch = w->shared;
    u32 count = launch->finding_count;
    for (u32 k = 0; k < count && k < 256; k++)
        if (launch->findings[k].pc == me->pc && launch->findings[k].other_pc == before->pc) return;
    if (count >= 256 || count >= launch->finding_capacity) return;
    launch->finding_count = count + 1;
    launch->findings[count] = (Finding){
        .kind = FOUND_GLOBAL_RACE, .pc = me->pc, .other_pc = before->pc, .address = address,
        .group = me->group, .other_group = before->group, .lane = (u32)lane, .wave = me->wave,
        .other_wave = before->wave,
    };
}
static void check_global(Wave *w, const Operation *o, const u32 *enabled, u32 size, int kind) {
    if (!(w->launch->checks & CHECK_GLOBAL)) return;
    Seen me = {.time = ++w->shared->clock, .group = (u32)w->group_id, .pc = o->pc,
               .wave = (u16)w->index, .epoch = (u16)w->group->epoch};
    me.atomic = kind == ATOMIC || o->flags & COHERENT;
    if (me.atomic) w->shared->synchronised[me.group] = me.time;
    for (int l = 0; l < ROW; l++) {
        if (!enabled[l]) continue;
        const Region *r = find_region(w->launch, w->address[l]);
        if (!r || !r->shadow || w->address[l] - r->base >= r->size) continue;
        u64 first = w->address[l] - r->base, end = first + size;
        for (u64 word = first / 4; word * 4 < end; word++) {
            Shadow *seen = &r->shadow[word];
            me.bytes = 0;
            for (u32 b = 0; b < 4; b++) me.bytes |= (word * 4 + b >= first && word * 4 + b < end) << b;
            if (races(w, &seen->write, &me))
                found_global(w, &seen->write, &me, r->base + word * 4, l);
            if (kind != READS && races(w, &seen->read, &me))
                found_global(w, &seen->read, &me, r->base + word * 4, l);
            if (kind != READS) seen->write = me;
            if (kind == READS) seen->read = me;
        }
    }
}

/* Lines of 64 bytes (128 where the wave reads more) touched by an access, against the fewest that
 * could hold its bytes. */
static void count_access(Wave *w, const Operation *o, const u32 *enabled) {
    Counter *c = &w->counters[o - w->launch->ops];
    u64 lines[2 * ROW];
    u32 n = 0, lanes = 0;
    for (int l = 0; l < ROW; l++) {
        if (!enabled[l]) continue;
        lanes++;
        u64 first = w->address[l] / 64, last = (w->address[l] + o->size - 1) / 64;
        for (u64 line = first; line <= last; line++) {
            u32 k = 0;
            while (k < n && lines[n - 1 - k] != line) k++;
            if (k == n && n < 2 * ROW) lines[n++] = line;
        }
    }
    c->bytes += (u64)lanes * o->size;
    c->transactions += n;
    c->ideal += (lanes * o->size + 63) / 64;
}
/* 32 banks of 4 bytes; half a wave is served at a time (a quarter for 8 bytes, an eighth for 16).
 * Cycles beyond one a pass are conflicts; lanes reading the same word do not conflict. */
static void count_lds(Wave *w, const Operation *o, u32 size) {
    Counter *c = &w->counters[o - w->launch->ops];
    u32 pass = size <= 4 ? 32 : size == 8 ? 16 : 8, lanes = 0;
    for (u32 start = 0; start < ROW; start += pass) {
        u32 words[64], n = 0, per_bank[32] = {0}, worst = 0, any = 0;
        for (u32 l = start; l < start + pass; l++) {
            if (!w->enabled[l]) continue;
            any = 1;
            lanes++;
            for (u32 word = (u32)w->address[l] / 4; word <= ((u32)w->address[l] + size - 1) / 4;
                 word++) {
                u32 k = 0;
                while (k < n && words[k] != word) k++;
                if (k < n || n >= 64) continue;
                words[n++] = word;
                if (++per_bank[word & 31] > worst) worst = per_bank[word & 31];
            }
        }
        if (any) { c->transactions++; c->conflicts += worst ? worst - 1 : 0; c->ideal++; }
    }
    c->bytes += (u64)lanes * size;
}
#endif
