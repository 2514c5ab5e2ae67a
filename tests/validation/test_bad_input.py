"""What a tester must bear: machines that lack things, broken bundles, candidates that hang, crash,
fork or write elsewhere. Each ends in a verdict or a diagnostic; nothing ends the tester."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from adversary.subjects import HEADER

from crossport.cli import run
from crossport.diagnostics import Code, PortError
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.cases import load_cases
from crossport.validation.runners.base import Candidate
from crossport.validation.runners.python_module import pallas_runner
from crossport.validation.runners.sandbox import Limits
from crossport.validation.verdict import Verdict
from crossport.validation.verify import verify

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
VECADD = CORPUS / "vecadd"


def _judge(body: str, seconds: float = 30) -> Verdict:
    text = HEADER + body
    candidate = Candidate("pallas", {"port.py": text.encode()}, "port.py")
    runner = pallas_runner(Limits(seconds=seconds), hide=[CORPUS])
    return verify(candidate, VECADD / "h200.bundle", runner, gated=False, seed="bad", unseen=0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def vecadd(*a, **k):\n    while True:\n        pass\n", "still running after 4 s"),
        ("import time\ntime.sleep(600)\n", "still running after 4 s"),
        ("import ctypes\n\ndef vecadd(*a, **k):\n    ctypes.string_at(0)\n", "ended with"),
        ("import os\n\ndef vecadd(*a, **k):\n    os.kill(os.getpid(), 9)\n", "ended with"),
        ("import os\nos._exit(0)\n", "ended with 0"),
        ("raise SystemExit(0)\n", "import: SystemExit"),
        ("def vecadd(*a, **k):\n    raise MemoryError\n", "MemoryError"),
        ("def vecadd(*a, **k):\n    return None\n", "None"),
        ("def vecadd(*a, **k):\n    return ('PASS', 'exact')\n", "2 arrays were returned"),
        ("def something_else():\n    pass\n", "no kernel vecadd"),
        ("def vecadd(:\n", "SyntaxError"),
        ("\0", "source code"),
    ],
    ids=["hangs", "hangs-at-import", "segfault", "kills-itself", "exits-at-import", "SystemExit",
         "no-memory", "nothing", "texts", "no-kernel", "no-python", "no-text"],
)  # fmt: skip
def test_a_candidate_that_misbehaves_fails_its_verdict(body: str, said: str) -> None:
    verdict = _judge(body, seconds=4 if "600" in body or "while" in body else 30)
    assert verdict.exit_code == 3, verdict.render()
    assert verdict.first is not None
    told = " ".join([verdict.first.reason, *verdict.first.faults])
    assert said in told or said == "None", told


def test_what_a_candidate_writes_elsewhere_is_not_there_afterwards(tmp_path: Path) -> None:
    places = [
        "/dev/shm/crossport-x",
        "/tmp/crossport-x",
        str(tmp_path / "x"),
        "/var/tmp/crossport-x",
    ]
    body = (
        f"for place in {places!r}:\n    try:\n        open(place, 'w').write('x')\n"
        "    except OSError:\n        pass\n\n\ndef vecadd(grid, block, a, b, c, n, **more):\n"
        "    return (a + b,)\n"
    )
    verdict = _judge(body)
    assert verdict.passes
    if "read-only files" in verdict.guards:
        assert not any(Path(place).exists() for place in places)


def _files() -> dict[str, bytes]:
    with zipfile.ZipFile(VECADD / "h200.bundle") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _without(name: str) -> bytes:
    return _packed({n: d for n, d in _files().items() if name not in n})


def _with(name: str, data: bytes) -> bytes:
    return _packed({**_files(), name: data})


_BROKEN: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "the end is missing": lambda: (VECADD / "h200.bundle").read_bytes()[:-30],
    "an output is missing": lambda: _without("n257.c.bin"),
    "the hashes are missing": lambda: _without("SHA256SUMS"),
    "the cases are missing": lambda: _without("cases.toml"),
    "a file too many": lambda: _with("results/more.bin", b"1234"),
}


@pytest.mark.parametrize("how", _BROKEN)
def test_a_broken_bundle_is_refused(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vecadd.bundle"
    path.write_bytes(_BROKEN[how]())
    with pytest.raises(PortError):
        load_bundle(path)
    assert run(["verify", str(VECADD / "vecadd.cu"), "--against", str(path)]) == 4
    printed = capsys.readouterr().err
    assert "CP50" in printed and "Traceback" not in printed


def test_sizes_that_do_not_fit_are_said(tmp_path: Path) -> None:
    text = (VECADD / "cases.toml").read_text().replace("{n = 1}", "{n = 4000000000000}")
    (tmp_path / "cases.toml").write_text(text)
    with pytest.raises(PortError, match="larger than 4 GiB") as error:
        load_cases(tmp_path / "cases.toml")
    assert error.value.diagnostic.code is Code.CASES_INVALID


def test_a_machine_without_nvcc_cannot_record_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "vecadd.bundle"
    cases = str(VECADD / "cases.toml")
    assert run(["record", str(VECADD / "vecadd.cu"), "--cases", cases, "-o", str(out)]) == 4
    assert "not recorded" in capsys.readouterr().err
    assert (tmp_path / "vecadd.bundle.d" / "run.sh").exists()


def test_a_runner_that_this_machine_cannot_have_is_exit_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["verify", str(VECADD / "vecadd.cu"), "--runner", "nvidia"]) == 4
    assert "cannot be verified here" in capsys.readouterr().out
