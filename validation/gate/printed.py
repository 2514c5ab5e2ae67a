"""Text that crossport itself prints into every module, recognised letter by letter.

    def _dim3(size): ...                          a helper of every port
    if triton.knobs.runtime.interpret: ...        NumPy's stand-ins for libdevice

Some of it looks at where it runs, or computes with NumPy: nobody else may. So it is taken only in
the very words of the backend: `sin` stands for `sin`, whatever the kernel calls it for.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import lru_cache

from crossport.validation.gate.vocabulary import Target


def is_printed_helper(statement: ast.stmt, target: Target) -> bool:
    """Whether a function, or a choice of functions, is one of the backend's own, unchanged."""
    known = isinstance(statement, ast.FunctionDef | ast.If)
    return known and ast.dump(statement) in _helpers(target)


def is_printed_stand_in(statement: ast.stmt, target: Target) -> bool:
    """Whether this is the block of stand-ins, each for the function whose name it has."""
    if target != "triton" or not isinstance(statement, ast.If):
        return False
    from crossport.backends.triton.helpers.host import ON_CPU
    from crossport.backends.triton.math import NUMPY

    text = ON_CPU + "".join(
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
    """Every statement that stands in a text of the target's backend, as it stands there."""
    package = importlib.import_module(f"crossport.backends.{target}")
    found: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            texts = value.values() if isinstance(value, dict) else [value]
            for text in texts:
                if isinstance(text, str) and "def " in text:
                    found.update(_statements(text))
    return frozenset(found)


def _statements(text: str) -> list[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []  # A docstring, or a text with gaps.
    return [ast.dump(s) for s in tree.body if isinstance(s, ast.FunctionDef | ast.If)]
