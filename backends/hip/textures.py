"""Textures and surfaces on GPUs that have no image instructions: in software, or announced.

Example (gfx942 among the targets):

    cudaCreateTextureObject(&t, &r, &d, NULL);  ->  crossportCreateTextureObject(&t, &r, &d, NULL);
    v = tex2D<float>(t, x, y);                  ->  v = crossport_tex2D<float>(t, x, y);

HIP declares the functions and marks them unavailable for such a target, and its runtime makes no
texture objects there. So both sides of a program go to software together, or neither does: where a
file uses something that the software lacks (a cube map, an image of OpenGL), all is left to HIP and
announced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from crossport.backends.hip.api.texture_rows import (
    ARRAY_SOURCES,
    ARRAY_USES,
    COPIES,
    FETCHES,
    HOST,
    NO_IMAGES,
    REFERENCES,
    SURFACES,
    WITHOUT,
)
from crossport.backends.hip.device import place_for_definitions
from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.source import Findings, SourceText
from crossport.backends.hip.supplied import include_line
from crossport.diagnostics import Code, Severity

_WHY = "textures in software"
# Above renames of the API (0) and changes of its calls (1).
_PRIORITY = 3
_IMAGE_FUNCTIONS = FETCHES | SURFACES


@dataclass(frozen=True, slots=True)
class TexturePlan:
    """What becomes of a project's textures.

    `lacking`: the targets without image instructions (none: all is HIP's).
    `without`: what the project uses and software has not (none: it is software).
    """

    lacking: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def texture_plan(texts: Collection[SourceText], arch: Iterable[str]) -> TexturePlan:
    """One decision for all files of a project, which know of it (`set_project`)."""
    lacking = tuple(name for name in arch if name.partition(":")[0] in NO_IMAGES)
    words = frozenset().union(*(text.words for text in texts))
    own = frozenset().union(*(text.own_names for text in texts))
    names = _IMAGE_FUNCTIONS | HOST | REFERENCES | WITHOUT
    if not lacking or (names & words) <= own:
        return TexturePlan()
    without = {word.decode() for word in (WITHOUT & words) - own}
    if any(_open_references(text) for text in texts):
        without.add("a texture reference that is no plain variable")
    if ARRAY_USES & words - own and not ARRAY_SOURCES & words:
        without.add("arrays that the program does not allocate")
    return TexturePlan(lacking, tuple(sorted(without)))


def texture_edits(text: SourceText, plan: TexturePlan) -> Findings:
    """Move the textures of a file to software, or report the first use of each image function."""
    found = Findings()
    if not plan.lacking:
        return found
    if plan.without:
        _announce(text, plan, found)
        return found
    _device(text, found)
    _host(text, found)
    headers = _headers(found)
    if headers:
        at = place_for_definitions(text, before=min(edit.start for edit in found.edits))
        line = newline_of(text.source)
        before = line if text.source[:at][-1:] not in (b"", b"\n") else ""
        lines = before + "".join(include_line(name) + line for name in headers)
        found.edits.append(Edit(text.file, at, at, lines, _WHY))
    return found


def _device(text: SourceText, found: Findings) -> None:
    tokens = text.tokens
    wanted = (_IMAGE_FUNCTIONS & text.words) - text.own_names
    for index in text.code_names:
        word = tokens.text[index]
        if word in wanted and tokens.at(index + 1) in (b"(", b"<") and not _is_member(text, index):
            new = f"crossport_{word.decode()}"
            found.edits.append(text.edit(index, index, new, _WHY, _PRIORITY))


def _host(text: SourceText, found: Findings) -> None:
    tokens = text.tokens
    wanted = ((HOST | COPIES | REFERENCES) & text.words) - text.own_names
    for index in text.code_names:
        word = tokens.text[index]
        if word in wanted and not _is_member(text, index):
            new = "crossport" + word.decode().removeprefix("cuda")
            found.edits.append(text.edit(index, index, new, _WHY, _PRIORITY))
    for index in _declared_references(text):
        new = "__device__ crossport_texture"
        found.edits.append(text.edit(index, index, new, _WHY, _PRIORITY))


def _headers(found: Findings) -> list[str]:
    """The headers that define what the edits name: each includes the ones before it."""
    names = {edit.replacement for edit in found.edits}
    bound = {"crossport" + name.decode().removeprefix("cuda") for name in REFERENCES}
    if "__device__ crossport_texture" in names or names & bound:
        return ["crossport_texture_reference.h"]
    if any(name.startswith("crossport_") for name in names):
        return ["crossport_texture.h"]
    return ["crossport_array.h"] if names else []


def _is_member(text: SourceText, index: int) -> bool:
    before = text.tokens.at(index - 1)
    return before in (b".", b"->") or (before == b"::" and text.tokens.is_name(index - 2))


def _references(text: SourceText) -> list[int]:
    """Tokens `texture` that begin `texture<float, 2>`."""
    tokens = text.tokens
    if b"texture" not in text.words or _has_own_type(text):
        return []
    return [
        index
        for index in text.code_names
        if tokens.text[index] == b"texture"
        and tokens.at(index + 1) == b"<"
        and not _is_member(text, index)
    ]


def _has_own_type(text: SourceText) -> bool:
    """Whether the program has a type of this name; a variable of the name is another thing."""
    if b"texture" not in text.own_entities:
        return False
    tokens = text.tokens
    uses = [i for i in text.code_names if tokens.text[i] == b"texture" and tokens.at(i + 1) == b"<"]
    return not any(_is_declaration(text, index) for index in uses)


def _declared_references(text: SourceText) -> list[int]:
    """Those that declare a variable: `texture<float, 2> name;`."""
    return [index for index in _references(text) if _is_declaration(text, index)]


def _open_references(text: SourceText) -> bool:
    """Whether a texture reference is more than a variable: a parameter, an alias."""
    return len(_declared_references(text)) != len(_references(text))


def _is_declaration(text: SourceText, index: int) -> bool:
    tokens = text.tokens
    if tokens.at(index - 1) not in (b"static", b";", b"}", b"{", b"") and not (
        _starts_line(text, index)
    ):
        return False
    at, depth = index + 1, 0
    while at < len(tokens) and tokens.text[at] not in (b";", b"{", b"("):
        depth += {b"<": 1, b">": -1}.get(tokens.text[at], 0)
        at += 1
        if depth == 0:
            break
    return tokens.is_name(at) and tokens.at(at + 1) == b";"


def _starts_line(text: SourceText, index: int) -> bool:
    start = text.tokens.start[index]
    return not text.source[text.source.rfind(b"\n", 0, start) + 1 : start].strip()


def _announce(text: SourceText, plan: TexturePlan, found: Findings) -> None:
    lacking, without = ", ".join(plan.lacking), ", ".join(plan.without)
    pending = set((_IMAGE_FUNCTIONS | WITHOUT) & text.words) - text.own_names
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        is_device = word.startswith((b"tex", b"surf"))
        if word in pending and (not is_device or tokens.at(index + 1) in (b"(", b"<")):
            pending.discard(word)
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_TEXTURE_ARCH,
                    f"{word.decode()}: {lacking} has no image instructions,"
                    f" and software has no {without}",
                    index,
                    Severity.ERROR,
                    "read the data through a plain pointer, or build for gfx90a or gfx1100",
                )
            )
