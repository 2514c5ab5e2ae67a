"""Device functions that CUDA has and HIP's headers lack: another name, a stand-in, or a diagnostic.

Example:

    __dp4a(a, b, c)       ->   crossport_dp4a(a, b, c)      with its definition after the includes
    cg::reduce(t, v, cg::plus<int>())   ->   crossport_reduce(t, v, crossport_plus<int>())

Warp functions with masks are not here: what becomes of them depends on their meaning
(`semantics/`). A function that the program defines itself is left alone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from crossport.backends.hip.api import device_rows
from crossport.backends.hip.api.simd import simd_function
from crossport.backends.hip.compute_types import compute_type_edits
from crossport.backends.hip.conditions import uses_arch_value
from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.functions import is_host_code
from crossport.backends.hip.halves import half_edits
from crossport.backends.hip.host_halves import FP16_HEADERS
from crossport.backends.hip.includes import is_conditional
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.names import tables
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code

_POLYFILLS = Path(__file__).with_name("polyfill")
_TEMPLATES = frozenset({"load_hint.h", "store_hint.h"})
_MATH_HEADERS = frozenset({"math.h", "complex.h", "tgmath.h"})
# Decided by meaning, in semantics/.
_WARP = re.compile(
    rb"__\w+_sync(_\w+)?\Z|__syncwarp\Z|__activemask\Z|__nanosleep\Z|__match\w+|__shfl\w*\Z"
    rb"|__(ballot|any|all)\Z|__lane\w+|__pipeline_\w+|__cvta_\w+|__isGlobal|__isShared"
)
_ANNOUNCED = re.compile(
    r"__\w+|atomic[A-Z]\w*|h2?(sin|cos|exp|log|sqrt|rsqrt|rcp|tanh|ceil|floor|rint)\w*"
)
_COMPILER = re.compile(
    r"__(is|has)_[a-z_]+|__\w+_MACRO\w*|__[A-Z]\w*|__internal\w*|__isn?an\w*|__isinf\w*"
    r"|__\w+Atomic\w+|__signbit\w*|__launch_bounds__|__fi?nite\w*|__builtin\w+|__pm\d"
)


def device_edits(text: SourceText) -> Findings:
    """Replace the device functions that HIP lacks."""
    found = Findings()
    definitions: dict[str, str] = {}
    wanted = [w for w in text.words if w in _missing() and not _is_own(text, w)]
    if wanted:
        _functions(text, frozenset(wanted), definitions, found)
    if b"cooperative_groups" in text.words or b"cg" in text.words:
        _groups(text, definitions, found)
    if text.project_has_host_halves and b"CROSSPORT_HOST_HALF" not in text.words:
        _host_halves(text, definitions, found)
    extra: set[str] = set()
    found.add(half_edits(text, extra))
    found.add(compute_type_edits(text, extra))
    definitions |= {name: _polyfill(name) for name in extra}
    for word, name in device_rows.HOST_MATH.items():
        if b"CROSSPORT_HOST_MATH" in text.words:
            continue
        if word in text.words and word not in text.own_names and _in_host_code(text, word):
            definitions[name] = _polyfill(name)
    _math_header(text, found)
    if uses_arch_value(text):
        definitions["cuda_arch.h"] = _polyfill("cuda_arch.h")
    if definitions:
        at = place_for_definitions(text)
        block = "".join(definitions[key] for key in sorted(definitions))
        if text.source[:at][-1:] not in (b"", b"\n"):
            block = "\n" + block
        if newline_of(text.source) == "\r\n":
            block = block.replace("\n", "\r\n")
        found.edits.append(Edit(text.file, at, at, block, "what HIP's headers lack"))
    return found


def _is_own(text: SourceText, word: bytes) -> bool:
    """Whether the program defines the function itself. To a stand-in that is a template, a
    function of the same name is an overload, as it is to CUDA's."""
    if word not in text.own_names:
        return False
    row = _rows().get(word.decode())
    is_overload = word in text.own_entities and row is not None and row.polyfill in _TEMPLATES
    return not is_overload


def _host_halves(text: SourceText, definitions: dict[str, str], found: Findings) -> None:
    """Operators of the host, behind the header of the type: in its branch, where it has one."""
    homes = [include for include in text.includes if include.path in FP16_HEADERS]
    if not all(is_conditional(text, include.line_start) for include in homes):
        definitions["host_half.h"] = _polyfill("host_half.h")
        return
    line = newline_of(text.source)
    for include in homes:
        at = text.line_after(include.end)
        block = _polyfill("host_half.h").replace("\n", line)
        found.edits.append(Edit(text.file, at, at, block, "what HIP's headers lack"))


@cache
def _missing() -> frozenset[bytes]:
    """CUDA's device functions that HIP's headers do not declare."""
    names = (tables.cuda_device() - tables.hip_device()) | device_rows.UNAVAILABLE
    kept = {n for n in names if _ANNOUNCED.fullmatch(n) and not _COMPILER.fullmatch(n)}
    kept |= {row.cuda for row in device_rows.ROWS}
    return frozenset(n.encode() for n in kept if not _WARP.match(n.encode()))


@cache
def _rows() -> dict[str, device_rows.DeviceRow]:
    return {row.cuda: row for row in device_rows.ROWS}


def _functions(
    text: SourceText, wanted: frozenset[bytes], definitions: dict[str, str], found: Findings
) -> None:
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        if word not in wanted or tokens.at(index - 1) in (b".", b"->"):
            continue
        name = word.decode()
        row = _rows().get(name)
        if row is not None:
            found.edits.append(text.edit(index, index, row.hip, "device function"))
            if row.polyfill:
                definitions[row.polyfill] = _polyfill(row.polyfill)
            continue
        simd = simd_function(name)
        if simd is not None:
            new = "crossport_" + name.removeprefix("__")
            found.edits.append(text.edit(index, index, new, "device function"))
            definitions[name] = _guarded(new, simd)
            continue
        if tokens.at(index + 1) == b"(":
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_DEVICE_FUNCTION_MISSING,
                    f"HIP's headers declare no device function {name}",
                    index,
                    help="write it with operations that HIP has, for instance by way of float",
                )
            )


