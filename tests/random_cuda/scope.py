"""What a random program has in scope, and what an expression of it touches."""

from __future__ import annotations

from dataclasses import dataclass, field

INTEGERS = {
    "bool": 8, "char": 8, "signed char": 8, "unsigned char": 8, "short": 16,
    "unsigned short": 16, "int": 32, "unsigned": 32, "long": 64, "unsigned long": 64,
    "long long": 64, "unsigned long long": 64, "int8_t": 8, "uint16_t": 16, "size_t": 64,
}  # fmt: skip
FLOATS = ("float", "double")
UNSIGNED = frozenset(
    ("unsigned char", "unsigned short", "unsigned", "unsigned long", "unsigned long long",
     "uint16_t", "size_t", "bool")
)  # fmt: skip

# Everything that a pointer may reach is one thing as far as effects go.
MEMORY = "*"


@dataclass(frozen=True)
class Text:
    """An expression: how it is written, what it reads and writes, how many steps it costs."""

    text: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    cost: int = 1

    def clashes(self, other: Text) -> bool:
        """Would it matter which of the two goes first?"""
        return bool(
            self.writes & (other.reads | other.writes) or other.writes & (self.reads | self.writes)
        )


def join(text: str, *parts: Text) -> Text:
    """A text made of parts that are all evaluated."""
    return Text(
        text,
        frozenset().union(*(p.reads for p in parts)),
        frozenset().union(*(p.writes for p in parts)),
        1 + sum(p.cost for p in parts),
    )


@dataclass(frozen=True)
class Lvalue:
    """Something that can be read, and written unless it is `fixed`."""

    text: str
    type: str
    token: str
    fixed: bool = False
    has_address: bool = True

    @property
    def is_float(self) -> bool:
        """A float or double."""
        return self.type in FLOATS


@dataclass(frozen=True)
class Array:
    """An array or pointer with so many elements from where it points (a power of two)."""

    text: str
    type: str
    length: int
    rows: int = 0  # a 2-D array
    fixed: bool = False


@dataclass(frozen=True)
class Function:
    """A device function, lambda or method: how to call it."""

    name: str
    parameters: tuple[str, ...]
    result: str
    writes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    cost: int = 10


@dataclass(frozen=True)
class Record:
    """A struct: its scalar fields (name, type) and its methods."""

    name: str
    fields: tuple[tuple[str, str], ...]
    bit_fields: tuple[tuple[str, str], ...]
    array: tuple[str, str, int]  # name, type, length
    methods: tuple[Function, ...] = ()


@dataclass
class Scope:
    """The names that can be used at one point."""

    lvalues: list[Lvalue] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def inner(self) -> Scope:
        """A copy for a block: what it declares ends with it."""
        return Scope(list(self.lvalues), list(self.arrays), list(self.functions))

    def hide(self, name: str) -> None:
        """A new declaration of the name shadows the old one."""
        self.lvalues = [v for v in self.lvalues if v.token != name]
