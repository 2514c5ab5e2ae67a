"""Vector operators of the project that HIP has too, but that do something else.

    inline void operator*=(float2& a, float2 b) {...a complex product...}      reported

HIP's vector types bring element-wise `+=`, `-=`, `*=`, `/=` as members, so a project's own one for
the same operands gives way (backends/hip/overloads.py). That is right where it does the same thing,
element by element; where it does not, every use would silently change its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit

_VECTOR = re.compile(r"(?:u?(?:char|short|int|long|longlong)|float|double)[234]$")
_DECLARED = re.compile(rb"operator\s*[-+*/]=")
_COMPOUND = {"operator+=": "+=", "operator-=": "-=", "operator*=": "*=", "operator/=": "/="}


def check_operators(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Report the compound assignments of vectors that are not element-wise."""
    if not any(_DECLARED.search(file.text.source) for file in files.values()):
        return
    for function in _functions(unit):
        file = files.get(_file_of(function))
        if file is None or function.spelling not in _COMPOUND:
            continue
        if not file.in_hip_code(file.text.tokens.index_at(function.location.offset)):
            _vector_operator(file, function)


def _functions(unit: TranslationUnit) -> list[Cursor]:
    """Free functions of the project."""
    found: list[Cursor] = []
    scopes = [unit.cursor]
    while scopes:
        for cursor in clang.children(scopes.pop()):
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


def _vector_operator(file: File, function: Cursor) -> None:
    """Report a compound assignment of vectors that is not known to be element-wise."""
    parameters = list(function.get_arguments())
    body = clang.body(function)
    if len(parameters) != 2 or body is None:
        return
    left, right = (_plain(p.type).removesuffix(" &") for p in parameters)
    if not _VECTOR.match(left) or (_VECTOR.match(right) and right != left):
        return
    names = (parameters[0].spelling, parameters[1].spelling)
    statements = _statements(file, body)
    operator = _COMPOUND[function.spelling]
    if _is_elementwise(statements, names, left, right == left, operator):
        return
    mixes = any(_mixes(statement, names[0]) for statement in statements)
    file.report(
        Code.VECTOR_OPERATOR_CLASH,
        f"the port uses HIP's own {function.spelling} of {left}, which is element-wise; this one "
        + ("combines different elements" if mixes else "computes it in another way"),
        file.text.tokens.index_at(function.location.offset),
        Severity.ERROR if mixes else Severity.WARNING,
        "give this operation a name of its own",
    )


def _statements(file: File, body: Cursor) -> list[str]:
    """The statements of a body without blanks and comments."""
    span = place_of(body)
    source = file.text.source[span.offset : span.end_offset]
    text = re.sub(rb"/\*.*?\*/|//[^\n]*", b"", source, flags=re.S).decode("utf-8", "replace")
    return [s for part in text.strip("{} \r\n\t").split(";") if (s := "".join(part.split()))]


def _is_elementwise(
    statements: list[str], names: tuple[str, str], kind: str, is_vector: bool, operator: str
) -> bool:
    """Are they `a.x += b.x; a.y += b.y; ...`, `a.x += s; ...` or `a = a + b`, and `return a`?"""
    a, b = names
    wanted: list[set[str]] = []
    for field in "xyzw"[: int(kind[-1])]:
        operand = f"{b}.{field}" if is_vector else b
        target = f"{a}.{field}"
        wanted.append({f"{target}{operator}{operand}", f"{target}={target}{operator[0]}{operand}"})
    rest = [s for s in statements if s != f"return{a}"]
    if rest == [f"{a}={a}{operator[0]}{b}"]:
        return True
    return len(rest) == len(wanted) and all(any(s in w for s in rest) for w in wanted)


def _mixes(statement: str, a: str) -> bool:
    """Does one element's new value read another element?"""
    match = re.match(rf"{re.escape(a)}\.([xyzw])[-+*/]?=(.*)", statement)
    return match is not None and any(f != match[1] for f in re.findall(r"\.([xyzw])\b", match[2]))
