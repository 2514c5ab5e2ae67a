"""Inline PTX -> HIP C++, instruction by instruction; what has no translation is reported.

    statement.py     finds `asm(...)` in the tokens: template, operands, clobbers
    instruction.py   the template as PTX instructions
    values.py        operands, registers and immediates as C++ expressions of a PTX type
    translate.py     instructions as C++ statements
    arithmetic.py  bits.py  conversion.py  halves.py  memory.py  matrix.py  warp_ops.py
                     one function an opcode
    edits.py         puts it together for a file

To teach it an instruction: write its function, and add a row to the table of its file.
"""
