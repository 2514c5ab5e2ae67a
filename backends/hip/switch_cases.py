"""Cases of enumerators that HIP does not have: never reached under HIP, so kept for CUDA only.

Example:

    case cudaErrorInvalidPtx:             #ifndef __HIP__
      return "invalid ptx";       ->      case cudaErrorInvalidPtx:
    case cudaErrorUnknown:                  return "invalid ptx";
                                          #endif
                                          case hipErrorUnknown:

Tables that turn every error code into its name are in many programs (CUDA's samples share one).
Only a case of its own is taken out: one that the code above falls into stays, with a diagnostic.
Two enumerators that are one in HIP leave one case, the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import SourceText

_LEAVES = (b"return", b"break", b"throw", b"goto", b"continue")
_REASON = "HIP has no such enumerator"


def without_case(text: SourceText, index: int) -> list[Edit] | None:
    """Edits that keep `case index:` for CUDA only; None where that would change what is done."""
    tokens = text.tokens
    if tokens.at(index - 1) != b"case" or tokens.at(index + 1) != b":":
        return None
    if tokens.at(index + 2) in (b"case", b"default"):
        # It shares its statements with the next label.
        return [Edit(text.file, tokens.start[index - 1], tokens.start[index + 2], "", _REASON)]
    if not _is_left_before(text, index - 1):
        return None
    last = _last_token(text, index + 2)
    if last is None:
        return None
    source = text.source
    first = source.rfind(b"\n", 0, tokens.start[index - 1]) + 1
    below = text.line_after(tokens.end(last))
    after = tokens.start[last + 1]
    if source[first : tokens.start[index - 1]].strip() or below > after:
        return [Edit(text.file, tokens.start[index - 1], after, "", _REASON)]
    line = newline_of(source)
    guard = source[:first].rstrip().rsplit(b"\n", 1)[-1].split()
    macro = text.hip_macro
    if guard in ([b"#ifndef", b"__HIP__"], [b"#ifndef", macro]):
        return []
    return [
        Edit(text.file, first, first, f"#ifndef {macro.decode()}{line}", _REASON),
        Edit(text.file, below, below, f"#endif{line}", _REASON),
    ]


def repeated_cases(text: SourceText, names: Mapping[bytes, str]) -> frozenset[int]:
    """Labels of a switch that HIP calls like one before them; `names`: what HIP calls a word."""
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    if not shared or b"case" not in text.words:
        return frozenset()
    found: set[int] = set()
    tokens = text.tokens
    # For each open brace, the names of its labels; a branch of an #if may repeat the other's.
    labels: list[set[str]] = [set()]
    for index, word in enumerate(tokens.text):
        if word == b"{":
            labels.append(set())
        elif word == b"}":
            del labels[max(1, len(labels) - 1) :]
        elif word.endswith((b"else", b"elif")) and tokens.kind[index] == Kind.DIRECTIVE:
            labels[-1] = set()
        elif tokens.at(index - 1) == b"case" and names.get(word) in shared:
            if names[word] in labels[-1]:
                found.add(index)
            labels[-1].add(names[word])
    return frozenset(found)


def _is_left_before(text: SourceText, case: int) -> bool:
    """Whether the statement before the label leaves the switch, or there is none."""
    tokens = text.tokens
    at = case - 1
    while at >= 0 and tokens.text[at].lstrip(b"# \t") in (b"endif",):
        at -= 1
    if tokens.at(at) in (b"{", b":"):
        return tokens.at(at) == b"{"
    if tokens.at(at) != b";":
        return False
    at -= 1
    while at >= 0 and tokens.text[at] not in (b";", b"{", b"}", b":"):
        at -= 1
    return tokens.at(at + 1) in _LEAVES


def _last_token(text: SourceText, first: int) -> int | None:
    """The last token of the case's statements; None when they may run on into the next case."""
    tokens = text.tokens
    at = start = first
    while at < len(tokens):
        word = tokens.text[at]
        if word == b"{":
            at = tokens.partner.get(at, len(tokens))
        elif word == b";":
            start = at + 1 if tokens.at(at + 1) not in (b"case", b"default", b"}") else start
        elif word in (b"case", b"default", b"}") or word.startswith(b"#"):
            return at - 1 if tokens.at(start) in _LEAVES else None
        at += 1
    return None
