"""The parsed shim, kept between runs.

    ~/.cache/crossport/shim-<hash>/include/...    one small file for each header name
    ~/.cache/crossport/shim-<hash>/<flags>.pch    prelude.h, parsed once for these flags

Any number of processes may do this at once: everything is written under a temporary name and
moved into place, and whoever comes second uses what is there. Without a writable cache folder, a
temporary one serves this process.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from clang import cindex

from crossport.frontend import clang, shim


@lru_cache(maxsize=1)
def include_folder() -> Path:
    """The folder of header names, written if need be."""
    folder = _home() / f"shim-{shim.fingerprint()}"
    include = folder / "include"
    if not include.is_dir():
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix="draft-"))
        shim.write_headers(draft / "include")
        try:
            draft.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(draft, ignore_errors=True)
    return include


@lru_cache(maxsize=64)
def precompiled_prelude(arguments: tuple[str, ...]) -> Path | None:
    """prelude.h parsed with `arguments`, or None where that cannot be stored."""
    folder = include_folder().parent
    key = hashlib.sha256("\0".join((clang.version(), *arguments)).encode()).hexdigest()[:16]
    file = folder / f"{key}.pch"
    if file.is_file():
        return file
    draft = folder / f"{key}.{os.getpid()}.draft"
    try:
        unit = clang.Index.create().parse(
            str(shim.PRELUDE), args=list(arguments), options=_FOR_PRECOMPILING
        )
        unit.save(str(draft))
        draft.replace(file)
    except (OSError, cindex.TranslationUnitLoadError, cindex.TranslationUnitSaveError):
        draft.unlink(missing_ok=True)
        return None
    return file


def forget_precompiled(file: Path) -> None:
    """Drop a stored prelude that could not be used."""
    file.unlink(missing_ok=True)
    precompiled_prelude.cache_clear()


_FOR_PRECOMPILING = cindex.TranslationUnit.PARSE_INCOMPLETE


def _home() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "crossport"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):
        folder = Path(tempfile.mkdtemp(prefix="crossport-"))
        atexit.register(shutil.rmtree, folder, True)
        return folder
