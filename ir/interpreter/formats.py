"""C's printf on register values.

printf("%5.2f %d %s\\n", ...)      lengths (l, ll, h, z) are dropped: values know their size
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|l|j|z|t|L)?([%a-zA-Z])")


def format_c(text: str, values: list[Any]) -> str:
    """The text that printf writes."""
    rest = list(values)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, _, letter = match.groups()
        if letter == "%":
            return "%"
        if width == "*":
            width = str(int(rest.pop(0))) if rest else ""
        if precision == "*":
            precision = str(int(rest.pop(0))) if rest else ""
        spec = "%" + flags + (width or "") + (f".{precision}" if precision is not None else "")
        if not rest:
            return match[0]
        return _directive(spec, letter, rest.pop(0))

    return _DIRECTIVE.sub(one, text)


def _directive(spec: str, letter: str, value: Any) -> str:
    if letter in "di":
        return (spec + "d") % int(value)
    if letter in "uxXo":
        number = int(value)
        if number < 0:
            number += 1 << (8 * np.asarray(value).dtype.itemsize)
        return (spec + ("d" if letter == "u" else letter)) % number
    if letter == "c":
        return (spec + "s") % chr(int(value) & 0xFF)
    if letter == "p":
        return (spec + "s") % hex(int(value) & (2**64 - 1))
    if letter in "aA":
        return float(value).hex()
    if letter in "eEfFgG":
        number_ = float(value)
        if number_ != number_ or number_ in (float("inf"), float("-inf")):
            return (re.sub(r"[#0]|\.\d+", "", spec) + "s") % str(number_)
        return (spec + letter) % number_
    return str((spec + "s") % value)
