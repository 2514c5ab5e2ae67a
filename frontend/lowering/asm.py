"""Inline assembly: PTX instructions run over IR variables, one for each register.

    asm("mad.lo.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));

    _t1 = (((a as i32) * (b as i32)) + (c as i32)); d = _t1

Registers have no type in PTX, only a size: a value is turned to what each instruction wants.
"""

from __future__ import annotations

import re
import struct

from crossport.frontend import clang
from crossport.frontend.clang import Cursor
from crossport.frontend.lowering import cursors, macros, ptx, ptx_common, ptx_rows
from crossport.frontend.lowering.context import Lowering, as_block, wrap
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Binary,
    Bitcast,
    Cast,
    Const,
    Effect,
    Expr,
    If,
    Intrinsic,
    Let,
    PointerAdd,
    Read,
    Special,
    SpecialName,
    Stmt,
    Unary,
    Var,
)
from crossport.ir.types import (
    BOOL,
    F32,
    F64,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Pointer,
    Scalar,
    Type,
)

_LETTERS: dict[str, Scalar] = {"r": U32, "l": U64, "h": U16, "f": F32, "d": F64, "c": U8}

_SPECIAL: dict[str, SpecialName] = {
    "laneid": "lane_id", "tid.x": "thread.x", "tid.y": "thread.y", "tid.z": "thread.z",
    "ntid.x": "block_dim.x", "ntid.y": "block_dim.y", "ntid.z": "block_dim.z",
    "ctaid.x": "block.x", "ctaid.y": "block.y", "ctaid.z": "block.z",
    "nctaid.x": "grid_dim.x", "nctaid.y": "grid_dim.y", "nctaid.z": "grid_dim.z",
}  # fmt: skip
_PLACES = {"smid": "__smid", "nsmid": "__nsmid", "warpid": "__warpid", "nwarpid": "__nwarpid",
           "gridid": "__gridid", "dynamic_smem_size": "dynamic_smem_size",
           "total_smem_size": "total_smem_size"}  # fmt: skip
_CLOCKS = {"clock": ("clock", I32), "clock64": ("clock64", I64), "clock_hi": ("clock64", I64),
           "globaltimer": ("globaltimer", U64)}  # fmt: skip


def statement(ctx: Lowering, cursor: Cursor) -> None:
    """Lower an asm statement."""
    parsed = ptx.parse_statement(_text(ctx, cursor))
    children = [c for c in cursor.get_children() if c.kind.is_expression()]
    if len(children) != len(parsed.operands):
        raise NotLowered("inline assembly with operands that cannot be matched")
    machine = Machine(ctx)
    outputs = []
    values: list[Expr | None] = []
    for operand, child in zip(parsed.operands, children, strict=True):
        values.append(ctx.kept(ctx.value(child)) if operand.is_read else None)
    tied = {
        int(operand.letter): number
        for number, operand in enumerate(parsed.operands)
        if operand.letter.isdigit()
    }
    for number, (operand, child) in enumerate(zip(parsed.operands, children, strict=True)):
        if operand.letter.isdigit():  # an input in the register of an output
            machine.alias(number, int(operand.letter))
            continue
        kind = _register_kind(ctx, operand, child)
        value = values[tied.get(number, number)]
        if operand.is_output:
            register = machine.declare((str(number), operand.name), kind, value)
            outputs.append((register, child))
        else:
            assert value is not None
            machine.bind((str(number), operand.name), value)
    for item in ptx.instructions(parsed.template):
        if isinstance(item, ptx.Register):
            machine.register(item)
        else:
            machine.run(item)
    for register, child in outputs:
        place = ctx.place(child)
        ctx.store(place, retyped(Read(register, span=ctx.here), place.type))


def _text(ctx: Lowering, cursor: Cursor) -> str:
    """The statement as it reads once macros are replaced."""
    place = cursors.span(cursor)
    if place is None:
        raise NotLowered("inline assembly that cannot be read")
    data = ctx.module.sources.read(place.file)
    start, end = clang.offsets(cursor)
    spelled = data[start:end].decode("utf-8", errors="replace") + ")"
    if ptx.starts_statement(spelled):
        return spelled
    known = ctx.module.macros(cursor)
    statements = ptx.statements_in(macros.expand(macros.use_at(data, start), known))
    number = _number_at(ctx, cursor, start)
    if number >= len(statements):
        raise NotLowered("inline assembly that cannot be read")
    return statements[number]


def _number_at(ctx: Lowering, cursor: Cursor, offset: int) -> int:
    """How many asm statements the same use of a macro makes before this one."""
    same = [
        each
        for each in (clang.walk(ctx.function) if ctx.function is not None else ())
        if each.kind == cursor.kind and clang.offsets(each)[0] == offset
    ]
    return next((i for i, each in enumerate(same) if each == cursor), 0)


