"""Folders of headers that no flag leads to: looked up by name in the project around the source.

    src/convert.cu:  #include "ggml-common.h"        project/
                                                       LICENSE
    no -I names it, but project/ has one file            include/common/ggml-common.h
    of that ending:  -> project/include/common           src/convert.cu

A build that is not known (CMake, a file given alone) would cost every kernel behind the header. The
nearest folder above the source that has the header below it decides; two of them there: neither,
unless they read the same.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

_MISSING = re.compile(r"'(.+)' file not found")
_MARKS = (".git", "CMakeLists.txt", "Makefile", "makefile", "setup.py", "pyproject.toml", "LICENSE")
_LEVELS = 6
_LARGEST_TREE = 20_000
_SKIPPED = frozenset((".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"))
_HEADERS = (".h", ".hpp", ".cuh", ".hh", ".hxx", ".inl", ".inc", ".cu")


def missing_folders(handle: Any, source: Path) -> list[str]:
    """Include folders that lead to headers which a parsed unit lacks, in order of the includes."""
    folders: dict[str, None] = {}
    for diagnostic in handle.diagnostics:
        match = _MISSING.search(diagnostic.spelling) if diagnostic.severity >= 3 else None
        if match is not None and (folder := _folder_of(match[1], source)) is not None:
            folders[folder] = None
    return list(folders)


def _folder_of(header: str, source: Path) -> str | None:
    parts = tuple(part for part in header.split("/") if part not in (".", ".."))
    if not parts or header.startswith("/"):
        return None
    ending = os.sep + os.path.join(*parts)
    for level in _levels(source):
        paths = [p for p in _index(level).get(parts[-1], ()) if p.endswith(ending)]
        if paths:
            is_clear = len(paths) == 1 or len({Path(p).read_bytes() for p in paths}) == 1
            return paths[0].removesuffix(ending) if is_clear else None
    return None


def _levels(source: Path) -> Iterator[str]:
    """The folders above a source, nearest first, up to the topmost that looks like a project's."""
    above = Path(os.path.abspath(source)).parents[:_LEVELS]
    marked = [i for i, folder in enumerate(above) if any((folder / m).exists() for m in _MARKS)]
    if marked:
        yield from (str(folder) for folder in above[: marked[-1] + 1])


@lru_cache(maxsize=16)
def _index(root: str) -> dict[str, list[str]]:
    """The headers below a folder by their name; of a tree too large for a project, none."""
    found: dict[str, list[str]] = defaultdict(list)
    count = 0
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if name not in _SKIPPED)
        count += len(files)
        if count > _LARGEST_TREE:
            return {}
        for name in files:
            if name.endswith(_HEADERS):
                found[name].append(os.path.join(folder, name))
    return found
