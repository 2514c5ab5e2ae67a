/* Images: loads, stores and filtered samples through descriptors, and typed buffers.
 *
 * Where the fields of a descriptor lie differs between generations (9: gfx90a, 11: RDNA3, 12: RDNA4);
 * `image_of` reads them. Images are linear, with rows of 256 bytes and one level of detail.
 * A linear filter has weights in steps of 1/256. How AMD rounds the weights of a plane is not
 * documented; they are rounded here as the recorded NVIDIA GPU does it (docs/amdgpu.md). */
#ifndef CROSSPORT_IMAGES_H
#define CROSSPORT_IMAGES_H
#include "memory.h"

enum { T_UNORM, T_SNORM, T_USCALED, T_SSCALED, T_UINT, T_SINT, T_SRGB, T_FLOAT };
enum { IMAGE_LOAD, IMAGE_STORE, IMAGE_SAMPLE, IMAGE_GATHER, IMAGE_INFO }; /* Operation.size */
enum { ONE_D = 8, TWO_D = 9, THREE_D = 10, ONE_D_ARRAY = 12, TWO_D_ARRAY = 13 };
enum { WRAP = 0, MIRROR = 1, CLAMP = 2, BORDER = 6 };

typedef struct Texels { u32 bits, channels, numeric; } Texels;
typedef struct Image {
    u64 base;
    u32 extent[3], pitch, type, select, dims, layers; /* pitch: bytes of a row */
    Texels texels;
} Image;
typedef struct Sampler { u32 clamp[3], linear, normalized, border; } Sampler;

/* gfx9 has two fields for a format, later generations one: kinds of each width follow each other. */
static int format_9(u32 data, u32 numeric, Texels *t) {
    static const u8 bits[16] = {0, 8, 16, 8, 32, 16, 0, 0, 0, 0, 8, 32, 16, 32, 32, 0};
    static const u8 channels[16] = {0, 1, 1, 2, 1, 2, 0, 0, 0, 0, 4, 2, 4, 3, 4, 0};
    t->bits = bits[data & 15], t->channels = channels[data & 15], t->numeric = numeric;
    return data < 16 && t->bits;
}
static int format_11(u32 format, Texels *t) {
    static const struct { u8 first, bits, channels; } rows[] = {
        {1, 8, 1}, {7, 16, 1}, {14, 8, 2}, {20, 32, 1}, {23, 16, 2}, {42, 8, 4}, {48, 32, 2},
        {51, 16, 4}, {58, 32, 3}, {61, 32, 4}};
    for (u32 k = 0; k < sizeof rows / sizeof *rows; k++) {
        u32 kinds = rows[k].bits == 32 ? 3 : rows[k].bits == 16 ? 7 : 6, at = format - rows[k].first;
        if (at >= kinds) continue;
        t->bits = rows[k].bits, t->channels = rows[k].channels;
        t->numeric = rows[k].bits == 32 ? (at == 0 ? T_UINT : at == 1 ? T_SINT : T_FLOAT)
                     : at == 6          ? T_FLOAT
                                        : at;
        return 1;
    }
    return 0;
}
static int image_of(const u32 *v, u32 generation, Image *i) {
    u32 known, pitch = 0;
    i->base = (u64)v[0] << 8 | (u64)(v[1] & 255) << 40;
    i->select = v[3] & 0xfff;
    i->type = v[3] >> 28;
    i->dims = i->type == THREE_D ? 3 : i->type == ONE_D || i->type == ONE_D_ARRAY ? 1 : 2;
    if (generation == 9) {
        known = (u32)format_9(v[1] >> 20 & 63, v[1] >> 26 & 15, &i->texels);
        i->extent[0] = (v[2] & 0x3fff) + 1, i->extent[1] = (v[2] >> 14 & 0x3fff) + 1;
        i->extent[2] = (v[4] & 0x1fff) + 1;
        pitch = (v[4] >> 13 & 0xffff) + 1;
    } else {
        int new_ = generation == 12;
        known = (u32)format_11(v[1] >> (new_ ? 17 : 20) & 255, &i->texels);
        i->extent[0] = (v[1] >> 30 | (v[2] & (new_ ? 0x3fff : 0xfff)) << 2) + 1;
        i->extent[1] = (v[2] >> 14 & (new_ ? 0xffff : 0x3fff)) + 1;
        i->extent[2] = (v[4] & (new_ ? 0x3fff : 0x1fff)) + 1;
        if (i->type == ONE_D || i->type == TWO_D) pitch = (v[4] & (new_ ? 0xffff : 0x3fff)) + 1;
    }
    u32 size = i->texels.bits / 8 * i->texels.channels;
    i->pitch = pitch ? pitch * size : (i->extent[0] * size + 255) & ~255u;
    i->layers = i->type == ONE_D_ARRAY || i->type == TWO_D_ARRAY ? i->extent[2] : 0;
    if (i->dims == 1) i->extent[1] = 1;
    if (i->dims < 3) i->extent[2] = 1;
    int is_linear = (v[3] >> 20 & 31) == 0;
    return known && is_linear && i->type >= ONE_D && i->type <= TWO_D_ARRAY && i->type != 11;
}
static Sampler sampler_of(const u32 *s, u32 unnormalized) {
    Sampler r;
    for (u32 k = 0; k < 3; k++) r.clamp[k] = s[0] >> (3 * k) & 7;
    r.normalized = !(s[0] >> 15 & 1) && !unnormalized;
    r.linear = s[2] >> 20 & 1;
    r.border = s[3] >> 30;
    return r;
}

