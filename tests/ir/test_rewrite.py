"""One traversal: bottom up, and the same object when nothing changed."""

from dataclasses import replace

from crossport.ir.nodes import Assign, Block, Const, Node, Stmt
from crossport.ir.parser import parse_function
from crossport.ir.printer import print_function
from crossport.ir.rewrite import rewrite, rewrite_statements

KERNEL = parse_function("kernel k(x: i32*) { if (x[0] == 1) { x[1] = (2 + 3) } x[2] = 4 }")


def test_a_rule_that_does_nothing_returns_the_same_object() -> None:
    assert rewrite(KERNEL, lambda node: node) is KERNEL
    assert rewrite_statements(KERNEL, lambda stmt: (stmt,)) is KERNEL


def test_a_rule_reaches_every_constant() -> None:
    def double(node: Node) -> Node:
        return replace(node, value=node.value * 2) if isinstance(node, Const) else node

    assert print_function(rewrite(KERNEL, double)) == (
        "kernel k(x: i32*) {\n  if (x[0] == 2) {\n    x[2] = (4 + 6)\n  }\n  x[4] = 8\n}\n"
    )


def test_statements_are_removed_and_doubled_in_every_block() -> None:
    def twice(stmt: Stmt) -> Block:
        return (stmt, stmt) if isinstance(stmt, Assign) else (stmt,)

    def none(stmt: Stmt) -> Block:
        return () if isinstance(stmt, Assign) else (stmt,)

    assert print_function(rewrite_statements(KERNEL, twice)).count("x[1] = (2 + 3)") == 2
    emptied = rewrite_statements(KERNEL, none)
    assert print_function(emptied) == "kernel k(x: i32*) {\n  if (x[0] == 1) {\n  }\n}\n"
