"""What a TPU makes of each kind of access."""

from __future__ import annotations

from crossport.ir.facts import kernel_facts
from crossport.ir.parser import parse_module

KERNEL = """
kernel k(x: f32*, idx: i32*, out: f32*, h: u32*, n: i32) {
  let t: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  let a: f32 = x[t]
  let b: f32 = x[(t * n)]
  let c: f32 = x[idx[t]]
  let d: f32 = x[n]
  out[idx[t]] = (((a + b) + c) + d)
  atomic.add.device(h[0], 1u32)
}
"""


def test_shapes_and_notes() -> None:
    facts = kernel_facts(parse_module(KERNEL), "k", targets=("v5e", "v6e"))
    assert list(facts.targets) == ["sm_90"] and list(facts.tpus) == ["v5e", "v6e"]
    on = facts.tpus["v5e"]
    shapes = [(a.access.base.name, a.shape) for a in on.accesses]
    assert shapes == [
        ("x", "vector"), ("x", "strided"), ("idx", "vector"), ("x", "gather"), ("x", "broadcast"),
        ("idx", "vector"), ("out", "scatter"), ("h", "atomic"),
    ]  # fmt: skip
    assert on.bound == "memory" and on.intensity is not None and on.intensity < on.balance
    text = " ".join(note for _, note in on.notes)
    for word in ("transpose", "gather rows", "no atomics"):
        assert word in text


def test_doubles_and_exchanges_are_named() -> None:
    module = parse_module("""
kernel k(x: f64*) {
  let v: f64 = (x[%thread.x] * 2.0)
  let r: f64
  r = shuffle.xor(v, 1)
  barrier.block()
  x[%thread.x] = r
}
""")
    text = " ".join(n for _, n in kernel_facts(module, "k", targets=("v5e",)).tpus["v5e"].notes)
    for word in ("float64", "rolls", "barriers"):
        assert word in text
