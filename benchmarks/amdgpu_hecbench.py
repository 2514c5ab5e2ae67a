"""A suite's kernels, ported to HIP, compiled for AMD and run on the emulated GPU: cases made up.

    python benchmarks/amdgpu_hecbench.py HeCBench/src --json result.json [--rocm-path ROOT]
    python benchmarks/amdgpu_hecbench.py HeCBench/src --json result.json --table

Nobody recorded these programs, so the interpreter of the IR (warps of 32, the CUDA meaning) is the
reference; it fuses `a * b + c` within an expression, as both compilers do. Launches come from
signatures and launch sites: a pointer gets an array that is larger than needed, a size small
numbers, the block what the host says. The port runs as machine code of a wave64 GPU on the same
arrays, and every array is compared whole: integers bit for bit, floats within 1e-5 (half: 2e-3) of
the larger of the element and the array's RMS. One line a kernel; one without a word says why. Small
programs come first; what the JSON file has is not done again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit
from crossport.ir.interpreter import Checks, run
from crossport.ir.interpreter.kinds import Layout
from crossport.ir.nodes import Function, Module
from crossport.ir.types import Array, Pointer, Scalar, Struct, Type
from crossport.porting import Options, launch_hints, parse_source, port_file
from crossport.result import PortResult
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.device import Options as LaunchOptions
from crossport.validation.infer import LaunchHint
from crossport.validation.runners.amdgpu import kernel_symbols, plain_name

AGREES = ("exact", "close")
ROOM, MOST_SHARED = 1 << 20, 48 << 10
BLOCKS = ((256, 1, 1), (64, 1, 1), (32, 1, 1), (16, 16, 1), (1, 1, 1))
SIZES = (33, 257, 64, 8, 1)
NUMBERS = {
    "i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4", "u32": "u4", "i64": "i8",
    "u64": "u8", "f16": "f2", "bf16": "u2", "f32": "f4", "f64": "f8", "bool": "u1",
}  # fmt: skip
Row = dict[str, str]
Args = list[Any]


class CannotMake(Exception):
    """An argument that this script has no way to make up."""


def main() -> int:
    """Run what is not known yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--json", type=Path, nargs="+", required=True, help="the first is kept")
    parser.add_argument("--arch", default="gfx942")
    parser.add_argument("--rocm-path", type=Path)
    parser.add_argument("--part", default="0/1", help="every Nth program: 0/2 and 1/2 are halves")
    parser.add_argument("--only", default="", help="programs, by name")
    parser.add_argument("--seconds", type=float, default=90, help="for one program")
    parser.add_argument("--until", help="HH:MM, when no new program is begun")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    if options.rocm_path is not None:
        os.environ["ROCM_PATH"] = str(options.rocm_path)
    known: dict[str, dict[str, Row]] = {}
    for file in options.json:
        if file.exists():
            known |= json.loads(file.read_text())
    sources = [p for p in options.suite.glob("*-cuda/*.cu") if b"__global__" in p.read_bytes()]
    sources.sort(key=lambda p: (p.stat().st_size, p))
    only = set(options.only.split(",")) if options.only else None
    sources = [p for p in sources if only is None or p.parent.name in only]
    part, parts = map(int, options.part.split("/"))
    for path in () if options.table else sources[part::parts]:
        name = f"{path.parent.name.removesuffix('-cuda')}/{path.name}"
        if name in known or (options.until and time.strftime("%H:%M") >= options.until):
            continue
        began = time.monotonic()
        known[name] = bounded(path, options.arch, options.seconds)
        words = Counter(row["word"] for row in known[name].values())
        print(f"{name} {time.monotonic() - began:.0f} s {dict(words)}", file=sys.stderr, flush=True)
        options.json[0].write_text(json.dumps(known, indent=1) + "\n")
    report(known)
    return 0


