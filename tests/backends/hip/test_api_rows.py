"""Rows state facts that can be checked: HIP declares what they name; no rule says it already."""

import re

import pytest

from crossport.backends.hip.api import call_rows, device_rows, headers, resolve, rows
from crossport.backends.hip.api.resolve import Renamed, Unported
from crossport.backends.hip.api.simd import simd_function
from crossport.backends.hip.device import _POLYFILLS
from crossport.backends.hip.names import tables

# Compiler macros: no header declares them.
PREDEFINED = {"__HIPCC__", "__HIPCC_RTC__"}


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.cuda)
def test_row(row: rows.ApiRow) -> None:
    declared = tables.hip_api() | tables.hip_device() | PREDEFINED
    assert row.hip in declared
    assert row.note or resolve._by_rule(row.cuda) != row.hip, "a rule says this already"


def test_no_name_has_two_rows() -> None:
    names = [row.cuda for row in rows.ROWS]
    assert len(names) == len(set(names))


def test_every_rename_is_a_name_that_hip_declares() -> None:
    declared = tables.hip_api() | tables.hip_device() | PREDEFINED
    for name in tables.cuda_api():
        match resolve.resolve(name):
            case Renamed(hip):
                assert hip in declared, name
            case Unported(reason):
                assert reason


def test_families_are_mostly_covered() -> None:
    """The names in daily use: a table that lost its data would show here."""
    for name in (
        "cudaMalloc cudaMemcpyAsync cudaStreamCreateWithFlags cublasSgemm cufftPlan1d"
        " curandCreateGenerator cusparseSpMV cusolverDnSgetrf ncclAllReduce nvtxRangePushA"
        " cuModuleLoad nvrtcCompileProgram"
    ).split():
        assert not isinstance(resolve.resolve(name), Unported), name


@pytest.mark.parametrize("row", device_rows.ROWS, ids=lambda row: row.cuda)
def test_device_row(row: device_rows.DeviceRow) -> None:
    is_declared = row.cuda in tables.hip_device()
    assert is_declared == row.is_partial, "HIP has this function"
    if row.polyfill:
        assert re.search(rf"\b{row.hip}\(", (_POLYFILLS / row.polyfill).read_text())
    else:
        assert row.hip in tables.hip_device() or row.hip.startswith("__builtin_")


def test_headers_are_hips() -> None:
    known = tables.hip()["headers"]
    for header in headers.HEADERS.values():
        if header.startswith(("hip/", "hipcub/", "rocwmma/")):
            assert header in known, header


def test_argument_rows_name_cuda_functions() -> None:
    for row in call_rows.ARGUMENTS:
        is_device_function = row.function.startswith("__")
        assert is_device_function or isinstance(resolve.resolve(row.function), Renamed)
        assert row.template.count("{}") == 1


def test_simd_names_of_cuda_are_all_known() -> None:
    names = [n for n in tables.cuda_device() if re.fullmatch(r"__v[a-z]+[24]", n)]
    assert len(names) > 80
    unknown = [n for n in names if simd_function(n) is None]
    assert unknown == []
