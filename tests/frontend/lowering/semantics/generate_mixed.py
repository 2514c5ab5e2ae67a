"""Write mixed.cu: random C expressions over every arithmetic type, without undefined behaviour.

python generate_mixed.py > mixed.cu
pytest tests/frontend/lowering --update-golden
"""

from __future__ import annotations

import random

TYPES = {
    "c": "signed char", "u": "unsigned char", "s": "short", "t": "unsigned short", "i": "int",
    "v": "unsigned", "l": "long long", "w": "unsigned long long", "f": "float", "d": "double",
    "b": "bool",
}  # fmt: skip
INTEGERS = [name for name in TYPES if name not in "fd"]
VALUES = {
    "c": ["-128", "127", "-3", "11"], "u": ["200", "255", "0", "7"], "s": ["-32768", "300", "-1"],
    "t": ["65535", "40000", "1"], "i": ["2147483647", "-2147483647 - 1", "-77", "12345"],
    "v": ["4294967295u", "2147483648u", "9u"], "l": ["-9223372036854775807ll", "5000000000ll"],
    "w": ["18446744073709551615ull", "10000000000ull"], "f": ["0.1f", "-2.5f", "16777216.0f"],
    "d": ["0.1", "-1e10", "3.75"], "b": ["true", "false"],
}  # fmt: skip


class Maker:
    """Expressions that mean the same to every compiler (wrapping arithmetic is asked for)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def whole(self, depth: int) -> str:
        """An integer expression."""
        pick = self.random
        if depth == 0:
            return pick.choice([pick.choice(INTEGERS), str(pick.randint(-300, 300)), "'q'", "3u"])
        one, two = self.whole(depth - 1), self.whole(depth - 1)
        match pick.randrange(9):
            case 0:
                return f"({one} {pick.choice('+-*&|^')} {two})"
            case 1:
                return f"({one} {pick.choice(['<', '<=', '>', '>=', '==', '!='])} {two})"
            case 2:  # no division by zero, no quotient out of range
                return f"({one} {pick.choice('/%')} (({two}) & 7 | 2))"
            case 3:
                return f"(({self.cast()})({one}) {pick.choice(['<<', '>>'])} (({two}) & 7))"
            case 4:
                return f"(({one}) ? ({two}) : {self.whole(depth - 1)})"
            case 5:
                return f"({self.cast()})({one})"
            case 6:
                return f"({pick.choice(['-', '~', '!', '+'])}({one}))"
            case 7:
                return f"({one} {pick.choice(['&&', '||'])} {two})"
            case _:
                return f"({one} + {two})"

    def cast(self) -> str:
        return TYPES[self.random.choice(INTEGERS)]

    def real(self, depth: int) -> str:
        """A float or double expression; integers take part."""
        pick = self.random
        if depth == 0:
            return pick.choice(["f", "d", "0.5f", "3.0", pick.choice(INTEGERS)])
        one, two = self.real(depth - 1), self.real(depth - 1)
        match pick.randrange(5):
            case 0 | 1:
                return f"({one} {pick.choice('+-*')} {two})"
            case 2:
                return f"({one} / (({two}) * 0 + 7))"
            case 3:
                return f"({pick.choice(['float', 'double'])})({one})"
            case _:
                return f"(({self.whole(1)}) ? {one} : {two})"

    def kernel(self, name: str) -> str:
        lines = [f"__global__ void {name}(long long* out, double* real) {{"]
        for variable, kind in TYPES.items():
            lines.append(f"    {kind} {variable} = {self.random.choice(VALUES[variable])};")
        for slot in range(48):
            lines.append(f"    out[{slot}] = {self.whole(3)};")
            if slot % 6 == 5:
                target = self.random.choice(INTEGERS)
                operator = self.random.choice(["+", "-", "*", "^", "|", "&"])
                lines.append(f"    {target} {operator}= {self.whole(1)};")
        for slot in range(24):
            lines.append(f"    real[{slot}] = {self.real(2)};")
            if slot % 6 == 5:
                lines.append(f"    f {self.random.choice('+-*')}= {self.real(1)};")
        return "\n".join([*lines, "}"])


if __name__ == "__main__":
    print("// Written by generate_mixed.py.")
    for number in range(6):
        print(Maker(number).kernel(f"mixed_{number}"))
