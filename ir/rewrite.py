"""Traversal, once: rebuild an IR tree bottom up, keeping what did not change.

Example, with a rule that doubles constants:

    (i + 2)    ->    (i + 4)

A rule returns its argument to leave it alone; an unchanged tree comes back as the same object, so
`rewrite(k, rule) is k` says that nothing happened. Spans are handed on by `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from crossport.ir.nodes import Block, Node, Stmt, fields_with_nodes

N = TypeVar("N", bound=Node)


def rewrite(node: N, rule: Callable[[Node], Node]) -> N:
    """Apply `rule` to every node, children first. A node's replacement is not visited again."""
    return cast(N, rule(_rebuild(node, lambda child: rewrite(child, rule))))


def rewrite_blocks(node: N, rule: Callable[[Block], Block]) -> N:
    """Apply `rule` to every statement list, innermost first: it may drop, add or reorder."""

    def visit(child: Node) -> Node:
        return rewrite_blocks(child, rule)

    rebuilt = _rebuild(node, visit)
    changes: dict[str, Any] = {}
    for name in _blocks(type(node)):
        value = getattr(rebuilt, name)
        if isinstance(value, tuple):
            block = rule(cast(Block, value))
            if block is not value and block != value:
                changes[name] = block
    return replace(rebuilt, **changes) if changes else rebuilt


def rewrite_statements(node: N, rule: Callable[[Stmt], Block]) -> N:
    """Replace each statement, children first, by the list that `rule` gives: () removes it."""

    def each(block: Block) -> Block:
        result = tuple(new for stmt in block for new in rule(stmt))
        unchanged = len(result) == len(block) and all(
            a is b for a, b in zip(result, block, strict=True)
        )
        return block if unchanged else result

    return rewrite_blocks(node, each)


_block_fields: dict[type, tuple[str, ...]] = {}


def _blocks(kind: type[Node]) -> tuple[str, ...]:
    """The fields that are statement lists: only the annotation says so of an empty one."""
    if kind not in _block_fields:
        fields = kind.__dataclass_fields__.items()
        _block_fields[kind] = tuple(name for name, each in fields if each.type == "Block")
    return _block_fields[kind]


def _rebuild(node: N, visit: Callable[[Node], Node]) -> N:
    changes: dict[str, Any] = {}
    for name in fields_with_nodes(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            new: Any = visit(value)
            if new is not value:
                changes[name] = new
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            items = tuple(visit(item) for item in value)
            if any(a is not b for a, b in zip(items, value, strict=True)):
                changes[name] = items
    return replace(node, **changes) if changes else node