def _in_host_code(text: SourceText, word: bytes, *, is_plain: bool = False) -> bool:
    """Whether some call of `word` is in a function that is neither kernel nor device function.

    `is_plain`: only a call without a namespace before it.
    """
    tokens = text.tokens
    return any(
        is_host_code(text, index)
        for index in text.code_names
        if tokens.text[index] == word
        and tokens.at(index + 1) == b"("
        and not (is_plain and tokens.at(index - 1) in (b"::", b".", b"->"))
    )


def _math_header(text: SourceText, found: Findings) -> None:
    """`isnan(x)` in host code: nvcc includes math.h by itself, whose functions are global."""
    words = device_rows.MATH_CLASSIFICATION & text.words - text.own_names
    # A header of the program may be read before the one that includes math.h.
    if not words or any(include.path in _MATH_HEADERS for include in text.includes):
        return
    if any(_in_host_code(text, word, is_plain=True) for word in words):
        at = place_for_definitions(text)
        line = newline_of(text.source)
        before = line if text.source[:at][-1:] not in (b"", b"\n") else ""
        reason = "nvcc includes math.h by itself"
        found.edits.append(Edit(text.file, at, at, f"{before}#include <math.h>{line}", reason))


def _groups(text: SourceText, definitions: dict[str, str], found: Findings) -> None:
    """Collectives of cooperative groups: reductions, scans, copies, partitions by label."""
    tokens = text.tokens
    spaces = group_namespaces(text)
    is_open = any(
        tokens.text[i] == b"cooperative_groups"
        and tokens.at(i - 1) == b"namespace"
        and tokens.at(i - 2) == b"using"
        for i in text.code_names
    )
    rows = {row.cuda.encode(): row for row in device_rows.GROUP_MEMBERS}
    for index in text.code_names:
        row = rows.get(tokens.text[index])
        if row is None:
            continue
        is_qualified = tokens.at(index - 1) == b"::" and tokens.at(index - 2) in spaces
        is_plain = (
            is_open
            and row.header in text.project_includes
            and tokens.at(index - 1) not in (b"::", b".", b"->")
            and tokens.at(index + 1) in (b"(", b"<")
            and tokens.text[index] not in text.own_names
        )
        if not (is_qualified or is_plain):
            continue
        first = index
        if is_qualified:
            first = index - 2
            while tokens.at(first - 1) == b"::" and tokens.is_name(first - 2):
                first -= 2
        found.edits.append(text.edit(first, index, row.hip, "collective of a group"))
        for name in (device_rows.GROUP_BASE, row.polyfill):
            definitions[name] = _polyfill(name)


def group_namespaces(text: SourceText) -> frozenset[bytes]:
    """`cooperative_groups` and the short names that the file gives it."""
    tokens = text.tokens
    names = {b"cooperative_groups", b"cg"}
    for index in text.code_names:
        if tokens.text[index] == b"cooperative_groups" and tokens.at(index - 1) == b"=":
            names.add(tokens.at(index - 2))
    return frozenset(names)


@cache
def _polyfill(name: str) -> str:
    body = (_POLYFILLS / name).read_text(encoding="utf-8")
    return _guarded("crossport_" + name.removesuffix(".h"), body)


def _guarded(name: str, body: str) -> str:
    guard = name.upper()
    return f"#ifndef {guard}\n#define {guard}\n{body}#endif\n"


def place_for_definitions(text: SourceText, before: int | None = None) -> int:
    """The line after the last include at the file's outer level, or after its include guard.

    before: no further down than this byte, where what is defined is used first.
    """
    tokens = text.tokens
    depth = 0
    braces = 0
    base = 1 if _is_guarded(text) else 0
    after = _after_guard(text) if base else _before_code(text)
    for index, kind in enumerate(tokens.kind):
        if before is not None and tokens.end(index) > before:
            break
        if kind == Kind.DIRECTIVE:
            word = tokens.text[index].lstrip(b"# \t")
            if word in (b"if", b"ifdef", b"ifndef"):
                depth += 1
            elif word == b"endif":
                depth -= 1
            elif word == b"include" and depth == base and braces == 0:
                after = text.line_after(tokens.end(index))
        elif kind == Kind.PUNCT and tokens.text[index] in (b"{", b"}"):
            braces += 1 if tokens.text[index] == b"{" else -1
            if braces == 1 and tokens.text[index] == b"{" and depth == base:
                if not _opens_linkage(text, index):
                    break
                braces = 0
    return after


def _opens_linkage(text: SourceText, index: int) -> bool:
    return text.tokens.kind[index - 1] == Kind.STRING and text.tokens.at(index - 2) == b"extern"


def _is_guarded(text: SourceText) -> bool:
    tokens = text.tokens
    return (
        tokens.at(0).endswith(b"ifndef")
        and tokens.at(2).endswith(b"define")
        and tokens.at(3) == tokens.at(1)
    )


def _after_guard(text: SourceText) -> int:
    return text.line_after(text.tokens.end(3))


def _before_code(text: SourceText) -> int:
    tokens = text.tokens
    if not len(tokens):
        return 0
    if tokens.at(0).endswith(b"pragma") and tokens.at(1) == b"once":
        return text.line_after(tokens.end(1))
    return text.line_before(tokens.start[0])
