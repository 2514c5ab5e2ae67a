/* Optional observation: races, uninitialised LDS, coalescing and bank conflicts.
 *
 * A race: two waves touch the same LDS word in the same barrier phase, one of them writing, and not
 * both with atomics. Each word remembers its last writer and reader: phase << 16 | wave + 1 <<1 |
 * atomic. Word 0 means never written. */
#ifndef CROSSPORT_CHECKS_H
#define CROSSPORT_CHECKS_H
#include "lane_math.h"
#include "vector.h"

enum { CHECK_LDS = 1 };

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
