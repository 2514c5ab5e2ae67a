"""Functions that the program adds to CUDA and that HIP has already.

Example:

    __device__ float atomicMax(float* p, float v) { ... }    kept for CUDA only, by #ifndef __HIP__
    inline __device__ void operator+=(float3& a, float3 b) { ... }                      likewise

A second definition of the same function is an error, and `+=` on a vector would be ambiguous. HIP's
own function has the same meaning, so calls need no change.
"""

from __future__ import annotations

from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Diagnostic, Severity

# What HIP's amd_hip_atomic.h overloads, by the pointee's type.
_WIDE = ("unsigned long", "unsigned long long", "long long")
_ALL = ("int", "unsigned int", "unsigned long", "unsigned long long", "float", "double")
_ATOMICS: dict[bytes, tuple[str, ...]] = {
    b"atomicAdd": _ALL,
    b"atomicSub": _ALL,
    b"atomicExch": _ALL,
    b"atomicMin": (*_ALL, "long long"),
    b"atomicMax": (*_ALL, "long long"),
    b"atomicCAS": _ALL,
    b"atomicAnd": ("int", "unsigned int", *_WIDE[:2]),
    b"atomicOr": ("int", "unsigned int", *_WIDE[:2]),
    b"atomicXor": ("int", "unsigned int", *_WIDE[:2]),
}
_ASSIGN = (b"+", b"-", b"*", b"/", b"%", b"&", b"|", b"^")
_VECTORS = frozenset(
    f"{base}{lanes}".encode()
    for base in (
        "char uchar short ushort int uint long ulong longlong ulonglong float double"
    ).split()
    for lanes in (1, 2, 3, 4)
)
_QUALIFIERS = frozenset(
    b"__device__ __host__ __forceinline__ __inline__ inline static const volatile extern"
    b" __restrict__ __restrict constexpr".split()
)
_SAME = {
    "unsigned": "unsigned int",
    "uint": "unsigned int",
    "uint32_t": "unsigned int",
    "int32_t": "int",
    "unsigned long int": "unsigned long",
    "uint64_t": "unsigned long",
    "unsigned long long int": "unsigned long long",
    "ull": "unsigned long long",
    "long long int": "long long",
}


def overload_edits(text: SourceText) -> Findings:
    """Keep such definitions for CUDA only."""
    found = Findings()
    words = text.words
    atomics = [name for name in _ATOMICS if name in words]
    if not atomics and b"operator" not in words:
        return found
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        opening = index + 1
        if word == b"operator":
            opening = _assignment_operator(text, index)
        elif word not in _ATOMICS:
            continue
        if tokens.at(opening) != b"(":
            continue
        closing = tokens.partner.get(opening)
        if closing is None or tokens.at(closing + 1) != b"{":
            continue
        end = tokens.partner.get(closing + 1)
        start = start_of_definition(text, index)
        if end is None or start is None or nesting(text, start):
            continue
        if _is_binary(text, index) and _is_overload_of_hip(text, index, opening):
            if _is_elementwise(text, index, opening, closing + 1, end):
                keep_for_cuda(text, index, start, end, found)
            else:
                found.diagnostics.append(_other_meaning(text, index))
        elif _is_overload_of_hip(text, index, opening):
            keep_for_cuda(text, index, start, end, found)
    return found


def _assignment_operator(text: SourceText, index: int) -> int:
    """The bracket after `operator+=`, `operator*` or `operator/`; 0 when this is another one."""
    tokens = text.tokens
    if _is_binary(text, index):
        return index + 2
    if tokens.at(index + 1) in _ASSIGN and tokens.at(index + 2) == b"=":
        return index + 3
    return 0


def _is_binary(text: SourceText, index: int) -> bool:
    """`operator*` or `operator/`: HIP has them for two vectors, and no other exact match wins."""
    tokens = text.tokens
    return (
        tokens.text[index] == b"operator"
        and tokens.at(index + 1) in (b"*", b"/")
        and tokens.at(index + 2) == b"("
    )


def _is_elementwise(text: SourceText, index: int, opening: int, body: int, end: int) -> bool:
    """Whether the body is `return make_float2(a.x * b.x, a.y * b.y);` or the same in braces."""
    tokens = text.tokens
    arguments = tokens.arguments(opening) or []
    left, right = (tokens.text[last - 1].decode("utf-8", "replace") for _, last in arguments)
    vector = _type(text, *arguments[0]).rstrip("&")
    sign = tokens.text[index + 1].decode()
    lanes = ", ".join(f"{left}.{m}{sign}{right}.{m}" for m in "xyzw"[: int(vector[-1])])
    lanes = lanes.replace(" ", "")
    written = b"".join(tokens.text[body + 1 : end]).decode("utf-8", "replace")
    forms = (
        f"make_{vector}({lanes})",
        f"{vector}({lanes})",
        f"{vector}{{{lanes}}}",
        f"{{{lanes}}}",
    )
    return written in {f"return{form};" for form in forms}


