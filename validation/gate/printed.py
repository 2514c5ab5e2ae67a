"""Text that crossport itself prints into every module, recognised letter by letter.

    def _dim3(size): ...                          a helper of every port
    if triton.knobs.runtime.interpret: ...        NumPy's stand-ins for libdevice

The stand-ins look at where they run, and compute with NumPy: nobody else may. So they are taken
only in the very words of the backend: `sin` stands for `sin`, whatever the kernel calls it for.
"""

from __future__ import annotations

import ast
from functools import lru_cache

from crossport.validation.gate.vocabulary import Target


def is_printed_helper(statement: ast.stmt, target: Target) -> bool:
    """Whether a function is one of the backend's own, unchanged."""
    return isinstance(statement, ast.FunctionDef) and ast.dump(statement) in _helpers(target)


def is_printed_stand_in(statement: ast.stmt, target: Target) -> bool:
    """Whether this is the block of stand-ins, each for the function whose name it has."""
    if target != "triton" or not isinstance(statement, ast.If):
        return False
    from crossport.backends.triton.math import NUMPY
    from crossport.backends.triton.module import _ON_CPU

    text = _ON_CPU + "".join(
        f"        {name} = staticmethod(_on_cpu({spelled}))\n" for name, spelled in NUMPY.items()
    )
    whole = ast.parse(text).body[0]
    assert isinstance(whole, ast.If)
    mine, theirs = _split(statement), _split(whole)
    if mine is None or theirs is None:
        return False
    return mine[0] == theirs[0] and mine[1] <= theirs[1]


def _split(block: ast.If) -> tuple[str, set[str]] | None:
    """The block without its rows, and the rows."""
    match block:
        case ast.If(test=test, body=[ast.FunctionDef() as function, ast.ClassDef() as stand_in],
                    orelse=[]):  # fmt: skip
            head, *rows = stand_in.body
            frame = [test, function, head, *stand_in.bases, *stand_in.decorator_list]
            name = stand_in.name + str(len(stand_in.keywords))
            return name + "".join(map(ast.dump, frame)), {ast.dump(row) for row in rows}
        case _:
            return None


@lru_cache
def _helpers(target: Target) -> frozenset[str]:
    if target == "triton":
        from crossport.backends.triton.module import _ARRAY, _DIM3, _FIELDS, _GLOBAL

        texts = [_ARRAY, _DIM3, _FIELDS, _GLOBAL]
    else:
        texts = []
    return frozenset(ast.dump(statement) for text in texts for statement in ast.parse(text).body)
