"""Products of matrices in less than their type: what neither interpreter shows.

    tl.dot(a, b)                                  tf32 on NVIDIA: 10 bits of a float's 23
    jnp.dot(a, b)                                 one bfloat16 pass on a TPU: 7 bits
    tl.dot(a, b, input_precision="ieee")          passes; so does "tf32x3"
    jnp.dot(a, b, precision=lax.Precision.HIGHEST)

On a CPU all of these compute in float32, so a verdict that was formed there could not tell them
apart. A port says which precision its products have, whatever the type of the operands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from crossport.validation.gate.vocabulary import Target

_TRITON = frozenset({"ieee", "tf32x3"})
_SHORT = frozenset({"tf32", "bf16x3", "bf16x6", "bf16", "fp16"})
_PRODUCTS = frozenset(
    "dot matmul einsum tensordot inner vdot vecdot matvec vecmat convolve correlate dot_general "
    "conv_general_dilated".split()
)
_PRECISION_PLACE = 3  # tl.dot(input, other, acc, input_precision, ...)


def check_products(tree: ast.Module, statement: ast.stmt, target: Target) -> Iterator[str]:
    """Findings in one statement of the top level."""
    for node in ast.walk(statement):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()):
                yield f"{node.lineno}: multiplies matrices in a precision that it does not name"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                if target == "triton" and name == "dot":
                    yield from _triton(node)
                elif target == "pallas" and name in _PRODUCTS and not _pallas(node, tree):
                    yield f"{node.lineno}: {name} without precision=lax.Precision.HIGHEST"
            case ast.Constant(value=str() as text) if target == "triton" and text in _SHORT:
                yield f"{node.lineno}: names a shorter precision: {text}"
            case _:
                pass


def _triton(call: ast.Call) -> Iterator[str]:
    named = {k.arg: k.value for k in call.keywords}
    chosen = named.get("input_precision")
    if chosen is None and len(call.args) > _PRECISION_PLACE:
        chosen = call.args[_PRECISION_PLACE]
    match chosen:
        case ast.Constant(value=str() as text) if text in _TRITON:
            pass
        case ast.Name():
            pass  # A parameter: the text that it stands for is looked at where it is written.
        case _:
            yield f'{call.lineno}: dot without input_precision="ieee" or "tf32x3"'
    allowed = named.get("allow_tf32")
    if allowed is not None and not (isinstance(allowed, ast.Constant) and allowed.value is False):
        yield f"{call.lineno}: allows tf32"


def _pallas(call: ast.Call, tree: ast.Module) -> bool:
    named = {k.arg: k.value for k in call.keywords}
    if ast.unparse(named.get("preferred_element_type", ast.Constant(None))).endswith(".int32"):
        return True  # Whole numbers: exact at any precision.
    return "precision" in named and _is_highest(named["precision"], tree)


def _is_highest(value: ast.expr, tree: ast.Module) -> bool:
    match value:
        case ast.Constant(value="highest" | "float32"):
            return True
        case ast.Attribute(attr="HIGHEST"):
            return True
        case ast.Name(id=name):
            bound = [
                s.value
                for s in tree.body
                if isinstance(s, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == name for t in s.targets)
            ]
            return (
                len(bound) == 1
                and not isinstance(bound[0], ast.Name)
                and _is_highest(bound[0], tree)
            )
        case _:
            return False
