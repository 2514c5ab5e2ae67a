"""Port mutated CUDA files and count what must never happen: tracebacks, hangs, changed inputs.

    python benchmarks/robustness.py FOLDER --mutants 2000 --seed 1

A mutant is one file of FOLDER, cut short, with tokens swapped, doubled or dropped, or with bytes
flipped. Each is ported in a worker process, which is ended when it takes longer than `--limit`
seconds. Every outcome is fine but three: an exception other than PortError, no end, and a change to
the input. The exit code is 1 if one of these happened; the mutants that caused it are kept.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

SUFFIXES = (".cu", ".cuh")


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: "ported", "refused", or one of the three that must not be."""

    kind: str
    detail: str = ""
    seconds: float = 0.0


def mutate(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """One mutation of a file: its name and the bytes."""
    kind = rng.choice(("truncated", "swapped", "doubled", "dropped", "flipped", "noise", "mixed"))
    match kind:
        case "truncated":
            return kind, data[: rng.randrange(len(data) + 1)]
        case "flipped":
            return kind, _flip(data, rng)
        case "noise":
            at = rng.randrange(len(data) + 1)
            return kind, data[:at] + rng.randbytes(rng.randrange(1, 64)) + data[at:]
        case "mixed":
            return kind, _flip(_tokens(data, rng, "swapped")[: rng.randrange(len(data) + 1)], rng)
        case _:
            return kind, _tokens(data, rng, kind)


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 12)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _tokens(data: bytes, rng: random.Random, kind: str) -> bytes:
    tokens = re.findall(rb"\w+|\s+|[^\w\s]", data)
    if len(tokens) < 2:
        return data
    for _ in range(rng.randrange(1, 6)):
        a, b = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        if kind == "swapped":
            tokens[a], tokens[b] = tokens[b], tokens[a]
        elif kind == "doubled":
            tokens[a:a] = tokens[a : a + rng.randrange(1, 40)]
        else:
            del tokens[a : a + rng.randrange(1, 10)]
            if len(tokens) < 2:
                break
    return b"".join(tokens)


def _work(pipe: Connection, targets: str) -> None:
    """The worker: port the files whose paths come in, say what happened."""
    import crossport
    from crossport.diagnostics import PortError

    while True:
        try:
            path = pipe.recv()
        except EOFError:
            return
        try:
            result = crossport.port(path, to=targets)
            result.as_json()
            pipe.send(("ported", ""))
        except PortError as error:
            pipe.send(("refused", error.diagnostic.code.value))
        except BaseException:
            pipe.send(("traceback", traceback.format_exc()))


class Worker:
    """A process that ports; replaced when it hangs or dies."""

    def __init__(self, targets: str, limit: float) -> None:
        self._targets, self._limit = targets, limit
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._targets), daemon=True)
        self._process.start()
        theirs.close()

    def port(self, path: Path) -> Outcome:
        """Port one file within the limit."""
        started = time.monotonic()
        try:
            self._pipe.send(str(path))
            if self._pipe.poll(self._limit):
                kind, detail = self._pipe.recv()
                return Outcome(kind, detail, time.monotonic() - started)
            kind = "hang"
        except (EOFError, OSError):
            kind = "death"
        self.stop()
        code = self._process.exitcode
        self._start()
        return Outcome(kind, f"exit code {code}", time.monotonic() - started)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", default="rocm")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one mutant")
    parser.add_argument("--whole", action="store_true", help="port each file unchanged first")
    parser.add_argument("--keep", type=Path, default=Path("build/robustness"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)

    files = sorted(p for p in options.folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())
    rng = random.Random(options.seed)
    counts: Counter[str] = Counter()
    worst: list[tuple[float, str]] = []
    bad: list[dict[str, str]] = []
    worker = Worker(options.to, options.limit)

    def judge(path: Path, data: bytes, name: str) -> None:
        outcome = worker.port(path)
        kind = outcome.kind if path.read_bytes() == data else "input changed"
        counts[kind] += 1
        worst.append((outcome.seconds, name))
        if kind not in ("ported", "refused"):
            options.keep.mkdir(parents=True, exist_ok=True)
            kept = options.keep / f"{len(bad):03d}-{path.name}"
            kept.write_bytes(data)
            bad.append({"kind": kind, "of": name, "kept": str(kept), "detail": outcome.detail})
            print(f"{kind}: {name}\n{outcome.detail}", file=sys.stderr, flush=True)

    started = time.time()
    if options.whole:
        for path in files:
            judge(path, path.read_bytes(), str(path))
    with tempfile.TemporaryDirectory(prefix="crossport-mutants-") as scratch:
        for number in range(options.mutants):
            source = rng.choice(files)
            kind, data = mutate(source.read_bytes(), rng)
            path = Path(scratch) / f"m{number}{source.suffix}"
            path.write_bytes(data)
            judge(path, data, f"{source.relative_to(options.folder)} {kind} (mutant {number})")
            path.unlink()
            if number % 100 == 99:
                print(f"{number + 1} mutants: {dict(counts)}", file=sys.stderr, flush=True)
    worker.stop()
    failures = sum(n for kind, n in counts.items() if kind not in ("ported", "refused"))
    report = {
        "files": len(files),
        "mutants": options.mutants,
        "seed": options.seed,
        "to": options.to,
        "outcomes": dict(sorted(counts.items())),
        "slowest": [{"seconds": round(s, 2), "of": n} for s, n in sorted(worst)[:-6:-1]],
        "seconds": round(time.time() - started, 1),
        "failures": bad,
    }
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({k: v for k, v in report.items() if k != "failures"}, indent=1))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
