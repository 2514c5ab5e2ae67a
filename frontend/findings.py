"""What a user should hear about the input: parse errors, missing headers, wrong requests.

The parser keeps going after any error, so an error matters where it stands. Inside a kernel or
device function it costs that function; in host code it costs nothing but itself, and much of what
the shim cannot know (a missing header's types) looks like an error there. So:

    a C++ syntax error, all headers there         error     CP1005 (a warning behind unknown names)
    any error inside device code                  warning   CP1007: that function is edited only
    a project header that is not there            warning   CP1008
    include cycle                                 error     CP1009
    nothing of CUDA in the file                   warning   CP1004
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossport.diagnostics import Code, Diagnostic, Severity, Span, sort_diagnostics
from crossport.frontend.collect import Found
from crossport.frontend.places import place_of

_ERROR, _FATAL = 3, 4
_CUDA_WORD = re.compile(
    rb"__global__|__device__|__shared__|__constant__|__host__|<<<|\bcu(?:da|blas|fft|rand|sparse|solver|dnn|b)"
    rb"\w*|\bcu[A-Z]\w+|\bthrust\b|\bcub\b|\bnccl\w+|\bnvtx\w+|\bnvrtc\w+"
)
_UNKNOWN = re.compile(
    r"undeclared|unknown type name|no (?:type|member|template) named|does not name|does not refer"
)
# What clang says of it: it has no launches in device code.
_CHILD_LAUNCH = re.compile(r"reference to __global__ function '(\w+)' in __(?:global|device)__")
_MISSING = re.compile(r"'(.+)' file not found")


def findings(
    handle: Any, path: Path, data: bytes, found: Found, requests: Sequence[str]
) -> tuple[Diagnostic, ...]:
    """The diagnostics of one parsed unit, sorted by place."""
    errors = [d for d in handle.diagnostics if d.severity >= _ERROR]
    device = [
        place_of(f) for f in (*(k.cursor for k in found.kernels), *found.functions, *found.broken)
    ]
    has_missing = any(_MISSING.search(d.spelling) for d in errors)
    result: list[Diagnostic] = []
    # Names that the shim does not know make what follows them look like no C++.
    unknown: list[Span] = []
    for error in errors:
        span = _span(error)
        if span is None or (span.offset >= len(data) and span.file == str(path)):
            continue  # in a probe behind the last line
        text = error.spelling
        missing = _MISSING.search(text)
        if missing is not None:
            result.append(_missing_header(missing.group(1), span))
        elif "nested too deeply" in text:
            result.append(
                Diagnostic(
                    Code.INCLUDE_CYCLE,
                    "headers include each other without end",
                    span,
                    help="add #pragma once or an include guard to them",
                )
            )
        elif any(_covers(place, span) for place in device):
            if (child := _CHILD_LAUNCH.search(text)) is not None:
                result.append(_child_launch(child[1], span))
                continue
            result.append(
                Diagnostic(
                    Code.DEVICE_CODE_UNRESOLVED,
                    f"device code that the parser cannot resolve: {text}",
                    span,
                    Severity.WARNING,
                    "pass the include folders and macros that the program is built with behind --",
                )
            )
        elif error.category_name == "Parse Issue" and not has_missing:
            if not any(
                near.file == span.file and 0 <= span.line - near.line <= 2 for near in unknown
            ):
                severity = Severity.WARNING if unknown else Severity.ERROR
                result.append(
                    Diagnostic(Code.SYNTAX_ERROR, f"syntax error: {text}", span, severity)
                )
        elif _UNKNOWN.search(text):
            unknown.append(span)
    result += _requests(found, requests)
    if not _CUDA_WORD.search(data) and not found.kernels:
        result.append(
            Diagnostic(
                Code.NOT_CUDA,
                "nothing in this file is CUDA",
                Span(str(path), 1),
                Severity.WARNING,
                "it needs no port; pass the file that holds the kernels",
            )
        )
    return tuple(sort_diagnostics(result))


def _missing_header(name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        Code.MISSING_HEADER,
        f"header {name!r} not found; what it declares is unknown",
        span,
        Severity.WARNING,
        "pass its folder behind --, as in: port k.cu --to rocm -- -Iinclude",
    )


def _child_launch(kernel: str, span: Span) -> Diagnostic:
    return Diagnostic(
        Code.DEVICE_CODE_UNRESOLVED,
        f"{kernel} is launched from the device (dynamic parallelism), which no target has",
        span,
        Severity.WARNING,
        "launch it from the host, after the kernel that launches it now",
    )


def _requests(found: Found, requests: Sequence[str]) -> list[Diagnostic]:
    made = {"".join(k.name.split()) for k in found.kernels}
    result = []
    for request in requests:
        base = request.partition("<")[0].strip().rpartition("::")[2]
        compact = "".join(request.split()).rpartition("::")[2] if "<" not in request else None
        wanted = compact or base + "<" + "".join(request.split()).partition("<")[2]
        if wanted in made or any(
            k.base_name == base and k.origin == "requested" for k in found.kernels
        ):
            continue
        known = sorted({p.name for p in found.patterns})
        result.append(
            Diagnostic(
                Code.CANNOT_INSTANTIATE,
                f"cannot make the kernel {request!r}",
                help=f"kernel templates in this source: {', '.join(known) or 'none'};"
                " write arguments as in 'k<float, 128>'",
            )
        )
    return result


def _span(diagnostic: Any) -> Span | None:
    location = diagnostic.location
    if location.file is None:
        return None
    return Span(location.file.name, location.line, location.column, offset=location.offset)


def _covers(place: Span, span: Span) -> bool:
    return place.file == span.file and place.offset <= span.offset < place.end_offset
