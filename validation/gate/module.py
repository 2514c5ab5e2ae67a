"""What a generated Python module may contain, decided on its syntax tree before it is run.

    import threading              ->   "3: imports threading"
    out = torch.matmul(a, b)      ->   "9: calls torch.matmul: a port does the work itself"
    if interpret: ...             ->   "9: asks whether it is interpreted"

A port is kernels and the code that launches them. Anything else that a module could do (start
threads, time itself, read files, keep a count of its calls, call a library instead of computing,
look at where it runs, hide code in a text) has no place in one, so a module that does it is not
judged as a port. What is not listed (vocabulary.py) is refused, not the other way round.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence

from crossport.validation.gate.arithmetic import host_arithmetic
from crossport.validation.gate.names import Names, check_names
from crossport.validation.gate.precision import check_products
from crossport.validation.gate.printed import is_printed_helper, is_printed_stand_in
from crossport.validation.gate.tables import check_tables
from crossport.validation.gate.vocabulary import IMPORTS, Target

Kernels = Mapping[str, Sequence[bool]]
"""Of each kernel, which of its parameters are arrays."""


def gate(
    text: str, target: Target, kernels: Kernels | None = None,
    symbols: Collection[str] | None = None,
) -> list[str]:  # fmt: skip
    """Why a module is no port; empty where it may run. Each entry starts with its line.

    kernels: what is known of the parameters; else it is read off their use. symbols: the device
    variables of the original, the only state that a port may keep; None: not known.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"{getattr(error, 'lineno', 0)}: not Python: {error}"]
    try:
        found = list(_findings(tree, target, kernels or {}, symbols))
    except RecursionError:
        return ["0: nested too deep to be read"]
    found.sort(key=lambda finding: int(finding.partition(":")[0]))
    return list(dict.fromkeys(found))


def gate_file(
    name: str, data: bytes, target: Target, kernels: Kernels | None = None,
    symbols: Collection[str] | None = None,
) -> list[str]:  # fmt: skip
    """As `gate`, for a file as it is found: what Python would read is what is looked at."""
    if not name.endswith(".py"):
        return ["0: is no module"]
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode("utf-8")
    except (SyntaxError, UnicodeDecodeError) as error:
        return [f"0: not Python: {error}"]
    if encoding not in ("utf-8", "utf-8-sig"):
        return [f"0: is written in {encoding}"]
    return gate(text.removeprefix("\ufeff"), target, kernels, symbols)


def _findings(
    tree: ast.Module, target: Target, kernels: Kernels, symbols: Collection[str] | None
) -> Iterator[str]:
    printed = [
        s.name for s in tree.body
        if isinstance(s, ast.FunctionDef) and is_printed_helper(s, target)
    ]  # fmt: skip
    names = Names.of(tree, target, frozenset(printed))
    yield from _imports(tree, target)
    ours: list[ast.stmt] = []
    for statement in tree.body:
        # What crossport itself prints, letter by letter, is known to be good.
        if is_printed_helper(statement, target) or is_printed_stand_in(statement, target):
            continue
        yield from _top(statement)
        ours.append(statement)
    for statement in ours:
        yield from _constructs(statement)
        yield from check_names(statement, names)
        yield from check_products(tree, statement, target)
    yield from check_tables(tree, symbols)
    if target == "triton":
        yield from host_arithmetic(tree, ours, kernels)


def _imports(tree: ast.Module, target: Target) -> Iterator[str]:
    allowed = IMPORTS[target]
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                full = [alias.name for alias in node.names]
            case ast.ImportFrom():
                full = [f"{'.' * node.level}{node.module or ''}.{a.name}" for a in node.names]
            case _:
                continue
        yield from (f"{node.lineno}: imports {name}" for name in full if name not in allowed)
        if node not in tree.body:
            yield f"{node.lineno}: imports inside other code"


def _top(statement: ast.stmt) -> Iterator[str]:
    """At import a module defines; it does not compute."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.Pass():
            return
        case ast.Expr(value=ast.Constant(value=str())):
            return
        case ast.Assign(targets=[ast.Name(id="KERNELS")], value=ast.Dict()):
            return
        case ast.Assign(targets=[ast.Name()], value=value) if _is_definition(value):
            return
        case ast.AnnAssign(target=ast.Name(), value=value) if value and _is_definition(value):
            return
        case ast.Assign(targets=[ast.Attribute(attr="globals")]):
            return
        case _:
            yield f"{statement.lineno}: works at import"


def _is_definition(value: ast.expr) -> bool:
    """A constant, or another name for something; nothing that is computed or could be changed."""
    match value:
        case ast.Constant() | ast.Name():
            return True
        case ast.Attribute():
            return True
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Tuple(elts=parts):
            return all(_is_definition(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _is_definition(left) and _is_definition(right)
        case ast.Call(func=ast.Attribute(attr="constexpr"), args=[inner]):
            return _is_definition(inner)
        case _:
            return False


def _constructs(statement: ast.stmt) -> Iterator[str]:
    """Statements and expressions that no port needs, wherever they stand."""
    for node in ast.walk(statement):
        line = getattr(node, "lineno", statement.lineno)
        match node:
            case ast.Try() | ast.TryStar():
                yield f"{line}: catches exceptions: a port has no second way"
            case ast.Global() | ast.Nonlocal():
                yield f"{line}: keeps state between calls"
            case ast.ClassDef():
                yield f"{line}: defines a class"
            case ast.AsyncFunctionDef() | ast.Await() | ast.Yield() | ast.YieldFrom():
                yield f"{line}: suspends itself"
            case ast.AsyncFor() | ast.AsyncWith():
                yield f"{line}: suspends itself"
            case ast.Attribute(ctx=ast.Store() | ast.Del(), attr=name) if not (
                name == "globals" and isinstance(statement, ast.Assign)
            ):
                yield f"{line}: keeps state in an attribute: .{name}"
            case ast.FunctionDef() | ast.Lambda():
                yield from _defaults(node)
            case _:
                pass


def _defaults(node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        if default is not None and not _is_plain(default):
            yield f"{node.lineno}: keeps state in a default argument"


def _is_plain(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.Name() | ast.Attribute():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_plain(operand)
        case ast.Tuple(elts=parts):
            return all(map(_is_plain, parts))
        case _:
            return False
