"""Logic, shifts, bit fields, counts, permutations, comparisons and selection."""

from __future__ import annotations

from collections.abc import Callable

from crossport.backends.hip.semantics.ptx.context import Context, cpp_type, refuse_modifiers
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation, size


def _logic(operator: str) -> Callable[[Context, Instruction], None]:
    def translate(context: Context, instruction: Instruction) -> None:
        kind = instruction.kind
        destination, a, b = instruction.operands
        x, y = context.read(a, kind), context.read(b, kind)
        context.write(destination, f"{x} {operator} {y}", kind)

    return translate


def _not(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    destination, a = instruction.operands
    sign = "!" if kind == "pred" else "~"
    context.write(destination, f"{sign}({context.read(a, kind)})", kind)


def _shift(context: Context, instruction: Instruction) -> None:
    """PTX clamps the amount to the width: shifting by it or more gives 0, or the sign."""
    kind = instruction.kind
    destination, a, amount = instruction.operands
    value, width = context.read(a, kind), size(kind)
    operator = "<<" if instruction.opcode == "shl" else ">>"
    if amount.isdigit() and int(amount) < width:
        context.write(destination, f"{value} {operator} {amount}", kind)
        return
    by = context.temporary("unsigned int", context.read(amount, "u32"))
    if kind.startswith("s") and operator == ">>":
        text = f"{value} >> ({by} < {width} ? {by} : {width - 1})"
    else:
        text = f"{by} < {width} ? {value} {operator} {by} : 0"
    context.write(destination, text, kind)


def _funnel(context: Context, instruction: Instruction) -> None:
    names = {
        ("l", "wrap"): "__funnelshift_l", ("r", "wrap"): "__funnelshift_r",
        ("l", "clamp"): "__funnelshift_lc", ("r", "clamp"): "__funnelshift_rc",
    }  # fmt: skip
    name = names.get((instruction.modifiers[0], instruction.modifiers[1]))
    if name is None:
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, low, high, amount = instruction.operands
    arguments = ", ".join(context.read(v, "u32") for v in (low, high, amount))
    context.write(destination, f"{name}({arguments})", "u32")


def _count(context: Context, instruction: Instruction) -> None:
    destination, a = instruction.operands
    wide = size(instruction.kind) == 64
    value = context.read(a, "u64" if wide else "u32")
    name = {"popc": "__popc", "clz": "__clz", "brev": "__brev"}[instruction.opcode]
    result = instruction.kind if instruction.opcode == "brev" else "u32"
    context.write(destination, f"{name}{'ll' if wide else ''}({value})", result)


def _find(context: Context, instruction: Instruction) -> None:
    """bfind.u32: the highest set bit, 0xffffffff if none."""
    if instruction.kind not in ("u32", "u64") or instruction.has("shiftamt"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, a = instruction.operands
    wide = instruction.kind == "u64"
    call = f"__clz{'ll' if wide else ''}({context.read(a, instruction.kind)})"
    context.write(destination, f"(unsigned int)({63 if wide else 31} - {call})", "u32")


def _extract(context: Context, instruction: Instruction) -> None:
    """bfe: the field is cut at the word's end; a signed one is extended from its top bit."""
    kind = instruction.kind
    destination, a, position, length = instruction.operands
    width = size(kind)
    if position.isdigit() and length.isdigit() and 0 < int(length) <= width - int(position):
        at, count = int(position), int(length)
        value = context.read(a, kind)
        text = f"{value} << {width - at - count} >> {width - count}"
        if kind.startswith("u"):
            text = f"{value} >> {at} & {hex((1 << count) - 1)}{'ull' if width == 64 else 'u'}"
        context.write(destination, text, kind)
        return
    context.helpers.add("ptx_bfe")
    arguments = (context.read(a, kind), context.read(position, "u32"), context.read(length, "u32"))
    context.write(destination, f"ptx_bfe<{cpp_type(kind)}>({', '.join(arguments)})", kind)


def _insert(context: Context, instruction: Instruction) -> None:
    """bfi: the low `length` bits of a, put into b at `position`."""
    kind = f"u{size(instruction.kind)}"
    destination, a, b, position, length = instruction.operands
    context.helpers.add("ptx_bfi")
    arguments = [context.read(v, kind) for v in (a, b)]
    arguments += [context.read(v, "u32") for v in (position, length)]
    context.write(destination, f"ptx_bfi<{cpp_type(kind)}>({', '.join(arguments)})", kind)


def _permute(context: Context, instruction: Instruction) -> None:
    refuse_modifiers(instruction)
    destination, *sources = instruction.operands
    arguments = ", ".join(context.read(v, "u32") for v in sources)
    context.write(destination, f"__byte_perm({arguments})", "u32")


def _lop3(context: Context, instruction: Instruction) -> None:
    """Any function of three bits, by its truth table: the or of its minterms."""
    destination, a, b, c, table = instruction.operands
    try:
        truth = int(table, 0)
    except ValueError:
        raise NoTranslation("lop3 with a truth table that is no constant") from None
    x, y, z = (context.temporary("unsigned int", context.read(v, "u32")) for v in (a, b, c))
    context.write(destination, _formula(truth, x, y, z), "u32")


def _formula(truth: int, x: str, y: str, z: str) -> str:
    known = {
        0x80: f"{x} & {y} & {z}", 0xFE: f"{x} | {y} | {z}", 0x96: f"{x} ^ {y} ^ {z}",
        0xEA: f"({x} & {y}) | {z}", 0xCA: f"({x} & {y}) | (~{x} & {z})", 0x6A: f"({x} & {y}) ^ {z}",
        0xE8: f"({x} & {y}) | ({x} & {z}) | ({y} & {z})", 0x78: f"{x} ^ ({y} & {z})",
        0xF8: f"{x} | ({y} & {z})", 0x40: f"{x} & {y} & ~{z}", 0xB8: f"({x} & ~{y}) | ({z} & {y})",
    }  # fmt: skip
    if truth in known:
        return known[truth]
    terms = []
    for bit in range(8):
        if truth >> bit & 1:
            minterm = zip((4, 2, 1), (x, y, z), strict=True)
            terms.append(f"({' & '.join(v if bit & m else f'~{v}' for m, v in minterm)})")
    return " | ".join(terms) or "0u"


_COMPARE = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "lo": "<", "ls": "<=", "hi": ">", "hs": ">=",
}  # fmt: skip


def _set_predicate(context: Context, instruction: Instruction) -> None:
    """setp.lt.and.s32 p|q, a, b, c: p = a < b && c, q = !(a < b) && c."""
    operator = _COMPARE.get(instruction.modifiers[0])
    kind = instruction.kind
    joined = next((m for m in ("and", "or", "xor") if instruction.has(m)), "")
    if operator is None or len(instruction.operands) != 3 + bool(joined):
        raise NoTranslation(f"instruction {instruction.spelled}")
    refuse_modifiers(instruction, instruction.modifiers[0], joined, "ftz")
    destination, a, b, *third = instruction.operands
    text = f"{context.read(a, kind)} {operator} {context.read(b, kind)}"
    first, _, second = destination.partition("|")
    if not joined and not second:
        context.write(first, text, "pred")
        return
    is_so = context.temporary("bool", text)
    other = f" {_JOINED[joined]} {context.read(third[0], 'pred')}" if joined else ""
    tail = context.temporary("bool", f"!{is_so}{other}") if second else ""
    context.write(first.strip(), f"{is_so}{other}", "pred")
    if second:
        context.write(second.strip(), tail, "pred")


_JOINED = {"and": "&&", "or": "||", "xor": "!="}


def _select(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    destination, a, b, predicate = instruction.operands
    x, y = context.read(a, kind), context.read(b, kind)
    context.write(destination, f"{context.read(predicate, 'pred')} ? {x} : {y}", kind)


_VIDEO = {
    "vshl": "({x} << {y})", "vshr": "({x} >> {y})", "vadd": "({x} + {y})", "vsub": "({x} - {y})",
    "vmin": "min({x}, {y})", "vmax": "max({x}, {y})",
}  # fmt: skip


def _video(context: Context, instruction: Instruction) -> None:
    """vshr.u32.u32.u32.clamp.add and its kin on whole words: an operation, then one more with c."""
    kind, *kinds = instruction.modifiers[:3]
    rest = instruction.modifiers[3:]
    shifts = instruction.opcode in ("vshl", "vshr")
    whole = all("." not in operand.lstrip("%") for operand in instruction.operands)
    allowed = (("clamp", "wrap") if shifts else ()) + ("add", "min", "max")
    plain = set(rest) <= set(allowed) and [kind, kind] == kinds and kind in ("u32", "s32")
    if not (whole and plain) or (shifts and kinds != ["u32", "u32"]):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, a, b, *c = instruction.operands
    x = context.temporary(cpp_type(kind), context.read(a, kind))
    y = context.temporary(cpp_type(kind), context.read(b, kind))
    text = _VIDEO[instruction.opcode].format(x=x, y=f"({y} & 31)" if "wrap" in rest else y)
    if "clamp" in rest:
        text = f"({y} < 32 ? {text} : 0)"
    if c:
        third = context.read(c[0], kind)
        second = next((m for m in rest if m in ("add", "min", "max")), "")
        if not second:
            raise NoTranslation(f"instruction {instruction.spelled}")
        text = f"{text} + {third}" if second == "add" else f"{second}({text}, {third})"
    context.write(destination, text, kind)


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "and": _logic("&"), "or": _logic("|"), "xor": _logic("^"), "not": _not,
    "shl": _shift, "shr": _shift, "shf": _funnel, "popc": _count, "clz": _count, "brev": _count,
    "bfind": _find, "bfe": _extract, "bfi": _insert, "prmt": _permute, "lop3": _lop3,
    **dict.fromkeys(_VIDEO, _video),
    "setp": _set_predicate, "selp": _select,
}  # fmt: skip