/* ---- one texel: bytes to four words and back */
static u32 as_word(u32 raw, u32 bits, u32 numeric) {
    u32 mask = bits == 32 ? ~0u : (1u << bits) - 1, top = bits - 1;
    i32 whole = (i32)((raw & mask) << (31 - top)) >> (31 - top);
    raw &= mask;
    switch (numeric) {
    case T_UNORM: return (u32)B32((f32)((f64)raw / (f64)mask));
    case T_SNORM: {
        f64 x = (f64)whole / (f64)(mask >> 1);
        return (u32)B32((f32)(x < -1.0 ? -1.0 : x));
    }
    case T_USCALED: return (u32)B32((f32)raw);
    case T_SSCALED: return (u32)B32((f32)whole);
    case T_SINT: return (u32)whole;
    case T_FLOAT: return bits == 16 ? (u32)B32((f32)F16(raw)) : raw;
    default: return raw;
    }
}
static u32 from_word(u32 word, u32 bits, u32 numeric) {
    u32 mask = bits == 32 ? ~0u : (1u << bits) - 1;
    f64 x = F32(word), most = numeric == T_UNORM ? mask : mask >> 1;
    switch (numeric) {
    case T_UNORM: x = x > 0.0 ? (x < 1.0 ? x : 1.0) : 0.0; break;
    case T_SNORM: x = x > -1.0 ? (x < 1.0 ? x : 1.0) : x == x ? -1.0 : 0.0; break;
    case T_UINT: return bits < 32 && word > mask ? mask : word;
    case T_SINT: {
        i32 v = (i32)word, high = (i32)(mask >> 1);
        return (u32)(v > high ? high : v < -high - 1 ? -high - 1 : v) & mask;
    }
    case T_FLOAT: return bits == 16 ? (u32)B16((f16)F32(word)) : word;
    default: return word & mask;
    }
    return (u32)(i32)__builtin_roundeven(x * most) & mask;
}
static u32 one_of(u32 numeric) { return numeric == T_UINT || numeric == T_SINT ? 1 : 0x3f800000u; }
/* The four words that a selection makes of a texel's channels. */
static void read_texel(const u8 *from, Texels t, u32 select, u32 *out) {
    u32 channel[4] = {0, 0, 0, one_of(t.numeric)}, bytes = t.bits / 8;
    for (u32 c = 0; c < t.channels; c++) {
        u32 raw = 0;
        memcpy(&raw, from + c * bytes, bytes);
        channel[c] = as_word(raw, t.bits, t.numeric);
    }
    for (u32 c = 0; c < 4; c++) {
        u32 s = select >> (3 * c) & 7;
        out[c] = s >= 4 ? channel[s - 4] : s == 1 ? one_of(t.numeric) : 0;
    }
}
static void write_texel(u8 *to, Texels t, u32 select, const u32 *words) {
    u32 bytes = t.bits / 8;
    for (u32 c = 0; c < t.channels; c++)
        for (u32 k = 0; k < 4; k++)
            if ((select >> (3 * k) & 7) == c + 4) {
                u32 raw = from_word(words[k], t.bits, t.numeric);
                memcpy(to + c * bytes, &raw, bytes);
                break;
            }
}

