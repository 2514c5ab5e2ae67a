"""Find the axes of a sum of products: rows, columns and the inner one.

    acc[thread, i] += A[(64 by + r) K + k] * B[k N + 64 bx + c]
        every (thread, i) has one r and one c, every round and step one k
    ->  total[row, column] = sum over k of A[row * K + k] * B[k * N + column]

trace/ says which elements each thread multiplies. If the places are affine in a row number that
only the left ones depend on, a column number that only the right ones do, and the number of the
product, then the thread blocks are gone: the port may cut rows, columns and the inner axis as it
likes. Every place of every thread is compared with the formula, so a fit is exact. Without columns
it is a sum along rows (matrix times vector).

One class fits; a file is a layer of it: fit.py -> formulas.py -> axes.py. form.py is the result.
"""

from __future__ import annotations

from crossport.ir.lift import flat
from crossport.ir.nodes import Binary, Intrinsic, Read
from crossport.ir.tile.contract.fit import Fitter
from crossport.ir.tile.contract.form import COLUMN, INNER, ROW, TOTAL, Contraction, Operand
from crossport.ir.tile.trace import trace
from crossport.ir.types import F32


def contract(program: flat.Program, shape: tuple[int, int, int]) -> Contraction:
    """The contraction that a kernel is; raises NotTraced."""
    found = trace(program, shape)
    return Fitter(found).contraction()


def may_contract(program: flat.Program) -> bool:
    """Does some loop add products, or elements, to a float?"""
    for loop in flat.statements(program.body):
        if not isinstance(loop, flat.Loop):
            continue
        for statement in flat.statements(loop.body):
            match statement:
                case flat.Set(var, Binary("+", lhs, rhs)) if Read(var) in (lhs, rhs):
                    if var.type == F32:
                        return True
                case flat.Set(var, Intrinsic("fma" | "fmaf", (_, _, last))) if last == Read(var):
                    return True
    return False


__all__ = ["COLUMN", "INNER", "ROW", "TOTAL", "Contraction", "Operand", "contract", "may_contract"]
