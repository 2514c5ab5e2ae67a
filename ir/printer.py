"""Thread IR -> text that reads well and parses back to an equal module (ir/parser.py).

    kernel scale(x: f32*, a: f32, n: i32) {
      let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
      if (i < n) {
        x[i] = (x[i] * a)
      }
    }

Literals: `3` i32, `3u32`, `1.5` f64, `1.5f` f32, `1.5f16`; `true`. `%thread.x` is a built-in index,
`(x as f32)` a conversion, `(x bits i32)` the same bits, `sqrtf:f32(x)` an intrinsic. Names that are
not identifiers, or are words of this language, stand in backticks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import assert_never

from crossport.ir.nesting import room
from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Assert,
    Assign,
    Atomic,
    Barrier,
    Binary,
    Bitcast,
    Block,
    Break,
    Call,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Effect,
    Element,
    Expr,
    Extract,
    Fence,
    For,
    Function,
    FunctionRef,
    GlobalVar,
    If,
    Intrinsic,
    Launch,
    Let,
    Match,
    Member,
    Module,
    Null,
    Opaque,
    OpaqueValue,
    Param,
    Place,
    PointerAdd,
    PointerDiff,
    Print,
    Read,
    Return,
    Select,
    Shuffle,
    Special,
    Stmt,
    Switch,
    SyncWarp,
    Trap,
    Unary,
    Var,
    Vote,
    WarpReduce,
    While,
)
from crossport.ir.types import SCALARS, Scalar, StructDef, Type

KEYWORDS = frozenset(
    """align as assert atomic barrier bits bounds break call case const constant continue default
    do effect else extract false fence for function global handle if kernel launch let match new
    null opaque print return shared shuffle size step struct switch syncwarp template trap true
    unroll void volatile vote warp_reduce while""".split()
) | frozenset(SCALARS)

_LITERAL_SUFFIX = {"i32": "", "f64": "", "f32": "f"}


@room()
def print_module(module: Module) -> str:
    """The whole module as text."""
    parts = [
        *(_struct(s) for s in module.structs),
        *(_global(g) for g in module.globals),
        *(print_function(f) for f in module.functions),
    ]
    return "\n".join(parts)


@room()
def print_function(function: Function) -> str:
    """One kernel or device function as text."""
    params = ", ".join(_param(p) for p in function.params)
    head = f"{'function' if function.kernel is None else 'kernel'} {name(function.name)}({params})"
    if function.kernel is None:
        head += f" -> {function.result}"
    else:
        threads, blocks = function.kernel.launch_bounds
        if threads or blocks:
            head += f" bounds({threads}, {blocks})"
        if function.kernel.template_args:
            head += f" template({', '.join(map(json.dumps, function.kernel.template_args))})"
    shared = [
        f"  shared {name(v.name)}: {v.type}{f' align {v.align}' if v.align else ''}"
        for v in function.shared
    ]
    return "\n".join([head + " {", *shared, *_block(function.body), "}"]) + "\n"


def print_stmt(stmt: Stmt) -> str:
    """One statement, with the blocks in it."""
    return "\n".join(_stmt(stmt))


def print_expr(expr: Expr) -> str:
    """One expression."""
    return _expr(expr)


def print_place(place: Place) -> str:
    """One place."""
    return _place(place)


def name(text: str) -> str:
    """A name, in backticks where it would not read back as one."""
    plain = text.isidentifier() and text.isascii() and text not in KEYWORDS
    return text if plain else f"`{text}`"


def _struct(struct: StructDef) -> str:
    head = f"struct {name(struct.name)} size {struct.size} align {struct.align} {{"
    fields = [f"  {name(f.name)}: {_type(f.type)} @{f.offset}" for f in struct.fields]
    return "\n".join([head, *fields, "}"]) + "\n"


def _global(var: GlobalVar) -> str:
    init = "" if var.init is None else f" = {_expr(var.init)}"
    return f"{var.space} {name(var.name)}: {_type(var.type)}{init}\n"


def _param(param: Param) -> str:
    const = "const " if param.is_const else ""
    return f"{name(param.name)}: {const}{_type(param.type)}{' restrict' if param.restrict else ''}"


def _type(type: Type) -> str:
    return str(type)


# --- Statements --------------------------------------------------------------------------------


def _block(block: Block) -> list[str]:
    return ["  " + line for stmt in block for line in _stmt(stmt)]


def _braced(head: str, block: Block) -> list[str]:
    return [f"{head}{' ' if head else ''}{{", *_block(block), "}"]


def _stmt(stmt: Stmt) -> list[str]:
    match stmt:
        case Let(var, init):
            start = "" if init is None else f" = {_expr(init)}"
            return [f"let {name(var.name)}: {_type(var.type)}{start}"]
        case Assign(place, value, volatile):
            return [f"{'volatile ' if volatile else ''}{_place(place)} = {_expr(value)}"]
        case If(condition, then, otherwise):
            lines = _braced(f"if {_expr(condition)}", then)
            return lines if not otherwise else [*lines[:-1], *_braced("} else", otherwise)]
        case For(condition, step, body, unroll):
            pragma = "" if unroll is None else f" unroll {unroll}"
            lines = _braced(f"for {_expr(condition)}{pragma}", body)
            return lines if not step else [*lines[:-1], *_braced("} step", step)]
        case While(condition, body):
            return _braced(f"while {_expr(condition)}", body)
        case DoWhile(body, condition):
            return [*_braced("do", body)[:-1], f"}} while {_expr(condition)}"]
        case Switch(value, cases):
            arms = [
                line
                for case in cases
                for line in _braced(
                    f"case {', '.join(map(str, case.values))}" if case.values else "default",
                    case.body,
                )
            ]
            return [f"switch {_expr(value)} {{", *("  " + arm for arm in arms), "}"]
        case Break():
            return ["break"]
        case Continue():
            return ["continue"]
        case Return(value):
            return ["return" if value is None else f"return {_expr(value)}"]
        case Print(format, args):
            return [f"print {json.dumps(format)}({_args(args)})"]
        case Assert(condition, text):
            return [f"assert {_expr(condition)} {json.dumps(text)}"]
        case Trap():
            return ["trap"]
        case Opaque(text, reason):
            return [f"opaque({json.dumps(text)}, {json.dumps(reason)})"]
        case _:
            return [_operation(stmt)]


def _operation(
    stmt: Call | Barrier | SyncWarp | Fence | Shuffle | Vote | Match | WarpReduce | Atomic | Effect
    | Launch,
) -> str:  # fmt: skip
    match stmt:
        case Call(target, function, args):
            callee = name(function) if isinstance(function, str) else f"*{_expr(function)}"
            return f"{_result(target)}call {callee}({_args(args)})"
        case Barrier(scope, reduce, predicate, target):
            mode = scope if reduce is None else f"{scope}.{reduce}"
            return f"{_result(target)}barrier.{mode}({_optional(predicate)})"
        case SyncWarp(mask, width):
            return f"syncwarp({_options(mask=mask, width=width)})"
        case Fence(scope):
            return f"fence.{scope}()"
        case Shuffle(target, mode, mask, value, lane, width):
            options = _options(mask=mask, width=width)
            return f"{_result(target)}shuffle.{mode}({_expr(value)}, {_expr(lane)}{options})"
        case Vote(target, mode, mask, predicate, width):
            options = _options(mask=mask, width=width)
            return f"{_result(target)}vote.{mode}({_optional(predicate)}{options})"
        case Match(target, mode, mask, value, predicate_target, width):
            options = _options(mask=mask, width=width)
            both = "" if predicate_target is None else f", {name(predicate_target.name)}"
            return f"{name(target.name)}{both} = match.{mode}({_expr(value)}{options})"
        case WarpReduce(target, op, mask, value, width, scan):
            options = _options(mask=mask, width=width)
            mode = op if scan is None else f"{op}.{scan}"
            return f"{_result(target)}warp_reduce.{mode}({_expr(value)}{options})"
        case Atomic(target, op, place, operands, scope):
            inside = ", ".join([_place(place), *map(_expr, operands)])
            return f"{_result(target)}atomic.{op}.{scope}({inside})"
        case Effect(target, effect, args):
            return f"{_result(target)}effect {name(effect)}({_args(args)})"
        case Launch(kernel, grid, block, shared_bytes, args):
            config = _args((*grid, *block, shared_bytes))
            return f"launch {name(kernel)}<{config}>({_args(args)})"
        case _:
            assert_never(stmt)


def _result(target: Var | None) -> str:
    return "" if target is None else f"{name(target.name)} = "


def _options(**options: Expr | None) -> str:
    given = [f"{key}={_expr(value)}" for key, value in options.items() if value is not None]
    return "; " + ", ".join(given) if given else ""


def _optional(expr: Expr | None) -> str:
    return "" if expr is None else _expr(expr)


def _args(args: Iterable[Expr]) -> str:
    return ", ".join(map(_expr, args))


# --- Places and expressions --------------------------------------------------------------------


def _place(place: Place) -> str:
    match place:
        case Var():
            return name(place.name)
        case Element(base, index):
            return f"{_place(base)}[{_expr(index)}]"
        case Member(base, member):
            return f"{_place(base)}.{name(member)}"
        case Deref(pointer, index):
            return f"{_atom(pointer)}[{_expr(index)}]"
        case _:
            assert_never(place)


def _expr(expr: Expr) -> str:
    match expr:
        case Const():
            return _const(expr)
        case Null(type):
            return f"null:{_type(type)}"
        case Special(special):
            return f"%{special}"
        case Read(place, volatile):
            return f"volatile({_place(place)})" if volatile else _place(place)
        case AddressOf(place):
            return f"&{_place(place)}"
        case Unary(op, value):
            return f"{op}({_expr(value)})" if isinstance(value, Const) else f"{op}{_atom(value)}"
        case Binary(op, lhs, rhs):
            return f"({_expr(lhs)} {op} {_expr(rhs)})"
        case PointerAdd(pointer, index):
            return f"({_expr(pointer)} + {_expr(index)})"
        case PointerDiff(lhs, rhs):
            return f"({_expr(lhs)} - {_expr(rhs)})"
        case Select(condition, then, otherwise):
            return f"({_expr(condition)} ? {_expr(then)} : {_expr(otherwise)})"
        case Cast(value, type):
            return f"({_expr(value)} as {_type(type)})"
        case Bitcast(value, type):
            return f"({_expr(value)} bits {_type(type)})"
        case Intrinsic(intrinsic, args, type):
            return f"{name(intrinsic)}:{_type(type)}({_args(args)})"
        case Aggregate(values, type):
            return f"new {_type(type)}{{{_args(values)}}}"
        case Extract(value, member):
            return f"extract({_expr(value)}, {name(member)})"
        case FunctionRef(function):
            return f"@{name(function)}"
        case OpaqueValue(text, reason, type):
            return f"opaque({json.dumps(text)}, {json.dumps(reason)}):{_type(type)}"
        case _:
            assert_never(expr)


def _atom(expr: Expr) -> str:
    """In brackets where a postfix or prefix operator would bind to a part of it."""
    text = _expr(expr)
    loose = isinstance(expr, AddressOf | Unary | Null | OpaqueValue | Const)
    return f"({text})" if loose else text


def _const(const: Const) -> str:
    kind, value = const.type.kind, const.value
    if kind == "bool":
        return "true" if value else "false"
    if const.type.is_float and not math.isfinite(value):
        return f"#{'-' if value < 0 else ''}inf:{kind}"
    text = repr(float(value)) if const.type.is_float else str(int(value))
    return text + _LITERAL_SUFFIX.get(kind, kind)


def scalar_suffix(kind: str) -> Scalar:
    """The type that a literal's suffix stands for; the parser's side of `_LITERAL_SUFFIX`."""
    return SCALARS[{"f": "f32"}.get(kind, kind)]