/* ---- places */
static i64 wrapped(i64 at, i64 extent, u32 clamp, int *outside) {
    i64 inside = at < 0 ? 0 : at >= extent ? extent - 1 : at;
    switch (clamp) {
    case WRAP: return ((at % extent) + extent) % extent;
    case MIRROR: {
        i64 k = ((at % (2 * extent)) + 2 * extent) % (2 * extent);
        return k < extent ? k : 2 * extent - 1 - k;
    }
    case BORDER: *outside |= at != inside; return inside;
    default: return inside;
    }
}
/* Host address of texel (x, y, z or layer), checked like any other access; null: a fault. */
static u8 *texel_at(Wave *w, const Operation *o, const Image *i, i64 x, i64 y, i64 z, int write, u32 lane) {
    u32 size = i->texels.bits / 8 * i->texels.channels, code;
    u64 at = i->base + (u64)(z * i->extent[1] + y) * i->pitch + (u64)x * size;
    u8 *host = host_of(w, at, size, write, (int)lane, 0, &code);
    if (!host) fault(w, o, code, lane, at, size | (u32)write << 31);
    return host;
}
static const u32 BORDERS[4][4] = {{0, 0, 0, 0}, {0, 0, 0, 0x3f800000u},
                                  {0x3f800000u, 0x3f800000u, 0x3f800000u, 0x3f800000u}, {0, 0, 0, 0}};
static int fetch(Wave *w, const Operation *o, const Image *i, const Sampler *s, const i64 *at,
                 u32 lane, u32 *out) {
    i64 place[3] = {0, 0, 0};
    int outside = 0;
    for (u32 k = 0; k < i->dims; k++)
        place[k] = wrapped(at[k], (i64)i->extent[k], s->clamp[k], &outside);
    if (i->layers) place[2] = at[2];
    if (outside) { memcpy(out, BORDERS[s->border], 16); return NEXT; }
    u8 *host = texel_at(w, o, i, place[0], place[1], place[2], 0, lane);
    if (!host) return FAULTED;
    read_texel(host, i->texels, i->select, out);
    return NEXT;
}
static u32 coordinate(Wave *w, const Operation *o, u32 k, u32 lane) {
    u32 reg = k ? o->aux[1] >> (8 * (k - 1)) & 255 : o->index[0];
    return ROWPTR(w, reg)[lane];
}

static int sample_lane(Wave *w, const Operation *o, const Image *i, const Sampler *s, u32 lane, u32 *out) {
    i64 low[3] = {0, 0, 0};
    f64 part[3] = {0, 0, 0};
    int gathers = o->size == IMAGE_GATHER;
    for (u32 k = 0; k < i->dims; k++) {
        f64 x = F32(coordinate(w, o, k, lane));
        x = x == x && __builtin_fabs(x) < 1e9 ? x : 0.0;
        if (s->normalized) x *= i->extent[k];
        if (s->linear || gathers) {
            f64 steps = __builtin_floor((x - 0.5) * 256.0 + 0.5);
            low[k] = (i64)__builtin_floor(steps / 256.0);
            part[k] = (steps - (f64)low[k] * 256.0) / 256.0;
        } else {
            /* In steps of 1/256 too: the device library gives the edge of a texel, floor(c * n)
             * times the reciprocal of n, which is rounded and may lie below it. */
            low[k] = (i64)__builtin_floor(__builtin_floor(x * 256.0 + 0.5) / 256.0);
        }
    }
    if (i->layers) {
        f32 layer = __builtin_roundevenf(F32(coordinate(w, o, i->dims, lane)));
        low[2] = layer > 0 ? (i64)layer : 0;
        if (low[2] >= i->layers) low[2] = i->layers - 1;
    }
    if (gathers) {
        static const i64 dx[4] = {0, 1, 1, 0}, dy[4] = {1, 1, 0, 0};
        u32 which = (u32)__builtin_ctz(o->aux[0] & 15);
        for (u32 k = 0; k < 4; k++) {
            i64 at[3] = {low[0] + dx[k], low[1] + dy[k], low[2]};
            u32 found[4];
            if (fetch(w, o, i, s, at, lane, found)) return FAULTED;
            out[k] = found[which];
        }
        return NEXT;
    }
    if (!s->linear) return fetch(w, o, i, s, low, lane, out);
    f64 both = __builtin_floor(part[0] * part[1] * 256.0 + 0.5) / 256.0, total[4] = {0, 0, 0, 0};
    f64 plane[4] = {1.0 - part[0] - part[1] + both, part[0] - both, part[1] - both, both};
    for (u32 corner = 0; corner < 1u << i->dims; corner++) {
        f64 weight = i->dims == 2 ? plane[corner] : 1.0;
        i64 at[3] = {low[0], low[1], low[2]};
        for (u32 k = 0; k < i->dims; k++) {
            u32 next = corner >> k & 1;
            if (i->dims != 2) weight *= next ? part[k] : 1.0 - part[k];
            at[k] += next;
        }
        u32 found[4];
        if (weight == 0.0) continue;
        if (fetch(w, o, i, s, at, lane, found)) return FAULTED;
        for (u32 c = 0; c < 4; c++) total[c] += weight * F32(found[c]);
    }
    for (u32 c = 0; c < 4; c++) out[c] = (u32)B32((f32)total[c]);
    return NEXT;
}
/* index: 0 first coordinate, 2 SGPR of T#, 3 data; sdst: SGPR of S#. aux: 0 dmask | unnormalized << 8
 * | generation << 16, 1 registers of the other coordinates. */
