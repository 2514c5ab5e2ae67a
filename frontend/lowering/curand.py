"""cuRAND's device functions: effects on the state behind the last pointer.

curand_init(seed, i, 0, &state)     Effect("curand_init", seed, i, 0, &state)
x = curand_uniform(&state)          Effect(_t1, "curand_uniform", &state); x = _t1
"""

from __future__ import annotations

from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Handler, effect, row_arguments
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.ir.intrinsics import row
from crossport.ir.nodes import Expr
from crossport.ir.types import U64, VOID, Pointer

_DRAWS = (
    "curand", "curand4", "curand_uniform", "curand_uniform_double", "curand_uniform4",
    "curand_uniform2_double", "curand_normal", "curand_normal_double", "curand_normal2",
    "curand_normal2_double", "curand_normal4", "curand_log_normal", "curand_log_normal_double",
    "curand_log_normal2", "curand_log_normal4", "curand_poisson", "curand_poisson4",
    "skipahead", "skipahead_sequence", "skipahead_subsequence",
)  # fmt: skip


def _init(ctx: Lowering, site: Site) -> Expr:
    values = []
    for value in ctx.values(site.args):
        is_pointer = isinstance(value.type, Pointer)
        values.append(value if is_pointer else ctx.convert(value, U64))
    ctx.here = cursors.span(site.cursor) or ctx.here
    return effect(ctx, "curand_init", tuple(values), VOID)


def _draw(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        args = tuple(row_arguments(ctx, row(name), ctx.values(site.args)))
        ctx.here = cursors.span(site.cursor) or ctx.here
        return effect(ctx, name, args, ctx.type(site.cursor))

    return lower


HANDLERS: dict[str, Handler] = {"curand_init": _init, **{name: _draw(name) for name in _DRAWS}}
