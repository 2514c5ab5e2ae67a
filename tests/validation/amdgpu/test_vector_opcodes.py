"""Every vector opcode with a reference: edge values, inactive lanes, modifiers, scalar sources."""

from collections.abc import Callable

import pytest

pytest.importorskip("tinygrad")

from amdgpu_vector_cases import Variant, check_vector, covered

from crossport.validation.amdgpu.device import Device

CASES = covered()


@pytest.mark.parametrize(("form", "name"), CASES, ids=lambda v: v)
def test_vgpr_operands(devices: Callable[[str], Device], form: str, name: str) -> None:
    for seed in (1, 2):
        check_vector(devices("gfx942"), form, name, Variant(), seed)


def _takes_modifiers(form: str, name: str) -> bool:
    mixed = ("frexp_exp", "ldexp", "cvt_f32_i", "cvt_f32_u", "class", "pack_b32")
    return (
        form in ("VOP3", "VOP3_SDST", "VOP3SD")
        and any(t in name for t in ("_f16", "_f32", "_f64"))
        and not any(m in name for m in mixed)
        and not name.startswith(("v_cvt_f", "v_cvt_off", "v_cvt_pk_u8", "v_cvt_pkaccum"))
    )


MODIFIED = [case for case in CASES if _takes_modifiers(*case)]


@pytest.mark.parametrize(("form", "name"), MODIFIED, ids=lambda v: v)
def test_source_modifiers(devices: Callable[[str], Device], form: str, name: str) -> None:
    for seed, (neg, absolute) in enumerate(((1, 0), (6, 1), (2, 6), (7, 7))):
        check_vector(devices("gfx942"), form, name, Variant(neg, absolute), seed + 3)


LONG = [case for case in CASES if case[0] in ("VOP3", "VOP3_SDST", "VOP1", "VOP2")]


@pytest.mark.parametrize(("form", "name"), LONG, ids=lambda v: v)
def test_scalar_source(devices: Callable[[str], Device], form: str, name: str) -> None:
    check_vector(devices("gfx942"), form, name, Variant(scalar=0), 8)
