"""The suite's result as a page: totals, by construct, and each failure with its first error.

    python benchmarks/suite_report.py RESULT.json... [--edits EDITS.json] > docs/hip-suite.md

Several results (parts of a suite, or baselines measured apart) are merged, later ones over earlier;
a baseline may have been measured for fewer GPUs. EDITS.json is what edits_vs_hipify.py wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from edits_vs_hipify import report as edits_report

Json = dict[str, Any]

MADE_BY = """\
## How this page is made

```
python benchmarks/suite.py HeCBench/src --select '*-cuda' --rocm-path ROOT \\
    --arch gfx942,gfx90a,gfx1100 --json ours.json
python benchmarks/suite.py HeCBench/src --select '*-cuda' --rocm-path ROOT \\
    --no-port --hand-suffix=-hip --json hand.json
python benchmarks/edits_vs_hipify.py HeCBench/src --hipify-perl PATH --json edits.json
python benchmarks/suite_report.py ours.json hand.json --edits edits.json > docs/hip-suite.md
```

ROOT holds the headers of HIP and of its libraries, as an installation lays them out; Open MPI,
OpenMP, Boost and GSL headers are installed as packages. A failure is announced when the first error
of each unit and side was told by a finding of the port, at its place or about its name
(`benchmarks/announced.py`). hipify-perl is the newest at hand (October 2024).
"""


def markdown(result: Json, edits: list[Json] | None = None) -> str:
    """The page for a result of suite.py, and one of edits_vs_hipify.py."""
    rows: list[Json] = result["programs"]
    sides: list[str] = result["sides"]
    present = {w for r in rows for w in r["contenders"]}
    who = [w for w in ("by hand", "compared", "crossport") if w in present]
    parts = [
        f"# Does it compile? {result['suite']}, {len(rows)} programs\n\n"
        f"{result['date']}; {result['compiler']}; {result['headers']}; {result['machine']}; "
        f"{result['seconds']:.0f} s.\n"
        "A program passes a side when every translation unit of it compiles there: kernels with "
        "code generation for the GPU, host code by syntax and type check.\n",
        _totals(rows, sides, who),
        _where_hand_passes(rows, sides, who),
        _effort(rows),
        _by_construct(rows, sides, who),
        f"## Edits, beside hipify-perl's\n\n{edits_report(edits)}\n" if edits else "",
        *(_failures(rows, sides, w) for w in who),
        MADE_BY,
    ]
    return "\n".join(part for part in parts if part)


def merged(results: list[Json]) -> Json:
    """Several results as one; a contender of a program is taken from the last that has it."""
    programs: dict[str, Json] = {}
    for result in results:
        for row in result["programs"]:
            known = programs.setdefault(row["name"], {**row, "contenders": {}})
            known["contenders"].update(row["contenders"])
    seconds = sum(result["seconds"] for result in results)
    rows = [programs[name] for name in sorted(programs)]
    sides = list(dict.fromkeys(side for result in results for side in result["sides"]))
    return {**results[-1], "sides": sides, "seconds": seconds, "programs": rows}


def passed(side: Json, gpu: str) -> bool:
    """Whether a contender passes on the host and one GPU."""
    return bool(side["passes"]["host"] and side["passes"].get(gpu, False))


def _passing(contenders: list[Json], gpu: str) -> str:
    """The share of those measured for a GPU that pass there."""
    measured = [side for side in contenders if gpu in side["passes"]]
    return _share(sum(passed(side, gpu) for side in measured), len(measured))


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "-"


def _totals(rows: list[Json], sides: list[str], who: list[str]) -> str:
    gpus = sides[1:]
    body = []
    for w in who:
        mine = [r["contenders"][w] for r in rows if w in r["contenders"]]
        cells = [_share(sum(s["passes"]["host"] for s in mine), len(mine))]
        cells += [_passing(mine, gpu) for gpu in gpus]
        if w == "crossport":
            good = sum(all(s["passes"].values()) or s["announced"] for s in mine)
            cells += [_share(good, len(mine)), str(sum(bool(s["crash"]) for s in mine))]
        else:
            cells += ["-", "-"]
        body.append([w, *cells])
    head = ["ports", "host", *(f"host and {g}" for g in gpus), "compiles or announced", "crashes"]
    return "## All programs\n\n" + _table(head, body)


def _where_hand_passes(rows: list[Json], sides: list[str], who: list[str]) -> str:
    if "by hand" not in who or len(who) < 2:
        return ""
    body = []
    for gpu in sides[1:]:
        base = [r for r in rows if "by hand" in r["contenders"]]
        base = [r for r in base if passed(r["contenders"]["by hand"], gpu)]
        if not base:
            continue
        cells = [gpu, str(len(base))]
        for w in who[1:]:
            mine = [r["contenders"][w] for r in base if w in r["contenders"]]
            cells.append(_share(sum(passed(s, gpu) for s in mine), len(mine)))
        body.append(cells)
    head = ["GPU", "port by hand passes", *who[1:]]
    return "## Of the programs whose port by hand passes\n\n" + _table(head, body)


def _effort(rows: list[Json]) -> str:
    """Edits and time of our ports, and what they said."""
    ours = [r["contenders"]["crossport"] for r in rows if "crossport" in r["contenders"]]
    if not ours:
        return ""
    edits, seconds = [s["edits"] for s in ours], [s["seconds"] for s in ours]
    findings: Counter[str] = Counter()
    for side in ours:
        findings.update(side["findings"].keys())
    again = [r["name"] for r in rows if r["contenders"].get("crossport", {}).get("again")]
    stable = f"all but {', '.join(again)}" if again else "every program"
    told = ", ".join(f"{key} in {n}" for key, n in sorted(findings.items())) or "none"
    return (
        "## Our ports\n\n"
        f"Edits a program: median {median(edits):.0f}, most {max(edits)}. Time to port a program: "
        f"median {median(seconds):.2f} s, all {sum(seconds):.0f} s (one process, beside other "
        f"work). A port of the port changes nothing: {stable}. Findings, by programs: {told}.\n"
    )


def _by_construct(rows: list[Json], sides: list[str], who: list[str]) -> str:
    gpu = sides[1] if len(sides) > 1 else "host"
    names = sorted({c for r in rows for c in r["constructs"]})
    hard = {"warp", "ptx", "wmma", "texture"}
    groups = [(n, [r for r in rows if n in r["constructs"]]) for n in names]
    groups.append(("warp, PTX, wmma or texture", [r for r in rows if hard & set(r["constructs"])]))
    body = []
    for name, group in groups:
        cells = [name, str(len(group))]
        for w in who:
            mine = [r["contenders"][w] for r in group if w in r["contenders"]]
            cells.append(_share(sum(passed(s, gpu) for s in mine), len(mine)))
        body.append(cells)
    return f"## By construct ({gpu} and host)\n\n" + _table(["uses", "programs", *who], body)


def _failures(rows: list[Json], sides: list[str], who: str) -> str:
    failing = [
        (r, r["contenders"][who])
        for r in rows
        if who in r["contenders"] and not all(r["contenders"][who]["passes"].values())
    ]
    if not failing:
        return ""
    causes = Counter(cause(side["first_error"]) for _, side in failing)
    body = []
    for row, side in sorted(
        failing, key=lambda f: (-causes[cause(f[1]["first_error"])], f[0]["name"])
    ):
        marks = ", ".join(s for s in sides if not side["passes"].get(s, True))
        place = f"{side['error_file'].rsplit('/', 1)[-1]}:{side['error_line']}"
        told = side["crash"] or side["first_error"]
        announced = "yes" if side["announced"] else "no" if who == "crossport" else "-"
        body.append([row["name"], marks, place, _cell(told), announced])
    head = ["program", "fails", "at", "first error", "announced"]
    return f"## Failures: {who} ({len(failing)})\n\n" + _table(head, body)


def cause(message: str) -> str:
    """A message less its names, so that alike ones group."""
    words = message.split("'")
    return "'".join(words[:2])[:80]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:140]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--edits", type=Path)
    options = parser.parse_args()
    edits = json.loads(options.edits.read_text()) if options.edits else None
    print(markdown(merged([json.loads(path.read_text()) for path in options.results]), edits))
    return 0


if __name__ == "__main__":
    sys.exit(main())
