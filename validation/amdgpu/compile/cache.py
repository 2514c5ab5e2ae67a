"""Compiler results kept by content, so that an unchanged file is never compiled twice.

A result is filed under the hash of its command and source text. Beside it stands the list of the
user's headers that the compiler opened, each with a hash: when one of them has changed, the result
no longer counts.

    ~/.cache/crossport/compile/ab/abcdef....json   {"deps": {"a.h": "9f.."}, "meta": {...}}
    ~/.cache/crossport/compile/ab/abcdef....bin    the code object
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def cache_root() -> Path:
    """Where crossport keeps what it can compute again; `CROSSPORT_CACHE` moves it."""
    if place := os.environ.get("CROSSPORT_CACHE"):
        return Path(place)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crossport"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored result: `meta` is JSON of the caller's, `payload` may be empty."""

    meta: dict[str, Any]
    payload: bytes


def content_key(*parts: str | bytes) -> str:
    """One hash for a sequence of texts; where one ends and the next begins matters."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


class Cache:
    """A folder of results. Losing it costs time only; an unwritable one is as good as empty."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_root() / "compile"

    def get(self, key: str) -> Entry | None:
        """The result under `key`, if none of its headers changed since."""
        base = self._folder / key[:2] / key
        try:
            record = json.loads(base.with_suffix(".json").read_bytes())
            if any(_file_hash(path) != known for path, known in record["deps"].items()):
                return None
            payload = base.with_suffix(".bin").read_bytes() if record["has_payload"] else b""
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Entry(record["meta"], payload)

    def put(
        self, key: str, deps: Iterable[str], meta: dict[str, Any], payload: bytes = b""
    ) -> None:
        """File a result; `deps` are the headers it depends on."""
        base = self._folder / key[:2] / key
        record = {
            "deps": {path: _file_hash(path) for path in sorted(set(deps))},
            "meta": meta,
            "has_payload": bool(payload),
        }
        with contextlib.suppress(OSError):
            base.parent.mkdir(parents=True, exist_ok=True)
            if payload:
                _write_whole(base.with_suffix(".bin"), payload)
            _write_whole(base.with_suffix(".json"), json.dumps(record).encode())


def partial_name(target: Path) -> Path:
    """A name beside `target` that no other process or thread writes to at the same time."""
    return target.with_name(f".{os.getpid()}-{threading.get_ident()}-{target.name}")


def _file_hash(path: str) -> str:
    """The content's hash; empty for a file that cannot be read, which matches only the same."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
    except OSError:
        return ""


def _write_whole(path: Path, data: bytes) -> None:
    """Readers see the old file or the new one, never half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
