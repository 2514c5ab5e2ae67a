"""Assemble single instructions from the encoding tables, for tests."""

from typing import Any

from crossport.validation.amdgpu.arch import ARCHS
from crossport.validation.amdgpu.isa import Instruction, Tables, mnemonic, tables_of


def tables(arch: str = "gfx942") -> Tables:
    return tables_of(ARCHS[arch])


def opcodes(arch: str, form: str) -> dict[str, int]:
    """Mnemonic -> opcode number of one encoding."""
    return {mnemonic(m): n for n, m in tables(arch).forms[form].opcodes.items()}


def names_of(arch: str, i: Instruction) -> tuple[str, ...]:
    """Mnemonics of an instruction: two of a dual-issue one."""
    if i.form != "VOPD":
        return (i.name,)
    known = tables(arch).forms["VOPD"].opcodes
    return tuple(mnemonic(known[i.fields[f]]) for f in ("opx", "opy"))


def encode(
    form: str,
    name: str,
    *,
    arch: Any = "gfx942",
    literal: int | None = None,
    variant: Any = "",
    **fields: Any,
) -> bytes:
    """The bytes of an instruction; fields are raw numbers, absent ones are 0."""
    layout = tables(arch).forms[form]
    word, size = layout.value, layout.words * 4
    places = dict(layout.fields)
    if variant:
        places |= tables(arch).variants[variant]
        size += 4
    opcode = {"op": opcodes(arch, form)[name]} if "op" in places else {}
    for field, value in {**opcode, **fields}.items():
        lo, mask = places[field]
        assert 0 <= value <= mask, f"{field}={value} does not fit"
        word |= value << lo
    data = word.to_bytes(size, "little")
    return data + (literal.to_bytes(4, "little") if literal is not None else b"")
