"""Statements: control flow becomes structured IR, expressions are lowered for what they do.

    while (i-- > 0) body       while (true) { _t1 = i; i = i - 1; if (!(_t1 > 0)) break; body }
    do body while (f(x));      _t1 = true; for (; _t1; _t2 = f(x), _t1 = _t2) body

A statement that cannot be lowered becomes one `Opaque` with its text; the ones around it stay.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import ArgumentError

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, declarations, gotos, switches
from crossport.frontend.lowering.context import Lowering, as_block
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import (
    Assert,
    Assign,
    Binary,
    Block,
    Break,
    Const,
    Continue,
    Deref,
    DoWhile,
    Expr,
    For,
    If,
    Let,
    Opaque,
    OpaqueValue,
    Read,
    Return,
    Stmt,
    Unary,
    While,
    walk,
)
from crossport.ir.types import BOOL, I32, VOID, Array, Pointer


def statement(ctx: Lowering, cursor: Cursor) -> None:
    """Emit a statement; an `Opaque` if it cannot be lowered."""
    mark, outer = len(ctx.out), ctx.here
    ctx.here = cursors.span(cursor) or outer
    try:
        _statement(ctx, cursor)
    except NotLowered as reason:
        del ctx.out[mark:]
        ctx.opaque(cursor, reason.reason)
    except RecursionError:
        del ctx.out[mark:]
        ctx.opaque(cursor, "nested too deeply")
    except ArgumentError:  # the same, seen inside a call of libclang
        del ctx.out[mark:]
        ctx.opaque(cursor, "nested too deeply")
    except Exception as error:  # an error of ours must not cost the user the rest of the file
        if ctx.module.strict:
            raise
        del ctx.out[mark:]
        ctx.opaque(cursor, f"internal: {type(error).__name__}: {error}")
    finally:
        ctx.here = outer


def _statement(ctx: Lowering, cursor: Cursor) -> None:
    handler = _HANDLERS.get(cursor.kind)
    if handler is not None:
        handler(ctx, cursor)
    elif cursor.kind.is_expression():
        expression(ctx, cursor)
    elif cursor.kind.is_declaration():
        declarations.declaration(ctx, cursor)
    else:
        raise NotLowered(f"statement {cursor.kind.name.lower()}")


def nested(ctx: Lowering, cursor: Cursor) -> Block:
    """A statement as a block of its own."""
    with ctx.block() as out:
        statement(ctx, cursor)
    return as_block(out)


# --- Expressions as statements -----------------------------------------------------------------


def expression(ctx: Lowering, cursor: Cursor) -> None:
    """Evaluate for the effects; what has none disappears, what is not understood stays."""
    from crossport.frontend.lowering import assignments, calls

    inner = cursor
    while inner.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR):
        below = [c for c in cursors.operands(inner) if c.kind.is_expression()]
        if len(below) != 1:
            break
        inner = below[0]
    operator = clang.binary_operator(inner)
    if inner.kind == CursorKind.COMPOUND_ASSIGNMENT_OPERATOR or operator == "=":
        assignments.assign(ctx, inner)
        return
    if clang.unary_operator(inner) in ("++", "--", "post++", "post--"):
        assignments.increment(ctx, inner)
        return
    if inner.kind == CursorKind.BINARY_OPERATOR and operator == ",":
        for part in cursors.operands(inner):
            statement(ctx, part)
        return
    if inner.kind == CursorKind.BINARY_OPERATOR and operator in ("&&", "||"):
        _short_circuit(ctx, operator, inner)
        return
    if inner.kind == CursorKind.CONDITIONAL_OPERATOR:
        _conditional(ctx, inner)
        return
    if inner.kind == CursorKind.CALL_EXPR:
        calls.call_statement(ctx, inner)
        return
    if inner.kind == CursorKind.CSTYLE_CAST_EXPR and inner.type.kind == TypeKind.VOID:
        statement(ctx, [c for c in cursors.operands(inner) if c.kind.is_expression()][-1])
        return
    keep_opaque(ctx, inner, ctx.value(inner))


def keep_opaque(ctx: Lowering, cursor: Cursor, value: Expr) -> None:
    """A value that nobody reads may be dropped, unless it was not understood."""
    for node in walk(value):
        if isinstance(node, OpaqueValue):
            ctx.opaque(cursor, node.reason)
            return
        if isinstance(node, Read) and node.volatile:
            ctx.temp(value)
            return


def _short_circuit(ctx: Lowering, operator: str, cursor: Cursor) -> None:
    """`check && act();`"""
    left, right = cursors.operands(cursor)
    test = ctx.convert(ctx.value(left), BOOL)
    if operator == "||":
        test = Unary("!", test, span=ctx.here)
    then = nested(ctx, right)
    if then:
        ctx.emit(If(test, then, span=ctx.here))


def _conditional(ctx: Lowering, cursor: Cursor) -> None:
    condition, first, second = cursors.operands(cursor)
    test = ctx.convert(ctx.value(condition), BOOL)
    then, otherwise = nested(ctx, first), nested(ctx, second)
    match then, otherwise:
        case (), (Assert(Const(False), text),):  # assert(e): e ? nothing : fail
            ctx.emit(Assert(test, text, span=ctx.here))
        case (), ():
            keep_opaque(ctx, cursor, test)
        case _:
            ctx.emit(If(test, then, otherwise, span=ctx.here))


# --- Blocks and branches -----------------------------------------------------------------------


def _compound(ctx: Lowering, cursor: Cursor) -> None:
    for child in cursor.get_children():
        statement(ctx, child)


def _declarations(ctx: Lowering, cursor: Cursor) -> None:
    for child in cursor.get_children():
        declarations.declaration(ctx, child)


def _if(ctx: Lowering, cursor: Cursor) -> None:
    below = list(cursor.get_children())
    while below and below[0].kind in (CursorKind.DECL_STMT, CursorKind.VAR_DECL):
        statement(ctx, below.pop(0))
    if len(below) not in (2, 3):
        raise NotLowered("an if statement of unknown shape")
    condition, arms = below[0], below[1:]
    known = clang.evaluate(condition)
    if known is not None:  # if constexpr, or as good as one: the other arm may not even compile
        if known:
            statement(ctx, arms[0])
        elif len(arms) > 1:
            statement(ctx, arms[1])
        return
    here = ctx.here
    test = ctx.convert(ctx.value(condition), BOOL)
    then = nested(ctx, arms[0])
    otherwise = nested(ctx, arms[1]) if len(arms) > 1 else ()
    ctx.emit(If(test, then, otherwise, span=here))


def _return(ctx: Lowering, cursor: Cursor) -> None:
    below = cursors.operands(cursor)
    if not below:
        ctx.emit(Return(None, span=ctx.here))
        return
    operand = below[0]
    if ctx.returns_reference:
        ctx.emit(Return(ctx.address(ctx.plain_place(operand)), span=ctx.here))
        return
    if ctx.result == VOID:
        statement(ctx, operand)
        ctx.emit(Return(None, span=ctx.here))
        return
    if operand.kind == CursorKind.INIT_LIST_EXPR:
        from crossport.frontend.lowering import initializers

        value: Expr = initializers.list_value(ctx, operand, ctx.result, operand.type)
    else:
        value = ctx.convert(ctx.value(operand), ctx.result)
    ctx.emit(Return(value, span=ctx.here))


# --- Loops -------------------------------------------------------------------------------------


def _while(ctx: Lowering, cursor: Cursor) -> None:
    below = list(cursor.get_children())
    if len(below) == 3:  # while (T x = ...)
        with ctx.block() as head:
            statement(ctx, below[0])
            test = ctx.convert(ctx.value(below[1]), BOOL)
    else:
        with ctx.block() as head:
            test = ctx.convert(ctx.value(below[0]), BOOL)
    body = nested(ctx, below[-1])
    if head:
        test, body = _guarded(ctx, head, test, body)
    ctx.emit(While(test, body, span=ctx.here))


def _guarded(ctx: Lowering, head: list[Stmt], test: Expr, body: Block) -> tuple[Expr, Block]:
    """A loop whose condition does something: the test moves into the body."""
    leave = If(Unary("!", test, span=test.span), (Break(span=test.span),), span=test.span)
    return Const(True, BOOL, span=test.span), (*head, leave, *body)


def _do(ctx: Lowering, cursor: Cursor) -> None:
    body_cursor, condition = cursor.get_children()
    body = nested(ctx, body_cursor)
    known = clang.evaluate(condition)
    if known is not None and not known and not _leaves(body):
        for inner in body:  # do { ... } while (0)
            ctx.emit(inner)
        return
    with ctx.block() as tail:
        test = ctx.convert(ctx.value(condition), BOOL)
    if not tail:
        ctx.emit(DoWhile(body, test, span=ctx.here))
        return
    again = ctx.temp_var(BOOL)
    ctx.emit(Let(again, Const(True, BOOL), span=ctx.here))
    tail.append(Assign(again, test, span=test.span))
    ctx.emit(For(Read(again, span=test.span), as_block(tail), body, span=ctx.here))


def _leaves(body: Block) -> bool:
    """Does a block break or continue the loop around it?"""
    for inner in body:
        match inner:
            case Break() | Continue():
                return True
            case If(_, then, otherwise):
                if _leaves(then) or _leaves(otherwise):
                    return True
            case _:
                # A switch catches `break` but not `continue`.
                if any(isinstance(node, Continue) for node in walk(inner)):
                    return True
    return False


def _for(ctx: Lowering, cursor: Cursor, unroll: int | None = None) -> None:
    first, condition, step_cursor, body_cursor = _for_parts(cursor)
    if first is not None:
        statement(ctx, first)
    with ctx.block() as head:
        test: Expr = Const(True, BOOL, span=ctx.here)
        if condition is not None:
            test = ctx.convert(ctx.value(condition), BOOL)
    step = nested(ctx, step_cursor) if step_cursor is not None else ()
    body = nested(ctx, body_cursor)
    if head:
        test, body = _guarded(ctx, head, test, body)
    ctx.emit(For(test, step, body, unroll, span=ctx.here))


_Parts = tuple[Cursor | None, Cursor | None, Cursor | None, Cursor]


def _for_parts(cursor: Cursor) -> _Parts:
    """init, condition, step, body: libclang does not say which of the first three are missing."""
    below = list(cursor.get_children())
    head, body = below[:-1], below[-1]
    if len(head) == 3:
        return head[0], head[1], head[2], body
    if not head:
        return None, None, None, body
    found: list[Cursor | None] = [None, None, None]
    semicolons = _semicolons(cursor)
    if len(semicolons) == 2:
        for part in head:
            offset = part.extent.start.offset
            found[0 if offset < semicolons[0] else 1 if offset < semicolons[1] else 2] = part
    else:  # inside a macro there are no tokens to go by
        for part in head:
            if part.kind == CursorKind.DECL_STMT:
                found[0] = part
            elif part.type.kind == TypeKind.BOOL:
                found[1] = part
            elif found[1] is not None or found[0] is not None:
                found[2] = part
            else:
                raise NotLowered("a for loop with missing parts, inside a macro")
    return found[0], found[1], found[2], body


def _semicolons(cursor: Cursor) -> list[int]:
    """Offsets of the two semicolons in a for loop's head."""
    if clang.is_in_macro(cursor):
        return []
    depth, found = 0, []
    for token in cursor.get_tokens():
        word = token.spelling
        if word in ("(", "[", "{"):
            depth += 1
        elif word in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                break
        elif word == ";" and depth == 1:
            found.append(int(token.extent.start.offset))
    return found


