"""cuRAND's device functions as calls to the library's, and their states as structs.

    let state: handle`curandStatePhilox4_32_10`          let state: library::philox
    effect curand_init(seed, i, 0, &state)          ->  call library::philox_init(seed, i, 0,..)
    x = effect curand_uniform(&state)                    x = call library::philox_uniform(&state)

Other generators (MRG32k3a, Sobol) and distributions stay as they are; flattening refuses them.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.lift.library import PREFIX, inside, library, with_types
from crossport.ir.nodes import Call, Effect, Module, Node, walk
from crossport.ir.rewrite import rewrite
from crossport.ir.types import Handle, Pointer, Struct, Type


def expand_random(module: Module) -> Module:
    """The module without cuRAND; the same one if it has none."""
    if not any(
        isinstance(node, Effect) and node.name.startswith("curand")
        for function in module.functions
        for node in walk(function)
    ):
        return module
    known = {f.name for f in library().functions}

    def rule(node: Node) -> Node:
        node = with_types(node, _state)
        if isinstance(node, Effect) and node.name.startswith("curand"):
            name = _function(node)
            if name in known:
                return Call(node.target, name, node.args, span=node.span)
        return node

    own = {s.name for s in module.structs}
    return replace(
        module,
        structs=(
            *(
                replace(s, fields=tuple(replace(f, type=inside(f.type, _state)) for f in s.fields))
                for s in module.structs
            ),
            *(s for s in library().structs if s.name not in own),
        ),
        functions=(*(rewrite(f, rule) for f in module.functions), *library().functions),
        globals=(
            *(rewrite(g, rule) for g in module.globals), *library().globals
        ),
    )  # fmt: skip


def _state(type: Type) -> Type:
    """A generator's state as the library's struct."""
    if not isinstance(type, Handle):
        return type
    name = type.what.rpartition("::")[2].removesuffix("_t")
    if name in ("curandState", "curandStateXORWOW"):
        return Struct(PREFIX + "xorwow")
    if name == "curandStatePhilox4_32_10":
        return Struct(PREFIX + "philox")
    return type


def _function(effect: Effect) -> str:
    """The library function that does what the effect does; "" where no argument is a state."""
    for arg in reversed(effect.args):
        if isinstance(arg.type, Pointer) and isinstance(arg.type.element, Struct):
            word = effect.name.removeprefix("curand").removeprefix("_")
            draw = {"": "draw", "4": "draw4"}.get(word, word)
            return f"{arg.type.element.name}_{draw}"
    return ""
