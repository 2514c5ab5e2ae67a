"""Compiler results kept by content, so that an unchanged file is never compiled twice.

A result is filed under the hash of its command and source text. Beside it stands the list of the
user's headers that the compiler opened, each with a hash: when one of them has changed, the result
no longer counts. Headers are named by the folder that they were found in (places.py), so that a
tree keeps its results when it moves. One text can have several results, with other headers each.

    ~/.cache/crossport/compile/ab/abcdef....json   [{"deps": {"1/a.h": "9f.."}, "meta": {...}}, ...]
    ~/.cache/crossport/compile/ab/abcdef....<hash>.bin    the code object
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

from crossport.validation.amdgpu.compile.places import Places

# Results kept for one command and text.
_ALTERNATIVES = 8


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

    def get(self, key: str, places: Places) -> Entry | None:
        """The result under `key` for the headers as they are now, if there is one."""
        for record in self._records(key):
            try:
                if _is_current(record, places):
                    payload = self._payload(key, record["payload"])
                    return Entry(record["meta"], payload)
            except (OSError, ValueError, KeyError, TypeError, IndexError):
                continue
        return None

    def put(
        self,
        key: str,
        places: Places,
        deps: Iterable[str],
        meta: dict[str, Any],
        payload: bytes = b"",
    ) -> None:
        """File a result; `deps` are the headers it depends on."""
        names = sorted({places.name(path) for path in deps})
        record = {
            "deps": {name: _file_hash(places.path(name)) for name in names},
            "rivals": {name: rivals for name in names if (rivals := places.rivals(name))},
            "meta": meta,
            "payload": content_key(payload)[:16] if payload else "",
        }
        base = self._base(key)
        with contextlib.suppress(OSError):
            base.parent.mkdir(parents=True, exist_ok=True)
            if payload:
                _write_whole(base.with_suffix(f".{record['payload']}.bin"), payload)
            older = [r for r in self._records(key) if r.get("deps") != record["deps"]]
            records = [record, *older][:_ALTERNATIVES]
            _write_whole(base.with_suffix(".json"), json.dumps(records).encode())

    def _base(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _records(self, key: str) -> list[dict[str, Any]]:
        try:
            records = json.loads(self._base(key).with_suffix(".json").read_bytes())
        except (OSError, ValueError):
            return []
        return records if isinstance(records, list) else []

    def _payload(self, key: str, name: str) -> bytes:
        return self._base(key).with_suffix(f".{name}.bin").read_bytes() if name else b""


def _is_current(record: dict[str, Any], places: Places) -> bool:
    """Whether the compiler would open the same headers today."""
    rivals = record["rivals"]
    return all(
        _file_hash(places.path(name)) == known and places.rivals(name) == rivals.get(name, [])
        for name, known in record["deps"].items()
    )


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
