"""A pointer that points now into one array and now into another reads and writes the right one."""

import numpy as np

from crossport.backends.pallas.port import port_module
from crossport.ir.interpreter import run
from crossport.ir.lift.naming import Options
from crossport.ir.parser import parse_module

TEXT = """
kernel where(x: const i32*, a: i32*, b: i32*, out: i32*) {
  shared s: i32[64]
  let i: i32 = (%thread.x as i32)
  s[i] = (3 * i)
  barrier.block()
  let p: i32* = (((x[i] % 2) as bool) ? (a + 70) : b)
  p = (p + 3)
  let q: i32* = &s[0]
  if ((x[i] % 3) == 0) {
    q = (x + 30)
  }
  p[i] = (q[(i % 32)] + p[i])
  let _t1: i32
  _t1 = atomic.add.device(p[i], 5)
  let old: i32 = _t1
  out[i] = (((old * 2) + ((p == (a + 73)) as i32)) + (((q == &s[0]) as i32) * 10))
}
"""


def test_loads_stores_atomics_and_comparisons() -> None:
    module = parse_module(TEXT)
    ported = port_module(module, "", Options(tiers=("xla",)))
    assert [k.status for k in ported.kernels] == ["ported"], ported.diagnostics
    names: dict[str, object] = {}
    exec(compile(ported.text, "port", "exec"), names)
    rng = np.random.default_rng(3)
    x, a, b = (rng.integers(0, 30, 160).astype(np.int32) for _ in range(3))
    out = np.zeros(64, np.int32)
    port = names["where"]
    assert callable(port)
    found = port(1, 64, x, a.copy(), b.copy(), out.copy())
    run(module, "where", 1, 64, [x, a, b, out])
    assert len({int(v) % 2 for v in x[:64]}) == 2, "both arrays are pointed into"
    for mine, its in zip(found, (a, b, out), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), its)
