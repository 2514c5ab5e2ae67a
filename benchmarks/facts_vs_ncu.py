"""Facts against Nsight Compute's counters: sectors a request, and shared memory bank conflicts.

    python benchmarks/facts_vs_ncu.py corpus [--tag h200] [--out docs/facts-vs-ncu.md] [NAME...]

Each recorded case is traced (ir/facts/trace.py) for sm_90. Compared are sectors per request of
global loads and stores (l1tex__t_sectors / l1tex__t_requests, pipe_lsu_mem_global) and bank
conflicts of shared loads and stores (l1tex__data_bank_conflicts_pipe_lsu_mem_shared). A number
agrees if the prediction is within 10 % of the counter.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from interpreter_vs_gpu import _value

from crossport.diagnostics import PortError
from crossport.ir.facts.trace import TargetTrace, trace_launch
from crossport.validation.cases import Case, load_cases
from crossport.validation.runners.interp import Subject

TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Rate:
    """One compared number. space and kind name the instructions, above and below the counters."""

    name: str
    space: str
    kind: Literal["load", "store"]
    above: str
    below: str


RATES = (
    Rate("global load, sectors/request", "global", "load",
         "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",
         "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum"),
    Rate("global store, sectors/request", "global", "store",
         "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum",
         "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum"),
    Rate("shared load, conflicts", "shared", "load",
         "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
         "smsp__inst_executed_op_shared_ld.sum"),
    Rate("shared store, conflicts", "shared", "store",
         "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
         "smsp__inst_executed_op_shared_st.sum"),
)  # fmt: skip


_UNROLLED = (
    "more loads ran than the source makes: an unrolled loop's last rounds issue loads that no lane"
    " takes"
)
# What the counts and the source say about each difference; machine code was not looked at.
REASONS = {
    "argmax_butterfly": f"{_UNROLLED}.",
    "bitonic_sort_shared": "the lanes of each store have banks of their own, so that no conflict"
    " comes from the addresses; what else the counter counts there is not known.",
    "grid_sync_steps": "`grid.sync()` polls a counter in global memory, which the source does not"
    " show: 10 of 11 loads of the smallest case.",
    "int8_quantize": f"{_UNROLLED}; the sectors agree.",
    "layernorm_welford": "every row took 41 sectors, 5 a full request, also the first: the arrays"
    " of this case did not start on a sector; in the trace every array does.",
    "math_zoo": "huge arguments take the slow path of `sinf` and its kin, which reads a table.",
    "particles_aos": "half of the lanes leave after reading `alive`: the compiler loads the other"
    " fields behind that branch, the source reads the whole struct before it.",
    "softmax_rows": f"{_UNROLLED}; the sectors agree.",
    "spmv_csr_scalar": f"{_UNROLLED}, or that the lane does not use.",
    "spmv_csr_vector": f"{_UNROLLED}, or that the lane does not use.",
}


@dataclass(slots=True)
class Row:
    """One rate of one case."""

    kernel: str
    case: str
    rate: str
    measured: float
    predicted: float
    requests: tuple[int, int]

    @property
    def agrees(self) -> bool:
        """Within the tolerance."""
        return abs(self.predicted - self.measured) <= TOLERANCE * self.measured


def predicted(trace: TargetTrace, rate: Rate) -> tuple[float, int]:
    """The number out of the trace, and its requests."""
    counts = trace.total(rate.space, rate.kind)
    if rate.space == "global":
        return counts.segments_per_request, counts.requests
    return float(counts.conflicts), counts.requests


def trace_case(subject: Subject, case: Case) -> TargetTrace:
    """Run one case under the recorder."""
    arrays = {name: values.copy() for name, values in case.initial().items()}
    trace = trace_launch(
        subject.module,
        subject.kernel(case.kernel).name,
        case.grid,
        case.block,
        [_value(arg, arrays) for arg in case.args],
        shared_bytes=case.shared_bytes,
        globals_={b.name: arrays[b.name] for b in case.buffers if b.symbol},
    )
    return trace.on("sm_90")


def compare(folder: Path, counters: list[dict[str, Any]]) -> list[Row]:
    """All rates of all cases of one kernel."""
    cases = load_cases(folder)
    subject = Subject.of_source(folder / f"{folder.name}.cu", cases.kernels)
    rows: list[Row] = []
    for case in cases.checked:
        found = [c for c in counters if c["case"].endswith(f"__{case.name}")]
        if len(found) != 1:
            continue
        metrics = {name: value[0] for name, value in found[0]["metrics"].items()}
        trace = trace_case(subject, case)
        for rate in RATES:
            below = metrics.get(rate.below, 0.0)
            number, requests = predicted(trace, rate)
            if not below and not requests:
                continue
            measured = metrics.get(rate.above, 0.0)
            if rate.space == "global":
                measured = measured / below if below else 0.0
            rows.append(
                Row(folder.name, case.name, rate.name, measured, number, (int(below), requests))
            )
    return rows


def table(rows: list[Row], refused: dict[str, str]) -> str:
    """One line a kernel and number, over all its cases; then what differs, and why."""
    lines = [
        "# Facts against Nsight Compute on an H200",
        "",
        "Made by `python benchmarks/facts_vs_ncu.py corpus --out docs/facts-vs-ncu.md`; what is",
        "compared, and how, stands at the top of that file. Counters: `corpus/ncu_h200.json`.",
        "",
        summary(rows),
        "",
        "| kernel | number | cases | agree | measured | predicted |",
        "|---|---|---|---|---|---|",
    ]
    for kernel, rate in dict.fromkeys((r.kernel, r.rate) for r in rows):
        here = [r for r in rows if (r.kernel, r.rate) == (kernel, rate)]
        last = here[-1]
        lines.append(
            f"| {kernel} | {rate} | {len(here)} | {sum(r.agrees for r in here)} "
            f"| {last.measured:.2f} | {last.predicted:.2f} |"
        )
    lines += [
        "",
        "Measured and predicted are those of the last case.",
        "",
        "## Where they differ",
        "",
        "The trace counts the accesses that the source makes, neighbouring words of shared memory",
        "merged and repeated loads dropped as compilers do it; the counters count the instructions",
        "that ran. `in all` is sectors or conflicts, measured and predicted. The reasons below",
        "come from these counts and the source; the machine code was not looked at.",
        "",
        "| kernel | case | number | measured | predicted | instructions | accesses | in all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    different = [row for row in rows if not row.agrees]
    for r in different:
        many = "conflicts" not in r.rate
        measured = r.measured * (r.requests[0] if many else 1)
        predicted_ = r.predicted * (r.requests[1] if many else 1)
        lines.append(
            f"| {r.kernel} | {r.case} | {r.rate} | {r.measured:.2f} | {r.predicted:.2f} "
            f"| {r.requests[0]} | {r.requests[1]} | {measured:.0f}, {predicted_:.0f} |"
        )
    lines.append("")
    for name in dict.fromkeys(row.kernel for row in different):
        lines.append(f"- {name}: {REASONS.get(name, 'the reason is not known')}")
    if refused:
        lines += ["", "Not traced:", ""]
    lines += [f"- {name}: {reason}" for name, reason in refused.items()]
    return "\n".join(lines) + "\n"


def summary(rows: list[Row]) -> str:
    """How many numbers and kernels agree."""
    kernels = {row.kernel for row in rows}
    whole = {k for k in kernels if all(r.agrees for r in rows if r.kernel == k)}
    return (
        f"{sum(row.agrees for row in rows)} of {len(rows)} numbers agree within {TOLERANCE:.0%}; "
        f"{len(whole)} of {len(kernels)} kernels agree in every number of every case."
    )


def main() -> None:
    """Print the table; with --out, write it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--tag", default="h200")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    np.seterr(all="ignore")
    by_kernel: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in json.loads((options.corpus / f"ncu_{options.tag}.json").read_text()):
        by_kernel[entry["kernel"]].append(entry)
    rows: list[Row] = []
    refused: dict[str, str] = {}
    for name in sorted(by_kernel):
        if options.names and name not in options.names:
            continue
        try:
            rows += compare(options.corpus / name, by_kernel[name])
        except PortError as error:
            refused[name] = error.diagnostic.message
    for row in rows:
        if options.names or not row.agrees:
            mark = "ok " if row.agrees else "NOT"
            print(
                f"{mark} {row.kernel:24} {row.case:28.28} {row.rate:22}"
                f" measured {row.measured:7.3f} predicted {row.predicted:7.3f}"
                f" requests {row.requests[0]} / {row.requests[1]}"
            )
    print(summary(rows))
    if options.out:
        options.out.write_text(table(rows, refused))
    for name, reason in refused.items():
        print(f"not traced: {name}: {reason[:120]}")


if __name__ == "__main__":
    main()
