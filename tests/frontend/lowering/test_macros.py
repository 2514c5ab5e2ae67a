"""The text that a macro's use stands for."""

from __future__ import annotations

import pytest

from crossport.frontend.lowering.macros import Macro, expand, use_at

KNOWN = {
    "TWO": Macro(None, " 2"),
    "WAIT": Macro(("n",), ' asm volatile("wait " #n ";" ::)'),
    "NAME": Macro(("a", "b"), " a##_##b + a"),
    "CALL": Macro(("f", "__VA_ARGS__"), " f(__VA_ARGS__)"),
    "BOTH": Macro(("x",), " WAIT(x) WAIT(TWO)"),
    "SELF": Macro(("x",), " SELF(x + 1)"),
}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("TWO + TWOS", "2 + TWOS"),
        ("WAIT(N - 1)", 'asm volatile("wait " "N - 1" ";" ::)'),
        ("WAIT", "WAIT"),
        ("NAME(TWO, x)", "TWO_x + 2"),
        ("CALL(g, 1, (2, 3), TWO)", "g(1, (2, 3), 2)"),
        ("BOTH(7)", 'asm volatile("wait " "7" ";" ::) asm volatile("wait " "TWO" ";" ::)'),
        ("SELF(1)", "SELF(1 + 1)"),
        ('"TWO" // TWO', '"TWO" // TWO'),
    ],
)
def test_expand(text: str, meant: str) -> None:
    assert " ".join(expand(text, KNOWN).split()) == meant


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("WAIT(f(1), ')'); more", "WAIT(f(1), ')')"),
        ("TWO; more", "TWO"),
        ("WAIT (\n  2)\n;", "WAIT (\n  2)"),
    ],
)
def test_use_at(text: str, use: str) -> None:
    assert use_at(text.encode(), 0) == use
