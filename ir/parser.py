"""Text -> thread IR: the inverse of ir/printer.py, for tests, case files and bug reports.

    parse_module(print_module(m)) == m

Types of variables come from their declarations, so a reference to an undeclared name is an error.
Errors are `PortError` with code CP3002, line and column.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, cast, get_args

from crossport.diagnostics import Code, Diagnostic, PortError, Span
from crossport.ir.nesting import room
from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Assert,
    Assign,
    Atomic,
    AtomicOp,
    Barrier,
    Binary,
    BinaryOp,
    Bitcast,
    Block,
    Break,
    Call,
    Case,
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
    KernelInfo,
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
    SharedVar,
    Shuffle,
    Special,
    SpecialName,
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
from crossport.ir.printer import scalar_suffix
from crossport.ir.types import (
    F64,
    I32,
    SCALARS,
    VOID,
    Array,
    Field,
    Handle,
    Pointer,
    Scalar,
    Struct,
    StructDef,
    Type,
)

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:bf16|[iuf]\d+|f)?)
  | (?P<infinity>\#-?inf:\w+)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<quoted>`[^`]*`)
  | (?P<special>%[a-z_]+(?:\.[xyz])?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op><<|>>|<=|>=|==|!=|&&|\|\||->|[-+*/%&|^~!<>=?:;,.@(){}\[\]])
    """,
    re.VERBOSE,
)

_SPECIALS = frozenset(get_args(SpecialName))
_BINARY = frozenset(get_args(BinaryOp))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


@room()
def parse_module(text: str, file: str = "<ir>") -> Module:
    """A whole module. Raises PortError (CP3002) where the text is not one."""
    parser = _Parser(text, file)
    structs: list[StructDef] = []
    globals_: list[GlobalVar] = []
    functions: list[Function] = []
    while not parser.at_end():
        match parser.peek().text:
            case "struct":
                structs.append(parser.struct())
            case "global" | "constant":
                globals_.append(parser.global_var())
            case "kernel" | "function":
                functions.append(parser.function())
            case other:
                parser.fail(f"expected struct, global, constant, kernel or function, found {other}")
    return Module(tuple(functions), tuple(structs), tuple(globals_))


