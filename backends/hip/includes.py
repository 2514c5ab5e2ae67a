"""Headers: which HIP header stands for a CUDA one, each once, and the one that nvcc adds by itself.

Example:

    #include <cuda_runtime.h>        #include <hip/hip_runtime.h>
    #include <cuda.h>           ->
    #include <cublas_v2.h>           #include <hipblas/hipblas.h>
    #include "kernels.cu"            #include "kernels.hip"

A path that resolves to a file of the project is the project's own, whatever its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from crossport.backends.hip.api.headers import HEADERS, MISSING_HEADERS, PREFIX_HEADERS
from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.lexer import Include, Kind
from crossport.backends.hip.names import tables
from crossport.backends.hip.source import Findings, SourceText
from crossport.backends.hip.supplied import is_supplied
from crossport.diagnostics import Code, Diagnostic, Severity

RUNTIME = "hip/hip_runtime.h"
_RUNTIME_API = "hip/hip_runtime_api.h"

# The path of an `#include` -> the project's file it means, or None for a system header.
Resolver = Callable[[Include], PurePosixPath | None]


@dataclass(frozen=True, slots=True)
class IncludeOptions:
    """`adds_runtime`: nvcc would compile this file as CUDA, with the runtime header in it."""

    adds_runtime: bool
    resolve: Resolver


def hip_header(path: str) -> str | None:
    """The HIP header for a CUDA one; "" where HIP needs none; None: not CUDA's."""
    if path in HEADERS:
        return HEADERS[path]
    for prefix, replacement in PREFIX_HEADERS:
        if path.startswith(prefix):
            return replacement if replacement.endswith((".h", ".hpp")) else _moved(path, prefix)
    return None


def include_edits(text: SourceText, options: IncludeOptions) -> Findings:
    """Rewrite the includes of one file."""
    found = Findings()
    seen: set[str] = set()
    runtime_at: int | None = None
    first_dependent: int | None = None
    for include in text.includes:
        own = options.resolve(include)
        if own is not None:
            _rename_own(text, include, own, found)
            if first_dependent is None:
                first_dependent = include.line_start
            continue
        path = include.path
        header = path if path.startswith("hip/") else hip_header(path)
        if options.adds_runtime and header == _RUNTIME_API and header != path:
            # The file is CUDA code: it needs the whole header, which holds this one.
            header = RUNTIME
        if header is None:
            found.diagnostics += _missing(text, include)
            if path.startswith("thrust/") and first_dependent is None:
                first_dependent = include.line_start
            continue
        has_condition = is_conditional(text, include.line_start)
        if header == RUNTIME and runtime_at is None and not has_condition:
            runtime_at = include.line_start
        if first_dependent is None and header != RUNTIME:
            first_dependent = include.line_start
        if header == path:
            seen.add(header)
        elif header in seen or (not header):
            found.edits.append(_remove(text, include, header))
        else:
            found.edits.append(_replace(text, include, header))
            if not has_condition:
                seen.add(header)
    if options.adds_runtime:
        is_late = runtime_at is None or (
            first_dependent is not None and first_dependent < runtime_at
        )
        if is_late:
            _add_runtime(text, runtime_at, found)
    return found


def renamed_source(name: str) -> str:
    """The name a source file has in the port: `k.cu` becomes `k.hip`, the rest keep theirs."""
    return name[: -len(".cu")] + ".hip" if name.endswith(".cu") else name


def _rename_own(text: SourceText, include: Include, own: PurePosixPath, found: Findings) -> None:
    if own.suffix != ".cu" or not include.path.endswith(".cu"):
        return
    written = include.written.decode("utf-8", "surrogateescape")
    at = written.rindex(".cu")
    found.edits.append(
        Edit(
            text.file,
            include.start + len(include.written[: include.written.rindex(b".cu")]),
            include.end - 1,
            ".hip" + written[at + 3 : -1],
            "the included file is renamed",
        )
    )


