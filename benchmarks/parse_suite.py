"""How much of a suite the frontend parses: files, kernels, time.

    python benchmarks/parse_suite.py FOLDER [--match "*-cuda"] [--every N] [--json FILE]

Every `.cu` file under FOLDER that no other source includes is parsed with the `-I` and `-D` flags
that its folder's Makefile mentions. A kernel is clean when no error lies inside it; the table
counts kernel definitions, instances of one template once.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from crossport.diagnostics import PortError
from crossport.frontend.parse import parse


def main() -> int:
    """Parse the suite and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--match", default="*", help="only files below folders of this name")
    options.add_argument("--every", type=int, default=1, help="parse every N-th file only")
    options.add_argument("--json", type=Path)
    arguments = options.parse_args()
    files = sorted(set(arguments.folder.glob(f"{arguments.match}/**/*.cu")))
    included = {
        match.rpartition("/")[2]
        for file in files
        for match in re.findall(r'#\s*include\s*"([^"]+\.cu)"', file.read_text(errors="replace"))
    }
    units = [f for f in files if f.name not in included][:: arguments.every]
    rows = [measure(unit) for unit in units]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    total = sum(r["kernels"] for r in rows)
    clean = sum(r["clean"] for r in rows)
    seconds = sorted(r["cpu_s"] for r in rows)
    print(f"files                 {len(rows)}")
    print(f"files without error   {sum(r['errors'] == 0 for r in rows)}")
    print(f"refused (PortError)   {sum(bool(r['refused']) for r in rows)}")
    print(f"tracebacks            {sum(bool(r['crash']) for r in rows)}")
    print(f"kernels               {total}")
    print(f"kernels clean         {clean} ({100 * clean / max(1, total):.1f} %)")
    print(f"kernels with instance {sum(r['instanced'] for r in rows)}")
    print(f"launches              {sum(r['launches'] for r in rows)}")
    print(f"launches resolved     {sum(r['resolved'] for r in rows)}")
    print(f"CPU seconds           {sum(seconds):.1f}, median {seconds[len(seconds) // 2]:.3f}")
    for text, count in Counter(m for r in rows for m in r["messages"][:1]).most_common(25):
        print(f"{count:5}  {text}")
    for row in rows:
        if row["crash"]:
            print(row["file"], row["crash"])
    return 0


def measure(path: Path) -> dict[str, Any]:
    """Parse one file; what came out as plain numbers."""
    row: dict[str, Any] = {"file": str(path), "refused": "", "crash": "", "messages": []}
    row.update(
        dict.fromkeys(("errors", "kernels", "clean", "instanced", "launches", "resolved"), 0)
    )
    start = time.process_time()
    try:
        unit = parse(path, makefile_flags(path.parent))
    except PortError as error:
        row["refused"] = str(error)
    except Exception:
        row["crash"] = traceback.format_exc()
    else:
        errors = [d for d in unit.handle.diagnostics if d.severity >= 3 and d.location.file]
        row["errors"] = len(errors)
        row["messages"] = [f"{Path(e.location.file.name).name}: {e.spelling}" for e in errors]
        places = {(p.span.file, p.span.offset): p.span for p in unit.patterns}
        instanced = {(k.cursor.location.file.name, k.cursor.location.offset) for k in unit.kernels}
        for kernel in unit.kernels:
            if not kernel.template_args:
                places[kernel.span.file, kernel.span.offset] = kernel.span
        row["kernels"] = len(places)
        row["instanced"] = len(instanced)
        row["clean"] = sum(
            not any(
                e.location.file.name == span.file and span.line <= e.location.line <= span.end_line
                for e in errors
            )
            for span in places.values()
        )
        row["launches"] = len(unit.launches)
        row["resolved"] = sum(bool(launch.identity) for launch in unit.launches)
    row["cpu_s"] = time.process_time() - start
    return row


def makefile_flags(folder: Path) -> list[str]:
    """The -I and -D words of a folder's Makefile."""
    flags: list[str] = []
    for name in ("Makefile", "makefile"):
        file = folder / name
        if file.is_file():
            words = re.findall(r"(?<!\S)-[ID]\s*[^\s$()]+", file.read_text(errors="replace"))
            for word in words:
                value = word[2:].strip()
                absolute = word.startswith("-D") or value.startswith("/")
                flags.append(word[:2] + (value if absolute else str(folder / value)))
    return flags


if __name__ == "__main__":
    sys.exit(main())
