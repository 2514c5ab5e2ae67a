"""How much of a suite's device code reaches the thread IR, and what keeps the rest out.

    python benchmarks/lowering.py SUITE/src --match '*-cuda' --json report.json --markdown table.md

A kernel counts as lowered when every instance of it that was found lowers without `Opaque`, device
functions that it calls included. Templates that nobody instantiates get one instance of the
parser's choice; those for which none can be found count as not lowered.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path

_TIME_LIMIT = 300


@dataclass
class KernelResult:
    """One instance of one kernel."""

    file: str
    line: int
    name: str
    base: str
    origin: str
    reasons: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


@dataclass
class FileResult:
    """One translation unit."""

    path: str
    kernels: list[KernelResult] = field(default_factory=list)
    error: str = ""
    parse_seconds: float = 0.0
    lower_seconds: float = 0.0


def main() -> int:
    """Measure a folder and print the table."""
    arguments = _arguments()
    folder = Path(arguments.folder)
    files = sorted(_alone(folder) if arguments.alone else _units(folder, arguments.match))
    if arguments.sample:
        files = sorted(
            random.Random(arguments.seed).sample(files, min(arguments.sample, len(files)))
        )
    results = list(_run(files, quiet=arguments.quiet))
    report = summarize(results)
    if arguments.json:
        detail = {"summary": report, "files": [asdict(r) for r in results]}
        Path(arguments.json).write_text(json.dumps(detail, indent=1))
    table = markdown(report)
    if arguments.markdown:
        Path(arguments.markdown).write_text(table)
    print(table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--match", default="*", help="only programs (folders) of this name")
    parser.add_argument("--alone", action="store_true", help="every .cu by itself, without flags")
    parser.add_argument("--sample", type=int, default=0, help="only so many files, at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


def _units(folder: Path, match: str) -> Iterator[tuple[Path, list[str]]]:
    """Every CUDA file that is compiled, with the flags that its program's build gives it."""
    from crossport.migrate.units import find_programs

    places = [folder]
    if match != "*":
        places = sorted(
            p for p in folder.iterdir() if p.is_dir() and fnmatch.fnmatch(p.name, match)
        )
    seen: set[Path] = set()
    for place in places:
        for program in find_programs(place):
            for unit in program.units:
                if unit.kind != "gpu" or unit.source in seen:
                    continue
                seen.add(unit.source)
                flags = [*unit.flags, *(f"-I{path}" for path in unit.folders)]
                for path in unit.forced:
                    flags += ["-include", path]
                yield unit.source, flags


