"""Generated Triton ports against ports written by hand, at four sizes that fill a GPU.

    python benchmarks/triton_sizes.py prepare corpus build/triton_sizes
    python benchmarks/triton_sizes.py run build/triton_sizes benchmarks/triton_sizes.json  # GPU
    python benchmarks/triton_sizes.py report benchmarks/triton_sizes.json

The kernels by hand stand below; the sources of the generated ones are the corpus' and `MATVEC`.
Times are medians of `triton.testing.do_bench` (cold L2). Ports run as they come, untuned.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MATVEC = """
__global__ void matvec(const float* A, const float* x, float* y, int rows, int cols) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int c = 0; c < cols; ++c) sum += A[(size_t)row * cols + c] * x[c];
  y[row] = sum;
}
"""
CORPUS = ("matmul_tiled", "softmax_rows", "vecadd")


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("prepare", "run", "report"))
    parser.add_argument("places", type=Path, nargs="+")
    options = parser.parse_args()
    if options.step == "prepare":
        _prepare(*options.places)
    elif options.step == "run":
        _run(*options.places)
    else:
        print("\n".join(report(json.loads(options.places[0].read_text()))))
    return 0


def _prepare(corpus: Path, modules: Path) -> None:
    import crossport

    modules.mkdir(parents=True, exist_ok=True)
    source = modules / "matvec.cu"
    source.write_text(MATVEC)
    for path in (*(corpus / name / f"{name}.cu" for name in CORPUS), source):
        for output in crossport.port(path, to="triton").outputs:
            (modules / f"{path.stem}.py").write_bytes(output.data)


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _run(modules: Path, results: Path) -> None:
    import torch
    import triton

    by_hand = _by_hand()
    rows = []

    def measure(
        name: str, what: str, moved: int, hand: Callable[[], Any], port: Callable[[], Any],
        outputs: tuple[Any, Any], tolerance: float,
    ) -> None:  # fmt: skip
        hand()
        port()
        difference = (outputs[0] - outputs[1]).abs().max().item()
        assert difference <= tolerance, f"{name}: the two differ by {difference}"
        times = {
            key: triton.testing.do_bench(f, 25, 200, return_mode="median") * 1000
            for key, f in (("hand_us", hand), ("port_us", port))
        }
        rows.append({"kernel": name, "size": what, "bytes": moved, "apart": difference, **times})

    def random(*shape: int) -> Any:
        return torch.randn(shape, device="cuda")

    n = 2048
    a, b = random(n, n), random(n, n)
    c, d = torch.empty_like(a), torch.empty_like(a)
    port = _load(modules / "matmul_tiled.py").matmul_tiled
    measure(
        "matmul_tiled", "2048 x 2048 x 2048, fp32", 0, lambda: by_hand["matmul"](a, b, c),
        lambda: port((n // 16, n // 16), (16, 16), a, b, d, n, n, n), (c, d), 1e-3,
    )  # fmt: skip
    rows_, columns = 32768, 4096
    x = random(rows_, columns)
    y, z = torch.empty_like(x), torch.empty_like(x)
    softmax = _load(modules / "softmax_rows.py").softmax_rows
    measure(
        "softmax_rows", "32768 x 4096, fp32", 2 * x.numel() * 4,
        lambda: by_hand["softmax"](x, y), lambda: softmax(rows_, 128, x, z, columns), (y, z), 1e-6,
    )  # fmt: skip
    m = 16384
    A, v = random(m, m), random(m)
    p, q = torch.empty_like(v), torch.empty_like(v)
    matvec = _load(modules / "matvec.py").matvec
    measure(
        "matvec (one thread a row)", "16384 x 16384, fp32", A.numel() * 4,
        lambda: by_hand["matvec"](A, v, p), lambda: matvec(m // 128, 128, A, v, q, m, m), (p, q),
        1e-2,
    )  # fmt: skip
    count = 1 << 27
    s, t = random(count), random(count)
    u, w = torch.empty_like(s), torch.empty_like(s)
    vecadd = _load(modules / "vecadd.py").vecadd
    measure(
        "vecadd", "3 x 512 MiB, fp32", 3 * count * 4, lambda: by_hand["add"](s, t, u),
        lambda: vecadd(count // 256, 256, s, t, w, count), (u, w), 0.0,
    )  # fmt: skip
    device = torch.cuda.get_device_name()
    versions = f"PyTorch {torch.__version__}, Triton {triton.__version__}"
    results.write_text(json.dumps({"device": device, "versions": versions, "rows": rows}, indent=1))
    print("\n".join(report(json.loads(results.read_text()))))


def report(data: dict[str, Any]) -> list[str]:
    """The table."""
    lines = [
        f"{data['device']}, {data['versions']}.\n",
        "| kernel | size | by hand, µs | port, µs | by hand / port | TB/s of the port |",
        "|---|---|---|---|---|---|",
    ]
    for row in data["rows"]:
        rate = f"{row['bytes'] / row['port_us'] / 1e6:.2f}" if row["bytes"] else ""
        share = row["hand_us"] / row["port_us"]
        lines.append(
            f"| {row['kernel']} | {row['size']} | {row['hand_us']:.1f} | {row['port_us']:.1f} "
            f"| {share:.2f} | {rate} |"
        )
    return lines


def _by_hand() -> dict[str, Callable[..., Any]]:
    """The four kernels as one would write them."""
    from triton_sizes_by_hand import add, matmul, matvec, softmax

    return {"matmul": matmul, "softmax": softmax, "matvec": matvec, "add": add}


if __name__ == "__main__":
    sys.exit(main())
