/* The host's side of a device's calls to it: printf, and with it assert.
 *
 * A wave takes a packet, fills in a line of eight words a lane, puts it on the ready stack and adds
 * to the doorbell; then it waits for the packet's control word. The service is done as soon as the
 * stack is touched. Layout of the buffer, as ROCm's device library has it:
 *
 *     0 headers   8 payloads   16 doorbell   24 free stack   32 ready stack   40 index mask
 *     header      0 next   8 mask of lanes   16 service   20 control (bit 0: not answered yet)
 *
 * Word 0 of a line describes a piece of a message: bit 0 first, bit 1 last, bits 5..7 words that
 * follow, bits 8.. the message. hostcalls.py puts the pieces together. */
#ifndef CROSSPORT_HOSTCALL_H
#define CROSSPORT_HOSTCALL_H
#include "checks.h"

enum { SERVICE_PRINTF = 2 };

static void print_piece(Launch *launch, u64 *line) {
    u64 words = line[0] >> 5 & 7, message = line[0] & 1 ? ++launch->messages : line[0] >> 8;
    u32 at = launch->printed_count;
    if (at < launch->printed_capacity) {
        Printed *p = &launch->printed[at];
        p->message = message;
        p->flags = (line[0] & 3) | words << 5;
        for (u32 k = 0; k < 7; k++) p->words[k] = line[1 + k];
        launch->printed_count = at + 1;
    }
    line[0] = message << 8;
    line[1] = 0;
}
static int serve_host(Wave *w, const Operation *o) {
    Launch *launch = w->shared;
    const Region *r = find_region(launch, launch->hostcall);
    u64 *buffer = (u64 *)r->host, ready = buffer[4];
    u64 headers = buffer[0] - r->base, payloads = buffer[1] - r->base;
    buffer[4] = 0;
    while (ready) {
        u64 index = ready & buffer[5];
        u64 *header = (u64 *)(r->host + headers + 24 * index);
        u32 *service = (u32 *)&header[2];
        if (service[0] != SERVICE_PRINTF) return fault(w, o, FAULT_HOST_SERVICE, 0, 0, service[0]);
        for (u64 lanes = header[1]; lanes; lanes &= lanes - 1)
            print_piece(launch, (u64 *)(r->host + payloads + 4096 * index) +
                                    8 * __builtin_ctzll(lanes));
        ready = header[0];
        service[1] &= ~1u;
    }
    return NEXT;
}
#endif
