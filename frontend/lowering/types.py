"""C++ types of the syntax tree -> types and struct layouts of the thread IR.

    const float *        Pointer(F32)             float4        Struct("float4")  + its layout
    float (&x)[16]       Pointer(Array(F32, 16))  __half        F16
    cg::thread_block     VOID (has no state)      cg::coalesced_group   U32 (its lane mask)

A base class is a first member named after it; members of anonymous unions and structs belong to
the struct around them; bit-fields live in unsigned units (`__bits_4`) that `BitField` looks into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering.cursors import is_shim, is_unnamed_record, qualified
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    POINTER_SIZE,
    U8,
    U16,
    U32,
    U64,
    VOID,
    Array,
    Field,
    Handle,
    Pointer,
    Scalar,
    Struct,
    StructDef,
    Type,
)

_SCALARS: dict[Any, Scalar] = {
    TypeKind.BOOL: BOOL,
    TypeKind.CHAR_S: I8,
    TypeKind.SCHAR: I8,
    TypeKind.CHAR_U: U8,
    TypeKind.UCHAR: U8,
    TypeKind.SHORT: I16,
    TypeKind.USHORT: U16,
    TypeKind.INT: I32,
    TypeKind.UINT: U32,
    TypeKind.LONG: I64,
    TypeKind.ULONG: U64,
    TypeKind.LONGLONG: I64,
    TypeKind.ULONGLONG: U64,
    TypeKind.FLOAT: F32,
    TypeKind.DOUBLE: F64,
    TypeKind.LONGDOUBLE: F64,  # as device code has it
    TypeKind.HALF: F16,
    TypeKind.WCHAR: I32,
    TypeKind.CHAR16: U16,
    TypeKind.CHAR32: U32,
}

# CUDA classes that are numbers.
_SCALAR_RECORDS = {"__half": F16, "half": F16, "__nv_bfloat16": BF16, "__half_raw": U16,
                   "__nv_bfloat16_raw": U16}  # fmt: skip

_RENAMED = {"__half2": "half2", "__nv_bfloat162": "nv_bfloat162"}

_VECTORS: dict[str, tuple[Scalar, str]] = {
    "dim3": (U32, "xyz"), "uint3": (U32, "xyz"), "float2": (F32, "xy"),
    "half2": (F16, "xy"), "nv_bfloat162": (BF16, "xy"),
}  # fmt: skip

# Typedefs whose underlying integer means nothing.
_HANDLE_TYPEDEFS = ("cudaTextureObject_t", "cudaSurfaceObject_t")

# Classes that only intrinsics look into.
_HANDLE_RECORDS = re.compile(
    r"nvcuda::wmma::fragment<|texture<|surface<|textureReference$|surfaceReference$|curandState"
    r"|curandDirectionVectors|cub::.*(TempStorage|Storage)$"
)

# Cooperative groups: what a value of each has to carry.
_GROUP_SCOPE = "cooperative_groups::"
_GROUPS: tuple[tuple[str, Type], ...] = (
    ("coalesced_group", U32),
    ("thread_group", U32),
    ("thread_block_tile<", VOID),
    ("thread_block", VOID),
    ("grid_group", VOID),
    ("cluster_group", VOID),
)


@dataclass(frozen=True, slots=True)
class BitRange:
    """Where a bit-field lives: in the unit `field` of its struct, from bit `shift`."""

    unit: str
    unit_type: Scalar
    shift: int
    width: int
    type: Scalar


@dataclass(slots=True)
class Record:
    """A struct of the source: its IR layout, and where each member of the source is found."""

    definition: StructDef
    bases: dict[str, str]  # canonical spelling of a base class -> field name
    bits: dict[str, BitRange]
    overlapping: bool  # a union, or bit-fields: cannot be written as one Aggregate

    @property
    def type(self) -> Struct:
        """The IR type of a value."""
        return Struct(self.definition.name)


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured variable of a lambda: the closure's field of the same name."""

    key: tuple[int, str]
    field: str
    by_reference: bool
    declaration: Cursor | None  # None: `this`


def is_function(kind: Type) -> bool:
    """A function by pointer or by reference: a handle, whichever way it is passed."""
    return isinstance(kind, Handle) and kind.what.startswith("function ")


