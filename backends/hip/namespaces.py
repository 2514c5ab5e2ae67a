"""C++ libraries: CUB, Thrust's CUDA system, cooperative groups, libcu++.

Example:

    cub::DeviceReduce::Sum(...)              ->   hipcub::DeviceReduce::Sum(...)
    thrust::cuda::par.on(stream)             ->   thrust::hip::par.on(stream)

Members are checked against what the ROCm library declares, so that one it lacks is reported here
and not by the compiler.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.backends.hip.device import group_namespaces
from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.names import tables
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Diagnostic


@dataclass(frozen=True, slots=True)
class Library:
    """A namespace of CUDA's and where its members live in ROCm. `family`: the table of members."""

    namespace: bytes
    replacement: str
    title: str
    family: str


LIBRARIES = (Library(b"cub", "hipcub", "hipCUB", "cub"),)
# Members of cooperative_groups that HIP lacks, and why.
_GROUPS = frozenset(
    b"invoke_one invoke_one_broadcast block_tile_memory this_cluster cluster_group experimental"
    b" reduce_update_async reduce_store_async inclusive_scan_update exclusive_scan_update".split()
)


def namespace_edits(text: SourceText) -> Findings:
    """Rename library namespaces and report members that ROCm lacks."""
    found = Findings()
    words = text.words
    for library in LIBRARIES:
        if library.namespace in words and library.namespace not in text.own_names:
            _library(text, library, found)
    if b"thrust" in words:
        _thrust(text, found)
    if b"cooperative_groups" in words:
        _groups(text, found)
    if b"cuda" in words:
        _libcu(text, found)
    return found


def _library(text: SourceText, library: Library, found: Findings) -> None:
    tokens = text.tokens
    members = tables.hip()[library.family]
    for index in text.code_names:
        if tokens.text[index] != library.namespace or tokens.at(index - 1) in (b".", b"->"):
            continue
        before, after = tokens.at(index - 1), tokens.at(index + 1)
        if before == b"::" and tokens.is_name(index - 2):
            continue
        if after == b"::":
            found.edits.append(text.edit(index, index, library.replacement, f"{library.title}"))
            member = tokens.at(index + 2).decode("utf-8", "replace")
            if tokens.is_name(index + 2) and member not in members:
                found.diagnostics.append(_lacks(text, index, library, member))
        elif (before == b"namespace" and after == b";") or _is_aliased(text, index):
            found.edits.append(text.edit(index, index, library.replacement, f"{library.title}"))


def _is_aliased(text: SourceText, index: int) -> bool:
    """`namespace c = cub;`"""
    tokens = text.tokens
    is_alias = tokens.at(index - 1) == b"=" and tokens.at(index - 3) == b"namespace"
    return is_alias and tokens.at(index + 1) == b";"


def _lacks(text: SourceText, index: int, library: Library, member: str) -> Diagnostic:
    return text.diagnostic(
        Code.HIP_NAMESPACE,
        f"{library.title} has no {member}",
        index,
        help=f"use another algorithm of {library.title}, or rocPRIM's",
    )


def _thrust(text: SourceText, found: Findings) -> None:
    tokens = text.tokens
    missing: set[str] = set()
    for index in text.code_names:
        word = tokens.text[index]
        if word == b"cuda" and tokens.at(index - 1) == b"::" and tokens.at(index - 2) == b"thrust":
            found.edits.append(text.edit(index, index, "hip", "rocThrust"))
        elif word == b"thrust" and tokens.at(index + 1) == b"::":
            missing.add(f"thrust/{tokens.at(index + 2).decode('utf-8', 'replace')}.h")
        elif word == b"cuda_cub" and tokens.at(index - 2) == b"thrust":
            found.edits.append(text.edit(index, index, "hip_rocprim", "rocThrust"))
    _thrust_includes(text, missing & tables.hip()["headers"], found)


def _thrust_includes(text: SourceText, wanted: frozenset[str] | set[str], found: Findings) -> None:
    """Include what the file uses: CUDA's Thrust brings more headers along than rocThrust does."""
    own = [include for include in text.includes if include.path.startswith("thrust/")]
    absent = sorted(wanted - {include.path for include in own} - text.project_includes)
    if not own or not absent:
        return
    at = text.line_after(own[-1].end)
    lines = "".join(f"#include <{header}>{newline_of(text.source)}" for header in absent)
    reason = "rocThrust's headers include less of each other"
    found.edits.append(Edit(text.file, at, at, lines, reason))


def _groups(text: SourceText, found: Findings) -> None:
    tokens = text.tokens
    names = group_namespaces(text)
    for index in text.code_names:
        if tokens.text[index] not in names or tokens.at(index + 1) != b"::":
            continue
        member = tokens.at(index + 2)
        if member in _GROUPS:
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_NAMESPACE,
                    f"HIP's cooperative groups have no {member.decode()}",
                    index + 2,
                    help="write the collective with the group's shuffles",
                )
            )


def _libcu(text: SourceText, found: Findings) -> None:
    tokens = text.tokens
    if b"cuda" in text.own_names:
        return
    for index in text.code_names:
        if tokens.text[index] != b"cuda" or tokens.at(index + 1) != b"::":
            continue
        if tokens.at(index - 1) == b"::" and tokens.is_name(index - 2):
            continue
        member = tokens.at(index + 2).decode("utf-8", "replace")
        found.diagnostics.append(
            text.diagnostic(
                Code.HIP_NAMESPACE,
                f"cuda::{member} is libcu++, which is no part of ROCm",
                index,
                help="install libhipcxx, or use HIP's atomics and the C++ library",
            )
        )
