"""Host code that asks the device how wide a warp is.

    int warps = threads / prop.warpSize;       ->   int warps = threads / 32;
    printf("warp size %d", prop.warpSize);     stays: it prints what the device has

The kernels keep warps of 32 lanes (warp.py), so a size that the host computes from the width must
use 32 too: an array for each warp would be half as long as the kernel believes.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.warp import WHY_WIDTH
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import Places, place_of
from crossport.frontend.unit import TranslationUnit

_PRINTERS = frozenset(("printf", "fprintf", "sprintf", "snprintf", "operator<<"))
_USES = frozenset((CursorKind.MEMBER_REF_EXPR, CursorKind.DECL_REF_EXPR))
_WIDTH_ATTRIBUTES = (b"cudaDevAttrWarpSize", b"CU_DEVICE_ATTRIBUTE_WARP_SIZE")


def property_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Replace a device property `warpSize` that host code computes with."""
    for file in files.values():
        for index in file.uses(_WIDTH_ATTRIBUTES):
            file.report(
                Code.WARP_WIDTH_QUERY,
                "this asks the device for its warp width, 64 on some AMD GPUs; the ported kernels"
                " keep warps of 32 threads",
                index,
                Severity.WARNING,
                "use 32 where the number sizes work for the kernels",
            )
    wanted = [f for f in files.values() if b"warpSize" in f.text.words]
    if not wanted:
        return
    places = Places(unit.macros)
    for cursor in clang.children(unit.cursor):
        holder = files.get(clang.file_of(cursor.location, unit.handle))
        if holder is None or not cursor.kind.is_declaration():
            continue
        start, end = clang.offsets(cursor)
        if b"warpSize" not in holder.text.source[start:end]:
            continue
        if any(use.spelling == "warpSize" for use in clang.find(cursor, _USES)):
            _scan(cursor, files, places)


def _scan(root: Cursor, files: Mapping[str, File], places: Places) -> None:
    stack: list[tuple[Cursor, bool]] = [(root, False)]
    while stack:
        cursor, is_printed = stack.pop()
        if cursor.kind == CursorKind.MEMBER_REF_EXPR and cursor.spelling == "warpSize":
            if not is_printed and _is_property(cursor):
                _replace(cursor, files, places)
            continue
        if cursor.kind == CursorKind.DECL_REF_EXPR and cursor.spelling == "warpSize":
            # Where the project has a name like it, warp.py leaves the word to this.
            if cursor.referenced is not None and _file_of(cursor.referenced) not in files:
                _replace(cursor, files, places)
            continue
        printed = is_printed
        if cursor.kind == CursorKind.CALL_EXPR:
            printed = cursor.spelling in _PRINTERS
        elif cursor.kind == CursorKind.BINARY_OPERATOR:
            printed = is_printed and clang.binary_operator(cursor) == "<<"
        stack.extend((child, printed) for child in clang.children(cursor))


def _is_property(cursor: Cursor) -> bool:
    field = cursor.referenced
    parent = field.semantic_parent if field is not None else None
    return parent is not None and parent.spelling == "cudaDeviceProp"


def _replace(cursor: Cursor, files: Mapping[str, File], places: Places) -> None:
    span = place_of(cursor)
    file = files.get(span.file)
    if file is None or not places.editable(span):
        return
    index = file.text.tokens.index_at(span.offset)
    if _is_assigned(file, span.end_offset) or file.in_hip_code(index):
        return
    file.replace_bytes(span.offset, span.end_offset, "32", WHY_WIDTH)


def _is_assigned(file: File, end: int) -> bool:
    tokens = file.text.tokens
    following = tokens.index_at(end)
    return tokens.at(following) == b"="


def _file_of(cursor: Cursor) -> str:
    file = cursor.location.file
    return file.name if file is not None else ""
