"""Textures and surfaces on GPUs that have no image instructions: announced.

HIP declares the functions and then marks them unavailable for such a target, so that the port would
not compile there.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossport.backends.hip.api.device_rows import IMAGE_FUNCTIONS, NO_IMAGES
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity


def texture_findings(text: SourceText, arch: Iterable[str]) -> Findings:
    """Report the first use of each image function, if a target lacks images."""
    found = Findings()
    lacking = [name for name in arch if name.partition(":")[0] in NO_IMAGES]
    pending = set(IMAGE_FUNCTIONS & text.words) - text.own_names
    if not lacking or not pending:
        return found
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        if word in pending and tokens.at(index + 1) in (b"(", b"<"):
            pending.discard(word)
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_TEXTURE_ARCH,
                    f"{word.decode()}: {', '.join(lacking)} has no image instructions",
                    index,
                    Severity.ERROR,
                    "read the data through a plain pointer, or build for gfx90a or gfx1100",
                )
            )
    return found
