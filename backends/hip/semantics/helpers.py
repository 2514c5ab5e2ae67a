"""The functions that stand in for CUDA's warp functions, put into a file that uses them.

    #include <hip/hip_runtime.h>

    // CUDA's warps of 32 lanes, on wavefronts of 32 or 64.
    #ifndef CROSSPORT_WARP32_BALLOT
    #define CROSSPORT_WARP32_BALLOT
    static __device__ inline unsigned int warp32_ballot(unsigned int mask, int predicate) {...}
    #endif

Each has its own guard, since a header and the source that includes it may both need it. Only what a
file uses goes in, after its last `#include` before the first use.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.semantics.context import GUARD, File
from crossport.backends.hip.supplied import include_line

_HEADLINE = "// CUDA's warps of 32 lanes, on wavefronts of 32 or 64."
_OTHER_HEADLINE = "// What HIP's headers have no function for."


@dataclass(frozen=True, slots=True)
class Helper:
    """A function, and the helpers that it calls. `functions`: what it defines, if not its name.

    `is_header`: the text includes a header that comes with the port (supplied.py).
    """

    text: str
    needs: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    is_header: bool = False


def _reduction(name: str, step: str) -> Helper:
    return Helper(
        f"""\
template <class T> static __device__ inline T warp32_reduce_{name}(unsigned int mask, T value) {{
  T result = __shfl(value, __ffs(mask) - 1, 32);
  for (unsigned int rest = mask & (mask - 1); rest != 0; rest &= rest - 1) {{
    const T other = __shfl(value, __ffs(rest) - 1, 32);
    result = {step};
  }}
  return result;
}}"""
    )


def _shuffle(name: str) -> Helper:
    return Helper(
        f"""\
template <class T> static __device__ inline T warp32_{name}(T value, int lane, int width) {{
  unsigned int words[(sizeof(T) + 3) / 4] = {{}};
  __builtin_memcpy(words, &value, sizeof(T));
  for (unsigned int& word : words) word = __{name}(word, lane, width);
  __builtin_memcpy(&value, words, sizeof(T));
  return value;
}}"""
    )


def _host_pick(name: str, sign: str) -> str:
    # Two type parameters: std's of one type goes first where both are visible.
    return f"""\
template <class A, class B>
static __host__ inline typename std::enable_if<
    std::is_arithmetic<A>::value && std::is_arithmetic<B>::value, decltype(A() + B())>::type
{name}(A a, B b) {{
  using T = decltype(A() + B());
  const T x = static_cast<T>(a), y = static_cast<T>(b);
  if constexpr (std::is_floating_point<T>::value) return std::f{name}(x, y);
  else return x {sign} y ? x : y;
}}"""


HELPERS: dict[str, Helper] = {
    "warp32_lane": Helper(
        """\
static __device__ inline unsigned int warp32_lane() { return __lane_id() & 31; }"""
    ),
    "warp32_ballot": Helper(
        """\
static __device__ inline unsigned int warp32_ballot(unsigned int mask, int predicate) {
  return mask & static_cast<unsigned int>(__ballot(predicate) >> (__lane_id() & 32));
}"""
    ),
    "warp32_any": Helper(
        """\
static __device__ inline int warp32_any(unsigned int mask, int predicate) {
  return warp32_ballot(mask, predicate) != 0;
}""",
        ("warp32_ballot",),
    ),
    "warp32_all": Helper(
        """\
static __device__ inline int warp32_all(unsigned int mask, int predicate) {
  return warp32_ballot(mask, !predicate) == 0;
}""",
        ("warp32_ballot",),
    ),
    "warp32_uni": Helper(
        """\
static __device__ inline int warp32_uni(unsigned int mask, int predicate) {
  return warp32_ballot(mask, predicate) == 0 || warp32_ballot(mask, !predicate) == 0;
}""",
        ("warp32_ballot",),
    ),
    "warp32_shfl": _shuffle("shfl"),
    "warp32_shfl_up": _shuffle("shfl_up"),
    "warp32_shfl_down": _shuffle("shfl_down"),
    "warp32_shfl_xor": _shuffle("shfl_xor"),
    "warp32_sync": Helper(
        """\
static __device__ inline void warp32_sync() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}"""
    ),
    "warp32_match_any": Helper(
        """\
template <class T>
static __device__ inline unsigned int warp32_match_any(unsigned int mask, T value) {
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  unsigned int same = 0;
  for (unsigned int rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __ffs(rest) - 1;
    if (__shfl(bits, lane, 32) == bits) same |= 1u << lane;
  }
  return same;
}"""
    ),
    "warp32_match_all": Helper(
        """\
