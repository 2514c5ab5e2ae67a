"""Which opcodes have a test of their own, by encoding: the table in docs/amdgpu.md.

    python benchmarks/amdgpu_coverage.py [--write]
    python benchmarks/amdgpu_coverage.py --arch gfx942 --objects a.hsaco b.hsaco

The first prints (or writes) the table; the second lists the opcodes of code objects that no test
covers, and those that the emulator does not execute.
"""

import argparse
import importlib
import re
import sys
from collections import Counter
from pathlib import Path

from crossport.diagnostics import PortError
from crossport.validation.amdgpu.arch import ARCHS
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.program import build_program
from crossport.validation.amdgpu.stepping import program_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
ref = importlib.import_module("amdgpu_reference")
encoding = importlib.import_module("amdgpu_encoding")
FORMS = (
    *("SOP1", "SOP2", "SOPC", "SOPK", "SOPP", "SMEM", "VOP1", "VOP2", "VOPC", "VOP3", "VOP3_SDST"),
    *("VOP3SD", "VOP3P", "VOP3P_MFMA", "VOPD", "DS", "FLAT", "GLOBAL", "SCRATCH", "MUBUF"),
)
_TESTS = ROOT / "tests" / "validation" / "amdgpu"


def named_in_tests(arch: str) -> set[str]:
    """Mnemonics that the hand-written tests name, or build from parts that they list."""
    # In every kernel that test_launch.py compiles and runs, for every GPU.
    control = {"s_barrier", "s_waitcnt", "s_nop", "s_endpgm", "s_branch", "s_cbranch_execz"}
    control |= {"s_cbranch_scc0", "s_cbranch_scc1", "s_cbranch_vccz", "s_cbranch_vccnz"}
    if arch == "gfx1100":
        return control | _rdna3_names()
    text = "\n".join(p.read_text() for p in sorted(_TESTS.glob("test_*.py")))
    names = set(re.findall(r"\b(?:v|s|ds|global|flat|buffer|scratch)_[a-z0-9_]+", text))
    loads = "ubyte sbyte ushort sshort dword dwordx2 dwordx3 dwordx4 ubyte_d16 ubyte_d16_hi".split()
    loads += ["sbyte_d16", "sbyte_d16_hi", "short_d16", "short_d16_hi"]
    stores = "byte byte_d16_hi short short_d16_hi dword dwordx2 dwordx3 dwordx4".split()
    for space in ("global", "flat", "buffer", "scratch"):
        names |= {f"{space}_load_{k}" for k in loads}
        names |= {f"{space}_store_{k}" for k in stores if space != "scratch" or "hi" not in k}
    for op in "add sub smin umin smax umax and or xor inc dec swap cmpswap".split():
        for space in ("global", "flat", "buffer"):
            names |= {f"{space}_atomic_{op}", f"{space}_atomic_{op}_x2"}
    for space in ("global", "flat", "buffer"):
        floats = "add_f32 add_f64 min_f64 max_f64 pk_add_f16"
        names |= {f"{space}_atomic_{k}" for k in floats.split()}
    kinds = "b32 b64 b96 b128 u8 i8 u16 i16 u8_d16 u8_d16_hi i8_d16 i8_d16_hi u16_d16 u16_d16_hi"
    names |= {f"ds_read_{k}" for k in kinds.split()}
    names |= {f"ds_write_{k}" for k in "b8 b16 b32 b64 b96 b128 b8_d16_hi b16_d16_hi".split()}
    for bits in (32, 64):
        names |= {f"ds_{v}2{s}_b{bits}" for v in ("read", "write") for s in ("", "st64")}
        names |= {f"ds_cmpst_rtn_b{bits}", f"ds_wrxchg_rtn_b{bits}"}
        for op in ("add_u", "sub_u", "inc_u", "dec_u", "min_i", "max_i", "min_u", "max_u", "and_b"):
            stem, type_ = op.split("_")
            names |= {f"ds_{stem}_{type_}{bits}", f"ds_{stem}_rtn_{type_}{bits}"}
        for stem in ("or", "xor"):
            names |= {f"ds_{stem}_b{bits}", f"ds_{stem}_rtn_b{bits}"}
    names |= control
    names |= {f"s_load_{k}" for k in "dword dwordx2 dwordx4 dwordx8 dwordx16".split()}
    names |= {f"v_div_{k}_{t}" for k in ("scale", "fmas", "fixup") for t in ("f32", "f64")}
    return names


