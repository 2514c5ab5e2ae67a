"""A variable that a user sets is seen by every form of the kernel."""

import os
import subprocess
import sys
from pathlib import Path

import crossport

SOURCE = """
__constant__ float weights[4];
__global__ void totals(const float *x, float *y) {
  __shared__ float s[512];
  int t = threadIdx.x;
  s[t] = x[blockIdx.x * blockDim.x + t] * weights[t & 3];
  __syncthreads();
  for (int n = blockDim.x / 2; n > 0; n >>= 1) {
    if (t < n) s[t] += s[t + n];
    __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = s[0];
}
"""
RUN = """
import torch
from totals_triton import totals

totals.globals["weights"] = torch.tensor([1.0, 2.0, 3.0, 4.0])
for threads in (128, 16):  # whole blocks, and a form for every other block
    result = torch.zeros(2)
    totals(2, threads, torch.ones(2 * threads), result)
    assert result.tolist() == [2.5 * threads] * 2, (threads, result)
"""


def test_a_global_is_set_for_all_forms(tmp_path: Path) -> None:
    source = tmp_path / "totals.cu"
    source.write_text(SOURCE)
    crossport.port(source, to="triton").write(tmp_path)
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, env=environment, check=True)