class TypeTable:
    """Types of one translation unit. Asks `closure_layout` about lambdas: their bodies matter."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}
        self.closures: dict[int, tuple[Capture, ...]] = {}
        self._names: set[str] = set()
        self._scalars_by_hash: dict[int, Type] = {}
        self.closure_layout: Any = None

    def definitions(self) -> tuple[StructDef, ...]:
        """All struct layouts that were asked for, in order of discovery."""
        unique = {r.definition.name: r.definition for r in self.records.values()}
        return tuple(unique.values())

    def lower(self, kind: ClangType) -> Type:
        """The IR type; a reference is a pointer. `NotLowered` for what the IR cannot say."""
        found = _SCALARS.get(kind.kind)
        if found is not None:
            return found
        if kind.kind in (TypeKind.TYPEDEF, TypeKind.ELABORATED):
            handle = _handle_typedef(kind)
            if handle is not None:
                return handle
        return self._canonical(kind)

    def parameter(self, kind: ClangType) -> Type:
        """The type of a parameter: one written as an array is a pointer."""
        canonical = kind.get_canonical()
        if canonical.kind in (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY):
            return Pointer(self.lower(canonical.element_type))
        if canonical.kind in (TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO):
            return Handle(f"function {canonical.spelling}")
        return self.lower(kind)

    def _canonical(self, sugared: ClangType) -> Type:
        kind = sugared.get_canonical()
        what = kind.kind
        found = _SCALARS.get(what)
        if found is not None:
            return found
        if what == TypeKind.VOID:
            return VOID
        if what == TypeKind.POINTER:
            return self._pointer(sugared, kind)
        if what in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
            inner = self.lower(_pointee(sugared, kind))
            return inner if inner == VOID or is_function(inner) else Pointer(inner)
        if what == TypeKind.CONSTANTARRAY:
            return Array(self.lower(kind.element_type), int(kind.element_count))
        if what == TypeKind.INCOMPLETEARRAY:
            return Array(self.lower(kind.element_type), 0)
        if what == TypeKind.ENUM:
            return self._enum(kind)
        if what == TypeKind.RECORD:
            return self._record_type(kind)
        if what in (TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO):
            return Handle(f"function {kind.spelling}")
        if what == TypeKind.NULLPTR:
            return Pointer(VOID)
        raise NotLowered(f"type {sugared.spelling!r} ({what.name.lower()})")

    def _pointer(self, sugared: ClangType, kind: ClangType) -> Type:
        pointee = _pointee(sugared, kind)
        if pointee.get_canonical().kind in (TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO):
            return Handle(f"function {pointee.get_canonical().spelling}")
        return Pointer(self.lower(pointee))

    def _enum(self, kind: ClangType) -> Type:
        underlying = kind.get_declaration().enum_type.get_canonical()
        return _SCALARS.get(underlying.kind, I32)

    def _record_type(self, kind: ClangType) -> Type:
        declaration = kind.get_declaration()
        known = self._scalars_by_hash.get(declaration.hash)
        if known is not None:
            return known
        found = self._special(_unqualified(kind))
        if found is not None:
            self._scalars_by_hash[declaration.hash] = found
            return found
        return self.record(kind).type

    @staticmethod
    def _special(name: str) -> Type | None:
        if name in _SCALAR_RECORDS:
            return _SCALAR_RECORDS[name]
        if _HANDLE_RECORDS.match(name):
            return Handle(name)
        if name.startswith(_GROUP_SCOPE):
            short = name.removeprefix(_GROUP_SCOPE).removeprefix("__v1::")
            for prefix, state in _GROUPS:
                if short.startswith(prefix):
                    return state
        return None

    def record(self, kind: ClangType) -> Record:
        """Layout of a struct, class or union type."""
        kind = kind.get_canonical()
        declaration = kind.get_declaration()
        found = self.records.get(declaration.hash)
        if found is None:
            found = self._layout(kind, declaration)
        return found

    def _layout(self, kind: ClangType, declaration: Cursor) -> Record:
        name = _struct_name(kind)
        if name in _VECTORS and is_shim(declaration):
            for record in list(self.records.values()):
                if record.definition.name == name:  # made by `vector` before
                    self.records[declaration.hash] = record
                    return record
        name = self._unique(name)
        size, align = kind.get_size(), kind.get_align()
        # Known from here on, so that a member may point back at its own struct.
        record = Record(StructDef(name, (), max(size, 0), max(align, 1)), {}, {}, False)
        self.records[declaration.hash] = record
        try:
            self._fill(kind, declaration, record)
        except NotLowered:
            # A half-known layout must not be taken for a whole one the next time.
            del self.records[declaration.hash]
            raise
        return record

    def _fill(self, kind: ClangType, declaration: Cursor, record: Record) -> None:
        name, size, align = record.definition.name, kind.get_size(), kind.get_align()
        if is_lambda(kind):
            self.closure_layout(kind, record)
            return
        if size < 0:  # incomplete: only ever behind a pointer
            return
        fields: dict[str, Field] = {}
        for base, offset in self._bases(declaration):
            field_name = _base_name(base)
            record.bases[_unqualified(base.get_canonical())] = field_name
            fields[field_name] = Field(field_name, self.lower(base), offset)
        self._members(kind, 0, fields, record)
        record.overlapping = bool(record.bits) or _overlap(self, list(fields.values()))
        record.definition = StructDef(name, tuple(fields.values()), size, align)

    def _bases(self, declaration: Cursor) -> Iterator[tuple[ClangType, int]]:
        """Non-empty base classes with offsets, as the Itanium ABI lays them out."""
        end = POINTER_SIZE if _has_virtual(declaration) and not _base_virtual(declaration) else 0
        for child in declaration.get_children():
            if child.kind != CursorKind.CXX_BASE_SPECIFIER:
                continue
            base = child.type.get_canonical()
            if is_empty(base):
                continue
            align = max(base.get_align(), 1)
            offset = (end + align - 1) // align * align
            end = offset + base.get_size()
            yield child.type, offset

    def _members(
        self, kind: ClangType, offset: int, fields: dict[str, Field], record: Record
    ) -> None:
        for member in kind.get_fields():
            bit = int(member.get_field_offsetof())
            if bit < 0:
                raise NotLowered(f"layout of {kind.spelling}")
            if member.is_bitfield():
                self._bit_field(member, offset * 8 + bit, fields, record)
                continue
            place = offset + bit // 8
            if is_unnamed_member(member):
                self._members(member.type.get_canonical(), place, fields, record)
                continue
            lowered = self.lower(member.type)
            if lowered != VOID:
                fields[member.spelling] = Field(str(member.spelling), lowered, place)

    def _bit_field(
        self, member: Cursor, bit: int, fields: dict[str, Field], record: Record
    ) -> None:
        kind = self.lower(member.type)
        assert isinstance(kind, Scalar)
        unit_bits = kind.size * 8
        unit_offset = bit // unit_bits * kind.size
        shift, width = bit - unit_offset * 8, int(member.get_bitfield_width())
        if shift + width > unit_bits:
            raise NotLowered(f"bit-field {member.spelling} that straddles its unit")
        unit_type = {1: U8, 2: U16, 4: U32, 8: U64}[kind.size]
        unit = f"__bits_{unit_offset}" + ("" if kind.size == 4 else f"_{unit_type}")
        fields.setdefault(unit, Field(unit, unit_type, unit_offset))
        record.bits[str(member.spelling)] = BitRange(unit, unit_type, shift, width, kind)

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}#{count}"
        self._names.add(candidate)
        return candidate

    def vector(self, name: str) -> Struct:
        """One of CUDA's vector types, whether or not the source has mentioned it."""
        if not any(r.definition.name == name for r in self.records.values()):
            element, axes = _VECTORS[name]
            fields = tuple(Field(a, element, i * element.size) for i, a in enumerate(axes))
            align = element.size * (len(axes) if len(axes) != 3 else 1)
            definition = StructDef(self._unique(name), fields, element.size * len(axes), align)
            self.records[-len(self.records) - 1] = Record(definition, {}, {}, False)
        return Struct(name)

    def size_of(self, kind: Type) -> tuple[int, int]:
        """Size and alignment in bytes."""
        match kind:
            case Scalar():
                return kind.size, kind.size
            case Array(element, length):
                size, align = self.size_of(element)
                return size * length, align
            case Struct(name):
                for record in self.records.values():
                    if record.definition.name == name:
                        return record.definition.size, record.definition.align
                return 0, 1
            case _:
                return POINTER_SIZE, POINTER_SIZE


