"""Lock this process in, then become the command given: no network, no other processes, no files.

    python jail.py '{"work": ..., "hide": [...], "memory": ..., ...}' COMMAND...

Stdlib only, run by path: it must work before anything of ours can be imported. What the machine
does not permit is left out, and what was achieved is written to <work>/jail.json by the parent end
before the command starts; the command cannot undo any of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_DROP = 24
NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags: int) -> bool:
    return int(_libc.unshare(flags)) == 0


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> bool:
    texts = [text.encode() for text in (source, target, kind, data)]
    return int(_libc.mount(texts[0], texts[1], texts[2], flags, texts[3])) == 0


def _stand_by(child: int, report: int) -> None:
    """Wait for a child and end as it does; when the namespace's first process ends, all do."""
    os.close(report)
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _open_to_all(path: str) -> bool:
    """Whether a user who owns nothing can get at a file."""
    path = os.path.realpath(path)
    bits = [os.stat(path).st_mode & 0o005 == 0o005]
    while path != "/":
        path = os.path.dirname(path)
        bits.append(bool(os.stat(path).st_mode & 0o001))
    return all(bits)


def _drop_capabilities() -> bool:
    """Root in name only: nothing it executes gets a capability."""
    last = 0
    with contextlib.suppress(OSError, ValueError), open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    return all(_libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0 for cap in range((last or 40) + 1))


def main() -> None:
    """Apply everything, then exec."""
    order = json.loads(sys.argv[1])
    done: list[str] = []
    root = os.geteuid() == 0
    if _unshare(NEWNS | NEWIPC | NEWUTS | (0 if root else NEWUSER)):
        done.append("own mounts")
        _mount("none", "/", "", MS_REC | MS_PRIVATE)
        hidden = [
            p
            for p in order["hide"]
            if os.path.isdir(p) and _mount("none", p, "tmpfs", 0, "size=4k")
        ]
        if len(hidden) == len(order["hide"]):
            done.append("evidence hidden")
        work = order["work"]
        if _mount(work, work, "", MS_BIND) and _mount(
            "/", "/", "", MS_BIND | MS_REMOUNT | MS_RDONLY
        ):
            done.append("read-only files")
    if _unshare(NEWNET):
        done.append("no network")
    own_pids = _unshare(NEWPID)
    if own_pids:
        done.append("own processes")
        child = os.fork()
        if child:
            _stand_by(child, order["report"])
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A fresh /proc shows the inside only; failing that, the outside's stays, unreadable to us.
        _mount("proc", "/proc", "proc", MS_NOSUID)
    limits = (
        (resource.RLIMIT_CPU, order["seconds"]),
        (resource.RLIMIT_AS, order["memory"]),
        (resource.RLIMIT_FSIZE, order["file"]),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_CORE, 0),
    )
    for which, value in limits:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (value, value))
    done.append("resource limits")
    if root and all(_open_to_all(path) for path in [sys.argv[2], *order["needs"]]):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        done.append("own user")
    elif root and _drop_capabilities():
        done.append("no capabilities")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (order["processes"], order["processes"]))
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.write(order["report"], json.dumps(done).encode())
    if own_pids:
        # The first process of a namespace ignores most signals; the command is the second.
        child = os.fork()
        if child:
            _stand_by(child, order["report"])
    os.close(order["report"])
    os.chdir(order["work"])
    os.execve(sys.argv[2], sys.argv[2:], dict(order["environment"]))


if __name__ == "__main__":
    main()
