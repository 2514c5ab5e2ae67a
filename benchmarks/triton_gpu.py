"""Triton ports on a real GPU: do they agree with the original there, and how fast are they?

    python benchmarks/triton_gpu.py prepare corpus build/triton_modules
    python benchmarks/triton_gpu.py run corpus build/triton_modules RESULTS      # on the GPU
    python benchmarks/triton_gpu.py judge corpus build/triton_modules RESULTS > docs/triton_h200.md

`run` needs PyTorch, Triton, NumPy and this source tree. It draws its own seed for fresh inputs and
keeps what every launch left behind; `judge` repeats the plan from the seed and judges elsewhere.
Times are device events around one launch with a cold L2 cache, medians of 20, against the
original's, recorded the same way on the same kind of device.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg
from crossport.validation.runners.base import Call, Candidate, RunOutput

REPEATS = 20
FLUSH = 256 << 20


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("prepare", "run", "judge", "one"))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("modules", type=Path)
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--kernel")
    parser.add_argument("--bench", action="store_true")
    parser.add_argument("--seed", default="")
    options = parser.parse_args()
    match options.step:
        case "prepare":
            return _prepare(options.corpus, options.modules)
        case "run":
            return _run(options)
        case "one":
            return _one(options)
        case _:
            return _judge(options)


def _prepare(corpus: Path, modules: Path) -> int:
    import crossport

    modules.mkdir(parents=True, exist_ok=True)
    for path in sorted(corpus.glob("*/h200.bundle")):
        name = path.parent.name
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
            (modules / f"{name}.py").write_bytes(output.data)
    return 0


def _run(options: argparse.Namespace) -> int:
    options.results.mkdir(parents=True, exist_ok=True)
    seed = os.urandom(8).hex()
    (options.results / "seed.txt").write_text(seed)
    names = [p.stem for p in sorted(options.modules.glob("*.py"))]

    def one(name: str, *more: str) -> None:
        command = [
            sys.executable, __file__, "one", str(options.corpus), str(options.modules),
            str(options.results), "--kernel", name, "--seed", seed, *more,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
            if done.returncode:
                print(name, *more, "failed:", done.stderr.strip()[-300:].replace("\n", " | "))
        except subprocess.TimeoutExpired:
            print(name, *more, "timed out")

    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(one, names))
    print(f"numerics: {time.monotonic() - began:.0f} s", flush=True)
    for name in names:
        if time.monotonic() - began > float(os.environ.get("LIMIT", "400")):
            print(f"stopped timing at {name}")
            break
        one(name, "--bench")
    print(f"times: {time.monotonic() - began:.0f} s")
    return 0


def _one(options: argparse.Namespace) -> int:
    """In its own process: all launches of one kernel, or its timing."""
    bundle = load_bundle(options.corpus / options.kernel / "h200.bundle")
    module = _module(options.modules / f"{options.kernel}.py")
    if options.bench:
        found = {c.id: _timed(module, c) for c in bundle.cases.cases if c.is_bench}
        (options.results / f"{options.kernel}.bench.json").write_text(json.dumps(found))
        return 0
    from crossport.validation.verify import FRESH, _plan

    outputs = [
        _launched(module, planned.call) for planned in _plan(_cases(bundle), FRESH, options.seed)
    ]
    (options.results / f"{options.kernel}.pickle").write_bytes(pickle.dumps(outputs))
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
            case _:
                raise LookupError("textures")
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


def _timed(module: Any, case: Case) -> dict[str, Any]:
    import torch

    function = _function(module, case)
    if function is None:
        return {"error": "no port"}
    try:
        tensors = _tensors(case, case.initial())
        for symbol in (b.name for b in case.buffers if b.symbol):
            function.globals[symbol] = tensors[symbol]
        arguments = _arguments(case, tensors)
        flush = torch.empty(FLUSH, dtype=torch.uint8, device="cuda")
        times = []
        fresh = {a.name: tensors[a.name].clone() for a in case.arrays if a.role == "inout"}
        for repeat in range(REPEATS + 3):
            for name, values in fresh.items():
                tensors[name].copy_(values)
            flush.fill_(repeat)
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            function(case.grid, case.block, *arguments, shared_bytes=case.shared_bytes)
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end) * 1000)
        return {"times_us": times[3:]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


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


def _judge(options: argparse.Namespace) -> int:
    from crossport.validation.verify import verify

    seed = (options.results / "seed.txt").read_text()
    rows, speed = [], []
    for path in sorted(options.results.glob("*.pickle")):
        name = path.stem
        bundle = load_bundle(options.corpus / name / "h200.bundle")
        outputs = pickle.loads(path.read_bytes())
        text = (options.modules / f"{name}.py").read_bytes()
        candidate = Candidate("triton", {f"{name}.py": text}, f"{name}.py")
        verdict = verify(candidate, bundle, _Replay(outputs), seed=seed)
        first = verdict.first
        why = "" if first is None else f"{first.kernel}/{first.case}: {first.reason}"
        rows.append((name, verdict.word.value, why[:160]))
        bench = options.results / f"{name}.bench.json"
        if bench.exists():
            speed += _speed(bundle, name, json.loads(bench.read_text()))
    good = sum(word in ("exact", "equivalent", "within-noise") for _, word, _ in rows)
    print("# Triton ports on an NVIDIA H200\n\nMade by `python benchmarks/triton_gpu.py`.\n")
    print(f"{good} of {len(rows)} kernels verified.\n")
    print("| kernel | verdict | what is wrong |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(text.replace('|', '/') for text in row)} |")
    ratios = [o / p for _, o, p, _ in speed if p]
    if ratios:
        fast = sum(r >= 1 for r in ratios)
        print(
            f"\nSpeed, measured: original over port, {len(ratios)} kernels, median "
            f"{statistics.median(ratios):.2f}, {fast} at least as fast.\n"
        )
    print("| kernel | original, µs | port, µs | original / port | |\n|---|---|---|---|---|")
    for name, original, port, note in sorted(speed):
        ratio = f"{original / port:.2f}" if port else ""
        print(f"| {name} | {original:.1f} | {f'{port:.1f}' if port else ''} | {ratio} | {note} |")
    return 0


def _speed(bundle: Bundle, name: str, found: dict[str, Any]) -> list[tuple[str, float, float, str]]:
    rows = []
    for case in bundle.cases.cases:
        timed = found.get(case.id)
        if timed is None:
            continue
        original = statistics.median(bundle.record(case)["cold_times_us"])
        times = timed.get("times_us")
        port = statistics.median(times) if times else 0.0
        rows.append((case.kernel, original, port, timed.get("error", "")[:80].replace("|", "/")))
    return rows


if __name__ == "__main__":
    sys.exit(main())
