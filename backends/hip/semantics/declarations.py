"""Declarations of the project that HIP's headers make already.

    __device__ double atomicAdd(double* p, double v) {...}     renamed with its calls: atomicAdd_own
    inline void operator+=(float3& a, float3 b) {...}          left out: HIP's vectors have it

HIP declares more atomics than CUDA (float min and max, double add on every target), so a
project's own one of the same parameters clashes. Its body is the program's choice: it keeps its
body under a name of its own. HIP's vector types bring element-wise operators as members; a free
function for the same operands makes every use ambiguous, and goes if it does the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import place_of, point_of
from crossport.frontend.unit import TranslationUnit

# What HIP 6 declares beyond CUDA, by canonical parameter types.
_ATOMICS = {
    ("atomicAdd", ("double *", "double")),
    ("atomicAdd", ("float *", "float")),
    ("atomicSub", ("float *", "float")),
    ("atomicSub", ("double *", "double")),
    *(
        (f"atomic{op}", (f"{kind} *", kind))
        for op in ("Min", "Max")
        for kind in (
            "float",
            "double",
            "int",
            "unsigned int",
            "unsigned long",
            "unsigned long long",
            "long long",
        )
    ),
    *(
        (f"atomic{op}", (f"{kind} *", kind))
        for op in ("And", "Or", "Xor", "Exch", "Add")
        for kind in ("int", "unsigned int", "unsigned long", "unsigned long long")
    ),
}
_VECTOR = re.compile(r"(?:u?(?:char|short|int|long|longlong)|float|double)[234]$")
_COMPOUND = {"operator+=": "+=", "operator-=": "-=", "operator*=": "*=", "operator/=": "/="}
_DEFINITIONS = (CursorKind.FUNCTION_DECL, CursorKind.FUNCTION_TEMPLATE)


def declaration_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Edit the declarations of a unit that clash with HIP's."""
    renamed: dict[str, str] = {}
    for function in _functions(unit):
        file = files.get(_file_of(function))
        if file is None or file.in_hip_code(file.text.tokens.index_at(function.location.offset)):
            continue
        key = (function.spelling, tuple(_plain(p.type) for p in function.get_arguments()))
        if key in _ATOMICS:
            new = f"{function.spelling}_own"
            renamed[function.canonical.get_usr()] = new
            _rename(file, function, new)
        elif function.spelling in _COMPOUND:
            _vector_operator(file, function)
    if renamed:
        _rename_calls(unit, files, renamed)


def _functions(unit: TranslationUnit) -> list[Cursor]:
    """Free functions of the project, declarations too."""
    found: list[Cursor] = []
    scopes = [unit.cursor]
    while scopes:
        for cursor in scopes.pop().get_children():
            if cursor.kind == CursorKind.FUNCTION_DECL:
                found.append(cursor)
            elif cursor.kind in (CursorKind.NAMESPACE, CursorKind.LINKAGE_SPEC):
                scopes.append(cursor)
    return found


def _file_of(cursor: Cursor) -> str:
    file = cursor.location.file
    return file.name if file is not None else ""


def _plain(kind: clang.Type) -> str:
    return str(kind.get_canonical().spelling).replace("const ", "").replace("volatile ", "")


def _rename(file: File, cursor: Cursor, new: str) -> None:
    span = point_of(cursor)
    if (
        file.text.source[span.offset : span.end_offset].decode("utf-8", "replace")
        == cursor.spelling
    ):
        file.replace_bytes(
            span.offset, span.end_offset, new, "HIP declares an atomic of this name and type"
        )


def _rename_calls(
    unit: TranslationUnit, files: Mapping[str, File], renamed: Mapping[str, str]
) -> None:
    """Calls, in every function of the project, that resolve to a renamed one."""
    done: set[tuple[str, int]] = set()
    bodies = [k.cursor for k in unit.kernels] + list(unit.functions)
    for body in bodies:
        for cursor in clang.walk(body):
            if cursor.kind != CursorKind.DECL_REF_EXPR or cursor.referenced is None:
                continue
            new = renamed.get(cursor.referenced.canonical.get_usr())
            place = (_file_of(cursor), cursor.location.offset)
            file = files.get(place[0])
            if new is not None and file is not None and place not in done:
                done.add(place)
                _rename(file, cursor, new)


def _vector_operator(file: File, function: Cursor) -> None:
    """A compound assignment of vectors: HIP's member does it; the free one goes or is reported."""
    parameters = list(function.get_arguments())
    if len(parameters) != 2 or not function.is_definition():
        return
    left = _plain(parameters[0].type).removesuffix(" &")
    right = _plain(parameters[1].type).removesuffix(" &")
    if not _VECTOR.match(left) or (_VECTOR.match(right) and right != left):
        return
    index = file.text.tokens.index_at(function.location.offset)
    span = place_of(function)
    body = clang.body(function)
    if body is None:
        return
    if not _is_elementwise(file, body, parameters, left, _COMPOUND[function.spelling]):
        file.report(
            Code.VECTOR_OPERATOR_CLASH,
            f"HIP's {left} has a member {function.spelling} that is element-wise; this one is not,"
            " and calls become ambiguous",
            index,
            Severity.ERROR,
            "give this operation a name of its own",
        )
        return
    start, end = _whole_lines(file, span.offset, span.end_offset)
    file.replace_bytes(start, start, "#ifndef __HIP_PLATFORM_AMD__\n", "HIP's vectors have it")
    file.replace_bytes(end, end, "#endif\n", "HIP's vectors have it")


def _is_elementwise(
    file: File, body: Cursor, parameters: list[Cursor], kind: str, operator: str
) -> bool:
    """Is the body `a.x += b.x; a.y += b.y; ...` (or `+= s`), and nothing else but `return a`?"""
    span = place_of(body)
    text = re.sub(
        rb"/\*.*?\*/|//[^\n]*", b"", file.text.source[span.offset : span.end_offset], flags=re.S
    )
    a, b = parameters[0].spelling, parameters[1].spelling
    statements = [
        "".join(s.split()) for s in text.decode("utf-8", "replace").strip("{} \r\n\t").split(";")
    ]
    fields = "xyzw"[: int(kind[-1])]
    is_vector = _VECTOR.match(_plain(parameters[1].type).removesuffix(" &")) is not None
    sign = operator[0]
    seen: set[str] = set()
    for statement in filter(None, statements):
        if statement in (f"return{a}", f"a={a}{sign}{b}") or statement == f"{a}={a}{sign}{b}":
            if statement == f"{a}={a}{sign}{b}":
                return True
            continue
        matched = False
        for name in fields:
            operand = f"{b}.{name}" if is_vector else b
            target = f"{a}.{name}"
            if statement in (f"{target}{operator}{operand}", f"{target}={target}{sign}{operand}"):
                seen.add(name)
                matched = True
        if not matched:
            return False
    return seen == set(fields)


def _whole_lines(file: File, start: int, end: int) -> tuple[int, int]:
    source = file.text.source
    begin = source.rfind(b"\n", 0, start) + 1
    stop = source.find(b"\n", end)
    return begin, len(source) if stop < 0 else stop + 1
