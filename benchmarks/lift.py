"""Count what ports to Triton and JAX: per target and tier, right, wrong or refused.

    python benchmarks/lift.py corpus                        every case, run and judged
    python benchmarks/lift.py --no-run SUITE/src --select '*-cuda'    what ports, and why not

A corpus folder holds programs with a cases.toml each: every checked case runs through the thread
interpreter (exact and float64) and through the port (Triton's CPU interpreter; JAX on the CPU), and
the tester's layers judge. Each program runs in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FUZZ = [False]
CASES = [0]
COUNTS: list[list[int]] = []


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--select", default="*")
    parser.add_argument("--every", type=int, default=1, help="only each N-th program")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--to", default="triton,tpu")
    parser.add_argument("--no-run", action="store_true")
    parser.add_argument(
        "--fuzz", action="store_true",
        help="without cases: run on made-up arguments that the interpreter finds no fault with",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time")
    parser.add_argument("--reasons", action="store_true", help="count why kernels are refused")
    parser.add_argument("--limit", type=float, default=150, help="seconds for a program")
    parser.add_argument("--cases", type=int, default=0, help="only so many cases of a kernel")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="leave the ports here")
    args = parser.parse_args()
    programs = sorted(p for p in args.folder.glob(args.select) if p.is_dir())[:: args.every]
    if args.only:
        programs = [p for p in programs if p.name in args.only]
    os.environ |= {"TRITON_INTERPRET": "1", "JAX_PLATFORMS": "cpu"}
    if not args.no_run:
        import jax  # noqa: F401
        import torch  # noqa: F401
        import triton  # noqa: F401
    import crossport.backends.pallas.port
    import crossport.backends.triton.port
    import crossport.frontend.lowering
    import crossport.frontend.parse
    import crossport.ir.interpreter  # noqa: F401

    rows = []
    for program, found in all_programs(programs, args):
        rows += found
        print_row(rows, program.name)
    summary(rows)
    if args.reasons:
        reasons(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    return 0


@dataclass
class Child:
    """A process that does one program."""

    program: Path
    pid: int
    deadline: float
    out: bytes = b""


def all_programs(
    programs: list[Path], args: argparse.Namespace
) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Each program's rows as they come, from `--jobs` processes at a time."""
    waiting = list(reversed(programs))
    running: dict[int, Child] = {}
    while waiting or running:
        while waiting and len(running) < args.jobs:
            fd, child = start(waiting.pop(), args)
            running[fd] = child
        patience = min(c.deadline for c in running.values()) - time.monotonic()
        ready, _, _ = select.select(list(running), [], [], max(0.0, patience))
        for fd, child in list(running.items()):
            late = time.monotonic() > child.deadline
            if fd in ready:
                chunk = os.read(fd, 1 << 16)
                child.out += chunk
                if chunk and not late:
                    continue
            elif not late:
                continue
            if late:
                os.kill(child.pid, signal.SIGKILL)
            os.close(fd)
            del running[fd]
            yield child.program, finish(child, late)


def start(program: Path, args: argparse.Namespace) -> tuple[int, Child]:
    """Begin a program in a process of its own that starts with everything imported."""
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        os.dup2(write_end, 1)
        with open(os.devnull, "w") as sink:
            os.dup2(sink.fileno(), 2)
        code = 1
        try:
            FUZZ.append(args.fuzz)
            CASES.append(args.cases)
            worker(program, args.to.split(","), run=not args.no_run, keep=args.keep)
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(write_end)
    return read_end, Child(program, pid, time.monotonic() + args.limit)


def finish(child: Child, late: bool) -> list[dict[str, Any]]:
    """The rows of a program whose process has ended."""
    _, status = os.waitpid(child.pid, 0)
    code = 124 if late else os.waitstatus_to_exitcode(status)
    lines = child.out.decode(errors="replace").splitlines()
    rows: list[dict[str, Any]] = [json.loads(x[4:]) for x in lines if x.startswith("ROW ")]
    if code != 0:
        rows.append({"program": child.program.name, "kernel": "-", "target": "-", "tier": None,
                     "result": "crash", "why": str(code)})  # fmt: skip
    return rows


