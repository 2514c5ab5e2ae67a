"""Loads, stores, prefetches, fences, atomics and asynchronous copies."""

from __future__ import annotations

from collections.abc import Callable

from crossport.backends.hip.semantics.ptx.context import Context, cpp_type
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation

_HINTS = frozenset(
    (
        "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "weak", "relaxed", "acquire", "release",
        "volatile", "cta", "gpu", "sys", "v2", "v4", "global", "shared", "local", "const", "param",
        "generic", "L1:no_allocate", "L1:evict_last", "L1:evict_first", "L1:evict_normal",
        "L1:evict_unchanged", "L2:64B", "L2:128B", "L2:256B", "shared:cta", "L2:evict_last",
        "L2:evict_first", "L2:evict_normal", "L2:cache_hint",
    )
)  # fmt: skip
_SCOPES = {
    "cta": "__HIP_MEMORY_SCOPE_WORKGROUP",
    "gpu": "__HIP_MEMORY_SCOPE_AGENT",
    "sys": "__HIP_MEMORY_SCOPE_SYSTEM",
}
_ORDERS = {
    "relaxed": "__ATOMIC_RELAXED",
    "acquire": "__ATOMIC_ACQUIRE",
    "release": "__ATOMIC_RELEASE",
}
_ORDERS["acq_rel"] = "__ATOMIC_ACQ_REL"


