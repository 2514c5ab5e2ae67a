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


# What crossport_cuda.h defines in namespace cuda.
_CUDA = frozenset(
    "atomic atomic_ref atomic_thread_fence memory_order memory_order_relaxed memory_order_acquire"
    " memory_order_release memory_order_acq_rel memory_order_seq_cst memory_order_consume"
    " thread_scope thread_scope_system thread_scope_device thread_scope_block thread_scope_thread"
    " aligned_size_t memcpy_async pipeline make_pipeline pipeline_consumer_wait_prior".split()
)
# What is constexpr in C++17's library, so that HIP compiles it for the device as well.
_CUDA_STD = frozenset(
    "array tuple get make_tuple tie tuple_size tuple_element apply pair make_pair numeric_limits"
    " move forward declval min max clamp integral_constant bool_constant true_type false_type"
    " enable_if enable_if_t conditional conditional_t decay decay_t common_type common_type_t"
    " index_sequence make_index_sequence integer_sequence make_integer_sequence"
    " index_sequence_for void_t underlying_type underlying_type_t size_t ptrdiff_t nullptr_t byte"
    " int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t"
    " plus minus multiplies divides modulus negate less greater less_equal greater_equal equal_to"
    " not_equal_to logical_and logical_or logical_not bit_and bit_or bit_xor atomic atomic_ref"
    " memory_order memory_order_relaxed memory_order_acquire memory_order_release"
    " memory_order_acq_rel memory_order_seq_cst".split()
)
_TRAITS = ("is_", "remove_", "add_", "make_signed", "make_unsigned")


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
        if member == "std" and tokens.at(index + 3) == b"::":
            member = f"std::{tokens.at(index + 4).decode('utf-8', 'replace')}"
            if member[5:] in _CUDA_STD or member[5:].startswith(_TRAITS):
                continue
        if member in _CUDA and not _is_shared_pipeline(text, index + 2):
            continue
        found.diagnostics.append(
            text.diagnostic(
                Code.HIP_NAMESPACE,
                f"cuda::{member} is libcu++, and no part of it that a port can bring along",
                index,
                help="install libhipcxx, or use HIP's atomics, __syncthreads and the C++ library",
            )
        )


def _is_shared_pipeline(text: SourceText, index: int) -> bool:
    """Whether a pipeline is one that the threads of a group share."""
    tokens = text.tokens
    if tokens.text[index] == b"make_pipeline":
        return tokens.at(index + 2) != b")"
    is_pipeline = tokens.text[index] == b"pipeline" and tokens.at(index + 1) == b"<"
    near = [tokens.at(index + 2 + step) for step in range(4)]
    return is_pipeline and b"thread_scope_thread" not in near