def print_row(rows: list[dict[str, Any]], program: str) -> None:
    """One line a kernel and target."""
    for row in rows:
        if row["program"] == program:
            why = f"  {row['why'][:150]}" if row["why"] else ""
            print(f"{program:28} {row['kernel'][:30]:30} {row['target']:7} "
                  f"{row['tier'] or '-':5} {row['result']:9}{why}", flush=True)  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> None:
    """Counts by target."""
    for target in sorted({r["target"] for r in rows} - {"-"}):
        mine = [r for r in rows if r["target"] == target]
        counts = Counter((r["tier"] or "none", r["result"]) for r in mine)
        print(f"{target}: {len(mine)} kernels; " + ", ".join(
            f"{tier} {result} {n}" for (tier, result), n in sorted(counts.items())
        ))  # fmt: skip
    print(f"crashes: {sum(r['result'] == 'crash' for r in rows)}")


def reasons(rows: list[dict[str, Any]]) -> None:
    """Why kernels were refused, and why they are not in tier `tile`: counted, names left out."""
    for target in sorted({r["target"] for r in rows}):
        mine = [r for r in rows if r["target"] == target]
        for title, chosen in (
            ("refused", [r for r in mine if r["result"] in ("refused", "crash")]),
            ("not tile", [r for r in mine if r["tier"] in ("simt", "xla")]),
        ):
            counts: Counter[str] = Counter()
            examples: dict[str, str] = {}
            for row in chosen:
                reason = general(row["why"])
                counts[reason] += 1
                examples.setdefault(reason, f"{row['program']}/{row['kernel'][:40]}")
            for reason, count in counts.most_common(60):
                print(f"{target:7} {title:8} {count:4}  {reason[:110]:110} {examples[reason]}")


def general(why: str) -> str:
    """A reason with the names of one program taken out of it."""
    return re.sub(r"`[^`]*`|'[^']*'|\b\d+(\.\d+)? s\b", "...", why)


# --- In the worker --------------------------------------------------------------------------------


def worker(program: Path, targets: list[str], *, run: bool, keep: Path | None) -> None:
    """Port one program, run its cases, print rows."""
    sys.setrecursionlimit(20_000)
    from crossport.diagnostics import PortError
    from crossport.frontend.lowering import lower_unit
    from crossport.frontend.parse import parse

    for source in sorted(p for p in program.rglob("*.cu") if p.is_file()):
        try:
            unit = parse(
                source,
                flags=[f"-I{program}", f"-I{program}/../include"],
                instantiate=instances(program),
            )
            module = lower_unit(unit)
        except PortError as error:
            emit(program, "-", "-", None, "crash", f"{source.name}: {error.diagnostic.message}")
            continue
        text = source.read_text(errors="replace")
        for target in targets:
            shapes = launched(unit)
            one_target(program, source, module, text, target, shapes, run=run, keep=keep)


def launched(unit: Any) -> dict[str, tuple[tuple[int, int, int], ...]]:
    """Block shapes of the host's launches, by kernel, where they are constant."""
    shapes: dict[str, list[tuple[int, int, int]]] = {}
    for launch in unit.launches:
        values = launch.block.values
        if all(v is not None for v in values) and launch.kernel:
            shapes.setdefault(str(launch.kernel), []).append(values)
    return {name: tuple(dict.fromkeys(found)) for name, found in shapes.items()}


def instances(program: Path) -> list[str]:
    """The template instances that the program's cases ask for."""
    file = program / "cases.toml"
    if not file.exists():
        return []
    from crossport.validation.cases import load_cases

    return [name for name in load_cases(file).kernels if "<" in name]


