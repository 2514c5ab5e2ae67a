"""One random program: structs, device functions that may call earlier ones, and a kernel."""

from __future__ import annotations

import random

from random_cuda.expressions import Expressions
from random_cuda.scope import FLOATS, INTEGERS, MEMORY, Array, Function, Lvalue, Record, Scope
from random_cuda.statements import Statements

SLOTS = 48


def program(seed: int, name: str | None = None) -> str:
    """The text of one kernel and what it uses; names carry the kernel's, so that texts can join."""
    pick = random.Random(seed)
    name = name or f"k{seed}"
    lines: list[str] = []
    records = [_record(pick, f"S{i}_{name}", lines) for i in range(pick.randint(0, 2))]
    table = _table(pick, f"table_{name}", lines)
    functions: list[Function] = []
    for i in range(pick.randint(0, 3)):
        functions.append(_function(pick, f"f{i}_{name}", functions, records, table, lines))
    _kernel(pick, name, functions, records, table, lines)
    return "\n".join(lines) + "\n"


def _record(pick: random.Random, name: str, lines: list[str]) -> Record:
    fields = [(f"x{i}", pick.choice([*INTEGERS, *FLOATS])) for i in range(pick.randint(1, 4))]
    bits = []
    if pick.random() < 0.5:
        for i in range(pick.randint(1, 3)):
            kind = pick.choice(["unsigned", "int", "unsigned char", "short", "unsigned long long"])
            bits.append((f"b{i}", kind))
    array = ("list", pick.choice(["int", "short", "float", "unsigned char"]), pick.choice([2, 4]))
    lines.append(f"struct {name} {{")
    for field, kind in fields:
        lines.append(f"    {kind} {field};")
    for field, kind in bits:
        lines.append(f"    {kind} {field} : {pick.randint(1, min(INTEGERS[kind], 20))};")
    lines.append(f"    {array[1]} {array[0]}[{array[2]}];")
    own = Scope(
        [Lvalue(f, k, "this") for f, k in fields]
        + [Lvalue(f, k, "this", has_address=False) for f, k in bits]
        + [Lvalue("a", "int", "a")],
        [Array(array[0], array[1], array[2])],
    )
    make = Expressions(pick)
    method = Function("change", ("int",), "long long")
    effect = make.effect(own, 2, real=False)
    value = make.whole(own, 2)
    lines.append(
        f"    __device__ long long change(int a) {{ {effect.text if effect else 'a++'}; "
        f"return {value.text}; }}"
    )
    first = fields[0][0]
    lines.append(f"    __device__ {name} operator+(const {name}& o) const {{")
    lines.append(f"        {name} r = *this; r.{first} += (int)bounded(o.{first}); return r;")
    lines += ["    }", "};"]
    lines.append(f"__device__ {name} make_{name}(int a) {{")
    lines.append(f"    {name} r = {{}};")
    for field, kind in fields:
        own = Scope([Lvalue("a", "int", "a")])
        lines.append(f"    r.{field} = {make.any(own, kind, 1).text};")
    for field, _ in bits:
        lines.append(f"    r.{field} = a + {pick.randint(0, 100)};")
    lines += [f"    r.{array[0]}[1] = (short)a;", "    return r;", "}"]
    return Record(name, tuple(fields), tuple(bits), array, (method,))


def _table(pick: random.Random, name: str, lines: list[str]) -> Array:
    kind = pick.choice(["int", "short", "unsigned char", "float", "long long"])
    values = ", ".join(str(pick.randint(0, 120)) for _ in range(8))
    lines.append(f"__constant__ {kind} {name}[8] = {{{values}}};")
    return Array(name, kind, 8, fixed=True)


def _function(
    pick: random.Random,
    name: str,
    callees: list[Function],
    records: list[Record],
    table: Array,
    lines: list[str],
) -> Function:
    values = [pick.choice([*INTEGERS, *FLOATS]) for _ in range(pick.randint(1, 3))]
    kinds = [
        kind + ("&" if pick.random() < 0.2 else "*" if pick.random() < 0.2 else "")
        for kind in values
    ]
    result = pick.choice([*INTEGERS, *FLOATS])
    parameters = ", ".join(f"{kind} a{i}" for i, kind in enumerate(kinds))
    body = Statements(pick, records)
    body.result = result
    scope = Scope(arrays=[table], functions=list(callees) if pick.random() < 0.5 else [])
    touches: set[str] = set()
    for i, kind in enumerate(kinds):
        if kind.endswith("*"):
            scope.arrays.append(Array(f"a{i}", kind[:-1], 8))
            touches.add(MEMORY)
        else:
            # References may name one variable twice, or an element of what a pointer reaches.
            token = MEMORY if kind.endswith("&") else f"a{i}"
            scope.lvalues.append(Lvalue(f"a{i}", kind.rstrip("&"), token))
    # No call passes these: each is what its default says, as a value or bound to a reference.
    for i in range(pick.choice([0, 0, 1, 2])):
        kind = pick.choice([*INTEGERS, *FLOATS])
        reference = pick.random() < 0.6
        start = f"{kind}({pick.randint(0, 99)})" if " " not in kind else str(pick.randint(0, 99))
        parameters += f", const {kind}{'&' if reference else ''} d{i} = {start}"
        scope.lvalues.append(Lvalue(f"d{i}", kind, f"d{i}", fixed=True))
    lines.append(f"__device__ {result} {name}({parameters}) {{")
    body.body(scope, pick.randint(1, 5), 2)
    body._return(scope, "")
    lines += [*body.lines, "}"]
    return Function(name, tuple(kinds), result, frozenset(touches), frozenset(touches), 40)


def _kernel(
    pick: random.Random,
    name: str,
    functions: list[Function],
    records: list[Record],
    table: Array,
    lines: list[str],
) -> None:
    lines.append(f"__global__ void {name}(long long* out, double* real) {{")
    body = Statements(pick, records)
    body.is_kernel = True
    body.line("int t = threadIdx.x;")
    body.line(f"out += t * {SLOTS}; real += t * {SLOTS};")
    scope = Scope([Lvalue("t", "int", "t", fixed=True)], [table], functions)
    for prefix, kinds in (("v", INTEGERS), ("f", FLOATS)):
        for kind in kinds:
            if pick.random() < 0.6:
                variable = body.name(prefix)
                factor = pick.choice(["", " * 37", " * -5000", " * 0x01010101", " & 1", " - 4"])
                body.line(f"{kind} {variable} = t{factor};")
                scope.lvalues.append(Lvalue(variable, kind, variable))
    body.line("int range0[8] = {1, -2, 3, t};")
    scope.arrays.append(Array("range0", "int", 8))
    body.body(scope, pick.randint(6, 14), 3)
    # What is left in the variables says whether every statement did what it should.
    plain = [v for v in scope.lvalues if v.text.isidentifier() and not v.fixed]
    slot = len(body.slots)
    for place in plain[: SLOTS - slot]:
        target = "real" if place.is_float else "out"
        body.line(f"{target}[{slot}] = {place.text};")
        slot += 1
    lines += [*body.lines, "}"]
