"""Facts of whole kernels: strides, loops, divergence, occupancy, baked-in warp widths."""

import pytest

from crossport.ir.facts import KernelFacts, Launch, gpu, kernel_facts
from crossport.ir.facts.occupancy import occupancy
from crossport.ir.parser import parse_module

MODULE = parse_module("""
struct Pair size 8 align 4 {
  x: f32 @0
  y: f32 @4
}

function twice(p: f32*, i: i32) -> f32 {
  return (p[(i * 2)] * 2.0f)
}

kernel transpose(in: const f32*, out: f32*, n: i32) {
  shared tile: f32[32][32]
  let x: i32 = (((%block.x * 32u32) + %thread.x) as i32)
  let y: i32 = (((%block.y * 32u32) + %thread.y) as i32)
  let j: i32 = 0
  for (j < 32) {
    tile[((%thread.y as i32) + j)][%thread.x] = in[(((y + j) * n) + x)]
  } step { j = (j + 8) }
  barrier.block()
  let k: i32 = 0
  for (k < 32) {
    out[(((y + k) * n) + x)] = tile[%thread.x][((%thread.y as i32) + k)]
  } step { k = (k + 8) }
}

kernel tree(in: const f32*, out: f32*) {
  shared s: f32[256]
  let t: i32 = (%thread.x as i32)
  s[t] = in[t]
  barrier.block()
  let half: i32 = ((%block_dim.x / 2u32) as i32)
  for (half > 0) {
    if (t < half) { s[t] = (s[t] + s[(t + half)]) }
    barrier.block()
  } step { half = (half >> 1) }
  if (t == 0) { out[%block.x] = s[0] }
}

kernel gather(index: const i32*, x: const Pair*, y: f32*, n: i32) {
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  for (i < n) {
    y[i] = x[index[i]].y
  } step { i = (i + ((%grid_dim.x * %block_dim.x) as i32)) }
}

kernel calls(p: f32*, q: f32*) {
  let v: f32
  v = call twice((p + 8), (%thread.x as i32))
  q[%thread.x] = v
}

kernel warps(x: f32*) {
  let v: f32 = x[%thread.x]
  let b: u32
  v = shuffle.xor(v, 16; mask=4294967295u32)
  v = shuffle.down(v, 16; mask=4294967295u32)
  v = shuffle.down(v, 8; mask=4294967295u32, width=32)
  b = vote.ballot((v > 0.0f); mask=4294967295u32)
  if ((%thread.x & 31u32) == 0u32) { x[%block.x] = v }
}
""")


def facts(name: str, grid: int = 32, block: tuple[int, int, int] = (256, 1, 1)) -> KernelFacts:
    return kernel_facts(MODULE, name, Launch((grid, 1, 1), block), ("sm_90", "gfx942", "gfx1100"))


def test_a_transpose_is_coalesced_outside_and_conflicts_inside() -> None:
    found = facts("transpose", block=(32, 8, 1))
    load, store, column, out = found.on("sm_90").patterns
    assert (load.segments, out.segments) == (4.0, 4.0)
    assert (store.passes, column.passes) == (1.0, 32.0)
    wide = found.on("gfx942").patterns
    assert (wide[0].segments, wide[0].ideal) == (2.0, 2.0)
    assert (wide[1].passes, wide[2].passes) == (2.0, 64.0)
    assert str(found.accesses[0].offset.coefficient("thread.y")) == "4*n"


def test_loops_are_counted() -> None:
    found = facts("transpose", block=(32, 8, 1))
    # Four rounds of one load and four of one store, four bytes each.
    assert found.bytes_moved == 2 * 4 * 4


def test_a_halving_loop_runs_as_often_as_it_does() -> None:
    found = facts("tree")
    assert found.phases == 3
    # 8 rounds for 256 threads; the addition happens in a guarded block of each.
    assert found.operations["f32"] == 8
    splits = {str(d.branch.condition): d.share for d in found.on("sm_90").divergence}
    assert splits["(thread.x == 0)"] == pytest.approx(1 / 8)


def test_an_indirect_index_depends_on_data_and_a_struct_member_is_strided() -> None:
    found = facts("gather", grid=4)
    index, x, y = found.accesses
    assert [a.base.name for a in found.accesses] == ["index", "x", "y"]
    on = found.on("sm_90").patterns
    assert on[1].shape == "data-dependent"
    assert (on[0].shape, on[2].stride) == ("coalesced", 4)
    assert index.loops[0].condition is not None
    assert (x.size, str(x.type), y.kind) == (4, "f32", "store")
    assert found.on("sm_90").bound == "memory"


def test_a_device_function_is_seen_through() -> None:
    found = facts("calls")
    load = found.accesses.where(base="p")[0]
    assert str(load.offset) == "8*thread.x+32"
    assert found.on("sm_90").patterns[0].segments == 8.0


def test_each_place_that_bakes_in_32_lanes_is_judged() -> None:
    judged = [(w.kind, w.safe) for w in facts("warps").warp_assumptions]
    assert judged == [
        ("shuffle", True),
        ("shuffle", False),
        ("shuffle", True),
        ("vote", False),
        ("lane arithmetic", False),
    ]


@pytest.mark.parametrize(
    ("target", "threads", "registers", "shared", "waves", "limit"),
    [
        ("sm_90", 256, 32, 0, 64, "waves"),
        ("sm_90", 256, 64, 0, 32, "registers"),
        ("sm_90", 1024, 128, 0, 0, "registers"),
        ("gfx942", 256, 64, 0, 32, "waves"),
        ("gfx942", 256, 128, 0, 16, "registers"),
        ("gfx942", 256, 32, 32 * 1024, 8, "shared memory"),
        ("gfx942", 256, 32, 65 * 1024, 0, "shared memory"),
        ("gfx1100", 256, 96, 0, 32, "waves"),
        ("gfx1100", 256, 192, 0, 16, "registers"),
    ],
)
def test_occupancy(
    target: str, threads: int, registers: int, shared: int, waves: int, limit: str
) -> None:
    fit = occupancy(gpu(target), threads, registers, shared)
    assert (fit.waves, fit.limit) == (waves, limit)