def _other_meaning(text: SourceText, index: int) -> Diagnostic:
    sign = text.tokens.at(index + 1).decode()
    return text.diagnostic(
        Code.HIP_SIGNATURE,
        f"HIP has operator{sign} on vectors, element by element; this one means something else",
        index,
        Severity.ERROR,
        "make it a function with a name, or give it a type of its own",
    )


def _is_overload_of_hip(text: SourceText, index: int, opening: int) -> bool:
    tokens = text.tokens
    arguments = tokens.arguments(opening) or []
    types = [_type(text, first, last) for first, last in arguments]
    word = tokens.text[index]
    if _is_binary(text, index):
        left, right = (t.rstrip("&") for t in ([*types, "", "-"])[:2])
        return len(types) == 2 and left == right and left.encode() in _VECTORS
    if word == b"operator":
        return (
            len(types) == 2
            and types[0].endswith("&")
            and types[0].rstrip("&").strip().encode() in _VECTORS
        )
    if not types or not types[0].endswith("*"):
        return False
    pointee = types[0].rstrip("*").strip()
    pointee = _SAME.get(pointee, pointee)
    count = 3 if word == b"atomicCAS" else 2
    return len(types) == count and pointee in _ATOMICS[word]


def _type(text: SourceText, first: int, last: int) -> str:
    """A parameter's type, qualifiers and name left out: `const float *p` is `float*`."""
    tokens = text.tokens
    words = [tokens.text[i] for i in range(first, last) if tokens.text[i] not in _QUALIFIERS]
    marks = b"".join(w for w in words if w in (b"*", b"&"))
    names = [w for w in words if w not in (b"*", b"&")]
    basic = (b"unsigned", b"long", b"int", b"char", b"short", b"signed")
    if len(names) > 1 and names[-1] not in basic:
        names = names[:-1]
    return b" ".join(names).decode("utf-8", "replace") + marks.decode()


def start_of_definition(text: SourceText, index: int) -> int | None:
    """The first token of the definition that holds `index`; None for a template's."""
    tokens = text.tokens
    at = index
    while at > 0:
        before = tokens.text[at - 1]
        if tokens.kind[at - 1] == Kind.PUNCT and before in (b";", b"}", b"{", b":"):
            break
        if _on_directive_line(text, at - 1):
            break
        at -= 1
    if any(tokens.text[i] == b"template" for i in range(at, index)):
        return None
    return at


def _on_directive_line(text: SourceText, index: int) -> bool:
    tokens = text.tokens
    at = index
    while at >= 0 and tokens.kind[at] != Kind.DIRECTIVE:
        if tokens.kind[at] == Kind.PUNCT and tokens.text[at] in (b";", b"{", b"}"):
            return False
        at -= 1
    return at >= 0 and tokens.line_end(tokens.start[at]) > tokens.start[index]


def nesting(text: SourceText, index: int) -> bool:
    """Whether the place is inside braces: there a definition hides HIP's, not repeats it."""
    tokens = text.tokens
    for opening, closing in tokens.partner.items():
        if opening < index < closing and tokens.text[opening] == b"{":
            is_linkage = tokens.kind[opening - 1] == Kind.STRING
            if not is_linkage:
                return True
    return False


def keep_for_cuda(
    text: SourceText,
    index: int,
    start: int,
    end: int,
    found: Findings,
    reason: str = "HIP defines this overload",
) -> None:
    """Put the definition of `index`, tokens `start` to `end`, between `#ifndef __HIP__` and its
    end."""
    tokens, macro = text.tokens, text.hip_macro
    if tokens.at(start - 2).endswith(b"ifndef") and tokens.at(start - 1) in (b"__HIP__", macro):
        return
    line = newline_of(text.source)
    first = text.source.rfind(b"\n", 0, tokens.start[start]) + 1
    last = text.line_after(tokens.end(end))
    is_shared = end + 1 < len(tokens) and tokens.start[end + 1] < last
    if is_shared or text.source[first : tokens.start[start]].strip():
        return
    closing = "#endif" if text.source[last - 1 : last] == b"\n" else f"{line}#endif"
    found.edits.append(Edit(text.file, first, first, f"#ifndef {macro.decode()}{line}", reason))
    found.edits.append(Edit(text.file, last, last, f"{closing}{line}", reason))
    name = tokens.text[index].decode()
    if name != "operator":
        found.diagnostics.append(
            text.diagnostic(
                Code.HIP_API_DIFFERS,
                f"{name}: {reason}; this one is kept for CUDA only",
                index,
                Severity.NOTE,
            )
        )
