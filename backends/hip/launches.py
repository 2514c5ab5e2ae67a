"""Launches that only nvcc takes: pulled apart by a formatter, or of a grid that is a uint3.

Example:

    k << <grid, block >> > (p);     ->     k <<<grid, block >>> (p);
    uint3 g; k<<<g, 32>>>(p);       ->     k<<<dim3(g.x, g.y, g.z), 32>>>(p);
"""

from __future__ import annotations

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText
from crossport.frontend.chevrons import spaced_chevrons


def launch_edits(text: SourceText) -> Findings:
    """Join the brackets of each launch."""
    found = Findings()
    tokens = text.tokens
    for start, end in spaced_chevrons(text.source):
        index = tokens.index_at(start)
        # Elsewhere it is a comment or a string.
        if tokens.kind[index : index + 1] == [Kind.PUNCT] and tokens.start[index] == start:
            joined = text.source[start : start + 1].decode() * 3
            found.edits.append(Edit(text.file, start, end, joined, "clang wants one token here"))
    if b"uint3" in text.words:
        for index, word in enumerate(tokens.text):
            if word == b"<<<" and tokens.kind[index] == Kind.PUNCT:
                _dimensions(text, index, found)
    return found


def _dimensions(text: SourceText, opening: int, found: Findings) -> None:
    """Grid and block of one launch, where each is a variable: HIP's dim3 takes no uint3."""
    tokens = text.tokens
    for index in (opening + 1, opening + 3):
        ends = tokens.at(index - 1) in (b"<<<", b",") and tokens.at(index + 1) in (b",", b">>>")
        if ends and tokens.is_name(index) and declared_type(text, index) == b"uint3":
            name = tokens.text[index].decode("utf-8", "surrogateescape")
            made = f"dim3({name}.x, {name}.y, {name}.z)"
            found.edits.append(text.edit(index, index, made, "HIP's dim3 takes no uint3"))


def declared_type(text: SourceText, index: int) -> bytes:
    """The word before the last declaration of a variable that stands above a use of it."""
    tokens = text.tokens
    for at in range(index - 1, 0, -1):
        if tokens.text[at] == tokens.text[index] and tokens.is_name(at - 1):
            return tokens.text[at - 1]
    return b""