def _register_kind(ctx: Lowering, operand: ptx.Operand, child: Cursor) -> Scalar:
    kind = _LETTERS.get(operand.letter)
    if kind is None:
        if operand.is_output:
            raise NotLowered(f"the constraint {operand.constraint!r}")
        own = ctx.type(child)
        return own if isinstance(own, Scalar) else U64
    return kind


class Machine:
    """PTX registers as IR variables, while one asm statement is lowered."""

    def __init__(self, ctx: Lowering) -> None:
        self.ctx = ctx
        self._values: dict[str, Expr] = {}
        self._variables: dict[str, Var] = {}
        self._carry: Var | None = None

    @property
    def here(self):  # type: ignore[no-untyped-def]
        """The place of the asm statement."""
        return self.ctx.here

    # --- Registers ---------------------------------------------------------------------------

    def declare(self, names: tuple[str, str], kind: Scalar, value: Expr | None) -> Var:
        """An output operand: a new variable, with a first value if it is read too."""
        variable = self.ctx.temp_var(kind)
        first = retyped(value, kind) if value is not None else None
        self.emit(Let(variable, first, span=self.here))
        for name in names:
            if name:
                self._variables[f"%{name}"] = variable
                self._variables[f"%[{name}]"] = variable
        return variable

    def bind(self, names: tuple[str, str], value: Expr) -> None:
        """An input operand."""
        for name in names:
            if name:
                self._values[f"%{name}"] = value
                self._values[f"%[{name}]"] = value

    def alias(self, number: int, output: int) -> None:
        """An input that shares an output's register."""
        self._variables[f"%{number}"] = self._variables[f"%{output}"]

    def register(self, item: ptx.Register) -> None:
        """`.reg`: a new variable."""
        kind = ptx_common.TYPES.get(item.kind)
        if kind is None:
            raise NotLowered(f"a PTX register of type {item.kind}")
        self._variables[item.name] = self.ctx.new_temp(kind)

    def new(self, kind: Scalar) -> Var:
        """A variable for a result."""
        return self.ctx.new_temp(kind)

    def pointer(self, variable: Var) -> Expr:
        """The address of a variable."""
        return AddressOf(variable, span=self.here)

    def emit(self, stmt: Stmt) -> None:
        """Add a statement."""
        self.ctx.emit(stmt)

    def kept(self, value: Expr) -> Expr:
        """The value in a form that later instructions do not change."""
        return self.ctx.kept(value)

    # --- Operands ----------------------------------------------------------------------------

    def value(self, operand: str, kind: Scalar) -> Expr:
        """An operand as an instruction of that type reads it."""
        operand = operand.strip()
        if kind == BOOL and operand.startswith("!"):
            return Unary("!", self.value(operand[1:], BOOL), span=self.here)
        if operand in self._variables:
            return retyped(Read(self._variables[operand], span=self.here), kind)
        if operand in self._values:
            return retyped(self._values[operand], kind)
        if operand.startswith("%"):
            return retyped(self._special(operand.lstrip("%")), kind)
        number = _number(operand)
        if number is None:
            raise NotLowered(f"PTX operand {operand}")
        return _constant(number, kind)

    def write(self, operand: str, value: Expr) -> None:
        """Write a register."""
        if operand == "_":
            return
        variable = self._variables.get(operand.strip())
        if variable is None:
            raise NotLowered(f"PTX result {operand}")
        self.emit(Assign(variable, retyped(value, variable.type), span=self.here))

    def address(self, operand: str, kind: Scalar, count: int) -> Expr:
        """`[a + 16]` as a pointer to values of a type."""
        inside = operand.strip().removeprefix("[").removesuffix("]").strip()
        base, sign, offset = inside, "", ""
        found = re.fullmatch(r"(.+?)\s*([+-])\s*(0x[0-9a-fA-F]+|\d+)", inside)
        if found:
            base, sign, offset = found.groups()
        value = self._raw(base)
        if isinstance(value.type, Pointer):
            pointer: Expr = value
        else:
            pointer = Cast(retyped(value, U64), Pointer(U8), span=self.here)
        if offset:
            distance = int(offset, 0) * (-1 if sign == "-" else 1)
            if pointer.type != Pointer(U8):
                pointer = Cast(pointer, Pointer(U8), span=self.here)
            pointer = PointerAdd(pointer, Const(distance, I32), span=self.here)
        wanted = Pointer(kind)
        if pointer.type != wanted:
            pointer = Cast(pointer, wanted, span=self.here)
        return self.kept(pointer) if count > 1 else pointer

    def _raw(self, operand: str) -> Expr:
        operand = operand.strip()
        if operand in self._variables:
            return Read(self._variables[operand], span=self.here)
        if operand in self._values:
            return self._values[operand]
        raise NotLowered(f"PTX address {operand}")

    def _special(self, name: str) -> Expr:
        here = self.here
        if name in _SPECIAL:
            return Special(_SPECIAL[name], span=here)
        if name in _PLACES:
            return Intrinsic(_PLACES[name], (), U32, span=here)
        if name in _CLOCKS:
            effect, kind = _CLOCKS[name]
            target = self.new(kind)
            self.emit(Effect(target, effect, (), span=here))
            result: Expr = Read(target, span=here)
            if name == "clock_hi":
                result = Binary(">>", result, Const(32, I32), span=here)
            return result
        if name.startswith("lanemask_"):
            return _lane_mask(name.removeprefix("lanemask_"), here)
        raise NotLowered(f"PTX register %{name}")

    # --- The carry flag ------------------------------------------------------------------------

    def carry(self, kind: Scalar) -> Expr:
        """The carry flag as 0 or 1."""
        if self._carry is None:
            raise NotLowered("PTX reads a carry flag that nothing set")
        return Cast(Read(self._carry, span=self.here), kind, span=self.here)

    def set_carry(self, value: Expr) -> None:
        """Set the carry flag."""
        if self._carry is None:
            self._carry = self.ctx.temp_var(BOOL)
            self.emit(Let(self._carry, value, span=self.here))
        else:
            self.emit(Assign(self._carry, value, span=self.here))

    # --- Instructions ------------------------------------------------------------------------

    def run(self, instruction: ptx.Instruction) -> None:
        """Emit one instruction, under its guard."""
        if not instruction.guard:
            ptx_rows.operation(self, instruction)
            return
        test = self.value(instruction.guard, BOOL)
        with self.ctx.block() as body:
            ptx_rows.operation(self, instruction)
        self.emit(If(test, as_block(body), span=self.here))


