"""Assemble a standalone JAX module: header, helpers, kernels, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossport.backends.pallas.contraction import PRODUCT_HELPERS
from crossport.backends.pallas.expressions import JNP_TYPES, literal
from crossport.backends.pallas.grid_base import KernelText
from crossport.backends.pallas.math import HELPERS
from crossport.backends.pallas.vmem_helpers import VMEM_HELPERS
from crossport.ir.lift import flat
from crossport.ir.lift.naming import module_header
from crossport.ir.lift.wrapping import wrap
from crossport.ir.types import Array, Handle, Scalar, Struct

_DIM3 = '''
def _dim3(size):
    """A launch size as three numbers."""
    x, y, z = (*((size,) if isinstance(size, int) else tuple(size)), 1, 1)[:3]
    if min(x, y, z) < 1:
        raise ValueError(f"a launch needs sizes of at least 1, not {size}")
    return int(x), int(y), int(z)
'''
_FLAT = '''
def _flat(array, dtype):
    """An array as the kernel addresses it: flat, in the kernel's type; None is a null pointer."""
    if array is None:
        return jnp.zeros(0, dtype)
    array = jnp.asarray(array)
    if array.dtype == jnp.bool_:
        array = array.astype(jnp.uint8)
    return _view(array.reshape(-1), dtype)
'''
_LIKE = '''
def _like(result, array):
    """A flat result in the shape and type of the array that it replaces."""
    array = jnp.asarray(array)
    if array.dtype == jnp.bool_:
        return _view(result, jnp.uint8).astype(jnp.bool_).reshape(array.shape)
    flat = _view(result, array.dtype)
    if flat.size != array.size:
        flat = array.reshape(-1).at[: flat.size].set(flat)
    return flat.reshape(array.shape)
'''
_FIELDS = '''
def _fields(value, names):
    """The members of a struct, from a mapping or in order."""
    if hasattr(value, "keys"):
        return [value[name] for name in names]
    value = tuple(value)
    if len(value) != len(names):
        raise ValueError(f"a struct of {len(names)} members is needed: {', '.join(names)}")
    return value
'''
_TRACED_ONCE = '''
def _traced_once(*numbers):
    """Trace and compile a launch once for each grid, block and shape, and for each value of the
    whole numbers, which stand at these places behind the block."""

    def wrap(function):
        signature, compiled = inspect.signature(function), {}

        @functools.wraps(function)
        def launch(grid, block, *args, **named):
            given = signature.bind(_dim3(grid), _dim3(block), *args, **named)
            given.apply_defaults()
            grid, block, *values = given.args
            if any(isinstance(value, jax.core.Tracer) for value in values):
                return function(*given.args, **given.kwargs)
            fixed = {n: int(values[n]) for n in numbers}
            arrays = {n: v for n, v in enumerate(values) if n not in fixed}
            key = (grid, block, *fixed.values(), *given.kwargs.values())

            def run(arrays):
                both = {**arrays, **fixed}
                return function(grid, block, *(both[n] for n in sorted(both)), **given.kwargs)

            if key not in compiled:
                if len(compiled) >= 64:
                    compiled.clear()
                compiled[key] = jax.jit(run)
            return compiled[key](arrays)

        return launch

    return wrap
