"""What `port inspect` says about kernels of HeCBench, and what an engineer learns from it.

    python benchmarks/inspect_pages.py SUITE/src --out docs/inspect-hecbench.md
    python benchmarks/inspect_pages.py SUITE/src --check docs/inspect-hecbench.md

The listings name the lines of the program's own files and hold no text of them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from crossport.frontend.parse import parse
from crossport.inspection import inspect_units

ARCHES = ("sm_90", "gfx942")


@dataclass(frozen=True)
class Row:
    """A kernel to look at, and a reading of its listing."""

    program: str
    file: str
    kernel: str
    title: str
    reading: str


ROWS = (
    Row(
        "bscan-cuda", "main.cu", "binary_scan", "A scan by votes",
        "What makes this port wrong on wave64 stands in one list: a vote of 64 lanes in 32 bits; a "
        "warp scan that steps without barriers over 32 lanes; and, less visibly, line 79: the last "
        "lane of a wave stores its sum, a block of 32 threads has no lane 63, and so the sum is "
        "never stored. Half of the lanes idle as well. On the H200 blocks of 32 threads fill half "
        "of the waves, because a unit holds 32 blocks at most.",
    ),
    Row(
        "scan-cuda", "main.cu", "scan<int, 512>", "Blelloch's scan in shared memory",
        "No exchange and no lane arithmetic: it ports as it is. The tree's strides double, and the "
        "passes show what that costs: four to five times the cycles it needs, on both machines, so "
        "that shared memory and integer arithmetic take about as long as memory does. "
        "`scan_bcao` in the same file pads the indices against it.",
    ),
    Row(
        "softmax-cuda", "main.cu", "softMax", "Softmax, a thread a row",
        "Neighbouring threads are a row apart: a sector a lane, and on the MI300X a line of 128 B "
        "a lane, of which each round uses 4. `rest used next` says that the figure of 16 KiB a "
        "thread holds only while L1 keeps 64 lines a wave for 32 rounds. At half a flop a byte "
        "there is nothing else to look at: let lanes share a row, as `softMax2` in that file does.",
    ),
    Row(
        "stencil1d-cuda", "stencil_1d.cu", "stencil_1d", "A stencil with a halo",
        "Whole lines everywhere, no bank conflicts, nothing that counts on the width of a warp: "
        "it ports as it is. Each element is read 15 times from shared memory, which on the H200 "
        "takes as long as the memory traffic; the MI300X, with more units for its bandwidth, waits "
        "for memory alone. The halo occupies one wave of a block with 7 lanes.",
    ),
    Row(
        "histogram-cuda", "histogram_compare.cu", "histogram_smem_atomics<1024, 3, 256, uchar4>",
        "A histogram in shared memory",
        "Blocks are 32 x 4, so that a wave of 64 covers two rows of pixels: still whole lines. "
        "Where the atomics go is not known before the run, and the listing says so instead of a "
        "figure: an image of few colours serialises them, on either machine.",
    ),
    Row(
        "simpleSpmv-cuda", "kernels.cu", "mv_csr", "Sparse matrix times vector, a thread a row",
        "Three loads depend on data, each lane for itself, and a miss fetches 128 B on the MI300X "
        "where the H200 fetches 32. Figures carry `+` and `at most`: they count what is asked for. "
        "The length of the loop depends on the row, so lanes part: rows of like length side by "
        "side, or several lanes a row (`vector_mv_csr` in the same file).",
    ),
    Row(
        "qkv-cuda", "main.cu", "matmul_forward_kernel4", "A matrix product with register tiles",
        "64 totals a thread: registers leave room for one block a unit on the H200, shared memory "
        "for two on the MI300X. All loads move 16 bytes a lane; rows of 32 words look like bank "
        "conflicts, but each lane starts at another column and there are none. Shared memory and "
        "arithmetic are in balance; the MI300X is nearly as busy with memory: a larger tile is "
        "what would pay there, and its LDS is full.",
    ),
    Row(
        "attention-cuda", "main.cu", "attention_kernel1_blockReduce", "Attention, a block a key",
        "The sum over the block is CUB's: its shared memory and barriers stand at line 70, where "
        "it is called. Loads are whole lines, one thread of a block makes the atomic. What is left "
        "is memory, and the query that every block reads anew.",
    ),
)  # fmt: skip


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("suite", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--check", type=Path)
    arguments = parser.parse_args()
    text = page(arguments.suite)
    if arguments.out:
        arguments.out.write_text(text)
    if arguments.check and arguments.check.read_text() != text:
        print(f"{arguments.check} is not current", file=sys.stderr)
        return 1
    return 0


def page(suite: Path) -> str:
    """All listings with their readings."""
    parts = [
        "# port inspect on kernels of HeCBench\n",
        "Made by `python benchmarks/inspect_pages.py SUITE/src --out docs/inspect-hecbench.md`; "
        "`--check` compares.\nLines are those of the program's files, whose text is not shown "
        "here; on a terminal it stands\nbetween the notes. How to read a listing: "
        "[inspect.md](inspect.md).\n",
    ]
    for row in ROWS:
        parts.append(f"## {row.title}: `{row.program}`, `{row.kernel}`\n")
        parts.append(row.reading + "\n")
        parts.append(f"```\n{listing(suite, row)}```\n")
    return "\n".join(parts)


def listing(suite: Path, row: Row) -> str:
    """What is said about one kernel, paths as the suite has them."""
    unit = parse(str(suite / row.program / row.file))
    (report,) = inspect_units([unit], row.kernel, ARCHES).kernels
    text = report.as_text(with_source=False)
    return text.replace(f"{suite}/", "")


if __name__ == "__main__":
    raise SystemExit(main())