def _lane_mask(which: str, here: object) -> Expr:
    lane = Special("lane_id")
    one = Binary("<<", Const(1, U32), lane)
    below = Binary("-", one, Const(1, U32))
    match which:
        case "eq":
            return one
        case "lt":
            return below
        case "le":
            return Binary("|", below, one)
        case "ge":
            return Unary("~", below)
        case "gt":
            return Unary("~", Binary("|", below, one))
        case _:
            raise NotLowered(f"PTX register %lanemask_{which}")


def retyped(value: Expr, kind: Type) -> Expr:
    """The same bits as another type of the register's size; narrower and wider ones as PTX does."""
    source = value.type
    if source == kind:
        return value
    whole_number = isinstance(value, Const) and isinstance(value.value, int)
    if isinstance(value, Const) and whole_number and isinstance(kind, Scalar) and kind.is_integer:
        return Const(wrap(int(value.value), kind), kind, span=value.span)
    if isinstance(source, Pointer) or isinstance(kind, Pointer):
        if isinstance(source, Pointer) and isinstance(kind, Scalar):
            return retyped(Cast(value, U64, span=value.span), kind)
        if isinstance(source, Scalar) and source.is_float:
            value = Bitcast(value, U64, span=value.span)
        return Cast(value, kind, span=value.span)
    if not isinstance(source, Scalar) or not isinstance(kind, Scalar):
        raise NotLowered(f"{source} in a PTX register")
    if kind == BOOL:
        return Binary("!=", value, Const(0, source), span=value.span)
    if source == BOOL or (source.is_integer and kind.is_integer):
        if source == BOOL and kind.is_float:
            raise NotLowered("a predicate as a float")
        return Cast(value, kind, span=value.span)
    if source.size == kind.size:
        return Bitcast(value, kind, span=value.span)
    whole = {1: U8, 2: U16, 4: U32, 8: U64}
    if source.is_float:
        return retyped(Bitcast(value, whole[source.size], span=value.span), kind)
    return retyped(Cast(value, whole[kind.size], span=value.span), kind)


def _number(operand: str) -> int | float | None:
    if re.fullmatch(r"0[fF][0-9a-fA-F]{8}", operand):
        return float(struct.unpack(">f", bytes.fromhex(operand[2:]))[0])
    if re.fullmatch(r"0[dD][0-9a-fA-F]{16}", operand):
        return float(struct.unpack(">d", bytes.fromhex(operand[2:]))[0])
    if operand == "WARP_SZ":
        return 32
    try:
        return int(operand.rstrip("U"), 0)
    except ValueError:
        pass
    try:
        return float(operand)
    except ValueError:
        return None


def _constant(number: int | float, kind: Scalar) -> Expr:
    if kind == BOOL:
        return Const(bool(number), BOOL)
    if kind.is_integer:
        if isinstance(number, float):
            return retyped(Const(number, F32), kind)
        return Const(wrap(number, kind), kind)
    if isinstance(number, int):
        return retyped(Const(number, {2: U16, 4: U32, 8: U64}[kind.size]), kind)
    return Const(number, kind)