def _range_for(ctx: Lowering, cursor: Cursor) -> None:
    """`for (T v : array)`: libclang shows the variable, the range, and the body."""
    below = list(cursor.get_children())
    variable = next((c for c in below if c.kind == CursorKind.VAR_DECL), None)
    body_cursor = below[-1]
    ranges = [c for c in below[:-1] if c.kind.is_expression()]
    if variable is None or not ranges:
        raise NotLowered("range-for of unknown shape")
    over = ranges[0]
    array = ctx.plain_place(over)
    if not isinstance(array.type, Array):
        raise NotLowered("range-for over an object")
    count = array.type.length
    base = ctx.decay(array)
    begin = ctx.temp(base)
    assert isinstance(begin.type, Pointer)
    index = ctx.temp_var(I32)
    ctx.emit(Let(index, Const(0, I32), span=ctx.here))
    position = Read(index, span=ctx.here)

    element = Deref(begin, position, begin.type.element, span=ctx.here)
    ctx.range_begin.append(element)
    with ctx.block() as body:
        declarations.declaration(ctx, variable)
        statement(ctx, body_cursor)
    ctx.range_begin.pop()
    test = Binary("<", position, Const(count, I32), span=ctx.here)
    step = (Assign(index, Binary("+", position, Const(1, I32)), span=ctx.here),)
    ctx.emit(For(test, step, as_block(body), span=ctx.here))


