"""How many thread-statements a second the interpreter runs on one core.

    python benchmarks/interpreter.py [--json]

A thread-statement is one IR statement of one thread. Each kernel below runs over a million threads;
the best of five launches counts. The goal for straight-line arithmetic is 5 million a second.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from crossport.ir.interpreter import run
from crossport.ir.nodes import Module
from crossport.ir.parser import parse_module

# kernel -> (statements a thread executes, source)
KERNELS: dict[str, tuple[int, str]] = {
    "straight_line": (
        11,
        """
kernel straight_line(x: f32*, y: f32*, n: i32) {
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  let a: f32 = x[i]
  let b: f32 = ((a * 1.5f) + 0.25f)
  let c: f32 = ((b * b) - a)
  let d: f32 = ((c + b) * 0.5f)
  let j: i32 = ((i * 3) ^ (i >> 2))
  let k: i32 = ((j & 255) + (i / 7))
  let e: f32 = (d + (k as f32))
  e = ((e * a) + (b * c))
  e = (e - (d * d))
  y[i] = e
}
""",
    ),
    "divergent": (
        6,
        """
kernel divergent(x: f32*, y: f32*, n: i32) {
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  if (i >= (n - 5)) {
    return
  }
  let v: f32 = x[i]
  if ((i & 3) == 0) {
    v = (v * 2.0f)
  } else {
    v = (v + 1.0f)
  }
  y[i] = v
}
""",
    ),
    "loop": (
        2 + 3 * 16 + 1,
        """
kernel loop(x: f32*, y: f32*, n: i32) {
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  let s: f32 = 0.0f
  let k: i32 = 0
  for (k < 16) {
    s = (s + x[((i + k) & (n - 1))])
  } step {
    k = (k + 1)
  }
  y[i] = s
}
""",
    ),
    "shared_tree": (
        4 + 8 * 4 + 1,
        """
kernel shared_tree(x: f32*, y: f32*, n: i32) {
  shared s: f32[256]
  let t: u32 = %thread.x
  let i: u32 = ((%block.x * %block_dim.x) + t)
  s[t] = x[i]
  barrier.block()
  let k: u32 = 128u32
  for (k > 0u32) {
    if (t < k) {
      s[t] = (s[t] + s[(t + k)])
    }
    barrier.block()
  } step {
    k = (k >> 1)
  }
  if (t == 0u32) {
    y[%block.x] = s[0]
  }
}
""",
    ),
}


def measure(module: Module, kernel: str, statements: int, threads: int) -> float:
    """Million thread-statements a second, best of five."""
    x = np.random.default_rng(0).random(threads, np.float32)
    y = np.zeros(threads, np.float32)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        run(module, kernel, threads // 256, 256, [x, y, threads])
        best = min(best, time.perf_counter() - start)
    return statements * threads / best / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", type=int, default=1 << 20)
    options = parser.parse_args()
    rates = {
        name: measure(parse_module(source), name, statements, options.threads)
        for name, (statements, source) in KERNELS.items()
    }
    if options.json:
        print(json.dumps({"unit": "million thread-statements/s", "rates": rates}, indent=1))
        return
    for name, rate in rates.items():
        print(f"{name:16} {rate:9.1f} million thread-statements/s")


if __name__ == "__main__":
    main()
