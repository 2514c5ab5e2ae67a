"""The word `template` that nvcc does without in device code, and clang wants.

Example, inside a template with the parameter T:

    convert<T>::cast<N>(to, from);    ->    convert<T>::template cast<N>(to, from);

A member is a template when the project declares a function template of its name.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.source import Findings, SourceText

_WHY = "nvcc does without this word, clang does not"
# What may stand in template arguments; others make `<` a comparison.
_NEVER_INSIDE = (b";", b"{", b"}", b"&&", b"||", b"=")


def template_keyword_edits(text: SourceText) -> Findings:
    """Write the word before member templates of types that depend on a template's parameter."""
    found = Findings()
    members = text.project_templates & text.words
    if not members or b"template" not in text.words:
        return found
    tokens = text.tokens
    parameters: frozenset[bytes] | None = None
    for index in text.code_names:
        if tokens.text[index] not in members or tokens.at(index + 1) != b"<":
            continue
        if tokens.at(index - 1) != b"::" or tokens.at(index - 2) != b">":
            continue
        opening = _opening(text, index - 2)
        closing = _closing(text, index + 1)
        if opening is None or closing is None or tokens.at(closing + 1) != b"(":
            continue
        if parameters is None:
            parameters = frozenset(_parameters(text))
        if not parameters.isdisjoint(tokens.text[opening : index - 2]):
            at = tokens.start[index]
            found.edits.append(Edit(text.file, at, at, "template ", _WHY))
    return found


def function_templates(text: SourceText) -> frozenset[bytes]:
    """The names of the function templates that a file declares."""
    return frozenset(name for _, name in _templates(text) if name)


def _parameters(text: SourceText) -> Iterator[bytes]:
    tokens = text.tokens
    for closing, _ in _templates(text):
        at = closing
        while tokens.text[at] != b"template":
            if tokens.is_name(at) and tokens.at(at + 1) in (b",", b">", b"="):
                yield tokens.text[at]
            at -= 1


def _templates(text: SourceText) -> Iterator[tuple[int, bytes]]:
    """For each `template <...>`: where its list ends, and the name of the function behind it."""
    tokens = text.tokens
    if b"template" not in text.words:
        return
    for index in text.code_names:
        if tokens.text[index] != b"template" or tokens.at(index + 1) != b"<":
            continue
        closing = _closing(text, index + 1)
        if closing is None:
            continue
        at = closing + 1
        while at < len(tokens) and tokens.text[at] not in (b"(", b";", b"{", b"=", b"class"):
            at += 1
        is_function = tokens.at(at) == b"(" and tokens.is_name(at - 1)
        yield closing, tokens.text[at - 1] if is_function else b""


def _closed(word: bytes) -> int:
    """How many lists a token closes: three `>` in a row are one token."""
    return len(word) if word in (b">", b">>>") else 0


def _closing(text: SourceText, opening: int) -> int | None:
    """The `>` that ends the template list which opens at a token."""
    tokens = text.tokens
    depth = 0
    at = opening
    while at < len(tokens):
        word = tokens.text[at]
        depth += (word == b"<") - _closed(word)
        if depth <= 0:
            return at
        if word in _NEVER_INSIDE and not (word == b"=" and tokens.at(opening - 1) == b"template"):
            return None
        at = tokens.partner.get(at, at) + 1 if word in (b"(", b"[") else at + 1
    return None


def _opening(text: SourceText, closing: int) -> int | None:
    """The `<` of the template list that ends at a token."""
    tokens = text.tokens
    depth = 0
    at = closing
    while at >= 0:
        word = tokens.text[at]
        depth += _closed(word) - (word == b"<")
        if depth <= 0:
            return at
        if word in _NEVER_INSIDE:
            return None
        at = tokens.partner.get(at, at) - 1 if word in (b")", b"]") else at - 1
    return None