def bounded(path: Path, arch: str, seconds: float) -> dict[str, Row]:
    """One program in a process of its own, which ends when its time is over."""
    ours, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(theirs, path, arch))
    process.start()
    theirs.close()
    found: dict[str, Row] = {}
    try:
        ends = time.monotonic() + seconds
        while ours.poll(max(0.0, ends - time.monotonic())):
            found |= ours.recv()
    except EOFError:
        pass
    else:
        found["*"] = _row("no answer", "longer than it may take")
    process.kill()
    process.join()
    return found or {"*": _row("no answer", "the process died")}


def _child(answer: Any, path: Path, arch: str) -> None:
    try:
        found = 0
        for name, row in program(path, arch):
            answer.send({name: row})
            found += 1
        if not found:
            answer.send({"*": _row("no kernel", "none that the parser could read")})
    except PortError as error:
        answer.send({"*": _row("not run", str(error.diagnostic.message))})
    except Exception as error:  # one program's surprise must not end the measurement
        answer.send({"*": _row("not run", f"{type(error).__name__}: {error}")})


def program(path: Path, arch: str) -> Iterator[tuple[str, Row]]:
    """Every kernel of one file."""
    os.chdir(path.parent)
    flags = (f"-I{path.parent}",)
    unit = parse_source(path, Options(arch=(arch,), flags=flags))
    module, hints = lower_unit(unit), launch_hints(unit)
    references = {k.name: _reference(module, k, hints.get(k.name)) for k in module.kernels}
    for name, found in references.items():
        if isinstance(found, str):
            yield name, _row("no case", found)
    able = {name: found for name, found in references.items() if not isinstance(found, str)}
    if not able:
        return
    result = port_file(path, ["hip"], Options(arch=(arch,), flags=flags))
    try:
        code = _compiled(result, arch, flags)
    except PortError as error:
        for name in able:
            yield name, _row("does not compile", str(error.diagnostic.message))
        return
    symbols = kernel_symbols(tuple(code.kernels))
    with Device(arch) as device:
        for name, launches in able.items():
            symbol = symbols.get(plain_name(name))
            if symbol is None:
                yield name, _row("not run", "the code object has no such kernel")
                continue
            worst = max((_compare(device, code, symbol, one) for one in launches), key=_badness)
            if worst["word"] in ("differs", "fault"):
                why = _excuse(module, name, launches) or _races(device, code, symbol, launches)
                worst = _row("undefined", why) if why else worst
            yield name, worst


def _compiled(result: PortResult, arch: str, flags: Sequence[str]) -> Any:
    """The port's files as a code object; its own headers stand before the suite's."""
    with tempfile.TemporaryDirectory() as folder:
        for output in result.outputs:
            path = Path(folder) / output.path.name
            path.write_bytes(output.data)
        entry = next(p for p in sorted(Path(folder).iterdir()) if p.suffix == ".hip")
        return CodeObject.load(compile_hip(entry, arch, flags=["-O1", f"-I{folder}", *flags]))


def _badness(row: Row) -> int:
    return (*AGREES, "differs", "fault").index(row["word"])


# ---- making up launches


class Launch:
    """A launch that the interpreter ran: what went in and what came out."""

    def __init__(self, grid: Any, block: Any, shared: int, before: Args, after: Args) -> None:
        self.grid, self.block, self.shared = grid, block, shared
        self.before, self.after = before, after


def _reference(module: Module, kernel: Function, hint: LaunchHint | None) -> list[Launch] | str:
    """Up to two launches with the interpreter's results, or why there is none."""
    hint = hint or LaunchHint()
    dynamic = any(isinstance(v.type, Array) and v.type.length == 0 for v in kernel.shared)
    shared = hint.shared or (MOST_SHARED if dynamic else 0)
    made: list[Launch] = []
    why = "no size fits"
    ends = time.monotonic() + 15
    for block in (hint.block,) if hint.block is not None else BLOCKS:
        for size in SIZES:
            for top in (30, 1):
                if time.monotonic() > ends or len(made) == 2:
                    return made or why
                try:
                    before = _arguments(module, kernel, hint, size, top)
                    after = [a.copy() if isinstance(a, np.ndarray) else a for a in before]
                    largest = max([size, *(a for a in before if isinstance(a, int))])
                    grid = _grid(min(largest, 4096), block)
                    run(
                        module, kernel.name, grid, block, after, shared_bytes=shared,
                        time_limit=4, contract=True,
                    )  # fmt: skip
                except CannotMake as reason:
                    return str(reason)
                except PortError as error:
                    why = re.sub(r" \(block .*", "", str(error.diagnostic.message))
                    continue
                if any(_changed(a, b) for a, b in zip(before, after, strict=True)):
                    made.append(Launch(grid, block, shared, before, after))
                    break
                why = "the launch writes nothing"
    return made or why