def _attributed(ctx: Lowering, cursor: Cursor) -> None:
    """`#pragma unroll` and attributes stand around their statement."""
    below = list(cursor.get_children())
    if len(below) != 1:
        raise NotLowered("a hidden statement")
    if below[0].kind == CursorKind.FOR_STMT:
        outer = ctx.here
        ctx.here = cursors.span(below[0]) or outer
        _for(ctx, below[0], _unroll_factor(cursor))
        ctx.here = outer
    else:
        statement(ctx, below[0])


def _unroll_factor(cursor: Cursor) -> int | None:
    """4 of `#pragma unroll 4`; 0 for one without a number; None where it cannot be read."""
    if clang.is_in_macro(cursor):
        return None
    words: list[str] = []
    line = cursor.extent.start.line
    for token in cursor.get_tokens():
        if token.location.line != line:
            break
        words.append(str(token.spelling))
    if "unroll" not in words:
        return 1 if "nounroll" in words else None
    rest = [w for w in words[words.index("unroll") + 1 :] if w not in "()"]
    if not rest:
        return 0
    try:
        return int(rest[0].rstrip("uUlL"), 0)
    except ValueError:
        return None


def _goto(ctx: Lowering, cursor: Cursor) -> None:
    """The jump, by the label's name: gotos.py makes it structured, or leaves it opaque."""
    labels = [c.spelling for c in cursor.get_children() if c.kind == CursorKind.LABEL_REF]
    if len(labels) != 1:
        raise NotLowered("goto")
    ctx.emit(Opaque(labels[0], gotos.GOTO, span=ctx.here))


