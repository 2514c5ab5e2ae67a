"""The verifier names each rule that a module breaks, and only those."""

import pytest

from crossport.ir.parser import parse_module
from crossport.ir.verify import assert_valid, verify


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("i = (i + 1u32)", "both operands of +: found i32 and u32"),
        ("i = f", "an assignment: found f32 and i32"),
        ("f = (f % f)", "f32 % f32"),
        ("break", "break outside a loop or switch"),
        ("switch i { case 1 { continue } }", "continue outside a loop"),
        ("let i: i32", "i is declared twice"),
        ("if i { }", "the condition of if: found i32 and bool"),
        ("return i", "return: found i32 and void"),
        ("call nothing()", "the module lacks"),
        ("call g(f)", "argument a of g: found f32 and i32"),
        ("i = vote.ballot((i == 0))", "the result in i: found u32 and i32"),
        ("atomic.cas.device(i, 0)", "atomic cas takes 2 operands"),
        ("p[f] = f", "an index of type f32"),
        ("f = (i bits f32)\n f = (0i64 bits f32)", "bits of i64 as f32"),
    ],
)
def test_broken_rule_is_named(body: str, problem: str) -> None:
    text = (
        f"function g(a: i32) -> i32 {{ return a }} kernel k(i: i32, f: f32, p: f32*) {{ {body} }}"
    )
    found = verify(parse_module(text))
    assert len(found) == 1, found
    assert problem in found[0]


def test_a_valid_module_passes() -> None:
    text = """
    function g(a: i32) -> i32 { return a }
    kernel k(i: i32, f: f32, p: f32*) {
      let j: i32
      j = call g(i)
      for (j < i) { p[j] = f } step { j = (j + 1) }
      while true { break }
    }"""
    assert_valid(parse_module(text))


def test_the_error_names_the_step() -> None:
    module = parse_module("kernel k(i: i32) { i = 1u32 }")
    with pytest.raises(AssertionError, match=r"after fold_constants: k: an assignment"):
        assert_valid(module, after="fold_constants")
