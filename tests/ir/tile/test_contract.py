"""Sums of products are found whatever their staging, and what is none is refused."""

from functools import cache
from pathlib import Path

import pytest

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift import flat
from crossport.ir.lift.prepare import prepare
from crossport.ir.nodes import Binary, Cast, Const, Expr, Module, Read, Special, Var
from crossport.ir.tile.contract import Contraction, contract
from crossport.ir.tile.trace import NotTraced

SOURCE = Path(__file__).with_name("cases") / "products.cu"
SQUARE = (16, 16, 1)


@cache
def module() -> Module:
    return lower_unit(parse(SOURCE))


def found(name: str, shape: tuple[int, int, int]) -> Contraction:
    (kernel,) = [k for k in module().kernels if k.name == name]
    return contract(prepare(module(), kernel), shape)


def text(expr: Expr) -> str:
    """An index in short, casts aside."""
    match expr:
        case Const(value):
            return str(value)
        case Special(name) | Read(Var(name)):
            return name
        case Cast(value):
            return text(value)
        case Binary(op, lhs, rhs):
            return f"({text(lhs)} {op} {text(rhs)})"
        case _:
            return repr(expr)


def places(product: Contraction) -> tuple[str, str]:
    return text(product.left.ref.index), text(product.right.ref.index)


def test_register_tiles_and_padding_are_gone() -> None:
    product = found("gemm_cm", (64, 1, 1))
    assert places(product) == ("((inner * M) + row)", "((inner * N) + column)")
    assert (product.tile, product.per_round) == ((32, 32), 8)
    assert [text(m) for m in product.left.mask] == ["(row < M)", "(inner < K)"]
    (branch,) = product.body
    assert isinstance(branch, flat.Branch)
    assert text(branch.condition) == "((row < M) && (column < N))"


def test_pointers_that_move_are_places_all_the_same() -> None:
    product = found("pointers", (1024, 1, 1))
    assert places(product) == ("((row * K) + inner)", "((inner * N) + column)")
    assert (product.row_axis, product.column_axis) == ("x", "y")


def test_a_batch_stays_an_axis_of_the_grid() -> None:
    assert found("batched", SQUARE).programs == ("z",)


def test_halves_are_widened_by_the_product() -> None:
    product = found("hgemm", SQUARE)
    assert (text(product.left.value), product.left.ref.type.kind) == ("@source", "f16")


def test_a_vector_makes_a_sum_along_rows() -> None:
    product = found("matvec", (64, 1, 1))
    assert product.column_axis is None
    assert places(product) == ("((row * N) + inner)", "inner")
    assert [text(m) for m in product.row_mask] == ["(row < M)"]


@pytest.mark.parametrize("shape", [(32, 8, 1), (8, 4, 1)])
def test_the_block_of_a_product_by_single_threads_does_not_matter(
    shape: tuple[int, int, int],
) -> None:
    assert places(found("hgemm", shape)) == ("((row * N) + inner)", "((inner * N) + column)")


def test_a_missing_barrier_refuses() -> None:
    with pytest.raises(NotTraced, match="no barrier separates"):
        found("nosync", SQUARE)


def test_a_tile_that_is_not_summed_whole_refuses() -> None:
    with pytest.raises(NotTraced, match="do not go on"):
        found("wrongtile", SQUARE)


def test_a_block_that_does_not_fit_refuses() -> None:
    with pytest.raises(NotTraced):
        found("pointers", (512, 1, 1))