@room()
def parse_function(text: str, file: str = "<ir>") -> Function:
    """A single kernel or device function."""
    return parse_module(text, file).functions[0]


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.tokens = self._tokenize()
        self.position = 0
        self.structs: dict[str, StructDef] = {}
        self.outer: dict[str, Var] = {}
        self.variables: dict[str, Var] = {}

    # --- tokens

    def _tokenize(self) -> list[_Token]:
        tokens: list[_Token] = []
        offset = 0
        while offset < len(self.text):
            match = _TOKEN.match(self.text, offset)
            if match is None:
                self._fail_at(offset, f"unexpected character {self.text[offset]!r}")
            kind, token = str(match.lastgroup), match.group()
            # `i -1` cannot occur, but `(i - 1)` must not read as `i` `-1`: a sign belongs to a
            # number only where an operand is expected.
            if kind == "number" and token[0] == "-" and tokens and _ends_operand(tokens[-1]):
                kind, token = "op", "-"
            if kind != "space":
                tokens.append(_Token(kind, token, offset))
            offset += len(token)
        tokens.append(_Token("end", "end of text", len(self.text)))
        return tokens

    def _fail_at(self, offset: int, message: str) -> NoReturn:
        line = self.text.count("\n", 0, offset) + 1
        column = offset - (self.text.rfind("\n", 0, offset) + 1) + 1
        raise PortError(Diagnostic(Code.MALFORMED_IR, message, Span(self.file, line, column)))

    def fail(self, message: str) -> NoReturn:
        """Report `message` at the token in hand."""
        self._fail_at(self.peek().offset, message)

    def peek(self, ahead: int = 0) -> _Token:
        """The token in hand, or one further on."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def at_end(self) -> bool:
        """Nothing is left."""
        return self.peek().kind == "end"

    def _next(self) -> _Token:
        token = self.peek()
        self.position += 1
        return token

    def _accept(self, text: str) -> bool:
        token = self.peek()
        if token.text != text or token.kind not in ("op", "name"):
            return False
        self.position += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            self.fail(f"expected {text!r}, found {self.peek().text!r}")

    def _name(self) -> str:
        token = self._next()
        if token.kind == "quoted":
            return token.text[1:-1]
        if token.kind != "name":
            self.position -= 1
            self.fail(f"expected a name, found {token.text!r}")
        return token.text

    def _string(self) -> str:
        token = self._next()
        if token.kind != "string":
            self.position -= 1
            self.fail(f"expected a string, found {token.text!r}")
        return str(json.loads(token.text))

    def _integer(self) -> int:
        token = self._next()
        try:
            return int(token.text)
        except ValueError:
            self.position -= 1
            self.fail(f"expected an integer, found {token.text!r}")

    # --- types

    def _type(self) -> Type:
        token = self.peek()
        base: Type
        if token.kind == "quoted":
            base = Struct(self._name())
        elif token.text == "handle":
            self._next()
            base = Handle(self._name())
        elif token.text == "void":
            self._next()
            base = VOID
        else:
            word = self._name()
            base = SCALARS.get(word) or Struct(word)
        while True:
            if self._accept("*"):
                base = Pointer(base)
            elif self.peek().text == "[":
                lengths: list[int] = []
                while self._accept("["):
                    lengths.append(self._integer())
                    self._expect("]")
                for length in reversed(lengths):
                    base = Array(base, length)
            else:
                return base

    # --- declarations

    def struct(self) -> StructDef:
        """`struct name size n align n { field: type @offset ... }`"""
        self._expect("struct")
        name = self._name()
        self._expect("size")
        size = self._integer()
        self._expect("align")
        align = self._integer()
        self._expect("{")
        fields: list[Field] = []
        while not self._accept("}"):
            field = self._name()
            self._expect(":")
            type = self._type()
            self._expect("@")
            fields.append(Field(field, type, self._integer()))
        definition = StructDef(name, tuple(fields), size, align)
        self.structs[name] = definition
        return definition

    def global_var(self) -> GlobalVar:
        """`constant name: type = value`"""
        space = self._next().text
        name = self._name()
        self._expect(":")
        type = self._type()
        init = self._expr() if self._accept("=") else None
        if not isinstance(init, Aggregate | Const | None):
            self.fail("the initial value of a global is a constant or an aggregate of them")
        self.outer[name] = Var(name, type)
        return GlobalVar(name, type, cast(Any, space), init)

    def function(self) -> Function:
        """`kernel name(params) bounds(t, b) template(...) { ... }`, `function name(...) -> type`"""
        is_kernel = self._next().text == "kernel"
        name = self._name()
        self.variables = dict(self.outer)
        self._expect("(")
        params: list[Param] = []
        while not self._accept(")"):
            if params:
                self._expect(",")
            params.append(self._param())
        result: Type = VOID
        info: KernelInfo | None = None
        if is_kernel:
            info = self._kernel_info()
        else:
            self._expect("->")
            result = self._type()
        self._expect("{")
        shared: list[SharedVar] = []
        while self._accept("shared"):
            variable = self._declared()
            align = self._integer() if self._accept("align") else 0
            shared.append(SharedVar(variable.name, variable.type, align))
        return Function(name, tuple(params), result, self._rest_of_block(), tuple(shared), info)

    def _kernel_info(self) -> KernelInfo:
        bounds = (0, 0)
        args: list[str] = []
        if self._accept("bounds"):
            self._expect("(")
            threads = self._integer()
            self._expect(",")
            bounds = (threads, self._integer())
            self._expect(")")
        if self._accept("template"):
            self._expect("(")
            args.append(self._string())
            while self._accept(","):
                args.append(self._string())
            self._expect(")")
        return KernelInfo(bounds, tuple(args))

    def _param(self) -> Param:
        name = self._name()
        self._expect(":")
        is_const = self._accept("const")
        type = self._type()
        self.variables[name] = Var(name, type)
        return Param(name, type, is_const, self._accept("restrict"))

    def _declared(self) -> Var:
        name = self._name()
        self._expect(":")
        variable = Var(name, self._type())
        self.variables[name] = variable
        return variable

    # --- statements

    def _block(self) -> Block:
        self._expect("{")
        return self._rest_of_block()

    def _rest_of_block(self) -> Block:
        stmts: list[Stmt] = []
        while not self._accept("}"):
            stmts.append(self._stmt())
        return tuple(stmts)

    def _stmt(self) -> Stmt:
        token = self.peek()
        if token.kind == "name":
            parse = getattr(self, f"_stmt_{token.text}", None)
            if parse is not None:
                self._next()
                return cast(Stmt, parse())
            if token.text in _OPERATIONS:
                return self._operation([])
        place = self._place()
        if self._accept(","):
            return self._operation_with([place, self._place()])
        self._expect("=")
        if self.peek().kind == "name" and self.peek().text in _OPERATIONS:
            return self._operation([place])
        return Assign(place, self._expr())

    def _stmt_let(self) -> Let:
        variable = self._declared()
        return Let(variable, self._expr() if self._accept("=") else None)

    def _stmt_volatile(self) -> Assign:
        place = self._place()
        self._expect("=")
        return Assign(place, self._expr(), volatile=True)

    def _stmt_if(self) -> If:
        condition, then = self._expr(), self._block()
        return If(condition, then, self._block() if self._accept("else") else ())

    def _stmt_for(self) -> For:
        condition = self._expr()
        unroll = self._integer() if self._accept("unroll") else None
        body = self._block()
        return For(condition, self._block() if self._accept("step") else (), body, unroll)

    def _stmt_while(self) -> While:
        return While(self._expr(), self._block())

    def _stmt_do(self) -> DoWhile:
        body = self._block()
        self._expect("while")
        return DoWhile(body, self._expr())

    def _stmt_switch(self) -> Switch:
        value = self._expr()
        self._expect("{")
        cases: list[Case] = []
        while not self._accept("}"):
            values: list[int] = []
            if not self._accept("default"):
                self._expect("case")
                values.append(self._integer())
                while self._accept(","):
                    values.append(self._integer())
            cases.append(Case(tuple(values), self._block()))
        return Switch(value, tuple(cases))

    def _stmt_break(self) -> Break:
        return Break()

    def _stmt_continue(self) -> Continue:
        return Continue()

    def _stmt_return(self) -> Return:
        # A value stands on the same line; what begins a new line is the next statement.
        gap = self.text[self.tokens[self.position - 1].offset : self.peek().offset]
        return Return() if "\n" in gap or self.peek().text == "}" else Return(self._expr())

    def _stmt_print(self) -> Print:
        return Print(self._string(), self._args())

    def _stmt_assert(self) -> Assert:
        return Assert(self._expr(), self._string())

    def _stmt_trap(self) -> Trap:
        return Trap()

    def _stmt_opaque(self) -> Opaque:
        self._expect("(")
        text = self._string()
        self._expect(",")
        reason = self._string()
        self._expect(")")
        return Opaque(text, reason)

    def _stmt_launch(self) -> Launch:
        kernel = self._name()
        self._expect("<")
        config = [self._expr()]
        while self._accept(","):
            config.append(self._expr())
        self._expect(">")
        if len(config) != 7:
            self.fail("a launch has seven sizes: grid, block, shared bytes")
        gx, gy, gz, bx, by, bz, shared = config
        return Launch(kernel, (gx, gy, gz), (bx, by, bz), shared, self._args())

    def _operation_with(self, targets: list[Place]) -> Stmt:
        self._expect("=")
        return self._operation(targets)

    def _operation(self, targets: list[Place]) -> Stmt:
        results = [target for target in targets if isinstance(target, Var)]
        if len(results) != len(targets):
            self.fail("the result of an operation goes to a variable")
        word = self._next().text
        target = results[0] if results else None
        if word == "call":
            return self._call(target)
        if word == "effect":
            return Effect(target, self._name(), self._args())
        modes: list[str] = []
        while self._accept("."):
            modes.append(self._name())
        if word == "atomic":
            return self._atomic(target, modes)
        args, options = self._args_and_options()
        return self._exchange(word, modes, results, args, options)

    def _call(self, target: Var | None) -> Call:
        function: str | Expr = self._expr() if self._accept("*") else self._name()
        return Call(target, function, self._args())

    def _atomic(self, target: Var | None, modes: list[str]) -> Atomic:
        self._expect("(")
        place = self._place()
        operands: list[Expr] = []
        while self._accept(","):
            operands.append(self._expr())
        self._expect(")")
        if len(modes) != 2 or modes[0] not in get_args(AtomicOp):
            self.fail("an atomic is spelled atomic.OP.SCOPE(place, operands)")
        return Atomic(target, cast(Any, modes[0]), place, tuple(operands), cast(Any, modes[1]))

    def _exchange(
        self,
        word: str,
        modes: list[str],
        results: list[Var],
        args: tuple[Expr, ...],
        options: dict[str, Expr],
    ) -> Stmt:
        mask, width = options.get("mask"), options.get("width")
        mode: Any = modes[0] if modes else None
        first = args[0] if args else None
        match word, results, args:
            case "barrier", _, _:
                reduce: Any = modes[1] if len(modes) > 1 else None
                return Barrier(mode, reduce, first, results[0] if results else None)
            case "syncwarp", [], ():
                return SyncWarp(mask, width)
            case "fence", [], ():
                return Fence(mode)
            case "shuffle", [target], (value, lane):
                return Shuffle(target, mode, mask, value, lane, width)
            case "vote", [target], _:
                return Vote(target, mode, mask, first, width)
            case "match", [target, *more], (value,):
                return Match(target, mode, mask, value, more[0] if more else None, width)
            case "warp_reduce", [target], (value,):
                scan: Any = modes[1] if len(modes) > 1 else None
                return WarpReduce(target, mode, mask, value, width, scan)
            case _:
                self.fail(f"wrong results or arguments for {word}")

    def _args(self) -> tuple[Expr, ...]:
        args, options = self._args_and_options()
        if options:
            self.fail("no options here")
        return args

    def _args_and_options(self) -> tuple[tuple[Expr, ...], dict[str, Expr]]:
        self._expect("(")
        args: list[Expr] = []
        options: dict[str, Expr] = {}
        while self.peek().text not in (")", ";"):
            if args:
                self._expect(",")
            args.append(self._expr())
        if self._accept(";"):
            while True:
                key = self._name()
                self._expect("=")
                options[key] = self._expr()
                if not self._accept(","):
                    break
        self._expect(")")
        return tuple(args), options

    # --- expressions

    def _place(self) -> Place:
        value = self._operand()
        if not isinstance(value, Read) or value.volatile:
            self.fail("expected something that can be written to")
        return value.place

    def _expr(self) -> Expr:
        return self._operand()

    def _operand(self) -> Expr:
        value = self._primary()
        while True:
            if self._accept("["):
                index = self._expr()
                self._expect("]")
                value = Read(self._subscript(value, index))
            elif self.peek().text == "." and isinstance(value, Read):
                self._next()
                name = self._name()
                value = Read(Member(value.place, name, self._member_type(value.type, name)))
            else:
                return value

    def _subscript(self, base: Expr, index: Expr) -> Place:
        match base.type:
            case Array(element, _) if isinstance(base, Read):
                return Element(base.place, index, element)
            case Pointer(element):
                return Deref(base, index, element)
            case other:
                self.fail(f"a value of type {other} has no elements")

    def _member_type(self, type: Type, name: str) -> Type:
        if not isinstance(type, Struct) or type.name not in self.structs:
            self.fail(f"{type} is not a struct declared above")
        try:
            return self.structs[type.name].field(name).type
        except KeyError as error:
            self.fail(str(error.args[0]))

    def _primary(self) -> Expr:
        token = self._next()
        match token.kind, token.text:
            case "number", text:
                return _number(text)
            case "infinity", text:
                sign = -1.0 if text.startswith("#-") else 1.0
                return Const(sign * float("inf"), SCALARS[text.partition(":")[2]])
            case "special", text if text[1:] in _SPECIALS:
                return Special(cast(Any, text[1:]))
            case "op", "(":
                return self._bracketed()
            case "op", "&":
                return AddressOf(self._place())
            case "op", ("-" | "~" | "!") as op:
                return Unary(cast(Any, op), self._operand())
            case "op", "@":
                return FunctionRef(self._name())
            case "name", word if word in _EXPRESSIONS:
                return self._word(word)
            case "name" | "quoted", text:
                return self._named(text.strip("`"))
            case _:
                self.position -= 1
                self.fail(f"expected an expression, found {token.text!r}")

    def _word(self, word: str) -> Expr:
        match word:
            case "true" | "false":
                return Const(word == "true", SCALARS["bool"])
            case "null":
                self._expect(":")
                type = self._type()
                return Null(type) if isinstance(type, Pointer) else self.fail("null is a pointer")
            case "new":
                type = self._type()
                self._expect("{")
                values: list[Expr] = []
                while not self._accept("}"):
                    if values:
                        self._expect(",")
                    values.append(self._expr())
                return Aggregate(tuple(values), type)
            case "volatile":
                self._expect("(")
                place = self._place()
                self._expect(")")
                return Read(place, volatile=True)
            case "extract":
                self._expect("(")
                value = self._expr()
                self._expect(",")
                name = self._name()
                self._expect(")")
                return Extract(value, name, self._member_type(value.type, name))
            case _:
                opaque = self._stmt_opaque()
                self._expect(":")
                return OpaqueValue(opaque.text, opaque.reason, self._type())

    def _named(self, name: str) -> Expr:
        # `sqrtf:f32(x)` has no space before the colon, `c ? a : b` has.
        before = self.tokens[self.position - 1]
        touches = self.peek().offset == before.offset + len(before.text)
        if touches and self._accept(":"):
            type = self._type()
            return Intrinsic(name, self._args(), type)
        if name not in self.variables:
            self.position -= 1
            self.fail(f"{name} is not declared")
        return Read(self.variables[name])

    def _bracketed(self) -> Expr:
        lhs = self._expr()
        token = self._next()
        value: Expr
        match token.text:
            case ")":
                return lhs
            case "?":
                then = self._expr()
                self._expect(":")
                value = Select(lhs, then, self._expr())
            case "as":
                value = Cast(lhs, self._type())
            case "bits":
                value = Bitcast(lhs, self._type())
            case op if op in _BINARY:
                value = self._binary(cast(BinaryOp, op), lhs, self._expr())
            case other:
                self.position -= 1
                self.fail(f"expected an operator, found {other!r}")
        self._expect(")")
        return value

    def _binary(self, op: BinaryOp, lhs: Expr, rhs: Expr) -> Expr:
        if op == "+" and isinstance(lhs.type, Pointer):
            return PointerAdd(lhs, rhs)
        if op == "-" and isinstance(lhs.type, Pointer):
            return PointerDiff(lhs, rhs)
        return Binary(op, lhs, rhs)


_OPERATIONS = frozenset(
    ("call", "effect", "atomic", "barrier", "syncwarp", "fence", "shuffle", "vote", "match",
     "warp_reduce")
)  # fmt: skip
_EXPRESSIONS = frozenset(("true", "false", "null", "new", "volatile", "extract", "opaque"))
_STATEMENTS = _OPERATIONS | frozenset(
    name.removeprefix("_stmt_") for name in vars(_Parser) if name.startswith("_stmt_")
) - {"volatile", "opaque"}  # fmt: skip


def _ends_operand(token: _Token) -> bool:
    return (
        token.kind in ("number", "quoted", "special", "infinity")
        or token.text in (")", "]")
        or (token.kind == "name" and token.text not in _STATEMENTS)
    )


def _number(text: str) -> Const:
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(bf16|[iuf]\d+|f)?", text)
    assert match is not None
    digits, suffix = match.groups()
    is_float = "." in digits or "e" in digits
    type: Scalar = scalar_suffix(suffix) if suffix else F64 if is_float else I32
    return Const(float(digits) if type.is_float else int(digits), type)
