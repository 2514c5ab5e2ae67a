"""Size expressions in cases.toml: integer and float arithmetic over a case's parameters.

    evaluate("ceil_div(n, 256) + 1", {"n": 1000})   ->   5

Only arithmetic, comparison and the functions below are understood; nothing else can run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

Number = int | float

_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: lambda a, b: int(a) << min(int(b), 63),
    ast.RShift: lambda a, b: int(a) >> int(b),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Number, Number], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "ceil_div": lambda a, b: -(-a // b),
    "min": min,
    "max": max,
    "abs": abs,
    "sqrt": lambda a: float(a) ** 0.5,
}
_LONGEST = 400


class ExpressionError(ValueError):
    """An expression that does not parse, names something unknown, or divides by zero."""


def evaluate(expression: str | Number, names: Mapping[str, Number]) -> Number:
    """The value of an expression; numbers stand for themselves."""
    if isinstance(expression, (int, float)):
        return expression
    if len(expression) > _LONGEST:
        raise ExpressionError(f"the expression is longer than {_LONGEST} characters")
    try:
        tree = ast.parse(expression, mode="eval")
        return _value(tree.body, names)
    except SyntaxError:
        raise ExpressionError(f"'{expression}' is not an expression") from None
    except ZeroDivisionError:
        raise ExpressionError(f"'{expression}' divides by zero") from None
    except (TypeError, OverflowError, RecursionError):
        raise ExpressionError(f"'{expression}' has no value") from None


def evaluate_int(expression: str | Number, names: Mapping[str, Number]) -> int:
    """As `evaluate`, for sizes: the value must be a whole number."""
    value = evaluate(expression, names)
    if int(value) != value:
        raise ExpressionError(f"'{expression}' is {value}, not a whole number")
    return int(value)


def _value(node: ast.expr, names: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return value
        case ast.Name(id=name):
            if name not in names:
                known = ", ".join(sorted(names)) or "none"
                raise ExpressionError(f"unknown name '{name}' (known: {known})")
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return int(_COMPARE[type(op)](_value(left, names), _value(right, names)))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, names) else orelse, names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(arg, names) for arg in args))
        case _:
            raise ExpressionError(f"'{ast.unparse(node)}' is not allowed in a size expression")
