"""A PTX program as C++ statements.

    one instruction, its inputs read once     one statement:  r = (unsigned int)a + (unsigned int)b;
    more                                      a block, with inputs and registers in local variables

Each opcode is a function `(Context, Instruction) -> None` in one of the tables; an opcode that is
in none, a modifier that changes what it does, or a type that it does not know raise
`NoTranslation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from crossport.backends.hip.semantics.ptx import (
    arithmetic,
    bits,
    conversion,
    matrix,
    memory,
    warp_ops,
)
from crossport.backends.hip.semantics.ptx.context import Context
from crossport.backends.hip.semantics.ptx.halves import is_half, translate_half
from crossport.backends.hip.semantics.ptx.instruction import Instruction, Program, parse_template
from crossport.backends.hip.semantics.ptx.statement import AsmStatement
from crossport.backends.hip.semantics.ptx.values import CPP, Names, NoTranslation

OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    **arithmetic.OPCODES,
    **bits.OPCODES,
    **conversion.OPCODES,
    **matrix.OPCODES,
    **memory.OPCODES,
    **warp_ops.OPCODES,
}


@dataclass(frozen=True, slots=True)
class Translated:
    """C++ for one statement: lines without indent, and the helpers they call."""

    lines: tuple[str, ...]
    is_block: bool
    helpers: frozenset[str] = field(default=frozenset())


def translate(statement: AsmStatement) -> Translated:
    """Translate one inline assembly, or raise `NoTranslation`."""
    if statement.problem:
        raise NoTranslation(statement.problem)
    program = parse_template(statement.template)
    if program.problem:
        raise NoTranslation(program.problem)
    if not program.instructions:
        return Translated(_compiler_fence(statement), is_block=False)
    names = Names(statement.operands, program.registers)
    bindings = _bindings(statement, program, names)
    context = Context(names)
    for instruction in program.instructions:
        _one(context, instruction)
    used = {word for line in context.lines for word in re.findall(r"\w+", line)}
    declared = names.declarations(used)
    lines = (*bindings, *declared, *context.declarations(), *context.lines)
    if not lines:
        return Translated((";",), is_block=False)
    is_block = len(lines) > 1
    return Translated(lines, is_block, frozenset(names.helpers | context.helpers))


def _one(context: Context, instruction: Instruction) -> None:
    translator = OPCODES.get(instruction.opcode)
    if translator is not None and is_half(instruction):
        translator = translate_half
    if translator is None:
        raise NoTranslation(f"instruction {instruction.spelled}")
    if not instruction.guard:
        translator(context, instruction)
        return
    before = len(context.lines)
    translator(context, instruction)
    added = context.lines[before:]
    del context.lines[before:]
    body = added[0] if len(added) == 1 else "{ " + " ".join(added) + " }"
    context.lines.append(f"if ({context.names.read(instruction.guard, 'pred')}) {body}")


def _compiler_fence(statement: AsmStatement) -> tuple[str, ...]:
    """An empty template orders memory accesses for the compiler, on any target."""
    if statement.outputs or statement.inputs:
        raise NoTranslation("an empty template with operands")
    return ('asm volatile("" ::: "memory");',)


def _bindings(statement: AsmStatement, program: Program, names: Names) -> list[str]:
    """Local copies of inputs that would be evaluated twice, or after an output was written."""
    lines = []
    count = len(statement.outputs)
    for number, operand in enumerate(statement.inputs):
        index = count + number
        uses = sum(
            len(re.findall(rf"%{index}(?!\d)", text)) + (f"%[{operand.name}]" in text)
            for instruction in program.instructions
            for text in (*instruction.operands, instruction.guard)
        )
        is_simple = re.fullmatch(r"\s*-?[\w.]+\s*", operand.text) is not None
        is_constant = re.fullmatch(r"\s*-?[\d][\w.]*\s*", operand.text) is not None
        is_tied = operand.constraint.isdigit()
        if is_tied:
            raise NoTranslation("an input tied to an output")
        late = len(program.instructions) > 1 and not is_constant
        if uses and (late or (uses > 1 and not is_simple)):
            kind = names.kind_of(f"%{index}")
            name = names.fresh(f"in{number}")
            cast = "" if kind in ("f32", "f64") else f"({CPP[kind]})"
            lines.append(f"const {CPP[kind]} {name} = {cast}({operand.text.strip()});")
            names.bind(index, name)
    return lines