def is_unnamed_member(member: Cursor) -> bool:
    """`union { ... };` inside a class: its members are the class's own."""
    kind = member.type.get_canonical()
    return kind.kind == TypeKind.RECORD and is_unnamed_record(kind.get_declaration())


def is_lambda(kind: ClangType) -> bool:
    """Is a type the closure of a lambda?"""
    return "(lambda at " in kind.spelling


def is_empty(kind: ClangType) -> bool:
    """A class without any state: it takes no room as a base."""
    declaration = kind.get_declaration()
    if any(True for _ in kind.get_fields()) or _has_virtual(declaration):
        return False
    return all(
        is_empty(child.type.get_canonical())
        for child in declaration.get_children()
        if child.kind == CursorKind.CXX_BASE_SPECIFIER
    )


def group_kind(kind: ClangType) -> tuple[str, int] | None:
    """Which cooperative group a type is: ("tile", 32), ("block", 0), ... None for other types."""
    kind = kind.get_canonical()
    if kind.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE, TypeKind.POINTER):
        kind = kind.get_pointee().get_canonical()
    if kind.kind != TypeKind.RECORD:
        return None
    name = _unqualified(kind)
    if not name.startswith(_GROUP_SCOPE):
        return None
    short = name.removeprefix(_GROUP_SCOPE).removeprefix("__v1::")
    tile = re.match(r"thread_block_tile<(\d+)", short)
    if tile:
        return "tile", int(tile.group(1))
    for prefix, label in (
        ("coalesced_group", "coalesced"),
        ("thread_group", "generic"),
        ("thread_block", "block"),
        ("grid_group", "grid"),
        ("cluster_group", "cluster"),
    ):
        if short.startswith(prefix):
            return label, 0
    return None


