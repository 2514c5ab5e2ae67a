"""What an earlier walk over the kernel learned, and the exception that starts it again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Guesses:
    """What earlier walks learned: variables that must be addresses, bytes, or memory."""

    addresses: set[str] = field(default_factory=set)
    bytes: set[str] = field(default_factory=set)
    memory: set[str] = field(default_factory=set)


class Retry(Exception):
    """Walk again, with this variable known to be an address, bytes, or memory."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(name)

    def apply(self, state: Guesses) -> None:
        """Note what was learned."""
        getattr(state, self.kind).add(self.name)
