"""PTX instructions and what they mean in the IR: one function a family, one row an opcode.

bfe.u32 d, a, 7, 11       d = (a >> 7) & 2047          (shifts beyond the width give 0)
lop3.b32 d, a, b, c, F    d = the sum of F's minterms   (0xE8: majority)
shfl.sync.bfly.b32 ...    Shuffle "xor"                 cp.async    Effect("cp_async")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_arithmetic import (
    absolute,
    add,
    binary,
    bits,
    carrying,
    extremum,
    fused,
    logic,
    logical_not,
    multiply,
    multiply_add,
    named,
    shift,
    unary_op,
)
from crossport.frontend.lowering.ptx_bits import (
    dot,
    extract,
    find_leading,
    funnel,
    insert,
    logic3,
    permute,
    sum_of_differences,
)
from crossport.frontend.lowering.ptx_common import Handler, pure
from crossport.frontend.lowering.ptx_memory import async_copy, atomic, load, prefetch, store
from crossport.frontend.lowering.ptx_moves import address, compare, convert, move, select, set_flag
from crossport.frontend.lowering.ptx_threads import (
    active,
    barrier,
    fence,
    is_space,
    leave,
    match_lanes,
    matrix,
    reduce,
    shuffle,
    sleep,
    trap,
    vote,
)
from crossport.ir.nodes import (
    Intrinsic,
)
from crossport.ir.types import (
    F16,
    F32,
    F64,
    I32,
    U32,
    U64,
    Scalar,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def operation(machine: Machine, instruction: Instruction) -> None:
    """Emit one instruction."""
    handler = ROWS.get(instruction.opcode)
    if handler is None:
        raise NotLowered(f"PTX {instruction.opcode}")
    handler(machine, instruction)


def _floats(base: str, fast: str = "") -> dict[Scalar, str]:
    return {F32: fast or f"{base}f", F64: base}


ROWS: dict[str, Handler] = {
    "mov": move, "add": add("+"), "sub": add("-"), "addc": carrying("+", with_carry=True),
    "subc": carrying("-", with_carry=True), "mul": multiply, "mad": multiply_add,
    "madc": multiply_add, "fma": fused, "div": binary("/"), "rem": binary("%"),
    "neg": unary_op("-"), "not": logical_not, "abs": absolute, "min": extremum("min"),
    "max": extremum("max"), "and": logic("&"), "or": logic("|"), "xor": logic("^"),
    "shl": shift("<<"), "shr": shift(">>"), "bfe": extract, "bfi": insert, "lop3": logic3,
    "prmt": permute, "shf": funnel, "sad": sum_of_differences, "dp4a": dot("__dp4a"),
    "dp2a": dot("__dp2a"), "popc": bits({U32: "__popc", U64: "__popcll"}, I32),
    "bfind": find_leading,
    "clz": bits({U32: "__clz", U64: "__clzll"}, I32),
    "brev": bits({U32: "__brev", U64: "__brevll"}, None),
    "sqrt": named(_floats("sqrt")), "rsqrt": named(_floats("rsqrt")),
    "rcp": named({F32: "__frcp_rn", F64: "__drcp_rn"}), "sin": named({F32: "__sinf"}),
    "cos": named({F32: "__cosf"}), "lg2": named({F32: "__log2f"}),
    "ex2": named({F32: "exp2f", F16: "hexp2"}), "tanh": named({F32: "__tanhf", F16: "htanh"}),
    "copysign": pure(
        lambda m, i, v, k: Intrinsic(
            "copysignf" if k == F32 else "copysign", (v[1], v[0]), k, span=m.here
        )
    ),
    "cvt": convert, "cvta": address, "setp": compare, "set": set_flag, "selp": select,
    "ld": load, "ldu": load, "st": store, "prefetch": prefetch, "prefetchu": prefetch,
    "atom": atomic, "red": atomic, "cp": async_copy, "bar": barrier, "barrier": barrier,
    "membar": fence, "fence": fence, "shfl": shuffle, "vote": vote, "match": match_lanes,
    "activemask": active, "redux": reduce, "exit": leave, "ret": leave, "trap": trap,
    "nanosleep": sleep, "isspacep": is_space, "mma": matrix, "ldmatrix": matrix,
}  # fmt: skip
