"""A product that CUDA rounds on its own is not fused with a sum, whatever HIP's default is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from crossport.backends.hip.port import port_unit
from crossport.diagnostics import Code, PortError
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device

SOURCE = """\
extern "C" __global__ void k(const float* a, float* error, float* fused) {
  float x = a[threadIdx.x];
  float product = __fmul_rn(x, x);
  error[threadIdx.x] = __fsub_rn(__fmul_rn(x, x), product);
  fused[threadIdx.x] = __fmaf_rn(x, x, -product);
}
"""
# What hipcc compiles with where nothing is said.
HIP_DEFAULT = ("-ffp-contract=fast-honor-pragmas",)


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    made = Device("gfx942")
    yield made
    made.close()


def test_products_and_sums_round_apart(device: Device, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(SOURCE)
    ported = port_unit(source).files[0].ported.decode()
    try:
        code = CodeObject.load(compile_hip(ported, "gfx942", flags=HIP_DEFAULT))
    except PortError as problem:
        if problem.diagnostic.code == Code.NO_COMPILER:
            pytest.skip("no compiler for AMD GPUs here")
        raise
    values = (1 + np.arange(64) / 1000).astype(np.float32)
    error, fused = np.ones(64, np.float32), np.zeros(64, np.float32)
    device.launch(code, "k", 1, 64, [values, error, fused])
    assert not error.any()
    # The case is one that fusing would change.
    assert fused.any()
