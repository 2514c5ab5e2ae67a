"""A statement that the parser drops is not dropped from the IR in silence."""

from pathlib import Path

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.nodes import Opaque, walk

DEVICE_LAUNCH = """\
__global__ void child(int* x) { x[0] = 1; }
__global__ void parent(int* x, int n) {
  if (n > 0) child<<<1, n>>>(x);
}
__global__ void fine(int* x) { x[1] = 2; }
"""


def test_a_launch_from_the_device_is_opaque_and_only_there(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(DEVICE_LAUNCH)
    module = lower_unit(parse(source))
    opaque = {
        function.name: [n.span.line for n in walk(function) if isinstance(n, Opaque) and n.span]
        for function in module.kernels
    }
    assert opaque == {"child": [], "parent": [3], "fine": []}
