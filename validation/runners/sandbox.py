"""Run a command that nobody trusts, and bring back how it ended.

    ran = run_sandboxed([python, worker], work, Limits(seconds=60), hide=[corpus])
    ran.status      "ok", "crashed", "timeout"      ran.guards   ("no network", "own user", ...)

The command gets a work folder, a scrubbed environment, and nothing else it could write to. When it
ends or runs out of time, every process that it started ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_JAIL = Path(__file__).resolve().with_name("jail.py")
_TAIL = 4000
_IDLE = 0.02
_MOST_STRETCH = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """What a candidate may use. `seconds` is wall time, less the time in which it waits for a core
    that others hold. CPU time may be four times as much."""

    seconds: float = 120.0
    memory: int = 16 << 30
    file: int = 4 << 30
    processes: int = 512


@dataclass(frozen=True, slots=True)
class Ran:
    """How a sandboxed command ended."""

    status: Literal["ok", "crashed", "timeout"]
    code: int
    seconds: float
    output: str
    """The end of what it printed: for a person, never for a decision."""
    guards: tuple[str, ...]


def run_sandboxed(
    command: Sequence[str],
    work: Path,
    limits: Limits,
    *,
    hide: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command in `work`. Never raises for what the command does."""
    order: dict[str, object] = {
        "work": str(work),
        "hide": [str(path) for path in hide],
        "seconds": int(limits.seconds * 4) + 1,
        "memory": limits.memory,
        "file": limits.file,
        "processes": limits.processes,
        "needs": [sys.prefix, sys.base_prefix, str(_JAIL.parents[2])],
        "environment": {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(work),
            "TMPDIR": str(work),
            "LANG": "C.UTF-8",
            **(environment or {}),
        },
    }
    read_end, write_end = os.pipe()
    order["report"] = write_end
    output = work / "output.txt"
    began = time.monotonic()
    with output.open("wb") as sink:
        os.chmod(output, 0o600)
        process = subprocess.Popen(
            [sys.executable, "-I", str(_JAIL), json.dumps(order), *command],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True, pass_fds=(write_end,), env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        os.close(write_end)
        guards = _read_guards(read_end)
        timed_out = False
        try:
            timed_out = not _wait(process, limits.seconds)
            code = -signal.SIGKILL if timed_out else process.returncode
        finally:
            _end(process)
    seconds = time.monotonic() - began
    text = _tail(output)
    status: Literal["ok", "crashed", "timeout"] = (
        "timeout" if timed_out else "ok" if code == 0 else "crashed"
    )
    return Ran(status, code, seconds, text, guards)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a command ends within its time, as a machine with nothing else to do would count it:
    a verdict must not depend on what runs beside it. Who sleeps is charged for it."""
    charged, used, pause = 0.0, 0.0, 0.02
    began = at = time.monotonic()
    while charged < seconds and at - began < _MOST_STRETCH * seconds:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=min(pause, seconds - charged))
            return True
        pause = min(2 * pause, 0.5)
        now, total = time.monotonic(), _cpu_seconds(process.pid)
        passed, worked = now - at, max(total - used, 0.0)
        at, used = now, total
        charged += passed if worked < _IDLE * passed else min(passed, worked)
    return False


def _cpu_seconds(session: int) -> float:
    """CPU time of all processes of a session. One that left it hides its work, which is then
    charged as sleep."""
    ticks = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                text = Path(f"/proc/{name}/stat").read_text()
                fields = text.rpartition(")")[2].split()
                if int(fields[3]) == session:
                    # Its own, and that of children which have ended.
                    ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _tail(path: Path) -> str:
    """The end of what was printed; however much that was."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
        return file.read(_TAIL).decode("utf-8", "replace")


def remove_tree(folder: Path) -> None:
    """Remove what a candidate left: however deep it is, whatever its permissions are."""
    subprocess.run(
        ["rm", "-rf", "--one-file-system", "--", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def _read_guards(fd: int) -> tuple[str, ...]:
    with os.fdopen(fd, "rb") as pipe:
        data = pipe.read(4096)
    try:
        return tuple(str(name) for name in json.loads(data))
    except ValueError:
        return ()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session of a command, also what it left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
