"""Guards of CUDA's headers, asked for to see what is included: HIP's headers have their own.

Example:

    #ifdef __DRIVER_TYPES_H__                ->   #ifdef HIP_INCLUDE_HIP_DRIVER_TYPES_H
    #if defined(CUBLAS_API_H_)               ->   #if defined(HIPBLAS_H)

CUDA's samples ask so in a header that many programs have a copy of, and leave half of it out where
the guard is not there.
"""

from __future__ import annotations

from crossport.backends.hip.api.headers import HEADER_GUARDS
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText


def header_guard_edits(text: SourceText) -> Findings:
    """Ask for HIP's guards."""
    found = Findings()
    wanted = {g.encode(): hip for g, hip in HEADER_GUARDS.items() if g.encode() in text.words}
    if not wanted:
        return found
    tokens = text.tokens
    for index in text.code_names:
        hip = wanted.get(tokens.text[index])
        # A program that defines the macro itself means its own.
        if hip is None or tokens.text[index] in text.own_names or not _is_asked(text, index):
            continue
        found.edits.append(text.edit(index, index, hip, "guard of HIP's header"))
    return found


def _is_asked(text: SourceText, index: int) -> bool:
    tokens = text.tokens
    before = tokens.at(index - 1)
    if index and tokens.kind[index - 1] == Kind.DIRECTIVE:
        return before.endswith((b"ifdef", b"ifndef"))
    return before == b"defined" or (before == b"(" and tokens.at(index - 2) == b"defined")
