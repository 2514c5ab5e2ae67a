"""Handles that are whole numbers in CUDA and pointers in HIP, where a program computes with them.

    CUdeviceptr p, q;  q = p + n;     ->    hipDeviceptr_t p, q;  q = (char*)p + n;
    cudaTextureObject_t t;  t >> 32         announced: a pointer has no such operation

A name counts when the file declares a variable of it.
"""

from __future__ import annotations

from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity

_ADDRESS = b"CUdeviceptr"
_HANDLES = frozenset((_ADDRESS, b"cudaTextureObject_t", b"cudaSurfaceObject_t"))
_SUMS = (b"+", b"-")
# A shift is two tokens.
_NUMERIC = (b"&", b"|", b">>", b"<<", b"^", b"%", b"+", b"-")
# What stands before an operand and not before a binary operator's right side alone.
_OPENS = (b"(", b",", b"=", b"return", b"?", b":", b";", b"{", b"}", b"[", b"+", b"-")


def handle_number_edits(text: SourceText) -> Findings:
    """Make sums of addresses those of bytes; report every other operation on a handle."""
    found = Findings()
    kinds = _HANDLES & text.words
    if not kinds:
        return found
    tokens = text.tokens
    names = {
        tokens.at(index + 1): tokens.text[index]
        for index in text.code_names
        if tokens.text[index] in kinds and tokens.is_name(index + 1)
    }
    for index in text.code_names:
        word = tokens.text[index]
        is_cast = word in kinds and tokens.at(index - 1) == b"(" and tokens.at(index + 1) == b")"
        if not is_cast and (word not in names or tokens.at(index - 1) in (b".", b"->")):
            continue
        operator = _operator(text, _operand_end(text, index + 2) if is_cast else index)
        is_address = names.get(word) == _ADDRESS and not is_cast
        is_second = tokens.at(index - 1) == b"-" and names.get(tokens.at(index - 2)) == _ADDRESS
        is_first = operator in _SUMS and tokens.at(index + 2) != b"="
        if is_address and (is_second or (is_first and tokens.at(index - 1) in _OPENS)):
            new = f"(char*){word.decode('utf-8', 'surrogateescape')}"
            found.edits.append(text.edit(index, index, new, "a device pointer is void* in HIP"))
            continue
        if operator not in _NUMERIC:
            continue
        kind = "device pointer" if _ADDRESS in (word, names.get(word)) else "texture object"
        found.diagnostics.append(
            text.diagnostic(
                Code.HIP_API_DIFFERS,
                f"{word.decode()}: a {kind} is a pointer in HIP, no number",
                index,
                Severity.ERROR,
                "convert it with reinterpret_cast<uintptr_t> before you compute with it",
            )
        )
    return found


def _operand_end(text: SourceText, index: int) -> int:
    """The last token of the simple operand that a cast's bracket stands before."""
    tokens = text.tokens
    while tokens.at(index + 1) in (b".", b"->") and tokens.is_name(index + 2):
        index += 2
    return index


def _operator(text: SourceText, index: int) -> bytes:
    """The binary operator behind an operand, out of brackets that close there."""
    tokens = text.tokens
    at = index + 1
    while tokens.at(at) == b")" and tokens.at(tokens.partner.get(at, at) - 1) in _OPENS:
        at += 1
    word = tokens.at(at)
    if word in (b"<", b">", b"+", b"-") and tokens.at(at + 1) == word:
        return word * 2
    is_address = word == b"&" and tokens.at(at + 1) == b"&"
    return b"" if is_address else word
