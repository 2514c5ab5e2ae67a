"""Lock this process in, then become the command given: no network, no other processes, no files.

    python jail.py '{"work": ..., "hide": [...], "memory": ..., ...}' COMMAND...

    /            read-only, and every mount under it        <work>   the one place to write to
    /dev         null, zero, random, GPUs, an own shm       /proc    own processes, read-only
    hidden       empty folders

Stdlib only, run by path: it must work before anything of ours can be imported. What the machine
does not permit is left out, and what was achieved is reported to the parent before the command
starts; the command cannot undo any of it.
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
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 32, 4096, 8192, 16384, 1 << 18
MS_NOATIME, MS_NODIRATIME, MS_RELATIME = 1024, 2048, 1 << 21
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_DROP = 24
NOBODY = 65534
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kfd", "dri")
KEPT_FLAGS = {
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "noatime": MS_NOATIME,
    "nodiratime": MS_NODIRATIME,
    "relatime": MS_RELATIME,
}

_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags: int) -> bool:
    return int(_libc.unshare(flags)) == 0


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> bool:
    texts = [text.encode() for text in (source, target, kind, data)]
    return int(_libc.mount(texts[0], texts[1], texts[2], flags, texts[3])) == 0


def _own_devices(work: str) -> bool:
    """A /dev of our own: nothing in it but what computing needs, and an empty shared memory."""
    stage = os.path.join(work, ".dev")
    os.mkdir(stage)
    if not _mount("none", stage, "tmpfs", MS_NOSUID, "size=64k,mode=755"):
        os.rmdir(stage)
        return False
    names = [n for n in os.listdir("/dev") if n in DEVICES or n.startswith("nvidia")]
    for name in names:
        source, target = f"/dev/{name}", f"{stage}/{name}"
        if os.path.isdir(source):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o666))
        _mount(source, target, "", MS_BIND | MS_REC)
    os.mkdir(f"{stage}/shm")
    os.symlink("/proc/self/fd", f"{stage}/fd")
    if not _mount(stage, "/dev", "", MS_MOVE):
        return False
    os.rmdir(stage)
    memory = _mount("none", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=1g,mode=1777")
    return _mount("none", "/dev", "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID) and memory


def _open_ways(needed: list[str], work: str) -> None:
    """Let a user who owns nothing get at the paths needed: a folder on the way that is closed to
    others is covered by an open one that holds nothing but these paths."""
    real = sorted({os.path.realpath(path) for path in needed} | {work})
    closed = {shut for path in real if (shut := _first_closed(path)) is not None}
    for top in sorted(closed):
        inside = [p for p in real if p.startswith(top + "/")]
        inside = [p for p in inside if not any(p.startswith(q + "/") for q in inside)]
        held: list[tuple[str, str]] = []
        for number, path in enumerate(inside):
            stage = os.path.join("/dev/shm", f"{len(held)}-{number}")
            os.mkdir(stage)
            if not _mount(path, stage, "", MS_BIND | MS_REC):
                return
            held.append((stage, path))
        if not _mount("none", top, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755"):
            return
        for stage, path in held:
            os.makedirs(path, 0o755)
            _mount(stage, path, "", MS_MOVE)
            os.rmdir(stage)


def _first_closed(path: str) -> str | None:
    """The outermost folder on the way to a path that others may not pass."""
    parts = path.strip("/").split("/")
    for depth in range(1, len(parts)):
        folder = "/" + "/".join(parts[:depth])
        if not os.stat(folder).st_mode & 0o001:
            return folder
    return None


def _all_read_only(work: str) -> bool:
    """Every mount but the work folder and our /dev; what lies under another one stays covered."""
    with open("/proc/self/mountinfo") as file:
        rows = [line.split() for line in file]
    done = _mount(work, work, "", MS_BIND)
    for row in rows:
        place = row[4].encode().decode("unicode_escape")
        if place == work or place == "/dev" or place.startswith("/dev/"):
            continue
        flags = sum(KEPT_FLAGS.get(option, 0) for option in row[5].split(","))
        sealed = _mount(place, place, "", MS_BIND | MS_REMOUNT | MS_RDONLY | flags)
        done = done and (sealed or place != "/")
    return done


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
        if _own_devices(order["work"]):
            done.append("own devices")
            if root:
                _open_ways([os.path.dirname(sys.argv[2]), *order["needs"]], order["work"])
        if _all_read_only(order["work"]):
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
        # Not read-only, because CUDA writes to its own process's part. But who is root in name may
        # still set the kernel's parameters, where they can be set.
        if _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC):
            for name in ("sys", "irq", "bus", "fs", "sysrq-trigger"):
                place = f"/proc/{name}"
                if _mount(place, place, "", MS_BIND | MS_REC):
                    _mount(place, place, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID)
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
