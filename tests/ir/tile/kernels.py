"""Small kernels as IR text, for the lifting tests."""

from crossport.ir.lift import flat
from crossport.ir.lift.prepare import prepare
from crossport.ir.parser import parse_module


def program(body: str, params: str = "x: const f32*, y: f32*, n: i32") -> flat.Program:
    """The flat program of one kernel with that body."""
    module = parse_module(f"kernel k({params}) {{\n{body}\n}}\n")
    return prepare(module, module.kernels[0])


TREE = """
  shared s: f32[256]
  let t: i32 = (%thread.x as i32)
  s[t] = x[(((%block.x * 256u32) + %thread.x) as i32)]
  barrier()
  let k: i32 = 128
  for (k > STOP) {
    if (t < k) {
      s[t] = (s[t] OP s[(t + k)])
    }
    BARRIER
  } step {
    k = (k >> 1)
  }
  if (t == 0) {
    y[(%block.x as i32)] = s[0]
  }
"""


def tree(op: str = "+", stop: int = 0, barrier: str = "barrier()") -> flat.Program:
    """A reduction tree in shared memory."""
    text = TREE.replace("STOP", str(stop)).replace("BARRIER", barrier)
    return program(text.replace("OP", op))


def found(lifted: flat.Program, kind: type) -> list[flat.Statement]:
    """The statements of a kind, at any depth."""
    return [s for s in flat.statements(lifted.body) if isinstance(s, kind)]
