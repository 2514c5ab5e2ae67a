"""Counts of edits, and the check of the bytes outside them."""

from __future__ import annotations

from pathlib import Path

from benchmarks_loader import load

from crossport.api import port_folder
from crossport.porting import Options
from crossport.result import OutputFile

edits = load("edits_vs_hipify")


def test_bytes_outside_the_edits_are_checked(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_bytes(b"__global__ void k() {}\r\nint \xff = cudaMalloc(&p, 4);\n")
    (output,) = port_folder(tmp_path, ["hip"], Options(jobs=1)).outputs
    assert output.edits == 2
    assert edits.bytes_outside_edits_stay(output)
    damaged = OutputFile(
        output.path, output.data + b" ", output.source, output.original, output.changes
    )
    assert not edits.bytes_outside_edits_stay(damaged)


def test_the_report_tells_what_changed_elsewhere() -> None:
    row = {
        "name": "a", "naming": 3, "meaning": 1, "hipify": 4, "files": ["k.cu"], "reasons": {},
        "changed_elsewhere": ["k.hip"],
    }  # fmt: skip
    text = edits.report([row, {**row, "changed_elsewhere": []}])
    assert "| crossport, names, headers, launches | 3 |" in text
    assert "unchanged in 1 of 2 files" in text and "- changed: a/k.hip" in text