'''


@dataclass(frozen=True)
class Part:
    """One kernel of the module."""

    program: flat.Program
    source_name: str
    function_name: str
    tier: str
    text: KernelText
    """The body of the function; LEAVE in it stands for the way out of launches that do not fit."""
    kernel: tuple[str, ...] = ()
    """The Pallas kernel that the function launches."""
    fallback: Part | None = None
    """The form for launches that do not fit."""
    fits: str = ""
    """What does, in words."""

    def forms(self) -> list[Part]:
        """The last resort first, this form last."""
        return [*(self.fallback.forms() if self.fallback is not None else []), self]


def module_text(source_name: str, source_text: str, parts: list[Part]) -> str:
    """The whole module."""
    forms = [form for part in parts for form in part.forms()]
    helpers = {h for f in forms for h in f.text.expressions.helpers}
    if any(p.roots for part in parts for p in part.program.parameters):
        helpers.add("_view")
    kernels = [(p.source_name, p.tier) for p in parts]
    out = [module_header("JAX", source_name, source_text, kernels)]
    out.append(imports(forms))
    out.append(_DIM3)
    if any(p.roots for part in parts for p in part.program.parameters):
        out += [HELPERS["_view"], _FLAT]
        if any(p.text.written for p in parts):
            out.append(_LIKE)
    if any(is_struct(p) for part in parts for p in part.program.parameters):
        out.append(_FIELDS)
    known = HELPERS | VMEM_HELPERS | PRODUCT_HELPERS
    out += [known[h] for h in known if h in helpers and h != "_view"]
    if any(is_traced_once(part) for part in parts):
        out.append(_TRACED_ONCE)
    out += [function(form, is_public=form in parts) for form in forms]
    out.append(tables(parts))
    return "\n\n".join(text.strip("\n") + "\n" for text in out if text.strip())


def imports(forms: list[Part]) -> str:
    """What the functions use."""
    text = "\n".join(line for f in forms for line in (*f.kernel, *f.text.lines))
    once = any(is_traced_once(f) for f in forms)
    own = [m for m in ("functools", "inspect", "math") if f"{m}." in text or (once and m != "math")]
    lines = [f"import {m}" for m in own] + ([""] if own else [])
    more = ["import numpy as np"] if "_places(" in text else []
    if once or "jax." in text or any(f.text.is_wide or f.kernel for f in forms):
        lines.append("import jax")
    lines += ["import jax.numpy as jnp", *more, "from jax import lax"]
    if any(f.kernel for f in forms):
        lines.append("from jax.experimental import pallas as pl")
        lines.append("from jax.experimental.pallas import tpu as pltpu")
    return "\n".join(lines) + "\n"


def is_struct(parameter: flat.Parameter) -> bool:
    """Is the parameter handed over as several values?"""
    return isinstance(parameter.type, Struct | Array | Handle)


def is_traced_once(part: Part) -> bool:
    """May launches be kept? Not with device variables, which they change, nor with 64-bit types,
    which jit would cut, nor with structs, whose numbers are no arguments of their own."""
    program = part.program
    wide = part.text.is_wide or part.text.expressions.is_wide
    apart = any(is_struct(p) for p in program.parameters)
    doubles = any(r.element.size == 8 for r in flat_roots(program)) or any(
        isinstance(v.type, Scalar) and v.type.size == 8
        for p in program.parameters
        for _, v in p.scalars
    )
    inner = part.fallback is not None and not is_traced_once(part.fallback)
    has_globals = any(not g.is_lookup for g in program.globals)
    return not (wide or apart or doubles or has_globals or inner)


def function(part: Part, is_public: bool = True) -> str:
    """The function that a user calls, or (not public) another form of it."""
    program, text = part.program, part.text
    names = [p.name for p in program.parameters]
    before = [*part.kernel, "", ""] if part.kernel else []
    arguments = ", ".join(["grid", "block", *names, "*", "shared_bytes=0", "interpret=False"])
    written = ", ".join(text.written) or "nothing"
    lines = before
    if is_public and is_traced_once(part):
        numbers = [
            str(place)
            for place, p in enumerate(program.parameters)
            if any(isinstance(v.type, Scalar) and not v.type.is_float for _, v in p.scalars)
        ]
        lines.append(f"@_traced_once({', '.join(numbers)})")
    lines.append(f"def {part.function_name}({arguments}):")
    lines.append(f'    """`{part.source_name}<<<grid, block>>>`; returns ({written})."""')
    lines.append("    grid, block = _dim3(grid), _dim3(block)")
    most = program.max_threads or 1024
    lines.append(f"    if block[0] * block[1] * block[2] > {most}:")
    lines.append(f'        raise ValueError(f"a block has at most {most} threads, not {{block}}")')
    if text.is_wide:
        more = ["shared_bytes", *(["interpret"] if part.kernel else [])]
        call = ", ".join(["grid", "block", *names, *more])
        lines.append("    with jax.enable_x64(True):")
        lines.append(f"        return _{part.function_name}({call})")
        lines += ["", ""]
        lines.append(f"def _{part.function_name}({call}):")
    kept: dict[str, str] = {}
    for p in program.parameters:
        lines += unpack(p)
        for _, root in p.roots:
            kind = JNP_TYPES["u8" if root.element.kind == "bool" else root.element.kind]
            if root.name in text.written:
                kept[root.name] = f"{root.name}_given"
                lines.append(f"    {root.name}_given = {root.name}")
            lines.append(f"    {root.name} = _flat({root.name}, {kind})")
    for g in program.globals:
        kept_in = f'{part.function_name}.globals["{g.root.name}"]'
        lines.append(f"    {g.root.name} = {contents(g) if g.is_lookup else kept_in}")
    lines += [other_way(part, line) if "LEAVE" in line else line for line in text.lines]
    for name in text.written_globals:
        lines.append(f'    {part.function_name}.globals["{name}"] = {name}')
    results = [f"_like({name}, {kept[name]})" for name in text.written]
    comma = "," if len(results) == 1 else ""
    lines.append(f"    return ({', '.join(results)}{comma})")
    result = "\n".join(wrap(lines)) + "\n"
    settable = [g for g in program.globals if not g.is_lookup]
    if settable and part.fallback is not None:
        result += f"\n\n{part.function_name}.globals = {part.fallback.function_name}.globals\n"
    elif settable:
        rows = "".join(f'    "{g.root.name}": {contents(g)},\n' for g in settable)
        result += f"\n\n{part.function_name}.globals = {{\n{rows}}}\n"
    return result


def other_way(part: Part, line: str) -> str:
    """What becomes of a launch that the kernel does not take."""
    if part.fallback is None:
        return line.replace("LEAVE", f'raise ValueError("this port takes {part.fits}")')
    given = {r.name for r in flat_roots(part.program)} & set(part.text.written)
    names = [f"{p.name}_given" if p.name in given else p.name for p in part.program.parameters]
    more = ["shared_bytes=shared_bytes"] + ["interpret=interpret"] * bool(part.fallback.kernel)
    call = ", ".join(["grid", "block", *names, *more])
    return line.replace("LEAVE", f"return {part.fallback.function_name}({call})")


def flat_roots(program: flat.Program) -> list[flat.Root]:
    """The arrays that the parameters name."""
    return [root for p in program.parameters for _, root in p.roots]


def contents(g: flat.GlobalArray) -> str:
    """An array of what a global variable holds at first."""
    kind = JNP_TYPES["u8" if g.root.element.kind == "bool" else g.root.element.kind]
    if g.init is None:
        return f"jnp.zeros({g.count}, {kind})"
    numbers = ", ".join(literal(v) for v in g.init)
    return f"jnp.array([{numbers}], {kind})"


def unpack(p: flat.Parameter) -> list[str]:
    """Statements that take a struct apart."""
    if not is_struct(p) or not p.paths:
        return []
    order = {path: root.name for path, root in p.roots} | {path: v.name for path, v in p.scalars}
    targets = ", ".join(order[n] for n in p.paths)
    comma = "," if len(p.paths) == 1 else ""
    return [f"    {targets}{comma} = _fields({p.name}, {list(p.paths)!r})".replace("'", '"')]


def tables(parts: list[Part]) -> str:
    """KERNELS, and a plain name for a template with one instance."""
    templates: dict[str, list[Part]] = {}
    for part in parts:
        if part.source_name != part.function_name:
            templates.setdefault(part.source_name.partition("<")[0], []).append(part)
    taken = {p.function_name for p in parts}
    lines = []
    for base, instances in templates.items():
        plain = re.sub(r"\W+", "_", base.rsplit("::", 1)[-1])
        if len(instances) == 1 and plain not in taken:
            lines.append(f"{plain} = {instances[0].function_name}")
    lines.append("KERNELS = {")
    lines += [f'    "{p.source_name}": {p.function_name},' for p in parts]
    lines.append("}")
    return "\n".join(lines) + "\n"
