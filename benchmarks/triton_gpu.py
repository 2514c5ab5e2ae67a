"""Triton ports on a real GPU: do they agree with the original there, and how fast are they?

    python benchmarks/triton_gpu.py prepare corpus build/triton_modules
    python benchmarks/triton_gpu.py run corpus build/triton_modules RESULTS      # on the GPU
    python benchmarks/triton_gpu.py judge corpus build/triton_modules RESULTS > docs/triton_h200.md

`run` needs PyTorch, Triton, NumPy and this source tree. It draws its own seed for fresh inputs and
appends what every launch left behind, and every time, to two files as it goes: what is stopped
early loses nothing. `judge` repeats the plan from the seed and judges elsewhere.

Times are device time of what a launch puts on the stream, between two events, with a cold L2
cache; medians of 20, against the original's, recorded the same way on the same kind of device. The
stream is kept busy until the host has queued everything, so that Python's launch cost is no part of
it, as the original's is not. Each port is timed as it comes, and tuned (`_tuned.measures`), where
tuning itself is no part of the time; what it costs at the first launch is recorded.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg, TextureArg
from crossport.validation.runners.base import Call, Candidate, RunOutput
from crossport.validation.runners.exchange import texture_fields

REPEATS = 20
FLUSH = 256 << 20
# Long enough for the host to queue a launch behind it: about a millisecond.
BUSY_CYCLES = 2_000_000
OUTPUTS, TIMES, SEED = "outputs.pickles", "times.jsonl", "seed.txt"


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("prepare", "run", "judge", "one", "time"))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("modules", type=Path)
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--kernel", nargs="*", default=[])
    parser.add_argument("--seed", default="")
    parser.add_argument("--workers", type=int, default=14)
    options = parser.parse_args()
    match options.step:
        case "prepare":
            return _prepare(options)
        case "run":
            return _run(options)
        case "one":
            return _one(options)
        case "time":
            return _time(options)
        case _:
            return _judge(options)


def _prepare(options: argparse.Namespace) -> int:
    import crossport

    options.modules.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.corpus.glob("*/h200.bundle")):
        name = path.parent.name
        if options.kernel and name not in options.kernel:
            continue
        kernels = load_bundle(path).cases.kernels
        try:
            result = crossport.port(
                path.with_name(f"{name}.cu"), to="triton",
                instantiate=[k for k in kernels if "<" in k],
            )  # fmt: skip
        except crossport.PortError as error:
            print(f"{name}: {error.diagnostic.message}", file=sys.stderr)
            continue
        for output in result.outputs:
            (options.modules / f"{name}.py").write_bytes(output.data)
    return 0


def _run(options: argparse.Namespace) -> int:
    """Every launch of every kernel, side by side; then the times, one after the other."""
    options.results.mkdir(parents=True, exist_ok=True)
    seed = os.urandom(8).hex()
    (options.results / SEED).write_text(seed)
    names = [p.stem for p in sorted(options.modules.glob("*.py"))]
    names = [n for n in names if not options.kernel or n in options.kernel]
    began = time.monotonic()

    def step(what: str, *kernels: str, limit: float) -> bytes:
        command = [
            sys.executable, __file__, what, str(options.corpus), str(options.modules),
            str(options.results), "--seed", seed, "--kernel", *kernels,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            print(what, *kernels[:1], "timed out", flush=True)
            return b""
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip()[-300:].replace("\n", " | ")
            print(what, *kernels[:1], "failed:", message, flush=True)
        return done.stdout

    kept = options.results / OUTPUTS
    with ThreadPoolExecutor(options.workers) as pool, kept.open("ab") as file:
        for outputs in pool.map(lambda name: step("one", name, limit=150), names):
            file.write(outputs)
            file.flush()
    print(f"numerics: {time.monotonic() - began:.0f} s", flush=True)
    left = names
    while left:  # a fault ends the process: the next one goes on behind it
        step("time", *left, limit=400)
        done = {row["kernel"] for row in _rows(options.results / TIMES)}
        reached = max((n for n, name in enumerate(left) if name in done), default=-1)
        left = left[reached + 1 :]
        if reached < 0:
            left = left[1:]
    print(f"times: {time.monotonic() - began:.0f} s")
    return 0


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _one(options: argparse.Namespace) -> int:
    """All launches of one kernel, to stdout; one at the size of the timing, to compile it."""
    (name,) = options.kernel
    from crossport.validation.plan import plan
    from crossport.validation.verify import FRESH

    bundle = load_bundle(options.corpus / name / "h200.bundle")
    module = _module(options.modules / f"{name}.py")
    outputs = [
        _launched(module, planned.call) for planned in plan(_cases(bundle), FRESH, options.seed)
    ]
    sys.stdout.buffer.write(pickle.dumps((name, outputs)))
    sys.stdout.flush()
    for case in bundle.cases.cases:
        if case.is_bench:
            contents = case.initial()
            _contents_file(options, name, case).write_bytes(pickle.dumps(contents, protocol=5))
            _timed(module, case, contents, repeats=0)
            _tuned_times(module, case, contents, repeats=0)
    return 0


def _contents_file(options: argparse.Namespace, name: str, case: Case) -> Path:
    """Where the big arrays wait for the timing: drawing them takes longer than the kernel."""
    place = re.sub(r"\W", "_", f"{options.seed}.{name}.{case.id}")
    return Path(tempfile.gettempdir()) / f"triton_gpu.{place}"


def _time(options: argparse.Namespace) -> int:
    """The times of these kernels, a line each as they come."""
    for name in options.kernel:
        bundle = load_bundle(options.corpus / name / "h200.bundle")
        module = _module(options.modules / f"{name}.py")
        for case in bundle.cases.cases:
            if not case.is_bench:
                continue
            drawn = _contents_file(options, name, case)
            contents = pickle.loads(drawn.read_bytes()) if drawn.exists() else case.initial()
            row = {"kernel": name, "case": case.id, **_timed(module, case, contents)}
            if "error" not in row:
                tuned, cost = _tuned_times(module, case, contents)
                row |= {"tuned_us": tuned, "tuning_s": cost}
            with (options.results / TIMES).open("a") as file:
                file.write(json.dumps(row) + "\n")
            if "error" in row and "CUDA" in row["error"]:
                return 1  # this process can do no more on the GPU
    return 0


def _cases(bundle: Bundle) -> list[Case]:
    return [c for c in bundle.cases.checked if bundle.has(c)]


def _module(path: Path) -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("port", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["port"] = module
    spec.loader.exec_module(module)
    return module


def _function(module: Any, case: Case) -> Any:
    wanted = case.kernel.replace(" ", "")
    for name, function in module.KERNELS.items():
        if name.replace(" ", "") == wanted:
            return function
    return None


def _tensors(case: Case, contents: Any) -> dict[str, Any]:
    import torch

    made = {}
    for array in case.arrays:
        tensor = torch.from_numpy(contents[array.name].copy()).cuda().reshape(array.shape)
        if array.dtype.name in ("bfloat16", "bool"):
            tensor = tensor.view(getattr(torch, array.dtype.name))
        made[array.name] = tensor
    return made


def _arguments(case: Case, tensors: dict[str, Any]) -> list[Any]:
    made: list[Any] = []
    for arg in case.args:
        match arg:
            case ArrayArg():
                made.append(tensors[arg.name])
            case ScalarArg():
                made.append(arg.value)
            case StructArg():
                fields = (f if isinstance(f, tuple) else (f.name, None) for f in arg.fields)
                values = {f.name: f.value for f in arg.fields if not isinstance(f, tuple)}
                made.append({n: tensors[a] if a else values[n] for n, a in fields})
            case TextureArg():
                fields = texture_fields(arg)
                made.append(
                    {f["name"]: tensors[f["array"]] if "array" in f else f["value"] for f in fields}
                )
    return made


def _launched(module: Any, call: Call) -> RunOutput:
    import torch

    case = call.case
    function = _function(module, case)
    if function is None:
        return RunOutput("missing", message=f"no port of {case.kernel}")
    try:
        tensors = _tensors(case, call.contents)
        for symbol in (b.name for b in case.buffers if b.symbol):
            function.globals[symbol] = tensors[symbol]
        function(case.grid, case.block, *_arguments(case, tensors), shared_bytes=case.shared_bytes)
        torch.cuda.synchronize()
        for symbol in (b.name for b in case.buffers if b.symbol):
            tensors[symbol] = function.globals[symbol]
    except ValueError as error:
        return RunOutput("refused", message=str(error)[:300])
    except Exception as error:
        return RunOutput("failed", message=f"{type(error).__name__}: {error}"[:300])
    arrays = {}
    faults = []
    for array in case.arrays:
        raw = tensors[array.name].contiguous().reshape(-1).view(torch.uint8).cpu().numpy()
        arrays[array.name] = raw.view(array.dtype.storage)
        same = arrays[array.name].tobytes() == call.contents[array.name].tobytes()
        if array.role == "in" and not same:
            faults.append(f"input {array.name} was changed")
    return RunOutput("ok", arrays, tuple(faults))


def _timed(module: Any, case: Case, contents: Any, repeats: int = REPEATS) -> dict[str, Any]:
    import torch

    function = _function(module, case)
    if function is None:
        return {"error": "no port"}
    try:
        tensors = _tensors(case, contents)
        for symbol in (b.name for b in case.buffers if b.symbol):
            function.globals[symbol] = tensors[symbol]
        arguments = _arguments(case, tensors)
        flush = torch.empty(FLUSH, dtype=torch.uint8, device="cuda")
        times = []
        fresh = {a.name: tensors[a.name].clone() for a in case.arrays if a.role == "inout"}
        for repeat in range(repeats + 3):
            for name, values in fresh.items():
                tensors[name].copy_(values)
            flush.fill_(repeat)
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda._sleep(BUSY_CYCLES)
            begin.record()
            function(case.grid, case.block, *arguments, shared_bytes=case.shared_bytes)
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end) * 1000)
        return {"times_us": times[3:]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def _tuned_times(
    module: Any, case: Case, contents: Any, repeats: int = REPEATS
) -> tuple[list[float], float]:
    """The times with the configuration that the port finds fastest; and what finding it took."""
    if not hasattr(module, "_tuned"):
        return [], 0.0
    module._tuned.measures = True
    try:
        began = time.monotonic()
        first = _timed(module, case, contents, repeats=0)
        cost = time.monotonic() - began
        times = first if "error" in first else _timed(module, case, contents, repeats)
        return times.get("times_us", []), cost
    finally:
        module._tuned.measures = False


class _Replay:
    """A runner whose runs have happened already."""

    name = "triton on the GPU"
    targets = ("triton",)

    def __init__(self, outputs: Sequence[RunOutput]) -> None:
        self.outputs = outputs

    def missing(self) -> str | None:
        """Nothing."""
        return None

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """What was kept."""
        assert len(calls) == len(self.outputs)
        return list(self.outputs)


@dataclass(frozen=True)
class _Speed:
    """One timed launch."""

    kernel: str
    tier: str
    original: float
    port: float
    tuned: float
    tuning: float
    """Seconds that the first launch took to find the fastest configuration, compiled before."""
    bytes: int
    """Of the arrays: what is read once, and what is written once."""
    error: str

    @property
    def ratio(self) -> float:
        """How much faster than the original, as it comes."""
        return self.original / self.port

    @property
    def best(self) -> float:
        """How much faster than the original, tuned."""
        return self.original / self.tuned if self.tuned else self.ratio

    @property
    def rate(self) -> float:
        """Attained TB/s, tuned."""
        return self.bytes / 1e6 / (self.tuned or self.port)


def _judge(options: argparse.Namespace) -> int:
    from crossport.validation.verify import verify

    seed = (options.results / SEED).read_text()
    times = {(r["kernel"], r["case"]): r for r in _rows(options.results / TIMES)}
    rows, speed = [], []
    for name, outputs in _pickles(options.results / OUTPUTS):
        bundle = load_bundle(options.corpus / name / "h200.bundle")
        text = (options.modules / f"{name}.py").read_bytes()
        candidate = Candidate("triton", {f"{name}.py": text}, f"{name}.py")
        verdict = verify(candidate, bundle, _Replay(outputs), seed=seed, unseen=0, relations=False)
        first = verdict.first
        why = "" if first is None else f"{first.kernel}/{first.case}: {first.reason}"
        rows.append((name, verdict.word.value, why[:160]))
        tiers = dict(re.findall(r"^    (\S.*): (tile|simt)$", text.decode(), re.M))
        for case in bundle.cases.cases:
            row = times.get((name, case.id))
            if row is None:
                continue
            speed.append(_Speed(
                case.kernel, tiers.get(case.kernel, "?"),
                statistics.median(bundle.record(case)["cold_times_us"]),
                statistics.median(row.get("times_us") or [0.0]),
                statistics.median(row.get("tuned_us") or [0.0]), row.get("tuning_s", 0.0),
                _bytes(case), row.get("error", ""),
            ))  # fmt: skip
    print("\n".join(_report(rows, speed)))
    return 0


def _bytes(case: Case) -> int:
    """Bytes that the launch must move: each array once, or twice where it is read and written."""
    return sum(
        math.prod(a.shape) * np.dtype(a.dtype.storage).itemsize * (2 if a.role == "inout" else 1)
        for a in case.arrays
    )


def _pickles(path: Path) -> Iterator[tuple[str, list[RunOutput]]]:
    with path.open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def _report(rows: list[tuple[str, str, str]], speed: list[_Speed]) -> Iterator[str]:
    reasons = tomllib.loads(Path(__file__).with_name("triton_gpu.toml").read_text())
    good = sum(word in ("exact", "equivalent", "within-noise") for _, word, _ in rows)
    yield "# Triton ports on an NVIDIA H200\n"
    yield "Made by `python benchmarks/triton_gpu.py`; what is measured, and how, stands there.\n"
    yield reasons["measured"].strip() + "\n"
    timed = [s for s in speed if s.port]
    for tier in ("tile", "simt"):
        for how in ("as they come", "tuned"):
            ratios = [s.best if how == "tuned" else s.ratio for s in timed if s.tier == tier]
            if ratios:
                mean = math.exp(statistics.fmean(math.log(r) for r in ratios))
                yield (
                    f"Tier `{tier}`, {how}: {len(ratios)} kernels timed, original over port: "
                    f"geometric mean **{mean:.2f}**, median {statistics.median(ratios):.2f}, "
                    f"{sum(r >= 1 for r in ratios)} at least as fast, "
                    f"{sum(r < 0.9 for r in ratios)} below 0.9.\n"
                )
    costs = [s.tuning for s in timed if s.tuning]
    if costs:
        yield (
            f"Tuning took {statistics.median(costs):.1f} s at the first launch of a size (median; "
            f"at most {max(costs):.1f} s), compilation aside.\n"
        )
    yield f"Results: {good} of {len(rows)} ports verified against the recorded originals.\n"
    sizes = Path(__file__).with_name("triton_sizes.json")
    if sizes.exists():
        from triton_sizes import report

        yield "## Against ports written by hand\n"
        yield (
            "Made by `python benchmarks/triton_sizes.py`, where the four kernels by hand stand; "
            "as they come, cold L2, medians. fp32 products are `tf32x3` on both sides.\n"
        )
        yield from report(json.loads(sizes.read_text()))
        yield ""
    yield "## Speed\n"
    yield (
        "| kernel | tier | original, µs | port, µs | tuned, µs | original / port "
        "| original / tuned | TB/s, tuned | why below 0.9 |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for s in sorted(speed, key=lambda s: (s.tier != "tile", s.kernel)):
        if not s.port:
            why = s.error[:100].replace("|", "/")
            yield f"| {s.kernel} | {s.tier} | {s.original:.1f} | | | | | | {why} |"
            continue
        below = reasons["below"].get(re.split("<", s.kernel)[0], "")
        why = below if min(s.ratio, s.best) < 0.9 else ""
        yield (
            f"| {s.kernel} | {s.tier} | {s.original:.1f} | {s.port:.1f} "
            f"| {f'{s.tuned:.1f}' if s.tuned else ''} "
            f"| {s.ratio:.2f} | {s.best:.2f} | {s.rate:.2f} | {why} |"
        )
    yield "\n## Results\n"
    yield "| port | verdict | what is wrong |\n|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(text.replace('|', '/') for text in row)} |"


if __name__ == "__main__":
    sys.exit(main())