def _replace(text: SourceText, include: Include, header: str) -> Edit:
    if is_supplied(header):
        return Edit(text.file, include.start, include.end, f'"{header}"', "header of the port")
    return Edit(text.file, include.start, include.end, f"<{header}>", "header of HIP")


def _remove(text: SourceText, include: Include, header: str) -> Edit:
    reason = f"{header} is included already" if header else "part of hip/hip_runtime.h"
    start = include.line_start
    end = text.tokens.line_end(include.end)
    rest = text.source[include.end : end].strip()
    alone = text.source[text.source.rfind(b"\n", 0, start) + 1 : start].strip() == b""
    if rest or not alone or _is_only_content(text, include):
        # Something else stands on the line, or in the branch: keep its shape.
        return Edit(text.file, include.start, include.end, f"<{header or RUNTIME}>", reason)
    newline = text.source.find(b"\n", end)
    return Edit(text.file, start, newline + 1 if newline >= 0 else end, "", reason)


def _is_only_content(text: SourceText, include: Include) -> bool:
    return is_conditional(text, include.line_start)


def is_conditional(text: SourceText, offset: int) -> bool:
    """Whether the place is inside an `#if`, an include guard left aside."""
    tokens = text.tokens
    depth = 0
    for index, kind in enumerate(tokens.kind):
        if tokens.start[index] >= offset:
            break
        if kind == Kind.DIRECTIVE:
            word = tokens.text[index].lstrip(b"# \t")
            depth += 1 if word in (b"if", b"ifdef", b"ifndef") else -1 if word == b"endif" else 0
    return depth > (1 if _has_guard(text) else 0)


def _has_guard(text: SourceText) -> bool:
    """`#ifndef X`, `#define X` as the first two lines of code."""
    tokens = text.tokens
    if not tokens.at(0).endswith(b"ifndef"):
        return False
    return tokens.at(2).endswith(b"define") and tokens.at(3) == tokens.at(1)


def _add_runtime(text: SourceText, late: int | None, found: Findings) -> None:
    line = newline_of(text.source)
    at = _first_place(text)
    before = line if text.source[:at][-1:] not in (b"", b"\n") else ""
    found.edits.append(
        Edit(
            text.file,
            at,
            at,
            f"{before}#include <{RUNTIME}>{line}",
            "nvcc includes the runtime header by itself",
        )
    )
    if late is None:
        return
    # The one further down is now the second.
    for index, edit in enumerate(found.edits):
        if edit.replacement == f"<{RUNTIME}>":
            include = next(i for i in text.includes if i.start == edit.start)
            found.edits[index] = _remove(text, include, RUNTIME)
            return


def _first_place(text: SourceText) -> int:
    """The line of the first `#include` at the outer level, or the first line of code."""
    for include in text.includes:
        if not is_conditional(text, include.line_start):
            return text.line_before(include.line_start)
    return text.line_before(text.tokens.start[0]) if len(text.tokens) else 0


_PYTORCH = re.compile(r"(?:torch|ATen|c10|caffe2)/|pybind11/|Python\.h\Z")


def _missing(text: SourceText, include: Include) -> list[Diagnostic]:
    path = include.path
    if _PYTORCH.match(path):
        return [
            Diagnostic(
                Code.MISSING_HEADER,
                f"header {path!r} is PyTorch's; what it declares is unknown",
                text.byte_span(include.start, include.end),
                Severity.WARNING,
                "build the port with a PyTorch for ROCm, whose headers have these names",
            )
        ]
    for row in MISSING_HEADERS:
        if re.match(row.pattern, path):
            break
    else:
        if not path.startswith("thrust/") or path in tables.hip()["headers"]:
            return []
        row = None
    return [
        Diagnostic(
            Code.HIP_HEADER_MISSING,
            f"<{path}>: " + (row.reason if row else "rocThrust has no such header"),
            text.byte_span(include.start, include.end),
            Severity.ERROR,
            row.help if row else "use a header that rocThrust has",
        )
    ]


def _moved(path: str, prefix: str) -> str:
    replacement = dict(PREFIX_HEADERS)[prefix]
    return replacement + path[len(prefix) :]
