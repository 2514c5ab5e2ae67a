"""add, sub, mul, mad, fma, div, rem, min, max, abs, neg, sad, dp4a, and float functions."""

from __future__ import annotations

from collections.abc import Callable

from crossport.backends.hip.semantics.ptx.context import Context, cpp_type, refuse_modifiers
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation, size

_ROUNDING = ("rn", "rz", "rm", "rp")
# Rounding to nearest is C++'s own; the others have CUDA-named functions in HIP only for some.
_FLOAT = ("f32", "f64")
_WIDER = {"s16": "s32", "u16": "u32", "s32": "s64", "u32": "u64"}


def _rounded(instruction: Instruction) -> None:
    """Refuse rounding modes other than to nearest, and saturation."""
    if instruction.has("rz", "rm", "rp", "sat", "relu"):
        raise NoTranslation(f"instruction {instruction.spelled}")


def _infix(operator: str) -> Callable[[Context, Instruction], None]:
    def translate(context: Context, instruction: Instruction) -> None:
        kind = instruction.kind
        destination, a, b = instruction.operands
        if kind in _FLOAT:
            _rounded(instruction)
        elif instruction.has("cc") or instruction.opcode in ("addc", "subc"):
            _carry(context, instruction, operator)
            return
        else:
            refuse_modifiers(instruction, "lo")
        cpp_type(kind)
        context.write(
            destination, f"{context.read(a, kind)} {operator} {context.read(b, kind)}", kind
        )

    return translate


def _carry(context: Context, instruction: Instruction, operator: str) -> None:
    """Additions and subtractions that set or take the carry flag."""
    refuse_modifiers(instruction, "cc")
    kind = {32: "u32", 64: "u64"}[size(instruction.kind)]
    wide = {"u32": "unsigned long long", "u64": "unsigned __int128"}[kind]
    destination, a, b = instruction.operands
    takes = instruction.opcode in ("addc", "subc")
    carry = context.local("carry", "unsigned int") if takes or instruction.has("cc") else ""
    tail = f" {operator} {carry}" if takes else ""
    text = f"({wide}){context.read(a, kind)} {operator} {context.read(b, kind)}{tail}"
    total = context.temporary(wide, text)
    context.write(destination, f"({cpp_type(kind)}){total}", kind)
    if instruction.has("cc"):
        context.emit(f"{carry} = (unsigned int)({total} >> {size(kind)}) & 1;")


def _mul(context: Context, instruction: Instruction) -> None:
    destination, a, b = instruction.operands
    text, kind = _product(context, instruction, a, b)
    context.write(destination, text, kind)


def _product(context: Context, instruction: Instruction, a: str, b: str) -> tuple[str, str]:
    kind = instruction.kind
    if kind in _FLOAT:
        _rounded(instruction)
        return f"{context.read(a, kind)} * {context.read(b, kind)}", kind
    x, y = context.read(a, kind), context.read(b, kind)
    if instruction.has("wide"):
        wide = _WIDER[kind]
        return f"({cpp_type(wide)})({x}) * ({cpp_type(wide)})({y})", wide
    if instruction.has("hi"):
        high = {"s32": "__mulhi", "u32": "__umulhi", "s64": "__mul64hi", "u64": "__umul64hi"}
        if kind not in high:
            raise NoTranslation(f"instruction {instruction.spelled}")
        return f"{high[kind]}({x}, {y})", kind
    if instruction.opcode in ("mul24", "mad24"):
        if not instruction.has("lo"):
            raise NoTranslation(f"instruction {instruction.spelled}")
        return f"{'__mul24' if kind == 's32' else '__umul24'}({x}, {y})", kind
    return f"{x} * {y}", kind