def _changed(before: Any, after: Any) -> bool:
    return isinstance(before, np.ndarray) and before.tobytes() != after.tobytes()


def _grid(largest: int, block: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = (-(-largest // extent) if extent > 1 else 1 for extent in block)
    return (max(2, x), y, z) if block[1] == 1 else (x, y, z)


def _arguments(module: Module, kernel: Function, hint: LaunchHint, size: int, top: int) -> Args:
    rng = np.random.default_rng(5)
    layout = Layout(module.structs)
    args: Args = []
    for at, param in enumerate(kernel.params):
        known = hint.arguments[at] if at < len(hint.arguments) else None
        match param.type:
            case Pointer(element):
                array = np.zeros(ROOM // max(1, layout.size(element)), _record(layout, element))
                _fill(array, rng, top)
                args.append(array)
            case Scalar(kind) if kind in NUMBERS:
                floats = kind in ("f16", "f32", "f64")
                value = known if known is not None else 0.5 if floats else size
                args.append(float(value) if floats else int(value))
            case other:
                raise CannotMake(f"an argument of type {type(other).__name__}")
    return args


def _record(layout: Layout, element: Type) -> Any:
    """The NumPy type of an element: a number, or a record of them."""
    match element:
        case Scalar(kind) if kind in NUMBERS:
            return np.dtype(NUMBERS[kind])
        case Struct(name):
            if layout.is_union(name):
                raise CannotMake("a pointer to unions")
            whole = layout.struct(name)
            return np.dtype({
                "names": [f.name for f in whole.fields],
                "formats": [_record(layout, f.type) for f in whole.fields],
                "offsets": [f.offset for f in whole.fields],
                "itemsize": whole.size,
            })  # fmt: skip
        case Array(inner, length):
            return np.dtype((_record(layout, inner), (length,)))
        case other:
            raise CannotMake(f"a pointer to {type(other).__name__}")


def _fill(array: NDArray[Any], rng: np.random.Generator, top: int) -> None:
    if array.dtype.names:
        for name in array.dtype.names:
            _fill(array[name], rng, top)
    elif array.dtype.kind == "f":
        array[...] = rng.standard_normal(array.shape)
    else:
        array[...] = rng.integers(0, top + 1, array.shape)


# ---- comparing


def _on_gpu(
    device: Device, code: CodeObject, symbol: str, launch: Launch, options: LaunchOptions
) -> tuple[Args, Any]:
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in launch.before]
    raw = [a.view(np.uint8) if isinstance(a, np.ndarray) else a for a in args]
    sizes = [a.size for a in code.kernels[symbol].visible_arguments]
    given = [
        int(a).to_bytes(8, "little", signed=a < 0)[:size] if isinstance(a, int) else a
        for a, size in zip(raw, sizes, strict=False)
    ]
    found = device.launch(
        code, symbol, launch.grid, launch.block, given, dynamic_lds=launch.shared, options=options
    )
    return args, found


def _races(device: Device, code: CodeObject, symbol: str, launches: list[Launch]) -> str:
    """What the emulator sees: a launch whose waves race has no one result."""
    for launch in launches:
        options = LaunchOptions(seconds=30, check_global=True, check_lds=True)
        try:
            _, found = _on_gpu(device, code, symbol, launch, options)
        except PortError:
            continue
        if found.observations:
            return f"{found.observations[0].kind} at {found.observations[0].place}"
    return ""


def _compare(device: Device, code: CodeObject, symbol: str, launch: Launch) -> Row:
    try:
        args, _ = _on_gpu(device, code, symbol, launch, LaunchOptions(seconds=30))
    except PortError as error:
        return _row("fault", str(error.diagnostic.message))
    word = "exact"
    for at, (mine, right) in enumerate(zip(args, launch.after, strict=True)):
        if not isinstance(mine, np.ndarray) or mine.tobytes() == right.tobytes():
            continue
        bad = _far(mine, right)
        if bad:
            return _row("differs", f"{bad} of {mine.size} elements of argument {at}")
        word = "close"
    return _row(word, "")


def _far(mine: NDArray[Any], right: NDArray[Any]) -> int:
    if mine.dtype.names:
        return sum(_far(mine[n], right[n]) for n in mine.dtype.names)
    if mine.dtype.kind != "f":
        return int((mine != right).sum())
    with np.errstate(all="ignore"):
        a, b = mine.astype(np.float64), right.astype(np.float64)
        finite = b[np.isfinite(b)]
        scale = float(np.sqrt((finite**2).mean())) if finite.size else 0.0
        bound = {2: 2e-3, 4: 1e-5, 8: 1e-12}[mine.dtype.itemsize]
        near = np.abs(a - b) <= bound * np.maximum(np.abs(b), scale)
        same = near | (np.isnan(a) & np.isnan(b)) | (a == b)
    return int((~same).sum())


def _excuse(module: Module, name: str, launches: list[Launch]) -> str:
    """What the interpreter finds wrong with the launch itself: races, uninitialised reads."""
    for launch in launches:
        args = [a.copy() if isinstance(a, np.ndarray) else a for a in launch.before]
        try:
            found = run(
                module, name, launch.grid, launch.block, args, shared_bytes=launch.shared,
                time_limit=15, checks=Checks(races=True, uninitialised=True),
            ).findings  # fmt: skip
        except PortError as error:
            if "did not finish" in error.diagnostic.message:
                continue
            return f"{error.diagnostic.message}"[:200]
        if found:
            return f"{found[0]}"[:200]
    return ""


# ---- reporting


def _row(word: str, why: str) -> Row:
    return {"word": word, "why": why[:300]}


def report(known: dict[str, dict[str, Row]]) -> None:
    """Totals, kernels that agree, and the reasons of the rest."""
    rows = [(f, k, r) for f, kernels in sorted(known.items()) for k, r in sorted(kernels.items())]
    words = Counter(r["word"] for _, _, r in rows)
    good = [(f, k, r["word"]) for f, k, r in rows if r["word"] in AGREES]
    ran = len(good) + words["differs"] + words["fault"] + words["undefined"]
    print(f"{len(known)} files, {len(rows)} kernels, {ran} ran, {len(good)} agree\n")
    print("| word | kernels |\n|---|---|")
    for word, count in sorted(words.items()):
        print(f"| {word} | {count} |")
    print("\n| program | kernels that agree |\n|---|---|")
    for file in dict.fromkeys(f for f, _, _ in good):
        print(f"| {file} | {', '.join(f'{k} ({w})' for f, k, w in good if f == file)} |")
    print()
    for file, kernel, row in rows:
        if row["word"] in ("differs", "fault", "undefined"):
            print(f"- {file} {kernel}: {row['word']}: {row['why']}")
    print("\n| why a kernel did not run | kernels |\n|---|---|")
    found: Counter[str] = Counter()
    for _, _, row in rows:
        if row["word"] not in (*AGREES, "differs", "fault", "undefined"):
            why = re.sub(r"'[^']*'|/\S+|\b\d+\b", "…", row["why"]).strip()[:90].replace("|", "/")
            found[f"{row['word']}: {why}"] += 1
    for why, count in found.most_common():
        print(f"| {why} | {count} |")


if __name__ == "__main__":
    sys.exit(main())
