"""What an earlier walk over the kernel learned, and the exception that starts it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from crossport.ir.lift.flat import Root


@dataclass
class Guesses:
    """What earlier walks learned: variables that must be addresses, bytes, or memory."""

    addresses: set[str] = field(default_factory=set)
    bytes: set[str] = field(default_factory=set)
    memory: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    """Integer variables that hold addresses of shared memory: they are pointers."""
    roots: dict[str, tuple[Root | None, ...]] = field(default_factory=dict)
    """The roots that a pointer variable may point into (None: null), where there are several."""


class Retry(Exception):
    """Walk again, with this variable known to be of one of the kinds that `Guesses` lists."""

    def __init__(self, kind: str, name: str, roots: tuple[Root | None, ...] = ()) -> None:
        self.kind, self.name, self.roots = kind, name, roots
        super().__init__(name)

    def apply(self, state: Guesses) -> None:
        """Note what was learned."""
        if self.roots:
            state.roots[self.name] = self.roots
        else:
            getattr(state, self.kind).add(self.name)
