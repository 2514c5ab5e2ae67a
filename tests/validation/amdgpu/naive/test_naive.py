"""Conversions that only change names compile for a wave of 64 and are caught; ours are right.

Each kernel of kernels.cu holds one habit of warps of 32. The interpreter says what it computes on
NVIDIA; the converted text and our port run as gfx942 machine code.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tinygrad")

import crossport
from crossport.diagnostics import Code, PortError
from crossport.ir.interpreter import run
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, DeviceFault, Options
from crossport.validation.runners.amdgpu import kernel_symbols
from crossport.validation.runners.interp import Subject

SOURCE = Path(__file__).with_name("kernels.cu")
KERNELS = tuple(re.findall(r"__global__ void (\w+)", SOURCE.read_text()))
BLOCKS, BLOCK = 2, 256


def converted_by_names(text: str) -> str:
    """What a search and replace makes of it: no masks, HIP's header, the rest as it was."""
    text = re.sub(r"__(shfl\w*|ballot|any|all)_sync\(FULL, ", r"__\1(", text)
    text = text.replace("__activemask()", "__ballot(1)")
    return "#include <hip/hip_runtime.h>\n" + text


@cache
def _code(which: str, arch: str, source: Path = SOURCE) -> tuple[CodeObject, dict[str, str]]:
    text = converted_by_names(source.read_text())
    if which == "port":
        port = crossport.port(source, to="rocm", arch=[arch])
        assert all(kernel.status == "unverified" for kernel in port.kernels), port.kernels
        text = next(iter(port.outputs)).data.decode()
    try:
        code = CodeObject.load(compile_hip(text, arch))
    except PortError as problem:
        if problem.diagnostic.code == Code.NO_COMPILER:
            pytest.skip("no compiler for AMD GPUs here")
        raise
    return code, kernel_symbols(tuple(code.kernels))


@cache
def _expected(kernel: str) -> NDArray[np.int32]:
    out = np.zeros(BLOCKS * BLOCK, np.int32)
    module = _subject().module
    run(module, kernel, (BLOCKS, 1, 1), (BLOCK, 1, 1), [_input(), out, out.size], warp_size=32)
    return out


@cache
def _subject() -> Subject:
    return Subject.of_source(SOURCE, KERNELS)


def _input() -> NDArray[np.int32]:
    return np.random.default_rng(7).integers(-999, 1000, BLOCKS * BLOCK).astype(np.int32)


def _computed(device: Device, which: str, arch: str, kernel: str) -> NDArray[np.int32]:
    code, symbols = _code(which, arch)
    out = np.zeros(BLOCKS * BLOCK, np.int32)
    device.launch(code, symbols[kernel], BLOCKS, BLOCK, [_input(), out, out.size])
    return out


@pytest.mark.parametrize("kernel", KERNELS)
def test_converted_names_are_caught_and_our_port_is_right(
    devices: Callable[[str], Device], kernel: str
) -> None:
    naive = _computed(devices("gfx942"), "names", "gfx942", kernel)
    assert not np.array_equal(naive, _expected(kernel))
    assert np.array_equal(_computed(devices("gfx942"), "port", "gfx942", kernel), _expected(kernel))


@pytest.mark.parametrize("kernel", KERNELS)
def test_on_a_wave_of_32_both_are_right(devices: Callable[[str], Device], kernel: str) -> None:
    for which in ("names", "port"):
        computed = _computed(devices("gfx1100"), which, "gfx1100", kernel)
        assert np.array_equal(computed, _expected(kernel)), which


def test_a_lock_for_each_half_of_a_wave(devices: Callable[[str], Device]) -> None:
    """No port can keep it as it stands: the port warns, and the emulator says where waves stand."""
    source = SOURCE.with_name("lock.cu")
    port = crossport.port(source, to="rocm", arch=["gfx942"])
    assert [str(d.code) for d in port.diagnostics] == ["CP2211"]

    def total(arch: str) -> int:
        code, symbols = _code("names", arch, source)
        out, lock = np.zeros(1, np.int32), np.zeros(1, np.int32)
        devices(arch).launch(
            code, symbols["lock_taken_by_each_warp"], BLOCKS, BLOCK,
            [_input(), out, lock, BLOCKS * BLOCK], options=Options(instruction_limit=300_000),
        )  # fmt: skip
        return int(out[0])

    assert total("gfx1100") == _input()[::32].sum()
    with pytest.raises(DeviceFault, match="300,000 wave instructions") as fault:
        total("gfx942")
    assert fault.value.positions
