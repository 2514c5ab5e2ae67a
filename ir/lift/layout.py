"""Where the scalars of a type lie: offsets, paths, and what a pointer's memory is made of.

struct P { float x, y; int id[2]; }   ->   0 x f32, 4 y f32, 8 id_0 i32, 12 id_1 i32
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.fragments import Shape, shape_of
from crossport.ir.nodes import Module
from crossport.ir.types import (
    POINTER_SIZE,
    U8,
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    StructDef,
    Type,
    Void,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, pointer or handle inside a type. `path` joins the member names with `_`."""

    offset: int
    type: Type
    path: str


# The type of the number that stands for a function: equal to U64, and known by identity.
FUNCTION = Scalar("u64")


def is_function(type: Type) -> bool:
    """Is it a function pointer? One is a number: which of the module's functions (0: none)."""
    return isinstance(type, Handle) and type.what.startswith("function ")


class Layouts:
    """Layout questions about one module's types."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._structs = {s.name: s for s in module.structs}
        self._leaves: dict[Type, tuple[Leaf, ...]] = {}

    def size(self, type: Type) -> int:
        """Bytes; 1 for void, as pointer arithmetic on `void*` counts."""
        match type:
            case Scalar():
                return type.size
            case Handle() if (shape := shape_of(type)) is not None:
                return self.size(_elements(shape))
            case Pointer() | Handle():
                return POINTER_SIZE
            case Array(element, length):
                return self.size(element) * length
            case Struct(name):
                return self._struct(name).size
            case Void():
                return 1

    def _struct(self, name: str) -> StructDef:
        if name not in self._structs:
            raise PortError(
                Diagnostic(Code.NO_TENSOR_FORM, f"the layout of struct {name} is not known")
            )
        return self._structs[name]

    def field_offset(self, type: Type, name: str) -> int:
        """The offset of a struct's member."""
        assert isinstance(type, Struct)
        return int(self._struct(type.name).field(name).offset)

    def parts(self, type: Type) -> list[tuple[int, Type]]:
        """The direct members or elements: (offset, type)."""
        match type:
            case Array(element, length):
                return [(i * self.size(element), element) for i in range(length)]
            case Struct(name):
                return [(f.offset, f.type) for f in self._struct(name).fields]
            case _:
                return [(0, type)]

    def leaves(self, type: Type, *, limit: int) -> tuple[Leaf, ...]:
        """The scalars inside, by offset of declaration; at most `limit` of them."""
        found = self._leaves.get(type)
        if found is None:
            out: list[Leaf] = []
            self._collect(type, 0, "", out, limit)
            found = tuple(out)
            if len(found) < limit:
                self._leaves[type] = found
        return found[:limit]

    def _collect(self, type: Type, offset: int, path: str, out: list[Leaf], limit: int) -> None:
        if len(out) >= limit:
            return
        match type:
            case Array(element, length):
                size = self.size(element)
                for i in range(length):
                    if len(out) >= limit:
                        return
                    self._collect(element, offset + i * size, _join(path, str(i)), out, limit)
            case Struct(name):
                for field in self._struct(name).fields:
                    at = offset + field.offset
                    self._collect(field.type, at, _join(path, field.name), out, limit)
            case Void():
                pass
            case Handle() if (shape := shape_of(type)) is not None:
                self._collect(_elements(shape), offset, path, out, limit)
            case Handle() if is_function(type):
                out.append(Leaf(offset, FUNCTION, path))
            case _:
                out.append(Leaf(offset, type, path))

    def natural(self, type: Type) -> Scalar:
        """The one scalar type that memory of this type is made of, else u8."""
        leaves = self.leaves(type, limit=64)
        kinds = {leaf.type for leaf in leaves}
        if len(kinds) == 1:
            (kind,) = kinds
            if isinstance(kind, Scalar):
                return kind
        # Mixed members of one size: the arrays of the outside are of the first one's type.
        sizes = {leaf.type.size if isinstance(leaf.type, Scalar) else 0 for leaf in leaves}
        if len(sizes) == 1 and 0 not in sizes and isinstance(leaves[0].type, Scalar):
            return leaves[0].type
        return U8


def _elements(shape: Shape) -> Array:
    """A fragment as what a lane holds of it; factors are held twice, as on the hardware."""
    each = shape.count // 32 * (1 if shape.use == "accumulator" else 2)
    return Array(shape.type, each)


def _join(path: str, name: str) -> str:
    return f"{path}_{name}" if path else name
