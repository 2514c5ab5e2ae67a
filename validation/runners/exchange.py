"""Arrays that a sandboxed process may write and its parent then inspects.

    file:   guard (random) | contents | guard (random)

The parent fills the files, the candidate maps them, the parent reads them when the candidate is
gone. So guard bands and constant inputs are checked by somebody who did not run the candidate.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg, TextureArg
from crossport.validation.dtypes import Array
from crossport.validation.runners.base import Call, RunOutput, Status

GUARD = 4096
_STATUSES: tuple[Status, ...] = ("ok", "refused", "failed")


@dataclass(slots=True)
class Exchange:
    """The calls of one sandboxed run, as files in its work folder."""

    work: Path
    calls: Sequence[Call]
    _guards: list[dict[str, bytes]]

    @classmethod
    def create(cls, work: Path, kind: str, entry: str, calls: Sequence[Call]) -> Exchange:
        """Write the arrays and the request."""
        guards: list[dict[str, bytes]] = []
        rows: list[dict[str, Any]] = []
        for number, call in enumerate(calls):
            folder = work / "calls" / str(number)
            folder.mkdir(parents=True)
            guards.append({})
            for array in call.case.arrays:
                guard = os.urandom(2 * GUARD)
                guards[-1][array.name] = guard
                data = np.ascontiguousarray(call.contents[array.name]).tobytes()
                path = folder / f"{array.name}.bin"
                path.write_bytes(guard[:GUARD] + data + guard[GUARD:])
                path.chmod(0o666)
            rows.append(_row(call.case, f"calls/{number}"))
        request = {"kind": kind, "entry": entry, "calls": rows}
        (work / "request.json").write_text(json.dumps(request))
        return cls(work, calls, guards)

    def outputs(self, fallback: Status, message: str) -> list[RunOutput]:
        """What every call left behind. `fallback` is for calls without a reply."""
        replies = self._replies()
        made: list[RunOutput] = []
        for number, call in enumerate(self.calls):
            reply = replies[number] if number < len(replies) else {}
            status: Status = reply.get("status", fallback)
            if status not in _STATUSES:
                status = fallback
            text = str(reply.get("message", "" if status == "ok" else message))
            if status != "ok":
                made.append(RunOutput(status, message=text))
                continue
            sums = reply.get("sums")
            arrays, faults = self._read(number, call, sums if isinstance(sums, dict) else {})
            claimed = reply.get("faults", [])
            faults += [str(f) for f in claimed] if isinstance(claimed, list) else []
            seconds = reply.get("seconds", 0.0)
            made.append(
                RunOutput(
                    "ok", arrays, tuple(faults), text,
                    seconds=float(seconds) if isinstance(seconds, (int, float)) else 0.0,
                )
            )  # fmt: skip
        return made

    def _replies(self) -> list[dict[str, Any]]:
        try:
            loaded = json.loads(read_plain(self.work / "reply.json", most=16 << 20))
        except (OSError, ValueError, RecursionError):
            return []
        if not isinstance(loaded, list):
            return []
        return [r if isinstance(r, dict) else {} for r in loaded]

    def _read(
        self, number: int, call: Call, sums: dict[str, Any]
    ) -> tuple[dict[str, Array], list[str]]:
        arrays: dict[str, Array] = {}
        faults: list[str] = []
        for array in call.case.arrays:
            path = self.work / "calls" / str(number) / f"{array.name}.bin"
            guard = self._guards[number][array.name]
            try:
                data = read_plain(path, most=array.bytes + 2 * GUARD)
                if len(data) != array.bytes + 2 * GUARD:
                    raise OSError("cut")
            except OSError:
                faults.append(f"the memory of {array.name} was taken away")
                arrays[array.name] = call.contents[array.name]
                continue
            if data[:GUARD] != guard[:GUARD]:
                faults.append(f"memory before {array.name} was written")
            if data[GUARD + array.bytes :] != guard[GUARD:]:
                faults.append(f"memory behind {array.name} was written")
            if sums.get(array.name) != zlib.crc32(data):
                faults.append(f"{array.name} was written after the return")
            contents = np.frombuffer(
                data, dtype=array.dtype.storage, count=array.count, offset=GUARD
            )
            arrays[array.name] = contents
            if array.role == "in" and contents.tobytes() != call.contents[array.name].tobytes():
                faults.append(f"input {array.name} was changed")
        return arrays, faults


def read_plain(path: Path, most: int) -> bytes:
    """A file that somebody hostile may have replaced: a link, a pipe or a device is an OSError, and
    so is more than `most` bytes."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("no plain file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError("grown")
    return data


def _row(case: Case, folder: str) -> dict[str, Any]:
    return {
        "kernel": case.kernel,
        "function": case.function,
        "grid": case.grid,
        "block": case.block,
        "shared": case.shared_bytes,
        "folder": folder,
        "arrays": [_array(a) for a in case.arrays],
        "symbols": [b.name for b in case.buffers if b.symbol],
        "args": [_arg(a) for a in case.args],
        "returns": [a.name for a in case.args if isinstance(a, ArrayArg) and a.role != "in"],
    }


def _array(array: ArrayArg) -> dict[str, Any]:
    return {
        "name": array.name,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "count": array.count,
        "file": f"{array.name}.bin",
        "offset": GUARD,
    }


def _arg(arg: object) -> Mapping[str, Any]:
    match arg:
        case ArrayArg():
            return {"kind": "array", "name": arg.name}
        case ScalarArg():
            value = bool(arg.value) if arg.dtype.name == "bool" else arg.value
            return {"kind": "scalar", "name": arg.name, "value": value}
        case StructArg():
            fields = [
                {"name": f[0], "array": f[1]}
                if isinstance(f, tuple)
                else {"name": f.name, "value": f.value}
                for f in arg.fields
            ]
            return {"kind": "struct", "name": arg.name, "fields": fields}
        case TextureArg():
            return {"kind": "struct", "name": arg.name, "fields": texture_fields(arg)}
    raise AssertionError(arg)


def texture_fields(arg: TextureArg) -> list[Mapping[str, Any]]:
    """A texture as ports take it: ir/lift/flatten/textures.py says what the numbers mean."""
    numbers = {
        "width": arg.width, "height": arg.height, "depth": 0,
        "filterMode": int(arg.linear_filter),
        "addressMode": ("wrap", "clamp", "mirror", "border").index(arg.address),
        "normalizedCoords": int(arg.normalized),
    }  # fmt: skip
    return [
        {"name": "data", "array": arg.array},
        *({"name": name, "value": value} for name, value in numbers.items()),
    ]
