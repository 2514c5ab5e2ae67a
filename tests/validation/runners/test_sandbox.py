"""What a candidate may do to the machine it runs on: nothing."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from crossport.validation.runners import sandbox
from crossport.validation.runners.sandbox import Limits, Ran, run_sandboxed

SHORT = Limits(seconds=5, memory=2 << 30, file=1 << 20, processes=64)


def _run(code: str, work: Path, limits: Limits = SHORT, hide: tuple[Path, ...] = ()) -> Ran:
    work.chmod(0o777)
    for parent in list(work.parents)[:3]:
        if os.access(parent, os.W_OK) and parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    return run_sandboxed([sys.executable, "-I", "-c", code], work, limits, hide=hide)


def _needs(ran: Ran, guard: str) -> None:
    if guard not in ran.guards:
        pytest.skip(f"this machine does not permit: {guard}")


def test_a_quiet_command_ends_well(tmp_path: Path) -> None:
    ran = _run("open('made', 'w').write('x'); print('hello')", tmp_path)
    assert (ran.status, ran.code) == ("ok", 0), ran.output
    assert "hello" in ran.output
    assert (tmp_path / "made").read_text() == "x"
    assert "resource limits" in ran.guards


def test_a_hang_is_ended_at_its_limit(tmp_path: Path) -> None:
    ran = _run("while True: pass", tmp_path, Limits(seconds=1))
    assert ran.status == "timeout"
    assert ran.seconds < 4


@pytest.mark.parametrize(("share", "status"), [(0.1, "ok"), (0.0, "timeout"), (0.9, "timeout")])
def test_waiting_for_a_core_is_not_charged(
    share: float, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine on which the command gets a tenth of a core is not the command's fault."""
    began = time.monotonic()
    monkeypatch.setattr(sandbox, "_cpu_seconds", lambda session: share * (time.monotonic() - began))
    ran = _run("import time\ntime.sleep(1.5)", tmp_path, Limits(seconds=0.7))
    assert ran.status == status


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    monkeypatch.setattr(sandbox, "_cpu_seconds", lambda session: 0.03 * (time.monotonic() - began))
    ran = _run("import time\ntime.sleep(60)", tmp_path, Limits(seconds=0.2))
    assert ran.status == "timeout" and ran.seconds < 10


def test_what_it_left_behind_ends_too(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    time.sleep(2)\n"
        "    open('late', 'w').write('x')\n"
        "    os._exit(0)\n"
        "os._exit(0)\n"
    )
    ran = _run(code, tmp_path)
    _needs(ran, "own processes")
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("code", ["import os; os.abort()", "import ctypes; ctypes.string_at(1)"])
def test_a_crash_is_a_status(code: str, tmp_path: Path) -> None:
    assert _run(code, tmp_path).status == "crashed"


def test_no_network(tmp_path: Path) -> None:
    ran = _run(
        "import socket\n"
        "s = socket.socket()\n"
        "s.settimeout(2)\n"
        "try:\n    s.connect(('192.0.2.1', 80))\n"
        "except OSError as e:\n    print('refused', e.errno)\n",
        tmp_path,
    )
    _needs(ran, "no network")
    assert "refused 101" in ran.output


def test_nothing_else_can_be_written(tmp_path: Path) -> None:
    victim = Path(__file__)
    before = victim.read_bytes()
    ran = _run(f"open({str(victim)!r}, 'a').write('#')", tmp_path)
    _needs(ran, "read-only files")
    assert ran.status == "crashed"
    assert victim.read_bytes() == before


def test_evidence_is_out_of_sight(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "answer").write_text("42")
    work = tmp_path / "work"
    work.mkdir()
    ran = _run(f"import os; print(os.listdir({str(secret)!r}))", work, hide=(secret,))
    _needs(ran, "evidence hidden")
    assert "[]" in ran.output
    assert (secret / "answer").read_text() == "42"


def test_other_processes_are_out_of_reach(tmp_path: Path) -> None:
    ran = _run(f"import os; os.kill({os.getpid()}, 9)", tmp_path)
    _needs(ran, "own processes")
    assert ran.status == "crashed" and "ProcessLookupError" in ran.output


def test_a_fork_bomb_is_contained(tmp_path: Path) -> None:
    ran = _run("import os\nwhile True:\n    os.fork()\n", tmp_path, Limits(2, processes=40))
    assert ran.status in ("crashed", "timeout")
    assert ran.seconds < 6


def test_memory_and_files_are_bounded(tmp_path: Path) -> None:
    assert _run("x = bytearray(8 << 30)", tmp_path).status == "crashed"
    assert _run("open('big', 'wb').write(bytes(4 << 20))", tmp_path).status == "crashed"


def test_the_environment_is_scrubbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_SECRET", "expected values")
    ran = _run("import os; print(sorted(os.environ))", tmp_path)
    assert "PYTEST" not in ran.output