def _label(ctx: Lowering, cursor: Cursor) -> None:
    """Where gotos go to, and the statement there."""
    ctx.emit(Opaque(cursor.spelling, gotos.LABEL, span=ctx.here))
    for child in cursors.operands(cursor):
        if child.kind.is_statement() or child.kind.is_expression():
            statement(ctx, child)


def _asm(ctx: Lowering, cursor: Cursor) -> None:
    from crossport.frontend.lowering import asm

    asm.statement(ctx, cursor)


_HANDLERS: dict[object, Callable[[Lowering, Cursor], None]] = {
    CursorKind.COMPOUND_STMT: _compound,
    CursorKind.DECL_STMT: _declarations,
    CursorKind.IF_STMT: _if,
    CursorKind.FOR_STMT: _for,
    CursorKind.WHILE_STMT: _while,
    CursorKind.DO_STMT: _do,
    CursorKind.SWITCH_STMT: switches.switch,
    CursorKind.CASE_STMT: switches.stray_case,
    CursorKind.DEFAULT_STMT: switches.stray_case,
    CursorKind.RETURN_STMT: _return,
    CursorKind.BREAK_STMT: lambda ctx, c: ctx.emit(Break(span=ctx.here)),
    CursorKind.CONTINUE_STMT: lambda ctx, c: ctx.emit(Continue(span=ctx.here)),
    CursorKind.NULL_STMT: lambda ctx, c: None,
    CursorKind.CXX_FOR_RANGE_STMT: _range_for,
    CursorKind.UNEXPOSED_STMT: _attributed,
    CursorKind.GOTO_STMT: _goto,
    CursorKind.INDIRECT_GOTO_STMT: _goto,
    CursorKind.LABEL_STMT: _label,
    CursorKind.ASM_STMT: _asm,
}