def _space(instruction: Instruction) -> str:
    if instruction.has("shared", "shared:cta"):
        return "shared"
    if instruction.has("local", "param", "shared:cluster"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    return "global"


def _check(instruction: Instruction) -> None:
    for modifier in instruction.modifiers[:-1]:
        if modifier not in _HINTS:
            raise NoTranslation(f"instruction {instruction.spelled}")


def _order(instruction: Instruction) -> tuple[str, str] | None:
    """Memory order and scope of a strong access; None for a plain one."""
    order = next((o for m, o in _ORDERS.items() if instruction.has(m)), None)
    scope = next((s for m, s in _SCOPES.items() if instruction.has(m)), _SCOPES["sys"])
    if order is None and instruction.has("cg", "cv"):
        # Past the first-level cache: what other blocks wrote is seen.
        return _ORDERS["relaxed"], _SCOPES["gpu" if instruction.has("cg") else "sys"]
    return (order, scope) if order is not None else None


def _load(context: Context, instruction: Instruction) -> None:
    _check(instruction)
    kind = instruction.kind
    destination, address = instruction.operands[:2]
    cpp = cpp_type(kind)
    pointer = context.names.pointer(address, f"const {cpp}", _space(instruction))
    if destination.startswith("{"):
        names = [n.strip() for n in destination.strip("{} ").split(",")]
        start = context.temporary(f"{cpp}*", pointer.replace(f"const {cpp}", cpp))
        values = [context.temporary(cpp, f"{start}[{i}]") for i in range(len(names))]
        for name, value in zip(names, values, strict=True):
            context.write(name, value, kind)
        return
    strong = _order(instruction)
    if strong is not None and _space(instruction) == "global":
        text = f"__hip_atomic_load({pointer}, {strong[0]}, {strong[1]})"
    elif instruction.has("volatile"):
        text = f"*{pointer.replace('const ', 'const volatile ', 1)}"
    elif instruction.has("cs", "lu", "L1:no_allocate") and _space(instruction) == "global":
        text = f"__builtin_nontemporal_load({pointer})"
    else:
        text = f"*{pointer}"
    context.write(destination, text, kind)


def _store(context: Context, instruction: Instruction) -> None:
    _check(instruction)
    kind = instruction.kind
    address, source = instruction.operands[:2]
    cpp = cpp_type(kind)
    pointer = context.names.pointer(address, cpp, _space(instruction))
    if source.startswith("{"):
        names = [n.strip() for n in source.strip("{} ").split(",")]
        start = context.temporary(f"{cpp}* ".strip(), pointer)
        for index, name in enumerate(names):
            context.emit(f"const_cast<{cpp}*>({start})[{index}] = {context.read(name, kind)};")
        return
    value = context.read(source, kind)
    strong = _order(instruction)
    if strong is not None and _space(instruction) == "global":
        context.emit(f"__hip_atomic_store({pointer}, {value}, {strong[0]}, {strong[1]});")
    elif instruction.has("volatile", "wt"):
        context.emit(f"*{pointer.replace(cpp, 'volatile ' + cpp, 1)} = {value};")
    elif instruction.has("cs", "L1:no_allocate") and _space(instruction) == "global":
        context.emit(f"__builtin_nontemporal_store({value}, {pointer});")
    else:
        context.emit(f"*{pointer} = {value};")


_ATOMICS = {
    "add": "atomicAdd", "min": "atomicMin", "max": "atomicMax", "and": "atomicAnd",
    "or": "atomicOr", "xor": "atomicXor", "exch": "atomicExch", "inc": "atomicInc",
    "dec": "atomicDec", "cas": "atomicCAS",
}  # fmt: skip


def _atomic(context: Context, instruction: Instruction) -> None:
    """atom and red, relaxed at device scope: what CUDA's own functions do."""
    name = next((n for m, n in _ATOMICS.items() if instruction.has(m)), None)
    kind = instruction.kind
    if name is None or kind not in ("u32", "s32", "b32", "u64", "s64", "b64", "f32", "f64"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    if instruction.has("v2", "v4", "async", "noftz"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    operands = list(instruction.operands)
    if instruction.has("L2:cache_hint"):
        operands.pop()
    if instruction.has("acquire", "release", "acq_rel", "sys"):
        _ordered_atomic(context, instruction, operands)
        return
    if kind == "s64":
        kind = "u64" if not instruction.has("min", "max") else "s64"
    destination = operands.pop(0) if instruction.opcode == "atom" else ""
    pointer = context.names.pointer(operands[0], cpp_type(kind), _space(instruction))
    values = ", ".join(context.read(v, kind) for v in operands[1:])
    call = f"{name}({pointer}, {values})"
    if destination:
        context.write(destination, call, kind)
    else:
        context.emit(f"{call};")


_FETCHES = {
    name: f"__hip_atomic_fetch_{name}" for name in ("add", "min", "max", "and", "or", "xor")
}


def _ordered_atomic(context: Context, instruction: Instruction, operands: list[str]) -> None:
    """Atomics with an order or for the whole system, which CUDA's functions do not have."""
    kind = instruction.kind
    found = _order(instruction)
    order, scope = found or (_ORDERS["relaxed"], _SCOPES["sys"])
    destination = operands.pop(0) if instruction.opcode == "atom" else ""
    pointer = context.names.pointer(operands[0], cpp_type(kind), _space(instruction))
    values = [context.read(v, kind) for v in operands[1:]]
    if instruction.has("exch"):
        call = f"__hip_atomic_exchange({pointer}, {values[0]}, {order}, {scope})"
    elif instruction.has("cas"):
        # Failing loads too: it must not have an order that stores have alone.
        failing = (
            _ORDERS["acquire"] if instruction.has("acquire", "acq_rel") else _ORDERS["relaxed"]
        )
        seen = context.variable(cpp_type(kind), "seen")
        context.emit(f"{seen} = {values[0]};")
        context.emit(
            f"__hip_atomic_compare_exchange_strong({pointer}, &{seen}, {values[1]}, {order},"
            f" {failing}, {scope});"
        )
        call = seen
    else:
        name = next((f for m, f in _FETCHES.items() if instruction.has(m)), None)
        if name is None:
            raise NoTranslation(f"instruction {instruction.spelled}")
        call = f"{name}({pointer}, {values[0]}, {order}, {scope})"
    if destination:
        context.write(destination, call, kind)
    elif call.endswith(")"):
        context.emit(f"{call};")


def _policy(context: Context, instruction: Instruction) -> None:
    """createpolicy: how NVIDIA's L2 keeps lines; the accesses that take it do without."""
    context.write(instruction.operands[0], "0", "u64")


def _prefetch(context: Context, instruction: Instruction) -> None:
    pointer = context.names.pointer(instruction.operands[0], "const char", "global")
    context.emit(f"__builtin_prefetch({pointer});")


def _fence(context: Context, instruction: Instruction) -> None:
    if instruction.has("cta"):
        context.emit("__threadfence_block();")
    elif instruction.has("sys"):
        context.emit("__threadfence_system();")
    elif instruction.has("gl", "gpu"):
        context.emit("__threadfence();")
    else:
        raise NoTranslation(f"instruction {instruction.spelled}")


def _copy_async(context: Context, instruction: Instruction) -> None:
    """cp.async: the copy is done at once, so that groups have nothing to wait for."""
    if instruction.has("bulk", "reduce", "mbarrier"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    if instruction.has("commit_group", "wait_group", "wait_all"):
        return
    operands = [o for o in instruction.operands if o]
    if instruction.has("L2:cache_hint"):
        operands.pop()
    if len(operands) < 3 or not instruction.has("shared", "shared:cta"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination = context.names.pointer(operands[0], "char", "shared")
    source = context.names.pointer(operands[1], "const char", "global")
    count = context.read(operands[2], "u32")
    context.helpers.add("copy_to_lds")
    size = count.rstrip("uU")
    if not size.isdigit():
        number = context.names.operand_index(operands[2])
        size = count if number is None else context.names.constant(number)
    given = context.read(operands[3], "u32") if len(operands) > 3 else size
    context.emit(f"copy_to_lds<{size}>({destination}, {source}, {given});")


def _copy(context: Context, instruction: Instruction) -> None:
    if not instruction.has("async"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    _copy_async(context, instruction)


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "ld": _load,
    "ldu": _load,
    "st": _store,
    "atom": _atomic,
    "red": _atomic,
    "createpolicy": _policy,
    "prefetch": _prefetch,
    "prefetchu": _prefetch,
    "membar": _fence,
    "fence": _fence,
    "cp": _copy,
}