def _mad(context: Context, instruction: Instruction) -> None:
    destination, a, b, c = instruction.operands
    kind = instruction.kind
    if kind in _FLOAT:
        _fma(context, instruction)
        return
    if instruction.has("sat"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    if instruction.has("cc") or instruction.opcode == "madc":
        _mad_carry(context, instruction)
        return
    text, result = _product(context, instruction, a, b)
    context.write(destination, f"{text} + {context.read(c, result)}", result)


def _mad_carry(context: Context, instruction: Instruction) -> None:
    destination, a, b, c = instruction.operands
    kind = {32: "u32", 64: "u64"}[size(instruction.kind)]
    if instruction.kind.startswith("s") and instruction.has("hi"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    wide = {"u32": "unsigned long long", "u64": "unsigned __int128"}[kind]
    carry = context.local("carry", "unsigned int")
    unsigned = Instruction(
        "mul", tuple(m for m in (*instruction.modifiers[:-1], kind) if m != "cc"), ()
    )
    text, _ = _product(context, unsigned, a, b)
    tail = f" + {carry}" if instruction.opcode == "madc" else ""
    total = context.temporary(wide, f"({wide})({text}) + {context.read(c, kind)}{tail}")
    context.write(destination, f"({cpp_type(kind)}){total}", kind)
    if instruction.has("cc"):
        context.emit(f"{carry} = (unsigned int)({total} >> {size(kind)});")


def _fma(context: Context, instruction: Instruction) -> None:
    _rounded(instruction)
    kind = instruction.kind
    if kind not in _FLOAT:
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, *sources = instruction.operands
    arguments = ", ".join(context.read(s, kind) for s in sources)
    context.write(destination, f"{'fmaf' if kind == 'f32' else 'fma'}({arguments})", kind)


def _div(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    destination, a, b = instruction.operands
    operator = "%" if instruction.opcode == "rem" else "/"
    if kind in _FLOAT and instruction.has("rz", "rm", "rp"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    if kind == "f32" and instruction.has("approx"):
        text = f"__fdividef({context.read(a, kind)}, {context.read(b, kind)})"
    else:
        text = f"{context.read(a, kind)} {operator} {context.read(b, kind)}"
    context.write(destination, text, kind)


def _minmax(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    refuse_modifiers(instruction, "ftz")
    destination, a, b = instruction.operands
    cpp_type(kind)
    name = instruction.opcode
    if kind in _FLOAT:
        name = f"f{name}{'f' if kind == 'f32' else ''}"
    context.write(destination, f"{name}({context.read(a, kind)}, {context.read(b, kind)})", kind)


def _unary(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    refuse_modifiers(instruction, "ftz")
    destination, a = instruction.operands
    value = context.read(a, kind)
    if instruction.opcode == "neg":
        context.write(destination, f"-({value})", kind)
    elif kind in _FLOAT:
        context.write(destination, f"{'fabsf' if kind == 'f32' else 'fabs'}({value})", kind)
    else:
        context.write(destination, f"{'llabs' if kind == 's64' else 'abs'}({value})", kind)


_FUNCTIONS = {
    ("ex2", "f32"): "exp2f({})", ("lg2", "f32"): "__log2f({})", ("sin", "f32"): "__sinf({})",
    ("cos", "f32"): "__cosf({})", ("tanh", "f32"): "tanhf({})", ("rsqrt", "f32"): "rsqrtf({})",
    ("rsqrt", "f64"): "rsqrt({})", ("sqrt", "f32"): "sqrtf({})", ("sqrt", "f64"): "sqrt({})",
    ("rcp", "f32"): "1.0f / {}", ("rcp", "f64"): "1.0 / {}",
}  # fmt: skip


def _function(context: Context, instruction: Instruction) -> None:
    form = _FUNCTIONS.get((instruction.opcode, instruction.kind))
    if form is None or instruction.has("rz", "rm", "rp"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, a = instruction.operands
    context.write(destination, form.format(context.read(a, instruction.kind)), instruction.kind)


def _sad(context: Context, instruction: Instruction) -> None:
    names = {"s32": "__sad", "u32": "__usad"}
    name = names.get(instruction.kind)
    if name is None:
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, a, b, c = instruction.operands
    kind = instruction.kind
    text = f"{name}({context.read(a, kind)}, {context.read(b, kind)}, {context.read(c, 'u32')})"
    context.write(destination, text, "u32")


def _dp4a(context: Context, instruction: Instruction) -> None:
    if instruction.modifiers not in (("s32", "s32"), ("u32", "u32")):
        raise NoTranslation(f"instruction {instruction.spelled}")
    kind = instruction.kind
    destination, a, b, c = instruction.operands
    byte = "signed char" if kind == "s32" else "unsigned char"
    x, y = (context.temporary(cpp_type(kind), context.read(v, kind)) for v in (a, b))
    terms = " + ".join(
        f"({byte})({x} >> {shift}) * ({byte})({y} >> {shift})" for shift in (0, 8, 16, 24)
    )
    context.write(destination, f"{context.read(c, kind)} + {terms}", kind)


def _sum_of_differences(context: Context, instruction: Instruction) -> None:
    """vabsdiff4 ... .add: four bytes' distances, added to c."""
    if instruction.modifiers != ("u32", "u32", "u32", "add"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, *sources = instruction.operands
    arguments = ", ".join(context.read(source, "u32") for source in sources)
    context.write(destination, f"__builtin_amdgcn_sad_u8({arguments})", "u32")


def _copysign(context: Context, instruction: Instruction) -> None:
    """The sign of a, the rest of b."""
    kind = instruction.kind
    if kind not in _FLOAT:
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, a, b = instruction.operands
    name = "copysignf" if kind == "f32" else "copysign"
    context.write(destination, f"{name}({context.read(b, kind)}, {context.read(a, kind)})", kind)


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "add": _infix("+"), "sub": _infix("-"),
    "addc": _infix("+"), "subc": _infix("-"), "mul": _mul, "mul24": _mul,
    "mad": _mad, "madc": _mad, "mad24": _mad, "fma": _fma, "div": _div, "rem": _div,
    "min": _minmax, "max": _minmax, "neg": _unary,
    "abs": _unary, "ex2": _function, "lg2": _function, "sin": _function,
    "cos": _function, "tanh": _function, "rsqrt": _function, "sqrt": _function,
    "rcp": _function, "sad": _sad, "dp4a": _dp4a, "vabsdiff4": _sum_of_differences,
    "copysign": _copysign,
}  # fmt: skip