def _rdna3_names() -> set[str]:
    """What test_rdna_opcodes.py and test_rdna_memory.py run."""
    own = "\n".join(p.read_text() for p in sorted(_TESTS.glob("test_rdna_*.py")))
    names = set(re.findall(r"\b(?:v|s|ds|global)_[a-z0-9_]+", own))
    names |= {"s_delay_alu", "s_clause", "s_cbranch_execnz"}
    # test_modifiers.py runs them here too.
    names |= {"v_fma_mix_f32", "v_fma_mixlo_f16", "v_fma_mixhi_f16"}
    names |= {n for n in encoding.opcodes("gfx1100", "VOPD") if "dot2" not in n and "amk" not in n}
    loads = "u8 i8 u16 i16 b32 b64 b96 b128 d16_u8 d16_i8 d16_b16 d16_hi_u8 d16_hi_i8 d16_hi_b16"
    stores = "b8 b16 b32 b64 b96 b128 d16_hi_b8 d16_hi_b16"
    for space in ("global", "flat", "buffer"):
        names |= {f"{space}_load_{k}" for k in loads.split()}
        names |= {f"{space}_store_{k}" for k in stores.split()}
    for k in ("b32", "b64", "b96", "b128"):
        names |= {f"scratch_load_{k}", f"scratch_store_{k}"}
    return names | {f"s_load_b{32 * n}" for n in (1, 2, 4, 8, 16)}


def is_tested(arch: str, form: str, name: str, named: set[str]) -> bool:
    if ref.canonical(name) in ref.VECTOR or ref.canonical(name) in ref.APPROXIMATE:
        return True
    if ref.canonical(name) in ref.SCALAR or name in named:
        return True
    if "cmpk" in name and arch != "gfx1100":
        return True
    return name.startswith(("v_mfma_", "v_smfmac_", "v_wmma_")) and "f8f6f4" not in name


def is_executed(arch: str, form: str, number: int) -> bool:
    """Whether the opcode lowers to something other than a fault."""
    layout = encoding.tables(arch).forms[form]
    lo, _ = layout.fields.get("op", layout.fields.get("opx", (0, 0)))
    word = layout.value | number << lo
    for field in ("src0", "src1", "src2"):
        if field in layout.fields and form != "SOPK":
            word |= 256 << layout.fields[field][0]
    code = word.to_bytes(layout.words * 4, "little") + bytes(8)
    _, program = program_of(ARCHS[arch], code, 64)
    return 0 not in program.problems


def table(arch: str) -> list[str]:
    """Rows of the coverage table."""
    named = named_in_tests(arch)
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
        tested = {n for n in executed if is_tested(arch, form, n, named)}
        missing = sorted(executed - tested)
        shown = ", ".join(f"`{n}`" for n in missing[:12])
        more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
        rows.append(f"| {form} | {len(known)} | {len(executed)} | {len(tested)} | {shown}{more} |")
    return rows


def check_objects(arch: str, paths: list[Path]) -> None:
    """What given code objects use that is not tested or not executed."""
    named = named_in_tests(arch)
    used: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    kernels = whole = 0
    for path in paths:
        try:
            code = CodeObject.load(path, arch)
        except PortError as problem:
            print(f"{path}: {problem.diagnostic.message}")
            continue
        for kernel in code.kernels.values():
            program = build_program(code, kernel)
            kernels += 1
            whole += not program.problems
            by_pc = {i.pc: i for i in program.instructions if i is not None}
            used.update(i.name for i in by_pc.values())
            problems.update(f"{by_pc[pc].name}: {why}" for pc, why in program.problems.items())
    untested = {n: c for n, c in used.items() if not is_tested(arch, "", n, named)}
    print(
        f"{kernels} kernels, {whole} without an unknown opcode; {sum(used.values())} instructions"
    )
    print(f"{len(used)} opcodes, {len(used) - len(untested)} with a test")
    for name, count in sorted(untested.items(), key=lambda item: -item[1]):
        print(f"  not tested: {name} ({count})")
    for why, count in problems.most_common():
        print(f"  not executed: {why} ({count})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--arch", default="gfx942")
    parser.add_argument("--objects", type=Path, nargs="*")
    options = parser.parse_args()
    if options.objects:
        check_objects(options.arch, options.objects)
        return
    lines = [line for arch in ("gfx942", "gfx1100") for line in [*table(arch), ""]]
    text = "\n".join(lines)
    if options.write:
        page = ROOT / "docs" / "amdgpu.md"
        whole = page.read_text()
        head, _, rest = whole.partition("<!-- coverage -->\n")
        tail = rest.partition("<!-- /coverage -->")[2]
        page.write_text(f"{head}<!-- coverage -->\n{text}<!-- /coverage -->{tail}")
    else:
        print(text)


if __name__ == "__main__":
    main()