def _handle_typedef(kind: ClangType) -> Handle | None:
    spelled = kind.spelling
    for name in _HANDLE_TYPEDEFS:
        if spelled.endswith(name):
            return Handle(name)
    return None


def _pointee(sugared: ClangType, canonical: ClangType) -> ClangType:
    """What a pointer or reference points at, with the spelling of handles kept where it shows."""
    if sugared.kind == canonical.kind:
        return sugared.get_pointee()
    return canonical.get_pointee()


def _unqualified(kind: ClangType) -> str:
    name = str(kind.spelling)
    for word in ("const ", "volatile ", "__restrict "):
        name = name.replace(word, "") if name.startswith(word) else name
    return name


def _struct_name(kind: ClangType) -> str:
    name = _unqualified(kind)
    name = _RENAMED.get(name, name)
    # Lambdas and unnamed structs are spelled by their place, which differs between machines.
    name = re.sub(r"\((lambda|anonymous[^)]*?|unnamed[^)]*?) at [^)]*\)", r"\1", name)
    name = name.replace("(anonymous namespace)::", "")
    return re.sub(r"[`\s]+", " ", name).strip()


def _base_name(base: ClangType) -> str:
    declaration = base.get_canonical().get_declaration()
    return str(declaration.spelling) or qualified(declaration)


def _has_virtual(declaration: Cursor) -> bool:
    return any(
        (child.kind in (CursorKind.CXX_METHOD, CursorKind.DESTRUCTOR) and child.is_virtual_method())
        or (
            child.kind == CursorKind.CXX_BASE_SPECIFIER
            and _has_virtual(child.type.get_canonical().get_declaration())
        )
        for child in declaration.get_children()
    )


def _base_virtual(declaration: Cursor) -> bool:
    return any(
        child.kind == CursorKind.CXX_BASE_SPECIFIER
        and _has_virtual(child.type.get_canonical().get_declaration())
        for child in declaration.get_children()
    )


def _overlap(table: TypeTable, fields: list[Field]) -> bool:
    end = 0
    for member in sorted(fields, key=lambda f: f.offset):
        if member.offset < end:
            return True
        end = member.offset + table.size_of(member.type)[0]
    return False
