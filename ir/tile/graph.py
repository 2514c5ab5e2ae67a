"""Hash-consed values of lanes: what a thread holds, in terms of what other threads held.

    s[tid] += s[tid + 128]     lane 5 holds     +( atom(x, 5), atom(x, 133) )

An atom is a flat variable in one lane. Chains of an associative, commutative operator keep their
tree; `leaves` flattens one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossport.ir.tile.limits import MOST_NODES, NotLifted

Ids = NDArray[np.int64]
AC_OPERATORS = frozenset(
    ("+", "*", "&", "|", "^", "min", "max", "fminf", "fmaxf", "fmin", "fmax", "__hmin", "__hmax")
)
IDEMPOTENT = frozenset(("&", "|", "min", "max", "fminf", "fmaxf", "fmin", "fmax"))

Key = tuple[object, ...]


@dataclass
class Graph:
    """All nodes. A node is ("atom", variable, lane), ("const", value), ("undef",) or (op, ...)."""

    nodes: list[Key] = field(default_factory=list)
    _index: dict[Key, int] = field(default_factory=dict)
    _leaves: dict[tuple[int, str], Ids] = field(default_factory=dict)
    _size: int = 0
    """Nodes made, and operands listed of chains."""

    def make(self, *key: object) -> int:
        """The node of that key."""
        found = self._index.get(key)
        if found is None:
            found = len(self.nodes)
            self.nodes.append(key)
            self._index[key] = found
            self._count(1)
        return found

    def _count(self, more: int) -> None:
        self._size += more
        if self._size > MOST_NODES:
            raise NotLifted(f"what its threads exchange has more than {MOST_NODES} values")

    @property
    def undefined(self) -> int:
        """What nobody has written."""
        return self.make("undef")

    def atoms(self, name: str, lanes: Ids) -> Ids:
        """A variable's value in each of the lanes."""
        return np.array([self.make("atom", name, int(t)) for t in lanes], np.int64)

    def apply(self, op: str, *columns: Ids) -> Ids:
        """The operator, lane by lane."""
        memo: dict[tuple[int, ...], int] = {}
        out = np.empty(len(columns[0]), np.int64)
        for t, args in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            node = memo.get(args)
            if node is None:
                node = memo[args] = self.make(op, *args)
            out[t] = node
        return out

    def leaves(self, node: int, op: str) -> Ids:
        """The sorted operands of a chain of one operator."""
        waiting = [node]
        while waiting:
            top = waiting[-1]
            if (top, op) in self._leaves:
                waiting.pop()
                continue
            entry = self.nodes[top]
            below = [int(a) for a in entry[1:]] if entry[0] == op else []  # type: ignore[call-overload]
            missing = [a for a in below if (a, op) not in self._leaves]
            if missing:
                waiting += missing
                continue
            found = np.array([top], np.int64)
            if below:
                found = np.sort(np.concatenate([self._leaves[a, op] for a in below]))
                if op in IDEMPOTENT:
                    found = np.unique(found)
            self._count(len(found))
            self._leaves[top, op] = found
        return self._leaves[node, op]