template <class T>
static __device__ inline unsigned int warp32_match_all(unsigned int mask, T value, int* predicate) {
  *predicate = warp32_match_any(mask, value) == mask;
  return *predicate ? mask : 0;
}""",
        ("warp32_match_any",),
    ),
    "atomic_add_16": Helper(
        """\
template <class T> static __device__ inline T atomic_add_16(T* address, T value) {
  if constexpr (sizeof(T) != 2) {
    return atomicAdd(address, value);
  } else {
    unsigned int* word = (unsigned int*)((size_t)address & ~(size_t)3);
    const unsigned int shift = ((size_t)address & 2) * 8;
    unsigned int seen = *word, old;
    T before = value;
    do {
      old = seen;
      unsigned short bits = (unsigned short)(old >> shift);
      __builtin_memcpy(&before, &bits, 2);
      const T after = before + value;
      __builtin_memcpy(&bits, &after, 2);
      seen = atomicCAS(word, old, (old & ~(0xffffu << shift)) | (unsigned int)bits << shift);
    } while (seen != old);
    return before;
  }
}"""
    ),
    "cast_16": Helper(
        """\
template <class To, class From>
static __host__ __device__ inline To cast_16(const From& value) {
  if constexpr (sizeof(To) == 2 && sizeof(From) == 2 && !__is_same(To, From)) {
    return static_cast<To>(static_cast<float>(value));
  } else {
    return static_cast<To>(value);
  }
}"""
    ),
    "lds_pointer": Helper(
        """\
template <class T> static __device__ inline T* lds_pointer(unsigned int offset) {
  return (T*)(__attribute__((address_space(3))) T*)(size_t)offset;
}"""
    ),
    "copy_now": Helper(
        """\
// What __pipeline_memcpy_async does, at once: the last `zeros` of `size` bytes become 0.
static __device__ inline void copy_now(void* to, const void* from, size_t size, size_t zeros = 0) {
  __builtin_memcpy(to, from, size - zeros);
  for (size_t i = size - zeros; i < size; i++) static_cast<char*>(to)[i] = 0;
}"""
    ),
    "copy_to_lds": Helper(
        """\
// What cp.async does: `size` bytes, of which the first `given` come from memory, the rest is 0.
template <int size>
static __device__ inline void copy_to_lds(char* to, const char* from, unsigned int given) {
  if (given == size) {
    __builtin_memcpy(__builtin_assume_aligned(to, size),
                     __builtin_assume_aligned(from, size), size);
    return;
  }
  for (unsigned int i = 0; i < size; i++) to[i] = i < given ? from[i] : 0;
}"""
    ),
    "ptx_shuffle": Helper(
        """\
// PTX's shfl within segments: c holds the segments' mask (bits 8 to 12) and the last lane.
template <char mode>
static __device__ inline unsigned int ptx_shuffle(
    unsigned int value, unsigned int b, unsigned int c, bool& inside) {
  const int lane = __lane_id() & 31, mask = c >> 8 & 31, by = b & 31;
  const int last = (lane & mask) | (c & 31 & ~mask);
  int from = mode == 'u' ? lane - by : mode == 'd' ? lane + by : mode == 'b' ? lane ^ by
                         : (lane & mask) | (by & ~mask);
  inside = mode == 'u' ? from >= last : from <= last;
  if (!inside) from = lane;
  return __shfl(value, from, 32);
}"""
    ),
    "ptx_bfe": Helper(
        """\
template <class T>
static __device__ inline T ptx_bfe(T value, unsigned int at, unsigned int count) {
  const unsigned int width = sizeof(T) * 8;
  at &= 255, count &= 255;
  if (count == 0) return 0;
  if (at >= width) return T(-1) < T(0) && value < 0 ? T(-1) : T(0);
  if (count > width - at) count = width - at;
  return value << (width - at - count) >> (width - count);
}"""
    ),
    "ptx_bfi": Helper(
        """\
template <class T>
static __device__ inline T ptx_bfi(T field, T value, unsigned int at, unsigned int count) {
  const unsigned int width = sizeof(T) * 8;
  at &= 255, count &= 255;
  if (count == 0 || at >= width) return value;
  const T mask = (count >= width ? T(-1) : (T(1) << count) - 1) << at;
  return (value & ~mask) | (field << at & mask);
}"""
    ),
    "ptx_half": Helper(
        """\
