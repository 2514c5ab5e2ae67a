"""Breaking a line never changes what it says."""

import ast

import pytest

from crossport.ir.lift.wrapping import LIMIT, wrap

LONG = "first_operand_of_the_sum * second_operand_of_the_sum + third_operand_of_the_sum"
LINES = [
    f"x = function({LONG}, {LONG}, mask=active, other=0)",
    f"x = 0.5 * ({LONG} + {LONG} * {LONG})",
    f"x = ({LONG} + {LONG}) * y",
    f"x = {LONG} + {LONG} - f({LONG}, g({LONG}, {LONG}))",
    f"buffer = buffer.at[{LONG}].set(where({LONG}, 1), mode='drop')",
    f"return ({LONG}, f({LONG}))",
    f"x[{LONG}] = f(sum(item for item in range({LONG} + {LONG})), 1)",
    f"call_with_one_argument(tuple_maker({LONG}, {LONG}))",
    f"x = a[{LONG}] & (b[{LONG}] | c[{LONG}])",
]


@pytest.mark.parametrize("line", LINES)
def test_a_wrapped_line_parses_to_the_same(line: str) -> None:
    wrapped = wrap(["    " + line])
    text = "def f():\n" + "\n".join(wrapped)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse("def f():\n    " + line))


def test_the_arguments_of_a_call_stand_one_a_line() -> None:
    wrapped = wrap(["    " + LINES[0]])
    assert max(map(len, wrapped)) <= LIMIT
    assert [line.strip() for line in wrapped][-3:] == ["mask=active,", "other=0,", ")"]
