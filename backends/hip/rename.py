"""API names, wherever they stand in code: live branches, inactive ones, macros.

Example:

    CHECK(cudaMalloc(&p, n));   ->   CHECK(hipMalloc(&p, n));
    cublasHandle_t handle;      ->   hipblasHandle_t handle;

A name that HIP does not declare is left as it is, with a diagnostic.
"""

from __future__ import annotations

import re
from functools import lru_cache

from crossport.backends.hip.api.resolve import (
    Renamed,
    Resolution,
    Unported,
    looks_like_api,
    resolve,
)
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.names import tables
from crossport.backends.hip.source import Findings, SourceText
from crossport.backends.hip.switch_cases import repeated_cases, without_case
from crossport.diagnostics import Code, Severity


def rename_edits(text: SourceText) -> Findings:
    """Rename each API name of a file, and report those that cannot be."""
    found = Findings()
    wanted = {word: r for word in text.words if (r := _resolution(word)) is not None}
    if not wanted:
        _report_calls(text, found)
        return found
    _report_calls(text, found)
    _rename_members(text, found)
    tokens = text.tokens
    reported: set[bytes] = set()
    names = {word: r.name for word, r in wanted.items() if isinstance(r, Renamed)}
    repeated = repeated_cases(text, names)
    for index in text.code_names:
        word = tokens.text[index]
        resolution = wanted.get(word)
        if index in repeated and (dead := without_case(text, index)) is not None:
            found.edits += dead
            continue
        if resolution is None or _is_member(text, index) or text.is_cuda_only(index):
            continue
        if word in text.own_entities:
            continue
        name = word.decode()
        match resolution:
            case Renamed(hip, note):
                if hip != name:
                    # What is a struct in CUDA is a typedef in HIP.
                    is_tagged = hip in _TYPEDEFS and tokens.at(index - 1) == b"struct"
                    first = index - 1 if is_tagged else index
                    found.edits.append(text.edit(first, index, hip, "API name"))
                if note and word not in reported:
                    found.diagnostics.append(
                        text.diagnostic(
                            Code.HIP_API_DIFFERS, f"{name}: {note}", index, Severity.NOTE
                        )
                    )
                if hip in tables.hip()["newer"] and word not in reported:
                    found.diagnostics.append(
                        text.diagnostic(
                            Code.HIP_NEEDS_NEWER,
                            f"{hip} came with ROCm 7; ROCm 6 does not declare it",
                            index,
                            Severity.WARNING,
                            "build the port with ROCm 7",
                        )
                    )
                reported.add(word)
            case Unported(reason, help) if word not in text.own_names and word != b"CUDART_CB":
                dead = without_case(text, index)
                if dead is not None:
                    found.edits += dead
                    continue
                found.diagnostics.append(
                    text.diagnostic(
                        Code.HIP_API_MISSING,
                        f"{name}: {reason}",
                        index,
                        Severity.ERROR,
                        help or "remove the use, or keep it behind #ifdef __HIP_PLATFORM_NVIDIA__",
                    )
                )
    return found


def _rename_members(text: SourceText, found: Findings) -> None:
    """Members of API structs that HIP spells in another way."""
    if _MEMBERS.keys().isdisjoint(text.words):
        return
    for index in text.code_names:
        name = _MEMBERS.get(text.tokens.text[index])
        if name is not None and _is_member(text, index):
            found.edits.append(text.edit(index, index, name, "HIP's name of the member"))


_MEMBERS = {b"requestedHandleTypes": "requestedHandleType"}


def _report_calls(text: SourceText, found: Findings) -> None:
    """Calls into a library by a name that no table has: an inline function, a newer release."""
    tokens = text.tokens
    blas = {word for word in text.words if _BLAS.match(word)}
    for index in text.code_names if blas else ():
        # A letter for the transposition: the interface that cuBLAS had before it had handles.
        is_old = tokens.kind[index + 2 : index + 3] == [Kind.CHARACTER]
        if is_old and tokens.at(index + 1) == b"(" and tokens.text[index] in blas:
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_SIGNATURE,
                    f"{tokens.text[index].decode()} without a handle is cuBLAS's old interface,"
                    " which hipBLAS does not have",
                    index,
                    Severity.ERROR,
                    "pass a handle first, and CUBLAS_OP_N or CUBLAS_OP_T for the letters",
                )
            )
    unknown = {
        word
        for word in text.words - text.own_names
        if _LIBRARY.match(word) and _resolution(word) is None
    }
    if not unknown:
        return
    for index in text.code_names:
        word = tokens.text[index]
        if word in unknown and tokens.at(index + 1) == b"(" and not tokens.is_name(index - 1):
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_API_MISSING,
                    f"{word.decode()}: HIP declares no counterpart, and the project does not"
                    " define it",
                    index,
                    Severity.ERROR,
                    "write this step with what the ROCm library has",
                )
            )


_BLAS = re.compile(rb"cublas[SDCZ][a-z]\w+\Z")
_TYPEDEFS = frozenset({"hipGraphicsResource", "hipLaunchParams"})
# Nobody else's names begin so.
_LIBRARY = re.compile(rb"(cublas|cublasLt|cusparse|cusolver|cufft|curand|cudnn|cutensor)[A-Z]\w+\Z")


@lru_cache(maxsize=65536)
def _resolution(word: bytes) -> Resolution:
    name = word.decode("utf-8", "replace")
    return resolve(name) if looks_like_api(name) else None


def _is_member(text: SourceText, index: int) -> bool:
    return text.tokens.at(index - 1) in (b".", b"->")
