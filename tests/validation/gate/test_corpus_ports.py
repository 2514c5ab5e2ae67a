"""Every port that the backends print passes the gate: a new word in a backend is met here first."""

from __future__ import annotations

from pathlib import Path

import pytest

import crossport
from crossport.validation.gate.module import gate
from crossport.validation.gate.vocabulary import Target

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = sorted((ROOT / "tests" / "golden" / "ports").glob("*.py"))
# Between them they have every form of helper, table, stand-in and global.
PROGRAMS = (
    "argmax_butterfly", "atomic_max_float_cas", "compact_ballot", "conv2d_constant",
    "flash_attention_tile", "functor_transform", "last_block_done", "lens_struct", "mandelbrot",
    "math_zoo", "matmul_tiled", "softmax_rows", "warp_reduce_hardware",
)  # fmt: skip


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_a_golden_port_passes(path: Path) -> None:
    target: Target = "triton" if ".triton" in path.name else "pallas"
    assert gate(path.read_text(), target) == []


@pytest.mark.parametrize("target", ["triton", "pallas"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_port_of_the_corpus_passes(name: str, target: Target) -> None:
    source = ROOT / "corpus" / name / f"{name}.cu"
    for output in crossport.port(source, to=target).outputs:
        assert gate(output.text, target) == []


def test_there_are_golden_ports() -> None:
    assert len(GOLDEN) >= 6
