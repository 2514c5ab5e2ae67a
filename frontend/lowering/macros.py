"""What a macro's use stands for, as text: the compiler's interface shows cursors of it, not words.

    #define WAIT(n) asm volatile("cp.async.wait_group " #n ";\n" ::)

    WAIT(2)    ->    asm volatile("cp.async.wait_group " "2" ";\n" ::)

Only what inline assembly needs: object-like and function-like macros of the project, `#`, `##` and
`__VA_ARGS__`, rescanned without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.lowering.cursors import Sources, span

_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|\w+|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|##|.", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Macro:
    """`parameters` None: object-like."""

    parameters: tuple[str, ...] | None
    body: str


def definitions(unit: Cursor, sources: Sources) -> dict[str, Macro]:
    """The macros of a translation unit's files; the last definition of a name counts."""
    found: dict[str, Macro] = {}
    for cursor in clang.children(unit):
        if cursor.kind != CursorKind.MACRO_DEFINITION:
            if cursor.kind.is_preprocessing():
                continue
            break
        place = span(cursor)
        if place is None:
            continue
        start, end = clang.offsets(cursor)
        text = sources.read(place.file)[start:end].decode("utf-8", errors="replace")
        found[str(cursor.spelling)] = _macro(re.sub(r"\\\r?\n", " ", text))
    return found


def _macro(text: str) -> Macro:
    match = re.match(r"\w+\(([^)]*)\)(.*)|\w+(.*)", text, re.DOTALL)
    assert match is not None
    if match[1] is None:
        return Macro(None, match[3])
    names = tuple(name.strip().replace("...", "__VA_ARGS__") for name in match[1].split(","))
    return Macro(tuple(name for name in names if name), match[2])


def use_at(data: bytes, offset: int) -> str:
    """The text of a macro's use: its name, and its arguments in parentheses if there are any."""
    text = data[offset : offset + 4000].decode("utf-8", errors="replace")
    match = re.match(r"\w+\s*", text)
    if match is None:
        return ""
    tokens = list(_TOKEN.findall(text[match.end() :]))
    if tokens[:1] != ["("]:
        return match[0]
    _, end = _arguments(tokens, 0)
    return match[0] + "".join(tokens[:end])


def expand(text: str, known: Mapping[str, Macro], hidden: frozenset[str] = frozenset()) -> str:
    """The text with every macro in it replaced."""
    return "".join(_expanded(_TOKEN.findall(text), known, hidden))


def _expanded(
    tokens: list[str], known: Mapping[str, Macro], hidden: frozenset[str]
) -> Iterator[str]:
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        macro = known.get(token)
        if macro is None or token in hidden:
            yield token
            continue
        if macro.parameters is None:
            yield expand(macro.body, known, hidden | {token})
            continue
        following = position
        while following < len(tokens) and tokens[following].isspace():
            following += 1
        if following == len(tokens) or tokens[following] != "(":
            yield token
            continue
        arguments, position = _arguments(tokens, following)
        body = _substituted(macro, arguments, known, hidden)
        yield expand(body, known, hidden | {token})


def _arguments(tokens: list[str], start: int) -> tuple[list[str], int]:
    """The texts between the parentheses at `start`, and where what follows them begins."""
    arguments, depth, position = [""], 0, start + 1
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token == ")" and depth == 0:
            break
        depth += (token in "([{") - (token in ")]}")
        if token == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += token
    return [argument.strip() for argument in arguments], position


def _substituted(
    macro: Macro, arguments: list[str], known: Mapping[str, Macro], hidden: frozenset[str]
) -> str:
    names = macro.parameters or ()
    if names and names[-1] == "__VA_ARGS__":
        fixed = len(names) - 1
        arguments = [*arguments[:fixed], ", ".join(arguments[fixed:])]
    values = dict(zip(names, arguments, strict=False))
    tokens = [t for t in _TOKEN.findall(macro.body) if not t.startswith(("//", "/*"))]
    result: list[str] = []
    for position, token in enumerate(tokens):
        before = next((t for t in reversed(tokens[:position]) if not t.isspace()), "")
        after = next((t for t in tokens[position + 1 :] if not t.isspace()), "")
        if token == "#" and after in values:
            continue
        if token not in values:
            result.append(token)
        elif before == "#":
            escaped = values[token].replace("\\", "\\\\").replace('"', '\\"')
            result.append(f'"{escaped}"')
        elif "##" in (before, after):
            result.append(values[token])
        else:
            result.append(expand(values[token], known, hidden))
    return re.sub(r"\s*##\s*", "", "".join(result))
