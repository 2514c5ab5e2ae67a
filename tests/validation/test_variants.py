"""Launches that nobody recorded: which parameters may be anything, and which not."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import SIZES, Variants, is_legal, rules_of

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


@pytest.mark.parametrize(
    ("name", "parameter", "free"),
    [
        ("vecadd", "n", True),
        ("softmax_rows", "rows", True),
        ("softmax_rows", "cols", True),
        ("spmv_csr_vector", "nnz", True),
        ("radix_rank", "shift", False),  # how far to shift: 129 has no meaning
        ("shuffle_widths", "threads", False),  # of a block: half a warp shuffles with nobody
    ],
)
def test_more_data_is_a_size_and_nothing_else_is(name: str, parameter: str, free: bool) -> None:
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    choices = Variants(bundle).choices(bundle.cases.checked[0])
    assert (choices[parameter] == SIZES) == free
    if not free:
        recorded = {case.params[parameter] for case in bundle.cases.checked}
        assert set(choices[parameter]) <= recorded


def test_a_variant_has_the_shapes_of_its_parameters() -> None:
    bundle = load_bundle(CORPUS / "matmul_tiled" / "h200.bundle")
    case = Variants(bundle).make(bundle.cases.checked[1], {"M": 17}, {"A": {"gen": "zeros"}})
    assert case is not None
    assert case.grid == (3, 2, 1)
    assert [array.shape for array in case.arrays] == [(17, 17), (17, 33), (17, 33)]
    assert not case.initial()["A"].any()


def test_what_has_no_blocks_or_no_memory_is_no_launch() -> None:
    bundle = load_bundle(CORPUS / "vecadd" / "h200.bundle")
    variants = Variants(bundle)
    assert variants.make(bundle.cases.checked[0], {"n": 0}, {}) is None
    assert variants.make(bundle.cases.checked[0], {"n": 1 << 24}, {}) is None


def test_a_launch_out_of_bounds_is_not_legal() -> None:
    """The columns of a sparse matrix point into x: no values but such are allowed."""
    bundle = load_bundle(CORPUS / "spmv_csr_vector" / "h200.bundle")
    source = CORPUS / "spmv_csr_vector" / "spmv_csr_vector.cu"
    subject = Subject.of_source(source, bundle.cases.kernels)
    case = bundle.cases.checked[1]
    assert is_legal(subject, case, case.initial())
    wild = Variants(bundle).make(case, {}, {"col": {"gen": "uniform", "range": [-100, 100000]}})
    assert wild is not None and not is_legal(subject, wild, wild.initial())
    (column,) = (a for a in case.arrays if a.name == "col")
    assert {"gen": "bits"} in rules_of(column)


@pytest.mark.parametrize(
    ("name", "array", "rule", "legal"),
    [
        # The last block to count adds up what all have left: with a counter that starts elsewhere,
        # another block does, before the others have.
        ("last_block_done", "finished", {"gen": "zeros"}, True),
        ("last_block_done", "finished", {"gen": "const", "value": 2}, False),
        ("last_block_done", "in", {"gen": "const", "value": 7}, True),
        # Bins that are not zero are added to, in any order; so are sums of floats.
        ("histogram_shared_atomic", "bins", {"gen": "const", "value": 3}, True),
        ("reduce_atomic_float", "total", {"gen": "const", "value": 2.5}, True),
    ],
)
def test_a_launch_whose_result_hangs_on_the_order_of_blocks_is_not_legal(
    name: str, array: str, rule: dict[str, object], legal: bool
) -> None:
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    subject = Subject.of_source(CORPUS / name / f"{name}.cu", bundle.cases.kernels)
    case = max((c for c in bundle.cases.checked), key=lambda c: c.grid[0])
    variant = Variants(bundle).make(case, {}, {array: rule})
    assert variant is not None and variant.grid[0] > 1
    assert is_legal(subject, variant, variant.initial()) == legal
