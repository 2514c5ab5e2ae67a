"""The tables of a module: KERNELS, other names for kernels, device variables.

    KERNELS = {"k": k}                     the function that a user would call
    KERNELS = {"k": _another}              "KERNELS holds another k than the module"
    k.globals = {"calls": ...}             "keeps calls, which is no variable of the original"

KERNELS names what is judged, the plain name is what a user calls: they must be one function.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from crossport.validation.gate.names import is_kernel


def check_tables(tree: ast.Module, symbols: Collection[str] | None) -> Iterator[str]:
    """Findings about what the top level binds."""
    functions = {s.name: s for s in tree.body if isinstance(s, ast.FunctionDef)}
    counted = Counter(s.name for s in tree.body if isinstance(s, ast.FunctionDef))
    aliases: dict[str, str] = {}
    tables: list[ast.Dict] = []
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) if counted[name] > 1:
                yield f"{statement.lineno}: defines {name} more than once"
            case ast.Assign(targets=[ast.Name(id="KERNELS")], value=ast.Dict() as table):
                tables.append(table)
            case ast.Assign(targets=[ast.Name(id="KERNELS")]):
                yield f"{statement.lineno}: KERNELS is no plain table"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name in functions or name in aliases:
                    yield f"{statement.lineno}: binds {name} again"
                if isinstance(value, ast.Name):
                    aliases[name] = value.id
            case ast.Assign(targets=[ast.Attribute(attr="globals") as place], value=value):
                yield from _variables(place, value, functions, symbols)
            case _:
                pass
    if len(tables) > 1:
        yield f"{tables[1].lineno}: defines KERNELS more than once"
    for table in tables:
        yield from _kernels(table, functions, aliases)


def _kernels(
    table: ast.Dict, functions: Mapping[str, ast.FunctionDef], aliases: dict[str, str]
) -> Iterator[str]:
    rows: dict[str, str] = {}
    for key, value in zip(table.keys, table.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            yield f"{table.lineno}: KERNELS has a key that is no text"
        elif not isinstance(value, ast.Name) or _meant(value.id, aliases) not in functions:
            yield f"{value.lineno}: KERNELS has a value that is no function of the module"
        elif is_kernel(functions[_meant(value.id, aliases)]):
            yield f"{value.lineno}: KERNELS has {key.value}, which nothing launches"
        elif key.value in rows:
            yield f"{value.lineno}: KERNELS has {key.value} twice"
        else:
            rows[key.value] = _meant(value.id, aliases)
    bases = Counter(_plain(name) for name in rows)
    for name, function in rows.items():
        plain = _plain(name)
        if bases[plain] > 1 or (plain not in functions and plain not in aliases):
            continue
        if _meant(plain, aliases) != function:
            yield f"{table.lineno}: KERNELS holds another {plain} than the module"


def _variables(
    place: ast.Attribute, value: ast.expr, functions: Collection[str],
    symbols: Collection[str] | None,
) -> Iterator[str]:  # fmt: skip
    if not (isinstance(place.value, ast.Name) and place.value.id in functions):
        yield f"{place.lineno}: keeps state in an attribute"
        return
    if isinstance(value, ast.Attribute) and value.attr == "globals":
        return
    if not isinstance(value, ast.Dict):
        yield f"{place.lineno}: .globals is no plain table"
        return
    for key in value.keys:
        name = key.value if isinstance(key, ast.Constant) else None
        if not isinstance(name, str):
            yield f"{place.lineno}: .globals has a key that is no text"
        elif symbols is not None and name not in symbols:
            yield f"{place.lineno}: keeps {name}, which is no variable of the original"


def _plain(name: str) -> str:
    """`a::k<float>` -> `k`."""
    return name.split("<")[0].split("::")[-1].strip()


def _meant(name: str, aliases: dict[str, str]) -> str:
    seen: set[str] = set()
    while name in aliases and name not in seen:
        seen.add(name)
        name = aliases[name]
    return name
