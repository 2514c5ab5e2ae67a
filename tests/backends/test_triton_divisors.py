"""No lane of a Triton port divides by zero, whether it needs the quotient or not."""

from __future__ import annotations

from pathlib import Path

import pytest

import crossport


@pytest.mark.parametrize(
    ("body", "division"),
    [
        pytest.param("out[i] = d[i] ? x[i] / d[i] : 0;", "// _divisor(", id="tested element"),
        pytest.param("out[i] = x[i] % d[i];", "% _divisor(", id="element"),
        pytest.param("out[i] = x[i] / m;", "// m", id="parameter"),
        pytest.param("out[i] = x[i] / (n * m);", "// (n * m)", id="product of parameters"),
        pytest.param("out[i] = m != 0 ? x[i] / m : 0;", "// _divisor(m)", id="tested parameter"),
        pytest.param("out[i] = m ? x[i] / m : 0;", "// _divisor(m)", id="parameter as a truth"),
        pytest.param("out[i] = x[i] / 7;", "// 7", id="constant"),
    ],
)
def test_divisors(body: str, division: str, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(const int* x, const int* d, int* out, int n, int m) {\n"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        f"  if (i < n) {{ {body} }}\n}}\n"
    )
    (output,) = crossport.port(source, to="triton").outputs
    assert division in output.text
