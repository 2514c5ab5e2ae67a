"""Launches that a formatter has pulled apart, which only nvcc takes.

Example:

    k << <grid, block >> > (p);     ->     k <<<grid, block >>> (p);
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
    return found
