"""Make instances of kernel templates that the source itself does not make.

    template <class T, int N> __global__ void k(T*);     --instantiate 'k<float, 128>'

A line like `auto* __crossport_request0 = &k<float, 128>;` goes behind the last line of the source,
and the instance is what it refers to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.kernels import TEMPLATE_PARAMETERS
from crossport.frontend.unit import Origin, Pattern

_PREFIX = "__crossport_request"


@dataclass(frozen=True, slots=True)
class Probe:
    """A wanted instance: the line that makes it, the variable in that line, and why."""

    variable: str
    text: str
    origin: Origin
    spelled: str


def requested_probes(patterns: Sequence[Pattern], names: Sequence[str]) -> tuple[Probe, ...]:
    """Probes for `--instantiate`; a name may leave the namespace out."""
    probes = []
    for number, name in enumerate(names):
        base = name.partition("<")[0].strip()
        pattern = next((p for p in patterns if p.name == base.rpartition("::")[2]), None)
        if pattern is None or "<" not in name:
            continue  # findings.py tells the user
        scope = "" if "::" in base else _scope(pattern.cursor)
        probes.append(_probe(f"r{number}", f"{scope}{name.strip()}", "requested"))
    return tuple(probes)


def probes_for(patterns: Sequence[Pattern]) -> tuple[Probe, ...]:
    """One probe for each kernel template that has no instance yet."""
    probes = []
    for number, pattern in enumerate(patterns):
        if pattern.instances:
            continue
        arguments = _guess(pattern.cursor)
        if arguments is not None:
            name = f"{_scope(pattern.cursor)}{pattern.name}<{', '.join(arguments)}>"
            probes.append(_probe(f"p{number}", name, "probe"))
    return tuple(probes)


def _probe(suffix: str, name: str, origin: Origin) -> Probe:
    variable = f"{_PREFIX}_{suffix}"
    return Probe(variable, f"static auto* {variable} = &{name};", origin, name)


def _guess(template: Cursor) -> list[str] | None:
    """Arguments that many kernels accept: float, 32, true; a default wins. None: cannot guess."""
    arguments: list[str] = []
    for parameter in clang.children(template):
        if parameter.kind not in TEMPLATE_PARAMETERS:
            continue
        if parameter.kind == CursorKind.TEMPLATE_TEMPLATE_PARAMETER:
            return None
        if any(
            c.kind.is_expression() or c.kind == CursorKind.TYPE_REF for c in _defaults(parameter)
        ):
            break  # the rest have defaults
        if parameter.kind == CursorKind.TEMPLATE_TYPE_PARAMETER:
            arguments.append("float")
            continue
        kind = parameter.type.get_canonical().spelling
        if kind == "bool":
            arguments.append("true")
        elif any(word in kind for word in ("int", "long", "short", "char")) and "*" not in kind:
            arguments.append("32")
        else:
            return None
    return arguments


def _defaults(parameter: Cursor) -> list[Cursor]:
    children = clang.children(parameter)
    if parameter.kind == CursorKind.TEMPLATE_TYPE_PARAMETER:
        return children
    return [c for c in children if c.kind.is_expression()]


def _scope(cursor: Cursor) -> str:
    names: list[str] = []
    parent = cursor.semantic_parent
    while parent is not None and parent.kind in (
        CursorKind.NAMESPACE,
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
    ):
        if parent.spelling and not parent.is_anonymous():
            names.append(parent.spelling)
        parent = parent.semantic_parent
    return "".join(f"{name}::" for name in reversed(names))


def probed_instance(variable: Cursor) -> Cursor | None:
    """The function that a probe's variable points to; None where the probe did not compile."""
    for cursor in clang.walk(variable):
        if cursor.kind != CursorKind.DECL_REF_EXPR or cursor.referenced is None:
            continue
        if cursor.referenced.kind in (CursorKind.FUNCTION_DECL, CursorKind.CXX_METHOD):
            return cursor.referenced
    return None
