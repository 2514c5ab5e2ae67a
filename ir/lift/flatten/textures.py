"""Textures and surfaces: an array and its descriptor; a fetch is arithmetic and loads.

    v = tex2D<float>(t, x, y)    ->    column = texel_index(floor(x), t_width, ...)
                                       row = texel_index(floor(y), t_height, ...)
                                       v = t_data[row * t_width + column]

The port takes a texture as a struct of `FIELDS`: the texels in the type and with the channels that
the kernel fetches, the extents (0 or 1 for axes that it has not), and CUDA's numbers for filter
mode (0 point, 1 linear), address mode (0 wrap, 1 clamp, 2 mirror, 3 border) and normalised
coordinates. Linear filtering blends 2, 4 or 8 texels with weights in steps of 1/256, as
ir/interpreter/textures.py says. There are no mipmaps; layers and cubes are refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.flatten.expressions import Expressions
from crossport.ir.lift.flatten.values import Agg, Texture, Value, refuse, scalar_type
from crossport.ir.lift.layout import Leaf
from crossport.ir.lift.library import PREFIX, library
from crossport.ir.types import F32, I32, Handle, Scalar, Type

FIELDS = (
    "data", "width", "height", "depth", "filterMode", "addressMode", "normalizedCoords",
)  # fmt: skip
DIMENSIONS = {
    "tex1Dfetch": 1, "tex1D": 1, "tex2D": 2, "tex3D": 3, "tex1DLod": 1, "tex2DLod": 2,
    "tex3DLod": 3, "surf1Dread": 1, "surf2Dread": 2, "surf3Dread": 3, "surf1Dwrite": 1,
    "surf2Dwrite": 2, "surf3Dwrite": 3,
}  # fmt: skip


def is_texture(type: Type) -> bool:
    """Is it a texture or surface object?"""
    return isinstance(type, Handle) and type.what in ("cudaTextureObject_t", "cudaSurfaceObject_t")


class Textures(Expressions):
    """Parameters that are textures, and fetches from them."""

    def texture_parameter(self, param: n.Param, name: str) -> flat.Parameter:
        """The parameter as the port receives it; its name means the texture from here on."""
        element = self.texel_type(param)
        root = Root(self.names.fresh(f"{name}_data"), "param", element)
        numbers = [n.Var(self.names.fresh(f"{name}_{path}"), I32) for path in FIELDS[1:]]
        self.steady |= {var.name for var in numbers}
        self.scopes[-1][param.name] = Texture(root, *(n.Read(var) for var in numbers))
        scalars = tuple(zip(FIELDS[1:], numbers, strict=True))
        return flat.Parameter(name, param.type, (("data", root),), scalars, FIELDS)

    def texel_type(self, param: n.Param) -> Scalar:
        """The scalar that every fetch of the kernel's is made of."""
        found: set[Scalar] = set()
        for function in self.module.functions:
            for node in n.walk(function):
                fetched: Type | None = None
                match node:
                    case n.Intrinsic(name, _, type) if name in DIMENSIONS:
                        fetched = type
                    case n.Effect(target, name, args) if name in DIMENSIONS:
                        value_type = args[0].type
                        fetched = target.type if target is not None else value_type
                    case _:
                        pass
                if fetched is not None:
                    found |= {
                        leaf.type
                        for leaf in self.channels(fetched)
                        if isinstance(leaf.type, Scalar)
                    }
        if len(found) != 1:
            raise refuse("textures of several types of texels", param.span or self.span)
        return found.pop()

    def channels(self, type: Type) -> tuple[Leaf, ...]:
        """The scalars of a texel."""
        return self.layouts.leaves(type, limit=4)

    def texture_of(self, handle: n.Expr) -> Texture:
        found = self.value(handle)
        if not isinstance(found, Texture):
            raise refuse("a texture that is not a parameter of the kernel", self.span)
        return found

    def fetch(self, name: str, args: Sequence[n.Expr], type: Type) -> Value:
        """The value of a `tex...` intrinsic."""
        dims = DIMENSIONS.get(name)
        if dims is None:
            raise refuse(f"{name} has no counterpart", self.span)
        texture = self.texture_of(args[0])
        places = [self.scalar(a) for a in args[1 : 1 + dims]]
        leaves = self.channels(type)
        if name == "tex1Dfetch":
            (index,) = places
            inside = self.within(index, texture.width)
            return self.as_value(self.texel(texture, [index], inside, leaves), leaves, type)
        positions = [
            self.kept(self.texel_call("position", x, extent, texture.normalized), "position")
            for x, extent in zip(places, texture.extents, strict=False)
        ]
        results = [self.fresh("texel", scalar_type(leaf.type)) for leaf in leaves]
        for var in results:
            self.emit(flat.Set(var, None, declare=True))
        with self.collecting() as nearest:
            corner = [self.floor(x) for x in positions]
            for var, value in zip(results, self.corner(texture, corner, leaves), strict=True):
                self.emit(flat.Set(var, value))
        with self.collecting() as blended:
            if texture.root.element == F32:
                for var, value in zip(results, self.blend(texture, positions, leaves), strict=True):
                    self.emit(flat.Set(var, value))
        if blended:
            is_linear = fold.binary("!=", texture.filter, fold.constant(0, I32))
            self.emit(flat.Branch(is_linear, blended, nearest))
        else:
            self.out.extend(nearest)
        return self.as_value([n.Read(var) for var in results], leaves, type)

    def blend(
        self, texture: Texture, positions: list[n.Expr], leaves: Sequence[Leaf]
    ) -> list[n.Expr]:
        """The weighted sum of the texels around."""
        half, one = fold.constant(0.5, F32), fold.constant(1.0, F32)
        sides: list[tuple[n.Expr, n.Expr]] = []  # an axis' two places
        weights: list[n.Expr] = []
        for x in positions:
            low = self.kept(self.floor(fold.binary("-", x, half)), "low")
            sides.append((low, fold.binary("+", low, one)))
            weights.append(self.kept(self.texel_call("weight", x), "weight"))
        shares = self.shares(weights)
        totals: list[n.Expr | None] = [None] * len(leaves)
        for places, weight in zip(itertools.product(*sides), shares, strict=True):
            texels = self.corner(texture, places, leaves)
            for c, texel in enumerate(texels):
                part = fold.binary("*", weight, texel)
                before = totals[c]
                totals[c] = part if before is None else fold.binary("+", before, part)
        return [t for t in totals if t is not None]

    def shares(self, weights: Sequence[n.Expr]) -> list[n.Expr]:
        """What each corner counts, by the far side's weight in each axis; the last axis runs."""
        one = fold.constant(1.0, F32)
        if len(weights) == 2:
            a, b = weights
            both = self.kept(self.texel_call("share", a, b), "share")
            near = fold.binary("-", fold.binary("-", one, a), fold.binary("-", b, both))
            return [near, fold.binary("-", b, both), fold.binary("-", a, both), both]
        shares: list[n.Expr] = [one]
        for weight in weights:
            sides = (fold.binary("-", one, weight), weight)
            shares = [fold.binary("*", share, side) for share in shares for side in sides]
        return shares

    def corner(
        self, texture: Texture, places: Sequence[n.Expr], leaves: Sequence[Leaf]
    ) -> list[n.Expr]:
        """The texel at whole coordinates (as f32), by the address mode."""
        indices: list[n.Expr] = []
        inside: n.Expr = fold.TRUE
        for place, extent in zip(places, texture.extents, strict=False):
            index = self.kept(
                self.texel_call("index", place, extent, texture.address, texture.normalized),
                "index",
            )
            indices.append(index)
            at_least = fold.binary(">=", index, fold.constant(0, I32))
            inside = fold.binary("&&", inside, at_least)
        return self.texel(texture, indices, inside, leaves)

    def texel(
        self, texture: Texture, indices: Sequence[n.Expr], inside: n.Expr, leaves: Sequence[Leaf]
    ) -> list[n.Expr]:
        """The channels of a texel; 0 where it is not inside."""
        first = self.texel_place(texture, indices, inside, len(leaves))
        found: list[n.Expr] = []
        for c, leaf in enumerate(leaves):
            kind = scalar_type(leaf.type)
            ref = Ref(texture.root, _plus(first, c), kind, kind.size)
            var = self.fresh("texel", kind)
            self.emit(flat.Load(var, ref, self.guard))
            zero = fold.constant(0, kind)
            found.append(fold.select(inside, n.Read(var), zero))
        return found

    def texel_place(
        self, texture: Texture, indices: Sequence[n.Expr], inside: n.Expr, channels: int
    ) -> n.Expr:
        """The number of the texel's first scalar; 0 where it is not inside."""
        extents = texture.extents[: len(indices) - 1]
        total = indices[-1]
        for index, extent in zip(reversed(indices[:-1]), reversed(extents), strict=True):
            total = fold.binary("+", fold.binary("*", total, extent), index)
        safe = fold.select(inside, total, fold.constant(0, I32))
        return self.kept(fold.binary("*", safe, fold.constant(channels, I32)), "place")

    def within(self, index: n.Expr, extent: n.Expr) -> n.Expr:
        """`0 <= index < extent`."""
        low = fold.binary(">=", index, fold.constant(0, I32))
        return fold.binary("&&", low, fold.binary("<", index, extent))

    def floor(self, x: n.Expr) -> n.Expr:
        return fold.intrinsic("floorf", (x,), F32)

    def texel_call(self, name: str, *args: n.Expr) -> n.Expr:
        """A function of the library's textures.ir."""
        found = self.inline(library().function(f"{PREFIX}texel_{name}"), args)
        assert found is not None
        return self.as_number(found)

    def kept(self, value: n.Expr, name: str) -> n.Expr:
        """The value in a variable of its own."""
        if isinstance(value, n.Const):
            return value
        var = self.fresh(name, scalar_type(value.type))
        self.steady.add(var.name)
        self.emit(flat.Set(var, value, declare=True))
        return n.Read(var)

    def as_value(self, values: Sequence[n.Expr], leaves: Sequence[Leaf], type: Type) -> Value:
        if isinstance(type, Scalar):
            return values[0]
        return Agg(tuple((leaf.offset, v) for leaf, v in zip(leaves, values, strict=True)))

    # --- Surfaces -------------------------------------------------------------------------------

    def surface(self, stmt: n.Effect) -> None:
        """`surf2Dread`, `surf2Dwrite`: x counts bytes; outside is 0, and nothing is written."""
        dims = DIMENSIONS.get(stmt.name)
        writes = stmt.name.endswith("write")
        type = stmt.args[0].type if writes else (stmt.target.type if stmt.target else None)
        if dims is None or type is None:
            raise refuse(f"{stmt.name} has no counterpart", stmt.span or self.span)
        value = self.value(stmt.args[0]) if writes else None
        handle, *rest = stmt.args[1:] if writes else stmt.args
        mode = fold.as_int(self.scalar(rest[dims])) if len(rest) > dims else 2
        if mode == 1:
            raise refuse("a surface access that clamps", stmt.span or self.span)
        texture = self.texture_of(handle)
        leaves = self.channels(type)
        size = sum(scalar_type(leaf.type).size for leaf in leaves)
        indices = [self.scalar(a) for a in rest[:dims]]
        indices[0] = fold.binary("/", indices[0], fold.constant(size, I32))
        inside: n.Expr = fold.TRUE
        for index, extent in zip(indices, texture.extents, strict=False):
            inside = fold.binary("&&", inside, self.within(index, extent))
        if value is None:
            assert stmt.target is not None
            found = self.texel(texture, indices, inside, leaves)
            self.assign(stmt.target, self.as_value(found, leaves, type))
            return
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        first = self.texel_place(texture, indices, inside, len(leaves))
        with self.collecting() as body:
            for c, leaf in enumerate(leaves):
                kind = scalar_type(leaf.type)
                ref = Ref(texture.root, _plus(first, c), kind, kind.size)
                self.emit(flat.Store(ref, self.as_type(self.as_number(given[leaf.offset]), kind)))
        self.emit(flat.Branch(inside, body))


def _plus(index: n.Expr, amount: int) -> n.Expr:
    return fold.binary("+", index, fold.constant(amount, I32))
