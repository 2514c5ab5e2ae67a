"""The example of docs/amdgpu.md runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossport.validation.runners.amdgpu import AmdgpuRunner

PAGE = Path(__file__).resolve().parents[2] / "docs" / "amdgpu.md"
KERNEL = """
#include <hip/hip_runtime.h>
extern "C" __global__ void saxpy(int n, float a, const float *x, float *y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}
"""


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (lacking := AmdgpuRunner("gfx942").missing()) is not None:
        pytest.skip(lacking)
    monkeypatch.chdir(tmp_path)
    Path("saxpy.hip").write_text(KERNEL)
    example = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert example is not None
    names: dict[str, Any] = {}
    exec(example[1], names)
    assert np.array_equal(names["y"], 2 * np.arange(1000, dtype=np.float32) + 1)
    assert names["report"].waves == 16
