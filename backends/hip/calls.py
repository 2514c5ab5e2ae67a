"""Calls and specifiers whose HIP form differs: casts, symbols, dropped arguments.

Example:

    cudaFuncSetAttribute(k<256>, attribute, bytes)
        ->   hipFuncSetAttribute(reinterpret_cast<const void*>(k<256>), attribute, bytes)
    cudaMemcpyToSymbol(table, host, bytes)   ->   hipMemcpyToSymbol(HIP_SYMBOL(table), host, bytes)
    __launch_bounds__(256, 2, 4)             ->   __launch_bounds__(256, 2)
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from crossport.backends.hip.api.call_rows import (
    APPENDED,
    ARGUMENTS,
    LOCATION_TYPE,
    LOCATIONS,
    RENAMED_CALLS,
    SHORT_CALLS,
    ArgumentRow,
)
from crossport.backends.hip.edits import Edit, decode
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity


def call_edits(text: SourceText) -> Findings:
    """Change the form of calls and specifiers."""
    found = Findings()
    used = text.words - text.own_entities
    rows = {name: r for name, r in _rows().items() if name in used}
    counted = {name.encode() for name, _ in (*RENAMED_CALLS, *APPENDED)} & used
    short = {name for name in SHORT_CALLS if name.encode() in text.words}
    specifiers = _SPECIFIERS & text.words
    if not specifiers.isdisjoint({b"make_uint3"}) and b"dim3" not in text.words:
        specifiers -= {b"make_uint3"}
    if LOCATION_TYPE in text.words:
        _locations(text, found)
    if not (rows or short or specifiers or counted):
        return found
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        if word in rows:
            _wrap_arguments(text, index, rows[word], found)
        elif word in counted:
            _counted_call(text, index, found)
        elif word in specifiers:
            _specifier(text, index, found)
        elif short and word.decode("utf-8", "replace") in short:
            _short_call(text, index, word.decode(), found)
    return found


_SPECIFIERS = frozenset(
    b"register __grid_constant__ __launch_bounds__ __cluster_dims__ __maxnreg__"
    b" __block_size__ make_uint3 CUDART_CB".split()
)


@cache
def _rows() -> dict[bytes, list[ArgumentRow]]:
    rows: dict[bytes, list[ArgumentRow]] = defaultdict(list)
    for row in ARGUMENTS:
        rows[row.function.encode()].append(row)
    return rows


def _wrap_arguments(text: SourceText, index: int, rows: list[ArgumentRow], found: Findings) -> None:
    tokens = text.tokens
    opening = index + 1
    if tokens.at(opening) == b"<":
        # An explicit template argument: `cudaGetSymbolAddress<float>(...)`.
        while tokens.at(opening) not in (b"(", b";", b""):
            opening += 1
    if tokens.at(opening) != b"(":
        return
    arguments = tokens.arguments(opening)
    if arguments is None:
        return
    for row in rows:
        if row.index >= len(arguments):
            continue
        first, last = arguments[row.index]
        written = tokens.span_text(first, last)
        if not written or written.startswith((*row.unless, b"HIP_SYMBOL")):
            continue
        if last - first == 1:
            wrapped = row.template.format(decode(written))
            found.edits.append(text.edit(first, first, wrapped, row.reason, 1))
            continue
        # Around, not over: names in the argument have edits of their own.
        before, _, after = row.template.partition("{}")
        start, end = tokens.start[first], tokens.end(last - 1)
        found.edits.append(Edit(text.file, start, start, before, row.reason))
        found.edits.append(Edit(text.file, end, end, after, row.reason))


def _counted_call(text: SourceText, index: int, found: Findings) -> None:
    tokens = text.tokens
    arguments = tokens.arguments(index + 1) if tokens.at(index + 1) == b"(" else None
    if not arguments:
        return
    call = tokens.text[index].decode(), len(arguments)
    if (name := RENAMED_CALLS.get(call)) is not None:
        found.edits.append(text.edit(index, index, name, "HIP has no such overload", 1))
    if (value := APPENDED.get(call)) is not None:
        end = tokens.end(arguments[-1][1] - 1)
        found.edits.append(Edit(text.file, end, end, f", {value}", "HIP has no default here"))


def _short_call(text: SourceText, index: int, name: str, found: Findings) -> None:
    count, position, template = SHORT_CALLS[name]
    arguments = text.tokens.arguments(index + 1) if text.tokens.at(index + 1) == b"(" else None
    if arguments is None or len(arguments) not in (count, count - 1):
        return
    if len(arguments) == count:
        first, last = arguments[position]
        written = decode(text.tokens.span_text(first, last))
        found.edits.append(text.edit(first, last - 1, template.format(written), "CUDA 12's form"))
        return
    end = text.tokens.end(arguments[-1][1] - 1)
    addition = ", " + template.format("0")
    found.edits.append(Edit(text.file, end, end, addition, "CUDA 12's form"))


def _locations(text: SourceText, found: Findings) -> None:
    """`cudaMemPrefetchAsync(p, n, location, flags, stream)` of CUDA 13."""
    tokens = text.tokens
    variables = {
        tokens.at(i + 1)
        for i in text.code_names
        if tokens.text[i] == LOCATION_TYPE and tokens.is_name(i + 1)
    }
    for index in text.code_names:
        row = LOCATIONS.get(tokens.text[index].decode("utf-8", "replace"))
        if row is None or tokens.at(index + 1) != b"(":
            continue
        position, has_flags = row
        arguments = tokens.arguments(index + 1) or []
        if position >= len(arguments):
            continue
        first, last = arguments[position]
        if last - first != 1 or tokens.text[first] not in variables:
            continue
        name = decode(tokens.text[first])
        device = f"{name}.type == hipMemLocationTypeDevice ? {name}.id : hipCpuDeviceId"
        reason = "HIP takes a device, not a location"
        found.edits.append(text.edit(first, first, device, reason))
        if has_flags and position + 1 < len(arguments):
            start, end = tokens.end(first), tokens.end(arguments[position + 1][1] - 1)
            found.edits.append(Edit(text.file, start, end, "", reason))


def _specifier(text: SourceText, index: int, found: Findings) -> None:
    tokens = text.tokens
    match tokens.text[index]:
        case b"register":
            # C++17 has no such specifier; clang refuses it, nvcc only warns.
            is_declaration = tokens.is_name(index + 1) and tokens.at(index - 1) != b"."
            if is_declaration and not text.file.endswith(".c"):
                found.edits.append(_remove_word(text, index, "C++17 has no register"))
        case b"__grid_constant__":
            found.edits.append(_remove_word(text, index, "HIP has no __grid_constant__"))
        case b"CUDART_CB":
            # A calling convention of 32-bit Windows.
            found.edits.append(_remove_word(text, index, "HIP's callbacks need no CUDART_CB"))
        case b"__launch_bounds__":
            arguments = tokens.arguments(index + 1) if tokens.at(index + 1) == b"(" else None
            if arguments is not None and len(arguments) == 3:
                start, end = tokens.end(arguments[1][1] - 1), tokens.end(arguments[2][1] - 1)
                found.edits.append(Edit(text.file, start, end, "", "HIP has no clusters"))
        case b"make_uint3":
            if _is_dim3(text, index):
                found.edits.append(text.edit(index, index, "dim3", "HIP's dim3 takes no uint3"))
        case word:
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_SIGNATURE,
                    f"{word.decode()} has no counterpart in HIP",
                    index,
                    Severity.ERROR,
                    "drop it; thread block clusters need NVIDIA hardware of compute capability 9",
                )
            )


def _is_dim3(text: SourceText, index: int) -> bool:
    """Whether `... = make_uint3(` sets a variable that the file declares as a dim3."""
    tokens = text.tokens
    if tokens.at(index - 1) != b"=" or not tokens.is_name(index - 2):
        return False
    variable = tokens.at(index - 2)
    if tokens.at(index - 3) == b"uint3":
        return False
    at = index - 2
    while at > 0:
        if tokens.text[at] == b"dim3":
            line = at + 1
            while line < index and tokens.text[line] != b";":
                if tokens.text[line] == variable:
                    return True
                line += 1
        at -= 1
    return False


def _remove_word(text: SourceText, index: int, reason: str) -> Edit:
    start, end = text.tokens.start[index], text.tokens.end(index)
    source = text.source
    while source[end : end + 1] in (b" ", b"\t"):
        end += 1
    return Edit(text.file, start, end, "", reason)
