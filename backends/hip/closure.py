"""Which files of a project belong to a source: its includes, and theirs, found by text.

Every branch counts, live or not, so that a port does not depend on one configuration. Paths are
looked up as a compiler would (next to the file, then the include folders), and then, because the
flags are often not known, as the only file under the root whose path ends so.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from crossport.backends.hip.includes import hip_header
from crossport.backends.hip.lexer import Include
from crossport.frontend.input import is_installed, is_toolkit

_SUFFIXES = (".h", ".hpp", ".cuh", ".hh", ".hxx", ".inl", ".cu", ".inc", ".ipp", ".tpp", ".c")
_LARGEST_TREE = 20_000


def same_text(paths: list[Path]) -> bool:
    """Whether it makes no difference which of these files is read."""
    return len(paths) == 1 or len({path.read_bytes() for path in paths}) == 1


class Project:
    """The files under `root`, with the folders that includes are looked up in."""

    def __init__(self, root: Path, include_dirs: tuple[Path, ...] = ()) -> None:
        self.root = Path(os.path.abspath(root))
        self.include_dirs: tuple[Path, ...] = ()
        self.look_in(include_dirs)
        self._is_file: dict[str, bool] = {}

    def look_in(self, folders: Iterable[Path]) -> None:
        """Look up includes in these folders too, those of an installed CUDA toolkit left out."""
        more = (Path(os.path.abspath(folder)) for folder in folders)
        own = (folder for folder in more if not is_installed(folder))
        self.include_dirs = tuple(dict.fromkeys((*self.include_dirs, *own)))

    def resolve(self, includer: Path, include: Include) -> Path | None:
        """The project's file that an include means; None: a system header, or not found."""
        path = include.path
        if not path or path.startswith("/"):
            return None
        folders = [includer.parent] if include.is_quoted else []
        is_library = hip_header(path) is not None or path.startswith("thrust/")
        for folder in (*folders, *self.include_dirs):
            candidate = os.path.normpath(folder / path)
            # A copy of CUB or Thrust that a project brings along is not ported: ROCm has its own.
            if self._exists(candidate) and not (is_library and is_toolkit(folder)):
                return Path(candidate)
        if is_library or ("." not in path and not include.is_quoted):
            return None
        return self.find(path, includer)

    def _exists(self, path: str) -> bool:
        known = self._is_file.get(path)
        if known is None:
            known = self._is_file[path] = os.path.isfile(path)
        return known

    def find(self, path: str, includer: Path) -> Path | None:
        """The file under the root whose path ends so: the only one, or the only one below the
        nearest folder above `includer`; of several that read the same, the first."""
        parts = tuple(p for p in path.split("/") if p not in (".", ".."))
        if not parts:
            return None
        found = [f for f in self._by_name.get(parts[-1], ()) if f.parts[-len(parts) :] == parts]
        for folder in includer.parents:
            below = [f for f in found if f.is_relative_to(folder)]
            if below:
                return below[0] if same_text(below) else None
            if folder == self.root:
                break
        return found[0] if found and same_text(found) else None

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        """Source files under the root by their last name; empty for a huge tree."""
        names: dict[str, list[Path]] = defaultdict(list)
        count = 0
        for folder, subfolders, files in os.walk(self.root):
            subfolders[:] = sorted(d for d in subfolders if not d.startswith("."))
            count += len(files)
            if count > _LARGEST_TREE:
                return {}
            for name in sorted(files):
                if name.endswith(_SUFFIXES):
                    names[name].append(Path(folder) / name)
        return names
