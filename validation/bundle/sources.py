"""A CUDA source with the headers beside it: what a bundle must hold to be compiled elsewhere.

    gather(Path("k/k.cu"))  ->  {"k.cu": ..., "util.h": ..., "detail/more.cuh": ...}

Headers are those that `#include "..."` names, in the source's folder or below; system headers are
every machine's own. Names are relative to the source's folder.
"""

from __future__ import annotations

from pathlib import Path

from crossport.backends.hip.lexer import Tokens


def gather(source: Path) -> dict[str, bytes]:
    """The source first, then its headers. Raises OSError where the source cannot be read."""
    folder = source.parent.resolve()
    found: dict[str, bytes] = {source.name: source.read_bytes()}
    waiting = [folder / source.name]
    while waiting:
        path = waiting.pop(0)
        data = found[path.relative_to(folder).as_posix()]
        for include in Tokens(data).includes():
            if not include.written.startswith(b'"'):
                continue
            for place in (path.parent, folder):
                header = (place / include.path).resolve()
                if header.is_relative_to(folder) and header.is_file():
                    name = header.relative_to(folder).as_posix()
                    if name not in found:
                        found[name] = header.read_bytes()
                        waiting.append(header)
                    break
    return found
