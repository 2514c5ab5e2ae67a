"""Triton ports compiled for AMD GPUs that need not be there: registers, spills, matrix units.

    python benchmarks/triton_gpu.py prepare corpus build/triton_modules
    python benchmarks/triton_amd.py build/triton_modules > docs/triton_amd.md

What the launcher of each port would run on an AMD machine is handed to Triton's compiler
for gfx942 and gfx950. Nothing runs, so nothing here says how fast it is.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from crossport.backends.triton.compile import Compiled, compile_port

ARCHES = ("gfx942", "gfx950")
BLOCKS = ((128, 1, 1), (16, 16, 1), (32, 8, 1), (256, 1, 1), (64, 1, 1), (32, 4, 1))


def main() -> int:
    """Compile each module in a process of its own, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", type=Path)
    parser.add_argument("--one")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_rows(options.modules / f"{options.one}.py")))
        return 0

    def compiled(path: Path) -> list[dict[str, Any]]:
        command = [sys.executable, __file__, str(options.modules), "--one", path.stem]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
            rows: list[dict[str, Any]] = json.loads(done.stdout)
            return rows
        except (subprocess.SubprocessError, ValueError) as error:
            return [{"kernel": path.stem, "tier": "?", "error": type(error).__name__}]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(compiled, sorted(options.modules.glob("*.py"))))
    rows = [row for part in found for row in part]
    print("\n".join(_report(rows)))
    return 0


def _rows(path: Path) -> list[dict[str, Any]]:
    import torch

    # Launchers choose as on an AMD machine.
    torch.version.hip = torch.version.hip or "none here"
    text = path.read_text()
    tiers = dict(re.findall(r"^    (\S.*): (tile|simt)$", text, re.M))
    spec = importlib.util.spec_from_file_location("ported", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ported"] = module
    spec.loader.exec_module(module)
    rows = []
    for kernel, function in module.KERNELS.items():
        row: dict[str, Any] = {"kernel": kernel, "tier": tiers.get(kernel, "?")}
        given = _arguments(function, text)
        for arch in ARCHES:
            found = None
            for block in BLOCKS:
                made = compile_port(
                    text, {function.__name__: given}, arch=arch, grid=(4, 1, 1), block=block
                )[function.__name__]
                better = not made.error and (found is None or found.error or _is_own(made))
                if found is None or better:
                    found = made
                if not found.error and _is_own(found):
                    break
            assert found is not None
            if found.error:
                row["error"] = found.error.splitlines()[-1][:90]
                break
            registers = re.findall(r"\.vgpr_count:\s*(\d+)", found.assembly)
            row[arch] = [int(registers[0]) if registers else 0, found.spills, found.uses_mfma]
        rows.append(row)
    return rows


def _is_own(made: Compiled) -> bool:
    """Is it the kernel's best form, not the one for blocks that have no better?"""
    return "_by_thread_kernel" not in made.assembly


def _arguments(function: Any, text: str) -> list[Any]:
    """Arguments of the right kinds, as the launcher treats them."""
    import torch

    made: list[Any] = []
    for name in list(inspect.signature(function).parameters)[2:-1]:
        array = re.search(rf"^    {name} = _array\({name}, torch\.(\w+),", text, re.M)
        fields = re.search(rf"_fields\(\s*{name},\s*\((.*?)\)", text, re.S)
        if array:
            made.append(torch.empty(4096, dtype=getattr(torch, array[1])))
        elif fields:
            members = re.findall(r'"([^"]+)"', fields[1])
            numbers = [torch.empty(4096, dtype=torch.uint8) if _is_array(m, text) else 64
                       for m in members]  # fmt: skip
            made.append(numbers)
        else:
            made.append(64)
    return made


def _is_array(member: str, text: str) -> bool:
    """Does the launcher take the member for an array?"""
    return re.search(rf"_array\(\w*{re.escape(member)}, ", text) is not None


def _report(rows: list[dict[str, Any]]) -> list[str]:
    tiled = [r for r in rows if r["tier"] == "tile"]
    good = [r for r in tiled if "error" not in r]
    clean = [r for r in good if all(r[a][1] == 0 for a in ARCHES)]
    lines = [
        "# Triton ports compiled for gfx942 and gfx950\n",
        "Made by `python benchmarks/triton_amd.py`; what is compiled, and how, stands there.\n",
        f"Of {len(tiled)} kernels in tier `tile`, {len(good)} compile for both, "
        f"{len(clean)} without a spilled register.\n",
        "| kernel | tier | VGPRs, gfx942 | spills | VGPRs, gfx950 | spills | MFMA | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in sorted(rows, key=lambda r: (r["tier"] != "tile", r["kernel"])):
        if "error" in r:
            lines.append(f"| {r['kernel']} | {r['tier']} | | | | | | {r['error']} |")
            continue
        (v, s, m), (w, t, n) = r["gfx942"], r["gfx950"]
        units = "yes" if m and n else ""
        lines.append(f"| {r['kernel']} | {r['tier']} | {v} | {s} | {w} | {t} | {units} | |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
