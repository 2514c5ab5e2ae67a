"""Run exploits and look-alikes through the tester, as a user's ports would be."""

from __future__ import annotations

import io
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

from adversary.exploits import Exploit
from adversary.lookalikes import Lookalike

from crossport.diagnostics import Code, PortError
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.gate.module import gate
from crossport.validation.runners.base import Candidate
from crossport.validation.runners.python_module import pallas_runner
from crossport.validation.runners.sandbox import Limits
from crossport.validation.verify import verify

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"


@lru_cache(maxsize=4)
def bundle(kernel: str) -> Bundle:
    """The recorded evidence for a kernel."""
    return load_bundle(CORPUS / kernel / "h200.bundle")


def judge_exploit(exploit: Exploit) -> tuple[bool, str]:
    """Whether it is caught, and by what."""
    if exploit.by == "state":
        return _tampered_bundle()
    if exploit.by == "gate":
        found = gate(exploit.module, "triton")
        return bool(found), f"gate: {'; '.join(found)}"
    text = exploit.module.replace("@ROOT@", str(ROOT)).replace("@CORPUS@", str(CORPUS))
    if text == "@GOLDEN@":
        text = _golden()
    word, reason = _run(exploit.kernel, text)
    return word in ("divergent", "undecided"), f"{word}: {reason}"


def judge_honest(lookalike: Lookalike) -> tuple[bool, str]:
    """Whether it passes, and why not."""
    word, reason = _run(lookalike.kernel, lookalike.module)
    return word in ("exact", "equivalent", "within-noise"), f"{word}: {reason}"


def _run(kernel: str, text: str) -> tuple[str, str]:
    candidate = Candidate("pallas", {"port.py": text.encode()}, "port.py")
    runner = pallas_runner(Limits(seconds=60), hide=[CORPUS])
    verdict = verify(candidate, bundle(kernel), runner, gated=False, seed="adversary")
    bad = verdict.first
    return verdict.word.value, "" if bad is None else "; ".join([bad.reason, *bad.faults[:2]])


def _golden() -> str:
    """A module that knows every recorded output, and nothing else."""
    known = bundle("vecadd")
    rows = {
        case.params["n"]: known.output(case, case.written[0]).tobytes()
        for case in known.cases.checked
        if case.name != "special"
    }
    return (
        f"import numpy as np\n\nKNOWN = {rows!r}\n\n\n"
        "def vecadd(grid, block, a, b, c, n, **more):\n"
        "    return (np.frombuffer(KNOWN[n], np.float32),)\n"
    )


def _tampered_bundle() -> tuple[bool, str]:
    """The original's times made ten times slower in the bundle."""
    with zipfile.ZipFile(CORPUS / "vecadd" / "h200.bundle") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in files if n.endswith("n4096.json"))
    files[name] = files[name].replace(b'"cold_times_us": [', b'"cold_times_us": [9')
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, data in files.items():
            archive.writestr(file, data)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "vecadd.bundle"
        path.write_bytes(buffer.getvalue())
        try:
            load_bundle(path)
        except PortError as error:
            caught = error.diagnostic.code is Code.BUNDLE_TAMPERED
            return caught, f"bundle: {error.diagnostic.message.split(': ', 1)[-1]}"
    return False, "the altered bundle was taken"
