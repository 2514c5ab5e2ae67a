"""Names of files that hold wherever a tree lies: a compiler's answer, kept for another folder.

Example, for `k.hip` compiled with `-I/home/a/out/include`:

    @               the source itself
    1/x.h           /home/a/out/include/x.h, and tomorrow /tmp/out/include/x.h
    =/usr/x.h       a file outside all folders
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Flags whose value is a folder to look for headers in.
_FOLDER_FLAGS = ("-I", "-iquote", "-isystem", "-idirafter")
# Flags whose value is a header, looked for where the compiler runs before anywhere else.
_FILE_FLAGS = frozenset({"-include", "-imacros", "-include-pch"})


@dataclass(frozen=True, slots=True)
class Places:
    """One compiler call: what its source is called, and the folders that it finds headers in."""

    source: str
    folders: tuple[str, ...] = ()

    def name(self, path: str) -> str:
        """`path` without what changes when the tree lies elsewhere."""
        if path == self.source:
            return "@"
        whole = os.path.abspath(path)
        inside = [i for i, folder in enumerate(self.folders) if _holds(folder, whole)]
        if not inside:
            return f"={path}"
        nearest = max(inside, key=lambda i: len(os.path.abspath(self.folders[i])))
        return f"{nearest}/{os.path.relpath(whole, self.folders[nearest])}"

    def path(self, name: str) -> str:
        """Where `name` lies now."""
        if name == "@":
            return self.source
        if name.startswith("="):
            return name[1:]
        index, _, rest = name.partition("/")
        return os.path.join(self.folders[int(index)], rest)

    def rivals(self, name: str) -> list[int]:
        """The other folders that have a header of this name, which the compiler could have
        taken."""
        if not name[0].isdigit():
            return []
        index, _, rest = name.partition("/")
        return [
            i
            for i, folder in enumerate(self.folders)
            if i != int(index) and os.path.exists(os.path.join(folder, rest))
        ]


def split_folders(flags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with each folder's name left out, and the folders."""
    kept: list[str] = []
    folders: list[str] = []
    rest = iter(flags)
    for flag in rest:
        option = next((f for f in _FOLDER_FLAGS if flag.startswith(f)), None)
        kept.append(option or flag)
        if option is not None:
            folders.append(flag[len(option) :] or next(rest, ""))
    return kept, folders


def depends_on_folder(flags: Iterable[str]) -> bool:
    """Whether these flags mean something else when the compiler runs in another folder."""
    return not _FILE_FLAGS.isdisjoint(flags)


def _holds(folder: str, path: str) -> bool:
    return path.startswith(os.path.join(os.path.abspath(folder), ""))
