"""Break long lines of generated Python at the commas of their outermost brackets.

x = tl.load(pointer + index, mask=mask, other=0)    ->    x = tl.load(
                                                              pointer + index,
                                                              mask=mask,
                                                              other=0,
                                                          )
"""

from __future__ import annotations

import re

LIMIT = 100
_SIGNS = (" + ", " - ", " * ", " & ", " | ", " // ", " % ")


def wrap(lines: list[str]) -> list[str]:
    """The lines, none longer than the limit where brackets allow it."""
    return [piece for line in lines for piece in _wrap(line)]


def _wrap(line: str) -> list[str]:
    if len(line) <= LIMIT or '"""' in line or line.lstrip().startswith("#"):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    found = _outer(line)
    if found is None:
        return _parenthesised(line, indent)
    start, end = found
    parts = _split(line[start + 1 : end])
    tail = line[end:]
    if len(parts) == 1 and "=" not in line[:start] and "return" not in line[:start]:
        inner = _wrap(f"{indent}    {parts[0]}")
        return [line[: start + 1], *inner, indent + tail]
    result = [line[: start + 1]]
    # Grouping parentheses and comprehensions take no comma: it would make a tuple.
    before = line[start - 1] if start else " "
    is_call = line[start] != "(" or before.isalnum() or before in "_])"
    if not is_call and len(parts) == 1:
        inner = _operators(f"{indent}    ", parts[0])
        return [line[: start + 1], *inner, indent + tail]
    comma = "" if len(parts) == 1 and " for " in parts[0] else ","
    for part in parts:
        pieces = _wrap(f"{indent}    {part}{comma}")
        chain = _operators(f"{indent}        ", part)
        if max(map(len, pieces)) > LIMIT and len(chain) > 1 and not re.match(r"\w+=", part):
            pieces = [f"{indent}    (", *chain, f"{indent}    ){comma}"]
        result += pieces
    result.append(indent + tail)
    return result


def _parenthesised(line: str, indent: str) -> list[str]:
    name, equals, value = line.partition(" = ")
    if not equals:
        return [line]
    return [f"{name} = (", *_operators(f"{indent}    ", value), f"{indent})"]


def _operators(indent: str, value: str) -> list[str]:
    """A chain broken before its loosest operators."""
    for signs in ((" & ", " | "), (" + ", " - "), (" * ",)):
        pieces = _split_on(value, signs)
        if len(pieces) > 1:
            return [
                piece for i, p in enumerate(pieces)
                for piece in _wrap(indent + (p if i == 0 else p.lstrip()))
            ]  # fmt: skip
    return [indent + value]


def _split_on(text: str, signs: tuple[str, ...]) -> list[str]:
    depth, last, pieces = 0, 0, []
    for i, c in enumerate(text):
        depth += c in "([{"
        depth -= c in ")]}"
        if depth == 0 and any(text.startswith(s, i) for s in signs):
            pieces.append(text[last:i])
            last = i
    pieces.append(text[last:])
    return [p for p in pieces if p.strip()]


def _outer(line: str) -> tuple[int, int] | None:
    """The last top-level bracket pair that ends the line (a colon may follow)."""
    body = line.rstrip(":,")
    if not body or body[-1] not in ")]}":
        return None
    depth = 0
    for i in range(len(body) - 1, -1, -1):
        depth += body[i] in ")]}"
        depth -= body[i] in "([{"
        if depth == 0:
            # What stands before must be a name: `f(` or `= [`, not `(a + b) * (`.
            before = body[:i]
            operand = before.rpartition(" = ")[2].strip() if " = " in before else before.strip()
            if operand.startswith("return "):
                operand = operand[7:]
            if any(len(_split_on(operand, (s,))) > 1 for s in _SIGNS):
                return None
            return i, len(body) - 1
    return None


def _split(text: str) -> list[str]:
    depth, last, pieces = 0, 0, []
    quote = ""
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
            continue
        if c in "\"'":
            quote = c
            continue
        depth += c in "([{"
        depth -= c in ")]}"
        if c == "," and depth == 0:
            pieces.append(text[last:i].strip())
            last = i + 1
    pieces.append(text[last:].strip())
    return [p for p in pieces if p]