static int x_image(Wave *w, const Operation *o) {
    Image image;
    Sampler sampler;
    u32 mask = o->aux[0] & 15, function = o->size;
    const u32 *t = &w->s[o->index[2]];
    if (!image_of(t, o->aux[0] >> 16, &image)) return fault(w, o, FAULT_BAD_IMAGE, 0, t[1], t[3]);
    if (function == IMAGE_SAMPLE || function == IMAGE_GATHER)
        sampler = sampler_of(&w->s[o->sdst], o->aux[0] >> 8 & 1);
    use_float(w, 3);
    for (u32 l = 0; l < ROW; l++) {
        u32 words[4] = {0, 0, 0, 0}, at = 0;
        if (!w->enabled[l]) continue;
        if (function == IMAGE_INFO) {
            words[0] = image.extent[0], words[1] = image.dims > 1 ? image.extent[1] : image.layers;
            words[2] = image.dims == 3 ? image.extent[2] : image.layers, words[3] = 1;
        } else if (function == IMAGE_LOAD || function == IMAGE_STORE) {
            i64 place[3] = {0, 0, 0};
            int inside = 1;
            for (u32 k = 0; k < image.dims; k++) {
                place[k] = (i32)coordinate(w, o, k, l);
                inside &= place[k] >= 0 && place[k] < (i64)image.extent[k];
            }
            if (image.layers) {
                place[2] = (i32)coordinate(w, o, image.dims, l);
                inside &= place[2] >= 0 && place[2] < (i64)image.layers;
            }
            /* Outside, a load gives 0 and a store does nothing. */
            u8 *host = 0;
            if (inside) {
                host = texel_at(w, o, &image, place[0], place[1], place[2], function == IMAGE_STORE, l);
                if (!host) return FAULTED;
            }
            if (function == IMAGE_STORE) {
                for (u32 c = 0; c < 4; c++)
                    if (mask >> c & 1) words[c] = ROWPTR(w, o->index[3] + at++)[l];
                if (host) write_texel(host, image.texels, image.select, words);
                continue;
            }
            if (host) read_texel(host, image.texels, image.select, words);
        } else if (sample_lane(w, o, &image, &sampler, l, words)) return FAULTED;
        for (u32 c = 0; c < 4; c++)
            if (function == IMAGE_GATHER || mask >> c & 1) ROWPTR(w, o->index[3] + at++)[l] = words[c];
    }
    return NEXT;
}

/* ---- typed buffers: the resource names the format; aux[2]: words of a lane | store << 8. */
static int x_buffer_format(Wave *w, const Operation *o) {
    const u32 *v = &w->s[o->index[2]];
    Texels texels;
    int known = o->aux[3] ? format_9(v[3] >> 15 & 15, v[3] >> 12 & 7, &texels)
                          : format_11(v[3] >> 12 & 63, &texels);
    u32 present[ROW], count = o->aux[2] & 255, write = o->aux[2] >> 8;
    if (!known) return fault(w, o, FAULT_BAD_IMAGE, 0, v[1], v[3]);
    Operation whole = *o;
    whole.size = texels.bits / 8 * texels.channels;
    if (buffer_prepare(w, &whole, present, (int)write)) return FAULTED;
    for (int l = 0; l < ROW; l++) {
        u32 words[4] = {0, 0, 0, 0};
        if (!w->enabled[l]) continue;
        if (write) {
            for (u32 k = 0; k < count; k++) words[k] = ROWPTR(w, o->index[1] + k)[l];
            if (present[l]) write_texel(w->host[l], texels, v[3] & 0xfff, words);
            continue;
        }
        if (present[l]) read_texel(w->host[l], texels, v[3] & 0xfff, words);
        for (u32 k = 0; k < count; k++) ROWPTR(w, o->index[3] + k)[l] = words[k];
    }
    return NEXT;
}
#endif