def one_target(
    program: Path,
    source: Path,
    module: Any,
    text: str,
    target: str,
    shapes: Any,
    *,
    run: bool,
    keep: Path | None,
) -> None:
    """Port to one target, and judge."""
    from crossport.ir.lift.naming import Options

    if target == "triton":
        from crossport.backends.triton.port import port_module
    else:
        from crossport.backends.pallas.port import port_module
    began = time.perf_counter()
    ported = port_module(module, text, Options(source_name=source.name, blocks=shapes))
    seconds = time.perf_counter() - began
    folder = keep or Path(tempfile.mkdtemp(prefix="lift-"))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{source.stem}_{target}.py"
    file.write_text(ported.text)
    cases = program / "cases.toml"
    for kernel in ported.kernels:
        if kernel.status == "refused":
            why = f"{kernel.diagnostics[0].code}: {kernel.diagnostics[0].message}"
            emit(program, kernel.name, target, None, "refused", why)
        elif run and FUZZ[-1] and not cases.exists():
            try:
                result, why = fuzz(module, kernel.name, kernel.function, file, target, shapes)
            except Exception as error:
                result, why = "wrong", f"{type(error).__name__}: {error}".replace("\n", " ")
            emit(program, kernel.name, target, kernel.tier, result, why)
        elif not run or not cases.exists():
            why = f"{seconds:.2f} s" if seconds > 5 else ""
            why += "; ".join(d.message for d in kernel.diagnostics if d.severity == "note")
            emit(program, kernel.name, target, kernel.tier, "ported", why)
        else:
            try:
                with counted_kernels() as kernels:
                    result, why = judge(module, kernel.name, kernel.function, file, cases, target)
                if result == "right" and kernel.tier == "tile" and target == "tpu" and 0 in kernels:
                    why += f"{kernels.count(0)} of {len(kernels)} cases by XLA alone; "
            except Exception as error:  # a port that raises is a wrong port
                result, why = "wrong", f"{type(error).__name__}: {error}".replace("\n", " ")
            why += "; ".join(d.message for d in kernel.diagnostics if d.severity == "note")
            emit(program, kernel.name, target, kernel.tier, result, why)


@contextlib.contextmanager
def counted_kernels() -> Iterator[list[int]]:
    """How many Pallas kernels each launch of a JAX port runs."""
    from jax.experimental import pallas

    plain = pallas.pallas_call
    counts: list[int] = []

    def counted(*args: Any, **options: Any) -> Any:
        counts[-1] += 1
        return plain(*args, **options)

    COUNTS.append(counts)
    pallas.pallas_call = counted
    try:
        yield counts
    finally:
        pallas.pallas_call = plain
        COUNTS.pop()


