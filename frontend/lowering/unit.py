"""A parsed translation unit -> a module of the thread IR.

    unit = parse("reduce.cu")
    module = lower_unit(unit)                     every kernel, and the device functions they reach
    problems(module, module.kernels[0])           what in a kernel (or its callees) is opaque

Nothing is refused as a whole: what cannot be lowered is an `Opaque` inside its own function.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crossport.diagnostics import Code, Diagnostic, Severity, Span
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.functions import function_key
from crossport.frontend.lowering.module import ModuleLowering
from crossport.frontend.unit import Kernel, TranslationUnit
from crossport.ir.nesting import MOST_NESTED, nesting, room
from crossport.ir.nodes import (
    Function,
    GlobalVar,
    KernelInfo,
    Let,
    Module,
    Node,
    Opaque,
    OpaqueValue,
    Param,
    Var,
    walk,
)
from crossport.ir.passes.split_deep import DEEP, split_deep
from crossport.ir.reachable import reachable
from crossport.ir.types import VOID, Handle


@dataclass(frozen=True, slots=True)
class Problem:
    """One construct that was not understood."""

    text: str
    reason: str
    span: Span | None
    function: str

    @property
    def diagnostic(self) -> Diagnostic:
        """The finding as the user sees it."""
        return Diagnostic(
            Code.NOT_LOWERED,
            f"not understood: {self.reason}: {self.text}",
            self.span,
            Severity.WARNING,
            help="the HIP port keeps this construct; lifted ports need it rewritten",
        )


@room()
def lower_unit(unit: TranslationUnit, *, strict: bool = False) -> Module:
    """Lower every kernel of a unit. `strict` lets our own errors through, for tests."""
    lowering = _start(unit, strict)
    kernels: list[Function] = []
    for kernel in unit.kernels:
        kernels.append(_lower_kernel(lowering, kernel))
    return _with_losses(unit, finish(lowering, kernels))


@room()
def lower_kernel(unit: TranslationUnit, name: str, *, strict: bool = False) -> Module:
    """Lower one kernel of a unit, with the functions that it reaches."""
    lowering = _start(unit, strict)
    return _with_losses(unit, finish(lowering, [_lower_kernel(lowering, unit.kernel(name))]))


def _with_losses(unit: TranslationUnit, module: Module) -> Module:
    """Mark what the parser lost: around an error it drops whole statements without a trace."""
    errors = [d for d in unit.diagnostics if d.code in _LOSING and _KEPT not in d.message]
    if not errors:
        return module
    return replace(module, functions=tuple(_marked(f, errors) for f in module.functions))


_LOSING = (Code.DEVICE_CODE_UNRESOLVED, Code.SYNTAX_ERROR)
# An escape that PTX has and clang's own asm has not: the statement itself is there.
_KEPT = "invalid % escape"


def _marked(function: Function, errors: list[Diagnostic]) -> Function:
    """The function with an `Opaque` for each error in it that none of its nodes owns up to."""
    span = function.span
    if span is None:
        return function
    known = {
        node.span.line
        for node in walk(function)
        if isinstance(node, Opaque | OpaqueValue) and node.span is not None
    }
    lost = tuple(
        Opaque(error.span.file + ":" + str(error.span.line), error.message, span=error.span)
        for error in errors
        if error.span is not None
        and error.span.file == span.file
        and span.line <= error.span.line <= (span.end_line or span.line)
        and error.span.line not in known
    )
    return replace(function, body=(*lost, *function.body)) if lost else function


def _start(unit: TranslationUnit, strict: bool) -> ModuleLowering:
    sources = cursors.Sources({name: file.data for name, file in unit.files.items()})
    lowering = ModuleLowering(sources, strict=strict)
    lowering.kernels = {function_key(k.cursor): k.name for k in unit.kernels}
    return lowering


def _lower_kernel(lowering: ModuleLowering, kernel: Kernel) -> Function:
    name = lowering.unique_function_name(kernel.name, kernel.cursor)
    info = KernelInfo(kernel.launch_bounds, kernel.template_args)
    try:
        return lowering.lower(kernel.cursor, name, info)
    except Exception as error:
        if lowering.strict and not isinstance(error, NotLowered):
            raise
        reason = error.reason if isinstance(error, NotLowered) else f"internal: {error!r}"
        return _opaque_kernel(lowering, kernel, name, info, reason)


def _opaque_kernel(
    lowering: ModuleLowering, kernel: Kernel, name: str, info: KernelInfo, reason: str
) -> Function:
    """A kernel of which only the signature is known."""
    params = tuple(
        Param(p.name or f"unnamed_{i}", Handle(p.type), span=p.span)
        for i, p in enumerate(kernel.parameters)
    )
    body = (Opaque(lowering.sources.text(kernel.cursor), reason, span=kernel.span),)
    return Function(name, params, VOID, body, kernel=info, span=kernel.span)


def finish(lowering: ModuleLowering, kernels: list[Function]) -> Module:
    """The module: device functions first, in order of discovery, then the kernels."""
    functions = [f for f in lowering.functions.values() if f is not None]
    functions += kernels
    functions = [_bounded(f) for f in functions]
    globals_ = tuple(lowering.globals.values())
    renamed = _clashes(functions, globals_)
    if renamed:
        functions = [_rename(f, renamed) for f in functions]
        globals_ = tuple(replace(g, name=renamed.get(g.name, g.name)) for g in globals_)
    return Module(tuple(functions), lowering.types.definitions(), globals_)


def _bounded(function: Function) -> Function:
    """The function, its long expressions in parts; opaque if it nests too deep all the same."""
    if nesting(function) <= DEEP:
        return function
    function = split_deep(function)
    depth = nesting(function)
    if depth <= MOST_NESTED:
        return function
    reason = f"nested {depth} levels deep, more than {MOST_NESTED}"
    return replace(function, body=(Opaque(function.name, reason, span=function.span),))


def _clashes(functions: list[Function], globals_: tuple[GlobalVar, ...]) -> dict[str, str]:
    """Globals that a local of some function hides: they get another name."""
    names = {g.name for g in globals_}
    local: set[str] = set()
    for function in functions:
        local |= {p.name for p in function.params} | {s.name for s in function.shared}
        for statement in function.body:
            local |= {n.var.name for n in walk(statement) if isinstance(n, Let)}
    return {name: f"::{name}" for name in names & local}


def _rename(function: Function, renamed: dict[str, str]) -> Function:
    """Rename the uses of globals, in functions where the name is not a local's."""
    from crossport.ir.rewrite import rewrite

    own = {p.name for p in function.params} | {s.name for s in function.shared}
    for statement in function.body:
        own |= {n.var.name for n in walk(statement) if isinstance(n, Let)}
    # A function that has both declares the local under a name of its own: see Lowering.fresh.
    wanted = {old: new for old, new in renamed.items() if old not in own}

    def rule(node: Node) -> Node:
        if isinstance(node, Var) and node.name in wanted:
            return replace(node, name=wanted[node.name])
        return node

    return rewrite(function, rule) if wanted else function


def problems(module: Module, kernel: Function) -> list[Problem]:
    """What is opaque in a kernel and in what it calls; empty: the kernel is lowered."""
    found = []
    for function in reachable(module, kernel):
        for statement in function.body:
            for node in walk(statement):
                if isinstance(node, (Opaque, OpaqueValue)):
                    found.append(Problem(node.text, node.reason, node.span, function.name))
    return found


__all__ = ["Problem", "lower_kernel", "lower_unit", "problems"]