typedef _Float16 ptx_half_pair __attribute__((ext_vector_type(2)));
static __device__ inline _Float16 ptx_half_of(unsigned short bits) {
  return __builtin_bit_cast(_Float16, bits);
}
static __device__ inline ptx_half_pair ptx_half_of(unsigned int bits) {
  return __builtin_bit_cast(ptx_half_pair, bits);
}
static __device__ inline unsigned short ptx_half_to(_Float16 value) {
  return __builtin_bit_cast(unsigned short, value);
}
static __device__ inline unsigned int ptx_half_to(ptx_half_pair value) {
  return __builtin_bit_cast(unsigned int, value);
}
static __device__ inline unsigned short ptx_half_bits(float value) {
  return ptx_half_to((_Float16)value);
}
static __device__ inline float ptx_half_value(unsigned short bits) { return ptx_half_of(bits); }
template <class T> static __device__ inline T ptx_half_add(T a, T b) {
  return ptx_half_to(ptx_half_of(a) + ptx_half_of(b));
}
template <class T> static __device__ inline T ptx_half_sub(T a, T b) {
  return ptx_half_to(ptx_half_of(a) - ptx_half_of(b));
}
template <class T> static __device__ inline T ptx_half_mul(T a, T b) {
  return ptx_half_to(ptx_half_of(a) * ptx_half_of(b));
}
template <class T> static __device__ inline T ptx_half_fma(T a, T b, T c) {
  return ptx_half_to(__builtin_elementwise_fma(ptx_half_of(a), ptx_half_of(b), ptx_half_of(c)));
}
template <class T> static __device__ inline T ptx_half_min(T a, T b) {
  return ptx_half_to(__builtin_elementwise_min(ptx_half_of(a), ptx_half_of(b)));
}
template <class T> static __device__ inline T ptx_half_max(T a, T b) {
  return ptx_half_to(__builtin_elementwise_max(ptx_half_of(a), ptx_half_of(b)));
}
template <class T> static __device__ inline T ptx_half_neg(T a) {
  return ptx_half_to(-ptx_half_of(a));
}
template <class T> static __device__ inline T ptx_half_abs(T a) {
  return ptx_half_to(__builtin_elementwise_abs(ptx_half_of(a)));
}
static __device__ inline unsigned short ptx_half_ex2(unsigned short a) {
  return ptx_half_bits(exp2f(ptx_half_value(a)));
}
static __device__ inline unsigned int ptx_half_ex2(unsigned int a) {
  const ptx_half_pair x = ptx_half_of(a);
  return ptx_half_to(ptx_half_pair{(_Float16)exp2f(x.x), (_Float16)exp2f(x.y)});
}
static __device__ inline unsigned short ptx_half_tanh(unsigned short a) {
  return ptx_half_bits(tanhf(ptx_half_value(a)));
}
static __device__ inline unsigned int ptx_half_tanh(unsigned int a) {
  const ptx_half_pair x = ptx_half_of(a);
  return ptx_half_to(ptx_half_pair{(_Float16)tanhf(x.x), (_Float16)tanhf(x.y)});
}""",
        functions=(
            "ptx_half_bits",
            "ptx_half_value",
            "ptx_half_add",
            "ptx_half_sub",
            "ptx_half_mul",
            "ptx_half_fma",
            "ptx_half_min",
            "ptx_half_max",
            "ptx_half_neg",
            "ptx_half_abs",
            "ptx_half_ex2",
            "ptx_half_tanh",
        ),
    ),
    "ptx_bfloat": Helper(
        """\