def some(cases: list[Any]) -> list[Any]:
    """As many of a kernel's cases as were asked for, spread over their sizes."""
    number = CASES[-1]
    if not 0 < number < len(cases):
        return cases
    ordered = sorted(cases, key=lambda c: sum(a.count for a in c.arrays))
    return [ordered[len(cases) * (i + 1) // (number + 1)] for i in range(number)]


def emit(program: Path, kernel: str, target: str, tier: str | None, result: str, why: str) -> None:
    """One row to the parent."""
    row = {"program": program.name, "kernel": kernel, "target": target, "tier": tier,
           "result": result, "why": why}  # fmt: skip
    print("ROW " + json.dumps(row), flush=True)


def judge(
    module: Any, kernel: str, function: str, file: Path, cases: Path, target: str
) -> tuple[str, str]:
    """Run every checked case of a kernel: ("right" | "wrong" | "untested", why)."""
    import importlib.util

    import numpy as np

    from crossport.ir.interpreter import run
    from crossport.validation.cases import load_cases
    from crossport.validation.numerics.layers import Evidence, judge_array
    from crossport.validation.numerics.words import Word

    spec = importlib.util.spec_from_file_location("port_under_test", file)
    assert spec is not None and spec.loader is not None
    port = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(port)
    tested = 0
    mine = [c for c in load_cases(cases).checked if spelled(c.kernel) == spelled(kernel)]
    for case in some(mine):
        tested += 1
        memory = {name: array.copy() for name, array in case.initial().items()}
        exact = {name: array.copy() for name, array in memory.items()}
        wide = {name: array.copy() for name, array in memory.items()}
        symbols = {a.name: a for a in case.buffers if a.symbol}
        run(module, kernel, case.grid, case.block, arguments(case, exact),
            shared_bytes=case.shared_bytes, globals_={n: exact[n] for n in symbols})  # fmt: skip
        report = run(
            module, kernel, case.grid, case.block, arguments(case, wide), mode="oracle",
            shared_bytes=case.shared_bytes, globals_={n: wide[n] for n in symbols},
        )  # fmt: skip
        found = launch(port, function, case, memory, target)
        for array in case.written:
            evidence = Evidence(
                exact[array.name], oracle_of(report.oracle, case, array),
                may_reorder=array.compare == "multiset",
                # TPUs, and XLA on the CPU, count denormals as zero; the tester says so too.
                flushes_denormals=target == "tpu",
            )  # fmt: skip
            if array.name not in found:
                return "wrong", f"{case.name}: {array.name} was not returned"
            port_array = np.asarray(found[array.name])
            verdict = judge_array(array.name, array.dtype, evidence, port_array)
            if verdict.word == Word.DIVERGENT:
                first = verdict.first
                return "wrong", f"{case.name}: {array.name}: {verdict.reason} {first}"
    return ("right", "") if tested else ("untested", "no case")


def fuzz(
    module: Any, kernel: str, function: str, file: Path, target: str, shapes: Any
) -> tuple[str, str]:
    """Run a kernel on made-up arguments; "untested" where the kernel itself faults on them."""
    import importlib.util
    import random

    import numpy as np

    from crossport.diagnostics import PortError
    from crossport.ir.interpreter import Checks, run
    from crossport.ir.types import Pointer, Scalar
    from crossport.validation.dtypes import DTYPES
    from crossport.validation.numerics.layers import Evidence, judge_array
    from crossport.validation.numerics.words import Word

    names = {"i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16", "i32": "int32",
             "u32": "uint32", "i64": "int64", "u64": "uint64", "f16": "float16", "bf16": "bfloat16",
             "f32": "float32", "f64": "float64", "bool": "bool"}  # fmt: skip
    function_ir = module.function(kernel)
    spec = importlib.util.spec_from_file_location("port_under_test", file)
    assert spec is not None and spec.loader is not None
    port = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(port)
    tested = 0
    why = ""
    block = (shapes.get(kernel) or shapes.get(function_ir.base_name) or ((128, 1, 1),))[0]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        random.seed(seed)
        size = 1 << 16
        args: list[Any] = []
        kinds: list[Any] = []
        for param in function_ir.params:
            kind = param.type
            if isinstance(kind, Pointer) and isinstance(kind.element, Scalar):
                d = DTYPES[names[kind.element.kind]]
                if d.name == "bfloat16":
                    array = (rng.normal(size=size).astype(np.float32).view(np.uint32) >> 16).astype(
                        np.uint16
                    )
                elif d.is_float:
                    array = rng.uniform(0.1, 2, size).astype(d.storage)
                else:
                    array = rng.integers(0, 2 if d.kind == "bool" else 30, size).astype(d.storage)
                args.append(array)
                kinds.append(d)
            elif isinstance(kind, Scalar):
                number = float(rng.uniform(0.1, 2)) if kind.is_float else int(rng.integers(1, 40))
                if kind.kind == "f32":
                    number = float(np.float32(number))
                args.append(number)
                kinds.append(None)
            else:
                return "untested", f"a parameter of type {kind}"
        exact = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        wide = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        mine = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        grid = (2, 1, 1) if block[1] == 1 else (2, 2, 1)
        shared = 16384 if any(getattr(s.type, "length", 1) == 0 for s in function_ir.shared) else 0
        try:
            checks = Checks(races=True, uninitialised=True, stop_on_fault=False)
            found = run(
                module,
                kernel,
                grid,
                block,
                exact,
                shared_bytes=shared,
                checks=checks,
                time_limit=20,
            )
            if found.findings:
                why = str(found.findings[0])[:100]
                continue
            oracle = run(
                module, kernel, grid, block, wide, shared_bytes=shared, mode="oracle", time_limit=20
            )
        except PortError as error:
            why = error.diagnostic.message[:100]
            continue
        entry = getattr(port, function)
        if target == "triton":
            import torch

            tensors = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in mine]
            entry(grid, block, *tensors, shared_bytes=shared)
            results = {p.name: a for p, a in zip(function_ir.params, mine, strict=True)}
        else:
            results = {p.name: a for p, a in zip(function_ir.params, mine, strict=True)}
            values = entry(grid, block, *mine, shared_bytes=shared, interpret=True)
            returned = returned_names(entry)
            by_name = {p.name: p.name for p in function_ir.params}
            by_name |= {p.name + "_": p.name for p in function_ir.params}
            for name, value in zip(returned, values, strict=True):
                target_name = by_name.get(name)
                if target_name is None:
                    return "untested", f"returns {name}"
                results[target_name] = (
                    np.asarray(value).reshape(-1).view(results[target_name].dtype)
                )
        tested += 1
        rows = zip(function_ir.params, kinds, exact, strict=True)
        for position, (param, d, original) in enumerate(rows):
            if d is None:
                continue
            evidence = Evidence(original, oracle.oracle.get(position))
            verdict = judge_array(param.name, d, evidence, results[param.name])
            if verdict.word == Word.DIVERGENT:
                return "wrong", f"seed {seed}: {param.name}: {verdict.reason} {verdict.first}"
    return ("right", "") if tested else ("untested", why)


def spelled(kernel: str) -> str:
    """An instance's name in one spelling."""
    name = re.sub(r"\s+", "", kernel)
    name = re.sub(r"(?<=[<,])true(?=[,>])", "1", name)
    name = re.sub(r"(?<=[<,])-1(?=[,>])", "1", name)
    return re.sub(r"(?<=[<,])false(?=[,>])", "0", name)


def oracle_of(oracle: Any, case: Any, array: Any) -> Any:
    """The float64 values of an array argument."""
    for position, arg in enumerate(case.args):
        if arg is array:
            return oracle.get(position)
    return None


def arguments(case: Any, memory: dict[str, Any], *, for_port: bool = False) -> list[Any]:
    """A case's arguments for the interpreter, or for a port."""
    from crossport.validation.cases import ArrayArg, ScalarArg, StructArg
    from crossport.validation.runners.exchange import texture_fields
    from crossport.validation.runners.interp import texture

    result: list[Any] = []
    for arg in case.args:
        if isinstance(arg, ArrayArg):
            result.append(memory[arg.name])
        elif isinstance(arg, ScalarArg):
            result.append(arg.value)
        elif isinstance(arg, StructArg):
            result.append(tuple(
                f.value if isinstance(f, ScalarArg) else memory[f[1]] for f in arg.fields
            ))  # fmt: skip
        else:
            result.append(texture(arg, memory[arg.array]) if not for_port else {
                f["name"]: memory[f["array"]] if "array" in f else f["value"]
                for f in texture_fields(arg)
            })  # fmt: skip
    return result


def launch(
    port: Any, function: str, case: Any, memory: dict[str, Any], target: str
) -> dict[str, Any]:
    """Run the port; the arrays after it, by name."""
    import numpy as np

    from crossport.validation.cases import ArrayArg

    entry = getattr(port, function)
    if target == "triton":
        import torch

        tensors = {name: torch.from_numpy(array) for name, array in memory.items()}
        table = getattr(entry, "globals", {})
        for array in case.buffers:
            if array.symbol and array.name in table:
                kind = table[array.name].dtype
                table[array.name] = tensors[array.name].view(torch.uint8).view(kind).clone()
        entry(
            case.grid,
            case.block,
            *arguments(case, tensors, for_port=True),
            shared_bytes=case.shared_bytes,
        )
        for array in case.buffers:
            if array.symbol and array.name in table:
                memory[array.name] = (
                    table[array.name].view(torch.uint8).numpy().view(memory[array.name].dtype)
                )
        return memory
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        arrays = {name: jnp.asarray(array) for name, array in memory.items()}
        table = getattr(entry, "globals", {})
        for array in case.buffers:
            if array.symbol and array.name in table:
                kind = np.dtype(table[array.name].dtype)
                table[array.name] = jnp.asarray(memory[array.name].view(np.uint8).view(kind))
    given = arguments(case, arrays, for_port=True)
    if COUNTS:
        COUNTS[-1].append(0)
    results = entry(case.grid, case.block, *given, shared_bytes=case.shared_bytes, interpret=True)
    found = dict(memory)
    written = returned_names(entry)
    by_root = roots_of(case)
    for name, value in zip(written, results, strict=True):
        if name in by_root:
            target_name = by_root[name]
            found[target_name] = np.asarray(value).reshape(-1).view(memory[target_name].dtype)
    for array in case.buffers:
        if array.symbol and array.name in table:
            found[array.name] = np.asarray(table[array.name]).view(memory[array.name].dtype)
    del ArrayArg
    return found


def returned_names(entry: Any) -> list[str]:
    """The arrays that a JAX port says it returns."""
    text = (entry.__doc__ or "").rpartition("returns (")[2].partition(")")[0]
    return [name for name in text.split(", ") if name and name != "nothing"]


def roots_of(case: Any) -> dict[str, str]:
    """A port's array names to the case's: parameters, and struct members that are pointers."""
    from crossport.validation.cases import ArrayArg, StructArg

    result: dict[str, str] = {}
    for arg in case.args:
        if isinstance(arg, ArrayArg):
            result[arg.name] = arg.name
            result[arg.name + "_"] = arg.name
        elif isinstance(arg, StructArg):
            for f in arg.fields:
                if isinstance(f, tuple):
                    result[f"{arg.name}_{f[0]}"] = f[1]
    return result


if __name__ == "__main__":
    sys.exit(main())
