"""Which opcodes have a test of their own: the tables in docs/amdgpu.md.

    python benchmarks/amdgpu_coverage.py --record           run the opcode tests, note what they run
    python benchmarks/amdgpu_coverage.py [--write]          the table by encoding
    python benchmarks/amdgpu_coverage.py --suite FOLDER [--write]
                       what the code objects FOLDER/<gpu>/*.hsaco use; amdgpu_objects.py makes them

An opcode is tested when a test runs it by itself and compares every lane, SCC, EXEC and memory with
a reference that shares nothing with the emulator. `--record` keeps their names in
benchmarks/amdgpu_tested.json. The three CDNA GPUs share tables and bodies, and so their tests.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crossport.diagnostics import PortError
from crossport.validation.amdgpu.arch import ARCHS
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.program import build_program
from crossport.validation.amdgpu.stepping import program_of

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "amdgpu_tested.json"
PAGE = ROOT / "docs" / "amdgpu.md"
sys.path.insert(0, str(ROOT / "tests"))
encoding = importlib.import_module("amdgpu_encoding")
FORMS = (
    *("SOP1", "SOP2", "SOPC", "SOPK", "SOPP", "SMEM", "VOP1", "VOP2", "VOPC", "VOP3", "VOP3_SDST"),
    *("VOP3SD", "VOP3P", "VOP3P_MFMA", "VOPD", "DS", "FLAT", "GLOBAL", "SCRATCH", "MUBUF", "MIMG"),
    *("VIMAGE", "VSAMPLE"),
)
_RECORDED = (
    "test_*opcodes.py", "test_modifiers.py", "test_division.py", "test_lane_exchange.py",
    "test_rdna_*.py", "test_images.py",
)  # fmt: skip
# In every kernel that test_launch.py compiles, runs and checks, for every GPU; hints do nothing.
_IN_KERNELS = {
    *("s_barrier", "s_endpgm", "s_branch", "s_cbranch_execz", "s_cbranch_execnz", "s_cbranch_scc0"),
    *("s_cbranch_scc1", "s_cbranch_vccz", "s_cbranch_vccnz", "s_barrier_signal", "s_barrier_wait"),
}
_HINTS = (
    *("s_waitcnt", "s_wait_", "s_nop", "s_clause", "s_delay_alu", "s_setprio", "s_code_end"),
    *("s_inst_prefetch", "s_set_inst_prefetch", "s_sendmsg", "s_sethalt", "v_nop", "s_icache_inv"),
    *(
        "buffer_wbl2",
        "buffer_inv",
        "buffer_gl",
        "buffer_wbinv",
        "global_inv",
        "global_wb",
        "s_dcache",
    ),
)


def record() -> None:
    """Run the opcode tests in one process and keep what they ran."""
    folder = ROOT / "tests" / "validation" / "amdgpu"
    files = sorted({str(p) for pattern in _RECORDED for p in folder.glob(pattern)})
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *files]
    environment = os.environ | {"CROSSPORT_OPCODES": str(KEPT)}
    subprocess.run(command, env=environment, cwd=ROOT, check=True)


def tested_on(arch: str) -> set[str]:
    """Mnemonics with a test that speaks for a GPU."""
    kept: dict[str, list[str]] = json.loads(KEPT.read_text())
    family = ARCHS[arch].tables
    return {n for a, names in kept.items() if ARCHS[a].tables == family for n in names}


def is_tested(name: str, tested: set[str]) -> bool:
    return name in tested or name in _IN_KERNELS or name.startswith(_HINTS)


def is_executed(arch: str, form: str, number: int) -> bool:
    """Whether the opcode lowers to something other than a fault."""
    layout = encoding.tables(arch).forms[form]
    lo, _ = layout.fields.get("op", layout.fields.get("opx", (0, 0)))
    word = layout.value | number << lo
    for field in ("src0", "src1", "src2"):
        if field in layout.fields and form != "SOPK":
            word |= 256 << layout.fields[field][0]
    if layout.name.startswith("SOP") and form == "SOPP":
        word |= 0xFFFF  # the workgroup's barrier among RDNA4's
    code = word.to_bytes(layout.words * 4, "little") + bytes(8)
    wave = 64 if ARCHS[arch].is_cdna else 32
    _, program = program_of(ARCHS[arch], code, wave)
    return 0 not in program.problems


def by_encoding(arch: str) -> list[str]:
    """Rows of the coverage table."""
    tested_names = tested_on(arch)
    rows = [
        f"| {arch} encoding | opcodes | executed | tested | executed, not tested |",
        "|---|---|---|---|---|",
    ]
    for form in FORMS:
        try:
            known = encoding.opcodes(arch, form)
        except KeyError:
            continue
        executed = {n for n, number in known.items() if is_executed(arch, form, number)}
        tested = {n for n in executed if is_tested(n, tested_names)}
        missing = sorted(executed - tested)
        shown = ", ".join(f"`{n}`" for n in missing[:12])
        more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
        rows.append(f"| {form} | {len(known)} | {len(executed)} | {len(tested)} | {shown}{more} |")
    return rows


def in_objects(arch: str, paths: Iterable[Path]) -> list[Any]:
    """Counts over code objects, and what in them is not tested or not executed."""
    tested = tested_on(arch)
    used: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    kernels = whole = objects = 0
    for path in paths:
        try:
            code = CodeObject.load(path, arch)
        except PortError as problem:
            print(f"{path}: {problem.diagnostic.message}", file=sys.stderr)
            continue
        objects += 1
        for kernel in code.kernels.values():
            program = build_program(code, kernel)
            kernels += 1
            whole += not program.problems
            by_pc = {i.pc: i for i in program.instructions if i is not None}
            for i in by_pc.values():
                used.update(encoding.names_of(arch, i))
            problems.update(f"`{by_pc[pc].name}` ({why})" for pc, why in program.problems.items())
    untested = [n for n, _ in used.most_common() if not is_tested(n, tested)]
    return [
        arch, objects, kernels, whole, sum(used.values()), len(used), len(used) - len(untested),
        ", ".join(f"`{n}` ({used[n]})" for n in untested),
        ", ".join(f"{why}: {count}" for why, count in problems.most_common()),
    ]  # fmt: skip


def suite(folder: Path) -> list[str]:
    """One row a GPU."""
    rows = [
        "| GPU | objects | kernels | of them wholly executable | instructions | opcodes | tested "
        "| not tested (times) | not executed (times) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for arch in ARCHS:
        paths = sorted((folder / arch).glob("*.hsaco"))
        if paths:
            rows.append(f"| {' | '.join(str(v) for v in in_objects(arch, paths))} |")
    return rows


def put(mark: str, text: str) -> None:
    """Replace what stands between two marks of the page."""
    head, _, rest = PAGE.read_text().partition(f"<!-- {mark} -->\n")
    tail = rest.partition(f"<!-- /{mark} -->")[2]
    PAGE.write_text(f"{head}<!-- {mark} -->\n{text}<!-- /{mark} -->{tail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--suite", type=Path)
    options = parser.parse_args()
    if options.record:
        record()
        return
    if options.suite:
        mark, lines = "suite", suite(options.suite)
    else:
        tables = (by_encoding(arch) for arch in ("gfx942", "gfx1100", "gfx1201"))
        mark, lines = "coverage", [line for table in tables for line in [*table, ""]]
    text = "\n".join(lines).rstrip() + "\n"
    if options.write:
        put(mark, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
