"""One translation unit on its way into the IR: functions by need, structs, globals, strings.

A kernel brings in the device functions that it reaches, each concrete instance once. What a name
outside the function stands for (a `__constant__` array, `threadIdx`, a file-level
`extern __shared__`) is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, macros, order
from crossport.frontend.lowering.context import Binding, Fixed, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.functions import (
    FunctionKey,
    definition_of,
    function_key,
    is_const,
    lower_function,
    scoped_name,
    short,
)
from crossport.frontend.lowering.initial_values import fold_initial, is_constant
from crossport.frontend.lowering.types import TypeTable
from crossport.ir.nodes import (
    Aggregate,
    Const,
    Expr,
    Function,
    GlobalVar,
    KernelInfo,
    Let,
    Return,
    Special,
    SpecialName,
    Var,
)
from crossport.ir.types import I8, U32, VOID, Array, Handle, Pointer, Struct, Type

_INDICES = {
    "threadIdx": "thread",
    "blockIdx": "block",
    "blockDim": "block_dim",
    "gridDim": "grid_dim",
}


class ModuleLowering:
    """State of lowering one translation unit."""

    def __init__(self, sources: cursors.Sources | None = None, *, strict: bool = False) -> None:
        self.strict = strict
        self.sources = sources or cursors.Sources({})
        self.types = TypeTable()
        self.functions: dict[FunctionKey, Function | None] = {}
        self.globals: dict[tuple[int, str], GlobalVar] = {}
        self._function_names: dict[FunctionKey, str] = {}
        self._taken: set[str] = set()
        self._global_names: set[str] = set()
        self._strings: dict[bytes, GlobalVar] = {}
        self.kernels: dict[FunctionKey, str] = {}
        self._macros: dict[str, macros.Macro] | None = None
        from crossport.frontend.lowering import lambdas

        self.types.closure_layout = lambda kind, record: lambdas.layout(self, kind, record)

    # --- Functions ---------------------------------------------------------------------------

    def function(self, declaration: Cursor) -> str:
        """The IR name of a device function; lowers it if it is new. `NotLowered`: no body."""
        definition = definition_of(declaration)
        key = function_key(definition)
        if key not in self._function_names:
            if clang.body(definition) is None:
                raise NotLowered(f"{cursors.qualified(declaration)} has no definition here")
            self._function_names[key] = self._function_name(definition)
            self.functions[key] = None  # recursion ends here
            try:
                self.functions[key] = self.lower(definition, self._function_names[key], None)
            except NotLowered:
                # Its signature cannot be said: nothing can call it.
                del self._function_names[key], self.functions[key]
                raise
        return self._function_names[key]

    def static_lambda(self, operator: Cursor) -> str:
        """A lambda without captures as a plain function: its body without an object."""
        hashed, spelled, kind = function_key(operator)
        key = (hashed, f"static {spelled}", kind)
        if key not in self._function_names:
            name = self.unique_function_name("lambda", operator)
            self._function_names[key] = name
            self.functions[key] = None
            ctx = Lowering(self, None)
            self.functions[key] = lower_function(ctx, operator, name, None, is_static=True)
        return self._function_names[key]

    def helper(self, name: str, text: str) -> str:
        """A device function that stands for a library's: its IR name; made once from text."""
        key = (0, name, "")
        if key not in self._function_names:
            from crossport.ir.parser import parse_function

            unique = self.unique_function_name(name)
            self._function_names[key] = unique
            self.functions[key] = replace(parse_function(text), name=unique)
        return self._function_names[key]

    def _function_name(self, function: Cursor) -> str:
        arguments = [short(a) for a in clang.template_arguments(function)]
        name = scoped_name(function) + (f"<{', '.join(arguments)}>" if arguments else "")
        return self.unique_function_name(name, function)

    def unique_function_name(self, name: str, function: Cursor | None = None) -> str:
        """The name, told apart from other functions of the same name by its parameters."""
        if name in self._taken and function is not None:
            kinds = ", ".join(short(p.type.spelling) for p in function.get_arguments())
            name = f"{name}({kinds})"
        candidate, count = name, 1
        while candidate in self._taken:
            count += 1
            candidate = f"{name}#{count}"
        self._taken.add(candidate)
        return candidate

    def lower(self, function: Cursor, name: str, kernel: KernelInfo | None) -> Function:
        """Lower one concrete function with a body."""
        first = Lowering(self, None)
        result = lower_function(first, function, name, kernel)
        if not first.conservative:
            return result
        # Which variables pointers can reach is known now: lower again without needless copies.
        taken = order.address_taken(result.body)
        taken |= {shared.name for shared in result.shared} | self._global_names
        return lower_function(Lowering(self, taken), function, name, kernel)

    def kernel_name(self, kernel: Cursor) -> str:
        """The IR name of a kernel that device code launches."""
        name = self.kernels.get(function_key(definition_of(kernel)))
        if name is None:
            raise NotLowered(f"launch of {kernel.spelling}, which is not known")
        return name

    @property
    def dim3(self) -> Struct:
        """`dim3`, whether or not the source mentions it."""
        return self.types.vector("dim3")

    def vector_type(self, name: str) -> Struct:
        """A CUDA vector type by name."""
        return self.types.vector(name)

    def pair_type(self, name: str) -> Struct:
        """half2 or nv_bfloat162."""
        return self.types.vector(name)

    # --- Names from outside the function -----------------------------------------------------

    def outside(self, ctx: Lowering, cursor: Cursor, declaration: Cursor) -> Binding:
        """What a name that is not a local stands for."""
        if declaration.kind == CursorKind.VAR_DECL:
            attributes = {child.kind for child in declaration.get_children()}
            if CursorKind.CUDASHARED_ATTR in attributes:
                from crossport.frontend.lowering import declarations

                return declarations.shared_variable(ctx, declaration)
            if cursors.is_shim(declaration) and declaration.spelling in _INDICES:
                return self._whole_index(ctx, declaration)
            return self.global_variable(declaration, cursor)
        if declaration.kind == CursorKind.UNEXPOSED_DECL and clang.has_attribute(
            declaration, CursorKind.CUDACONSTANT_ATTR
        ):
            return self.global_variable(declaration)  # an instance of a variable template
        if declaration.kind == CursorKind.PARM_DECL:
            raise NotLowered(f"{cursor.spelling} belongs to another function")
        raise NotLowered(f"{cursor.spelling}: {declaration.kind.name.lower()}")

    def _whole_index(self, ctx: Lowering, declaration: Cursor) -> Binding:
        """`threadIdx` as an object."""
        name = _INDICES[str(declaration.spelling)]
        kind = ctx.lower_type(declaration.type)
        parts = tuple(Special(_special(name, axis), span=ctx.here) for axis in "xyz")
        return Fixed(Aggregate(parts, kind, span=ctx.here))

    def global_variable(self, declaration: Cursor, use: Cursor | None = None) -> Var:
        """A `__device__` or `__constant__` variable, a static local, or a constant of the file."""
        definition = declaration.get_definition() or declaration
        key = (int(definition.hash), str(definition.spelling))
        if key not in self.globals:
            self.globals[key] = self._global(definition, use)
        found = self.globals[key]
        return Var(found.name, found.type, span=found.span)

    def _global(self, variable: Cursor, use: Cursor | None) -> GlobalVar:
        attributes = {child.kind for child in variable.get_children()}
        is_constant = CursorKind.CUDACONSTANT_ATTR in attributes
        is_device = is_constant or CursorKind.CUDADEVICE_ATTR in attributes
        canonical = variable.type.get_canonical()
        if canonical.kind == TypeKind.RECORD:
            kind = self.types.lower(variable.type)
            if isinstance(kind, Handle):  # a texture reference
                name = self._global_name(str(variable.spelling))
                return GlobalVar(name, kind, "constant", span=cursors.span(variable))
        # What `constexpr` makes const shows in the type of a use only.
        fixed = is_const(canonical) or (use is not None and is_const(use.type))
        in_function = variable.storage_class.name == "STATIC" and variable.semantic_parent.kind in (
            CursorKind.FUNCTION_DECL,
            CursorKind.CXX_METHOD,
        )
        if not (is_device or fixed or in_function):
            raise NotLowered(f"{variable.spelling} is a host variable")
        kind = self.types.lower(variable.type)
        if kind == VOID or (not is_device and canonical.kind == TypeKind.POINTER):
            raise NotLowered(f"{variable.spelling} is a host variable")
        start = cursors.initializer(variable)
        value = self._constant_initializer(variable, start, kind) if start is not None else None
        if value is None and start is not None and not _starts_zero(start):
            raise NotLowered(f"the initial value of {variable.spelling} is not constant")
        name = str(variable.spelling)
        if variable.semantic_parent.kind in (CursorKind.STRUCT_DECL, CursorKind.CLASS_DECL):
            name = f"{short(variable.semantic_parent.type.spelling)}::{name}"
        return GlobalVar(
            self._global_name(name),
            kind,
            "constant" if is_constant or (fixed and not is_device) else "global",
            value,
            span=cursors.span(variable),
        )

    def _constant_initializer(
        self, variable: Cursor, start: Cursor, kind: Type
    ) -> Aggregate | Const | None:
        from crossport.frontend.lowering import initializers, literals

        number = clang.evaluate(variable) if not isinstance(kind, (Array, Struct)) else None
        ctx = Lowering(self, None)
        ctx.here = cursors.span(variable)
        value: Expr
        if number is not None:
            value = literals.constant(ctx, number, kind)
        elif start.kind == CursorKind.INIT_LIST_EXPR:
            value = initializers.list_value(ctx, start, kind, variable.type)
        elif start.kind == CursorKind.STRING_LITERAL and isinstance(kind, Array):
            value = self.string_array(start, kind)
        else:
            value = ctx.convert(ctx.value(start), kind)
        known = {g.name: g.init for g in self.globals.values() if g.space == "constant"}
        folded = fold_initial(value, known.get)
        if ctx.out or not isinstance(folded, (Aggregate, Const)):
            return None
        return folded if is_constant(folded) else None

    def _global_name(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._global_names:
            count += 1
            candidate = f"{name}#{count}"
        self._global_names.add(candidate)
        return candidate

    # --- Built-in variables ------------------------------------------------------------------

    def builtin_variable(self, ctx: Lowering, declaration: Cursor) -> Expr | None:
        """`warpSize`, or `threadIdx` as a value."""
        if declaration.kind != CursorKind.VAR_DECL or not cursors.is_shim(declaration):
            return None
        name = str(declaration.spelling)
        if name == "warpSize":
            return Special("warp_size", span=ctx.here)
        if name in _INDICES:
            fixed = self._whole_index(ctx, declaration)
            assert isinstance(fixed, Fixed)
            return fixed.value
        return None

    def builtin_member(self, ctx: Lowering, cursor: Cursor) -> Expr | None:
        """`threadIdx.x`."""
        if cursor.kind != CursorKind.MEMBER_REF_EXPR:
            return None
        below = cursors.operands(cursor)
        if not below:
            return None
        inner = cursors.strip(below[0])
        if inner.kind != CursorKind.DECL_REF_EXPR or inner.spelling not in _INDICES:
            return None
        declaration = inner.referenced
        if declaration is None or not cursors.is_shim(declaration):
            return None
        if cursor.spelling not in ("x", "y", "z"):
            return None
        name = _special(_INDICES[str(inner.spelling)], str(cursor.spelling))
        return Special(name, span=ctx.here)

    def macros(self, cursor: Cursor) -> dict[str, macros.Macro]:
        """The macros of the cursor's translation unit."""
        if self._macros is None:
            self._macros = macros.definitions(cursor.translation_unit.cursor, self.sources)
        return self._macros

    # --- Strings -----------------------------------------------------------------------------

    def string(self, ctx: Lowering, cursor: Cursor) -> Expr:
        """A string literal as a pointer to a constant global."""
        data = literal_bytes(cursor)
        found = self._strings.get(data)
        if found is None:
            kind = Array(I8, len(data) + 1)
            name = self._global_name(f"string_{len(self._strings) + 1}")
            value = self.string_array(cursor, kind)
            found = GlobalVar(name, kind, "constant", value, span=cursors.span(cursor))
            self._strings[data] = found
            self.globals[(len(self._strings), f"\0{name}")] = found
        return ctx.decay(Var(found.name, found.type, span=ctx.here))

    def string_array(self, cursor: Cursor, kind: Array) -> Aggregate:
        """A string literal as the value of a char array."""
        data = literal_bytes(cursor)
        assert not isinstance(kind.element, (Struct, Array, Pointer))
        signed = [b - 256 if b > 127 and kind.element == I8 else b for b in data]
        return Aggregate(tuple(Const(b, kind.element) for b in signed), kind)  # type: ignore[arg-type]


def literal_bytes(cursor: Cursor) -> bytes:
    """The bytes of a string literal, without the final zero."""
    import ast

    spelled = str(cursor.spelling)
    try:
        return ast.literal_eval("b" + spelled) if spelled.isascii() else spelled[1:-1].encode()
    except (SyntaxError, ValueError):
        return spelled[1:-1].encode()


def _starts_zero(start: Cursor) -> bool:
    """A constructor call without arguments that does nothing."""
    return start.kind == CursorKind.CALL_EXPR and not cursors.operands(start)


def _special(name: str, axis: str) -> SpecialName:
    return f"{name}.{axis}"  # type: ignore[return-value]


__all__ = ["I8", "U32", "Callable", "Let", "ModuleLowering", "Return"]
