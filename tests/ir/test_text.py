"""What prints parses back to an equal module."""

import pytest

from crossport.diagnostics import Code, PortError
from crossport.ir.parser import parse_module
from crossport.ir.printer import print_module

EVERYTHING = """\
struct float2 size 8 align 8 {
  x: f32 @0
  y: f32 @4
}

constant weights: f32[3] = new f32[3]{1.0f, 0.5f, -2.0f}

global counter: u32

function square(v: f32) -> f32 {
  return (v * v)
}

kernel `k<float, 128>`(x: const f32* restrict, y: float2*, n: i32, t: handle`texture`) \
bounds(128, 2) template("float", "128") {
  shared tile: f32[16][17]
  shared dyn: u8[0] align 16
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  let p: f32* = &tile[0][0]
  let v: f32
  let m: u32 = 4294967295u32
  let a: i32 = -1
  let `let`: bool = true
  if ((i < n) && !(x[i] == -(0.0f))) {
    v = (x[i] + (p + 3)[(a - -1)])
  } else {
    y[i].x = extract(new float2{1.0f, #-inf:f32}, y)
    return
  }
  v = call square(v)
  for (a < 10) unroll 4 {
    if (a == 3) {
      continue
    }
    volatile tile[a][0] = (volatile(tile[0][a]) * weights[2])
  } step {
    a = (a + 1)
  }
  while (a > 0) {
    a = (a - 1)
    break
  }
  do {
    a = (a << 1)
  } while (a < 100)
  switch a {
    case 1, -2 {
      trap
    }
    default {
      break
    }
  }
  barrier.block()
  a = barrier.block.count((i < n))
  syncwarp(; mask=m, width=16)
  fence.device()
  v = shuffle.xor(v, 16; mask=m)
  m = vote.ballot((v > 0.0f); mask=m, width=32)
  m, a = match.all(a; mask=m)
  v = warp_reduce.add.inclusive(v; width=8)
  v = atomic.add.device(y[0].x, v)
  atomic.cas.block(a, 0, 1)
  effect clock()
  print "x \\"%d\\"\\n"(a, (v as f64))
  assert (p != null:f32*) "p"
  launch square<1, 1, 1, 32, 1, 1, 0u64>(v, 3)
  opaque("asm(...)", "unknown instruction")
  v = sqrtf:f32((`let` ? v : (a bits f32)))
  v = opaque("__nv()", "no row"):f32
  a = ((&tile[1][0] - p) as i32)
  call *@square(v)
}
"""


def test_every_node_round_trips() -> None:
    module = parse_module(EVERYTHING)
    printed = print_module(module)
    assert printed == EVERYTHING
    assert parse_module(printed) == module


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("kernel k() {\n  x = 1\n}", (2, 3), "x is not declared"),
        ("kernel k(a: i32) {\n  a = (a $ 1)\n}", (2, 10), "unexpected character '$'"),
        ("kernel k(a: i32) {\n  a[0] = 1\n}", (2, 8), "no elements"),
        ("kernel k(a: i32) {\n  3 = a\n}", (2, 5), "written to"),
        ("kernel k(a: i32) {\n", (2, 1), "end of text"),
        ("nonsense", (1, 1), "expected struct"),
    ],
)
def test_malformed_text_is_located(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(PortError) as error:
        parse_module(text)
    diagnostic = error.value.diagnostic
    assert diagnostic.code is Code.MALFORMED_IR
    assert message in diagnostic.message
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.span.column) == place