def _alone(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every CUDA file: what extensions of a framework are made of has no build of its own."""
    for path in folder.rglob("*.cu"):
        yield path, []


def _run(files: list[tuple[Path, list[str]]], *, quiet: bool) -> Iterator[FileResult]:
    """Each file in a worker: a crash of the parser costs one file."""
    pool = ProcessPoolExecutor(1)
    for number, (path, flags) in enumerate(files):
        job = pool.submit(measure, str(path), flags)
        try:
            result = job.result(timeout=_TIME_LIMIT)
        except BrokenProcessPool:
            pool = ProcessPoolExecutor(1)
            result = FileResult(str(path), error="the worker died")
        except TimeoutError:
            pool.shutdown(wait=False, cancel_futures=True)
            pool = ProcessPoolExecutor(1)
            result = FileResult(str(path), error="took too long")
        if not quiet:
            done = sum(not k.reasons for k in result.kernels)
            note = f" {result.error}" if result.error else ""
            print(
                f"[{number + 1}/{len(files)}] {path} {done}/{len(result.kernels)}{note}",
                file=sys.stderr,
            )
        yield result
    pool.shutdown()


def measure(path: str, flags: list[str]) -> FileResult:
    """Parse and lower one file."""
    from crossport.diagnostics import PortError
    from crossport.frontend.lowering import lower_unit, problems
    from crossport.frontend.parse import parse
    from crossport.ir.verify import verify

    result = FileResult(path)
    started = time.perf_counter()
    try:
        unit = parse(path, flags)
        result.parse_seconds = time.perf_counter() - started
        started = time.perf_counter()
        module = lower_unit(unit)
        result.lower_seconds = time.perf_counter() - started
    except PortError as error:
        result.error = str(error.diagnostic.message)
        return result
    except Exception as error:
        result.error = f"internal: {type(error).__name__}: {error}"
        return result
    invalid = verify(module)
    for kernel, function in zip(unit.kernels, module.kernels, strict=True):
        found = problems(module, function)
        place = kernel.span
        result.kernels.append(
            KernelResult(
                os.path.realpath(place.file),
                place.line,
                kernel.name,
                kernel.base_name,
                kernel.origin,
                [p.reason for p in found],
                [f"{p.span}: {p.text[:100]}" for p in found],
                [line for line in invalid if line.startswith(f"{function.name}: ")],
            )
        )
    for pattern in unit.patterns:
        if not pattern.instances and not any(
            k.line == pattern.span.line and k.file == os.path.realpath(pattern.span.file)
            for k in result.kernels
        ):
            result.kernels.append(
                KernelResult(
                    os.path.realpath(pattern.span.file), pattern.span.line, pattern.name,
                    pattern.name, "pattern", ["a template without an instance"],
                    [str(pattern.span)],
                )
            )  # fmt: skip
    if invalid and not any(k.invalid for k in result.kernels):
        result.error = f"invalid IR: {invalid[0]}"
    return result


def summarize(results: list[FileResult]) -> dict[str, object]:
    """Counts per kernel and per instance, and what blocks."""
    instances: dict[tuple[str, int, str], KernelResult] = {}
    for result in results:
        for kernel in result.kernels:
            key = (kernel.file, kernel.line, kernel.name)
            # A header's kernel is met once a unit; the best meeting counts.
            if key not in instances or len(kernel.reasons) < len(instances[key].reasons):
                instances[key] = kernel
    once: dict[tuple[str, int], list[KernelResult]] = {}
    for (file, line, _), kernel in instances.items():
        once.setdefault((file, line), []).append(kernel)
    # An instance for want of an own one must not hide that the real ones are fine.
    for key, found in once.items():
        real = [k for k in found if k.origin not in ("probe", "pattern")]
        once[key] = real or found
    lowered = [key for key, found in once.items() if not any(k.reasons for k in found)]
    by_kernel: Counter[str] = Counter()
    first: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for found in once.values():
        reasons = [(r, w) for k in found for r, w in zip(k.reasons, k.where, strict=True)]
        if reasons:
            first[_group(reasons[0][0])] += 1
        for reason in {_group(r) for r, _ in reasons}:
            by_kernel[reason] += 1
        for reason, where in reasons:
            examples.setdefault(_group(reason), where)
    return {
        "files": len(results),
        "files_failed": sum(bool(r.error) for r in results),
        "errors": [f"{r.path}: {r.error}" for r in results if r.error],
        "kernels": len(once),
        "kernels_lowered": len(lowered),
        "instances": len(instances),
        "instances_lowered": sum(not k.reasons for k in instances.values()),
        "invalid": sorted({line for k in instances.values() for line in k.invalid})[:50],
        "blockers": by_kernel.most_common(),
        "first_blocker": first.most_common(),
        "examples": examples,
        "parse_seconds": round(sum(r.parse_seconds for r in results), 1),
        "lower_seconds": round(sum(r.lower_seconds for r in results), 1),
    }


def _group(reason: str) -> str:
    """One row for one cause, whatever the names in it."""
    reason = re.sub(r"^(.*) has no definition here$", "a function without a definition", reason)
    reason = re.sub(r"the initial value of \S+", "the initial value of a variable", reason)
    reason = re.sub(r"^\S+ is a host variable", "a host variable", reason)
    reason = re.sub(r"call of \S+ did not compile", "a call that did not compile", reason)
    return reason if len(reason) < 90 else reason[:87] + "..."


def markdown(report: dict[str, object]) -> str:
    """The table of docs/lowering.md."""

    def share(part: str, whole: str) -> str:
        a, b = report[part], report[whole]
        assert isinstance(a, int) and isinstance(b, int)
        return f"{a} of {b} ({100 * a / max(b, 1):.1f} %)"

    lines = [
        f"Files: {report['files']} ({report['files_failed']} could not be read or parsed).",
        "Kernels lowered without `Opaque`, each kernel once: "
        f"{share('kernels_lowered', 'kernels')}.",
        f"Once per instantiation: {share('instances_lowered', 'instances')}.",
        f"Time: {report['parse_seconds']} s parsing, {report['lower_seconds']} s lowering.",
        "",
        "| what blocks a kernel | kernels | first of its kind |",
        "|---|---|---|",
    ]
    blockers, examples, first = report["blockers"], report["examples"], report["first_blocker"]
    assert isinstance(blockers, list) and isinstance(examples, dict) and isinstance(first, list)
    starts = dict(first)
    for reason, count in blockers:
        lines.append(
            f"| {reason.replace('|', chr(92) + '|')} | {count} | {starts.get(reason, 0)} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