static __device__ inline unsigned int ptx_bfloat_bits(float value) {
  const unsigned int bits = __float_as_uint(value);
  if (value != value) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}""",
        functions=("ptx_bfloat_bits",),
    ),
    "host_min_max": Helper(
        "\n".join(
            (
                "// CUDA's min and max of the host; HIP may have them for int only.",
                "#include <cmath>",
                "#include <type_traits>",
                *(_host_pick(name, sign) for name, sign in (("min", "<"), ("max", ">"))),
            )
        ),
        functions=("min", "max"),
    ),
    "mixed_min_max": Helper(
        "\n".join(
            (
                "// CUDA compares signed and unsigned integers as unsigned, HIP as double.",
                *(
                    f"static __device__ inline unsigned {kind} {name}"
                    f"({a}{kind} x, {b}{kind} y) {{\n"
                    f"  return {name}(static_cast<unsigned {kind}>(x),"
                    f" static_cast<unsigned {kind}>(y));\n}}"
                    for name in ("min", "max")
                    for kind in ("int", "long", "long long")
                    for a, b in (("", "unsigned "), ("unsigned ", ""))
                ),
            )
        ),
        functions=("min", "max"),
    ),
    "crossport_mma.h": Helper(include_line("crossport_mma.h"), is_header=True),
    "warp32_reduce_add": _reduction("add", "result + other"),
    "warp32_reduce_min": _reduction("min", "other < result ? other : result"),
    "warp32_reduce_max": _reduction("max", "result < other ? other : result"),
    "warp32_reduce_and": _reduction("and", "result & other"),
    "warp32_reduce_or": _reduction("or", "result | other"),
    "warp32_reduce_xor": _reduction("xor", "result ^ other"),
}


def insert_helpers(file: File) -> None:
    """Put the helpers that a file's edits call into the file."""
    names = _with_needs(file.helpers)
    if not names:
        return
    newline = newline_of(file.text.source)
    # A file that asks who compiles it is read by host compilers too.
    shared = not file.text.words.isdisjoint((b"__CUDACC__", b"__NVCC__", b"__HIPCC__"))
    has_warps = any(name.startswith("warp32") for name in names)
    headers = [name for name in names if HELPERS[name].is_header]
    functions = [name for name in names if not HELPERS[name].is_header]
    parts = [HELPERS[name].text for name in headers]
    parts += [_HEADLINE if has_warps else _OTHER_HEADLINE] if functions else []
    for name in functions:
        guard = f"{GUARD}{name.upper()}"
        condition = f"#if defined(__HIPCC__) && !defined({guard})" if shared else f"#ifndef {guard}"
        parts.append(f"{condition}\n#define {guard}\n{HELPERS[name].text}\n#endif")
    block = "\n".join(parts) + "\n"
    place = _place(file)
    before = "\n" if place and file.text.source[place - 1 : place] == b"\n" else "\n\n"
    text = (before + block).replace("\n", newline)
    # Below zero: where the runtime's include goes in at the same place, it goes first.
    file.edits.append(
        Edit(file.text.file, place, place, text, "functions that the port calls", priority=-1)
    )


def _with_needs(names: set[str]) -> list[str]:
    wanted = set(names)
    for name in names:
        wanted.update(HELPERS[name].needs)
        for need in HELPERS[name].needs:
            wanted.update(HELPERS[need].needs)
    return [name for name in HELPERS if name in wanted]


def _place(file: File) -> int:
    """After the last include at file scope before the first edit; else after the include guard."""
    tokens = file.text.tokens
    uses = [edit.start for edit in file.edits]
    uses += [file.first_use] if file.first_use is not None else []
    first_use = min(uses, default=len(file.text.source))
    depth = braces = 0
    guard_depth = _guard_depth(file)
    place: int | None = None
    fallback = 0
    for index, kind in enumerate(tokens.kind):
        start = tokens.start[index]
        if start >= first_use:
            break
        if kind == Kind.PUNCT:
            braces += {b"{": 1, b"}": -1}.get(tokens.text[index], 0)
        elif kind == Kind.DIRECTIVE:
            word = tokens.text[index].lstrip(b"# \t\\\r\n")
            end = _after_line(file, start)
            if word in (b"if", b"ifdef", b"ifndef"):
                depth += 1
            elif word == b"endif":
                depth -= 1
                # An include under a condition ends here; what follows may rely on it.
                if depth == guard_depth and braces == 0 and place is not None:
                    place = end
            elif (word == b"pragma" and b"once" in tokens.source[start:end]) or (
                word == b"define" and depth == guard_depth == 1 and fallback == 0
            ):
                fallback = end
            elif word in (b"include", b"include_next") and braces == 0 and depth >= guard_depth:
                place = end if depth == guard_depth else (place if place is not None else -1)
    if place is not None and place >= 0:
        return place
    if fallback or not len(tokens):
        return fallback
    return file.text.source.rfind(b"\n", 0, tokens.start[0]) + 1


def _guard_depth(file: File) -> int:
    """1 if the whole file stands in `#ifndef NAME / #define NAME`, else 0."""
    tokens = file.text.tokens
    if len(tokens) < 4 or tokens.kind[0] != Kind.DIRECTIVE:
        return 0
    return int(
        tokens.text[0].endswith(b"ifndef")
        and tokens.text[2].endswith(b"define")
        and tokens.text[1] == tokens.text[3]
    )


def _after_line(file: File, offset: int) -> int:
    end = file.text.tokens.line_end(offset)
    source = file.text.source
    while end < len(source) and source[end : end + 1] in (b"\r", b"\n"):
        end += 1
        if source[end - 1 : end] == b"\n":
            break
    return end
