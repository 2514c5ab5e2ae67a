"""What lowered kernels compute equals what a C++ compiler makes of the same source.

Each kernel in semantics/*.cu fills two arrays. Expected values come from the host compiler (the
same text, compiled as C++) and are kept in expected.json: `pytest --update-golden` makes them anew.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crossport.frontend.lowering import lower_unit, problems
from crossport.frontend.parse import parse
from crossport.ir.interpreter.run import run
from crossport.ir.verify import verify

HERE = Path(__file__).parent / "semantics"
EXPECTED = HERE / "expected.json"
FILES = sorted(HERE.glob("*.cu"))
KERNEL = re.compile(r"__global__ void (\w+)")
CASES = [(path, name) for path in FILES for name in KERNEL.findall(path.read_text())]
LENGTH = 48

DRIVER = """
#include <cstdio>
#define __device__
#define __global__
#define __constant__
struct { unsigned x, y, z; } threadIdx;
#include "%s"
int main() {
    static long long out[%d]; static double real[%d];
    %s(out, real);
    for (long long v : out) std::printf("%%lld\\n", v);
    for (double v : real) std::printf("%%a\\n", v);
}
"""


def host_values(path: Path, kernel: str, folder: Path) -> tuple[list[int], list[float]]:
    """Run a kernel as host C++."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    assert compiler is not None, "regenerating the expected values needs a C++ compiler"
    source, program = folder / "driver.cpp", folder / "driver"
    source.write_text(DRIVER % (path, LENGTH, LENGTH, kernel))
    options = ["-std=c++17", "-O0", "-ffp-contract=off", "-fwrapv", "-w", "-fpermissive"]
    subprocess.run([compiler, *options, str(source), "-o", str(program)], check=True)
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    whole, real = lines[:LENGTH], lines[LENGTH:]
    return [int(v) for v in whole], [float.fromhex(v) for v in real]


@pytest.mark.parametrize(("path", "kernel"), CASES, ids=[name for _, name in CASES])
def test_agrees_with_the_host_compiler(
    path: Path, kernel: str, tmp_path: Path, update_golden: bool
) -> None:
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    if update_golden:
        whole, parts = host_values(path, kernel, tmp_path)
        expected[kernel] = {"out": whole, "real": [v.hex() for v in parts]}
        EXPECTED.write_text(json.dumps(expected, indent=0) + "\n")
    module = lower_unit(parse(path), strict=True)
    function = module.function(kernel)
    assert problems(module, function) == []
    assert verify(module) == []
    out, real = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.float64)
    run(module, kernel, 1, 1, [out, real])
    wanted = expected[kernel]
    different = [
        (i, int(a), b) for i, (a, b) in enumerate(zip(out, wanted["out"], strict=True)) if a != b
    ]
    assert different == []
    assert [v.hex() for v in real.tolist()] == wanted["real"]
