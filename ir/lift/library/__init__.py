"""Library functions of CUDA's that are written here in thread IR: random.ir, bits.ir, textures.ir.

    x = curand_uniform(&state)      call library::philox_uniform(&state)
    __fns(mask, 0, n)               call library::find_nth_set(mask, 0, n)

A kernel that uses one gets it inlined like a device function of its own, so that no backend has to
know it. Structs and functions here are named `library::`, which no program's names can meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from crossport.ir.lift.library.jumps import jump_table
from crossport.ir.nodes import Aggregate, Call, Const, Function, GlobalVar, Module, Node, Var
from crossport.ir.parser import parse_module
from crossport.ir.rewrite import rewrite
from crossport.ir.types import U32, Array, Pointer, Struct, Type

PREFIX = "library::"
GENERATORS = ("xorwow", "philox")


@cache
def library() -> Module:
    """All of it, as one module."""
    folder = Path(__file__).parent
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.ir")))
    module = parse_module(text, "library")

    def named(type: Type) -> Type:
        if isinstance(type, Struct) and type.name in GENERATORS:
            return Struct(PREFIX + type.name)
        return type

    def rule(node: Node) -> Node:
        match node:
            case Call(_, str(function)):
                node = replace(node, function=PREFIX + function)
            case Var("xorwow_jumps"):
                node = replace(node, name=PREFIX + node.name)
            case Function():
                node = replace(node, name=PREFIX + node.name)
            case _:
                pass
        return with_types(node, named)

    return replace(
        module,
        structs=tuple(
            replace(s, name=PREFIX + s.name) if s.name in GENERATORS else s for s in module.structs
        ),
        functions=tuple(rewrite(f, rule) for f in module.functions),
        globals=tuple(_filled(g) for g in module.globals),
    )


def with_types(node: Node, change: Callable[[Type], Type]) -> Node:
    """The node with its own types changed, also where they stand inside other types."""
    changes: dict[str, Any] = {}
    for name in ("type", "result"):
        if name in node.__dataclass_fields__:
            old = getattr(node, name)
            if old is not None and (new := inside(old, change)) != old:
                changes[name] = new
    return replace(node, **changes) if changes else node


def inside(type: Type, change: Callable[[Type], Type]) -> Type:
    """The type with the type changed that pointers and arrays end in."""
    match type:
        case Pointer(element) | Array(element):
            return replace(type, element=inside(element, change))
        case _:
            return change(type)


def _filled(variable: GlobalVar) -> GlobalVar:
    """XORWOW's table with its numbers."""
    numbers = tuple(Const(n, U32) for n in jump_table())
    init = Aggregate(numbers, variable.type)
    return replace(variable, name=PREFIX + variable.name, init=init)
