/* Types and bit helpers shared by the emulator's core and by the generated instruction bodies.
 *
 * Everything here is freestanding: the host toolchain may have no C library headers. */
#ifndef CROSSPORT_BASE_H
#define CROSSPORT_BASE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef float f32;
typedef double f64;
typedef _Float16 f16;
typedef unsigned __int128 u128;
typedef __int128 i128;

void *memcpy(void *to, const void *from, unsigned long size);
void *memset(void *to, int value, unsigned long size);
void *memmove(void *to, const void *from, unsigned long size);
void *calloc(unsigned long count, unsigned long size);
void free(void *memory);

#define ALWAYS static inline __attribute__((always_inline, unused))
#define ROW 64 /* lanes of a register row; a wave32 leaves the upper half unused */

/* A loop over lanes: iterations touch only their own lane's elements, in every row. */
#if defined(__clang__)
#define LANES                                                                                     \
    _Pragma("clang loop vectorize(assume_safety) interleave(disable)") for (int l = 0; l < ROW; l++)
#else
#define LANES _Pragma("GCC ivdep") for (int l = 0; l < ROW; l++)
#endif

ALWAYS f32 F32(u64 x) { u32 n = (u32)x; f32 r; __builtin_memcpy(&r, &n, 4); return r; }
ALWAYS f64 F64(u64 x) { f64 r; __builtin_memcpy(&r, &x, 8); return r; }
ALWAYS f16 F16(u64 x) { u16 n = (u16)x; f16 r; __builtin_memcpy(&r, &n, 2); return r; }
ALWAYS u64 B32(f32 x) { u32 r; __builtin_memcpy(&r, &x, 4); return r; }
ALWAYS u64 B64(f64 x) { u64 r; __builtin_memcpy(&r, &x, 8); return r; }
ALWAYS u64 B16(f16 x) { u16 r; __builtin_memcpy(&r, &x, 2); return r; }

/* Operands of one vector instruction: rows of lanes, a 64-bit value is two rows. */
typedef struct VectorArgs {
    const u32 *s[3];
    u32 *d;
    const u32 *enabled; /* all ones in an active lane, else 0 */
    const u32 *carry;   /* carry in or condition, 0 or 1 */
    u32 *bit;           /* carry out or comparison, 0 or 1 */
    u32 literal;
    u32 ieee, dx10;
    u32 op_sel, op_sel_hi, neg, neg_hi, table, clamp;
} VectorArgs;

/* Operands of one scalar instruction. */
typedef struct ScalarArgs {
    u64 s0, s1, d, exec;
    u32 scc, literal;
} ScalarArgs;

typedef void VectorBody(const VectorArgs *);
typedef void ScalarBody(ScalarArgs *);
#endif
