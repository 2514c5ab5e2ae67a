"""Random statements: bounded loops, branches, switches with fallthrough, declarations, effects."""

from __future__ import annotations

import random

from random_cuda.expressions import Expressions
from random_cuda.scope import FLOATS, INTEGERS, MEMORY, Array, Function, Lvalue, Record, Scope

_BUDGET = 1500  # steps that one run of a body may take


class Statements:
    """Writes a body, line by line."""

    def __init__(self, pick: random.Random, records: list[Record]) -> None:
        self.pick = pick
        self.make = Expressions(pick)
        self.records = records
        self.lines: list[str] = []
        self.indent = 1
        self.slots: list[str] = []  # "out" and "real" slots in use, kernels only
        self.result: str | None = None  # what `return` gives back; None: void
        self.is_kernel = False
        self._count = 0
        self._loops = 0
        self._switches = 0
        self._rounds = 1  # how often the innermost body runs

    # --- Writing -------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """One line of the program."""
        self.lines.append("    " * self.indent + text)

    def name(self, prefix: str) -> str:
        """A new name, or now and then one that shadows an outer one."""
        self._count += 1
        return f"{prefix}{self._count}"

    def body(self, scope: Scope, count: int, depth: int) -> None:
        """Some statements in a scope of their own."""
        for _ in range(count):
            self.statement(scope, depth)

    def statement(self, scope: Scope, depth: int) -> None:
        """One statement."""
        pick = self.pick
        choice = pick.randrange(26)
        if choice < 8 or depth == 0:
            self._effect(scope)
        elif choice < 12:
            self._declaration(scope)
        elif choice < 15:
            self._if(scope, depth)
        elif choice < 18 and self._rounds < 200:
            self._loop(scope, depth)
        elif choice < 20:
            self._switch(scope, depth)
        elif choice == 20:
            self.line("{")
            self._inside(scope, depth)
            self.line("}")
        elif choice == 21:
            self._jump(scope)
        elif choice == 22:
            self._objects(scope)
        elif choice == 23:
            self._lambda(scope)
        elif choice == 24:
            self._pointers(scope)
        else:
            self._show(scope)

    def _inside(self, scope: Scope, depth: int) -> None:
        self.indent += 1
        inner = scope.inner()
        if self.pick.random() < 0.3:
            self._shadow(inner)
        self.body(inner, self.pick.randint(1, 3), depth - 1)
        self.indent -= 1

    def _shadow(self, scope: Scope) -> None:
        names = [v for v in scope.lvalues if v.text.isidentifier() and v.text[0] in "vf"]
        if not names:
            return
        old = self.pick.choice(names)
        kind = self.pick.choice([*INTEGERS, *FLOATS])
        start = self.make.any(Scope(), kind, 1)
        self.line(f"{kind} {old.text} = {start.text};")
        scope.hide(old.token)
        # The token stays apart from the outer variable's.
        scope.lvalues.append(Lvalue(old.text, kind, f"{old.token}'"))

    # --- Effects -------------------------------------------------------------------------------

    def _effect(self, scope: Scope) -> None:
        for _ in range(4):
            real = self.pick.random() < 0.35
            found = self.make.effect(scope, self.pick.choice([1, 2, 3]), real=real)
            if found is not None and found.cost * self._rounds < _BUDGET:
                self.line(f"{found.text[1:-1] if found.text.startswith('(') else found.text};")
                return
        self._show(scope)

    def _show(self, scope: Scope) -> None:
        """A value that the kernel writes out; elsewhere it goes into a variable."""
        real = self.pick.random() < 0.4
        if not self.is_kernel:
            return
        slot = len(self.slots)
        make = self.make.real if real else self.make.whole
        value = make(scope, self.pick.choice([2, 3, 4]), True)
        if value.cost * self._rounds > _BUDGET or slot >= 40:
            return
        self.slots.append("real" if real else "out")
        self.line(f"{'real' if real else 'out'}[{slot}] = {value.text};")

    def _jump(self, scope: Scope) -> None:
        test = self.make.whole(scope, 2)
        if self._loops and not self._switches:
            self.line(f"if ({test.text}) {self.pick.choice(['break', 'continue'])};")
        elif self._loops:
            self.line(f"if ({test.text}) continue;")
        elif self.pick.random() < 0.3 and not self.is_kernel:
            self._return(scope, f"if ({test.text}) ")

    def _return(self, scope: Scope, prefix: str) -> None:
        if self.result is None:
            self.line(f"{prefix}return;")
        else:
            value = self.make.any(scope, self.result, 2)
            self.line(f"{prefix}return {value.text};")

    # --- Control -------------------------------------------------------------------------------

    def _if(self, scope: Scope, depth: int) -> None:
        test = self.make.whole(scope, 2, effects=True)
        self.line(f"if ({test.text}) {{")
        self._inside(scope, depth)
        if self.pick.random() < 0.5:
            self.line("} else {")
            self._inside(scope, depth)
        self.line("}")

    def _loop(self, scope: Scope, depth: int) -> None:
        pick = self.pick
        rounds = pick.randint(1, 5)
        inner = scope.inner()
        counter = self.name("n")
        kind = pick.choice(["int", "unsigned", "short", "long long", "unsigned char", "size_t"])
        own = Lvalue(counter, kind, counter, fixed=True, has_address=False)
        form = pick.randrange(5)
        test = self.make.whole(scope, 1).text
        tail = ""
        if form == 0:
            extra = self.make.effect(scope, 1, real=False)
            step = f", {extra.text}" if extra and extra.cost * self._rounds < 200 else ""
            head = f"for ({kind} {counter} = 0; {counter} < {rounds}; {counter}++{step}) {{"
        elif form == 1:
            head = f"for ({kind} {counter} = {rounds}; {counter} > 0; --{counter}) {{"
        elif form == 2:
            self.line(f"{kind} {counter} = {rounds};")
            head = f"while ({counter}-- > 0 && ({test})) {{"
        elif form == 3:
            self.line(f"{kind} {counter} = 0;")
            head, tail = "do {", f" while (++{counter} < {rounds} && ({test}));"
        else:
            arrays = [a for a in scope.arrays if not a.rows and "range" in a.text]
            if not arrays:
                return
            array = pick.choice(arrays)
            rounds = array.length
            how = "const auto&" if array.fixed else pick.choice(["auto", "auto&"])
            head = f"for ({how} {counter} : {array.text}) {{"
            own = Lvalue(
                counter, array.type, MEMORY if "&" in how else counter, fixed="const" in how
            )
        self.line(head)
        inner.lvalues.append(own)
        outer, switches = self._rounds, self._switches
        self._rounds *= rounds
        self._loops += 1
        self._switches = 0
        self._inside(inner, depth)
        self._loops -= 1
        self._rounds, self._switches = outer, switches
        self.line("}" + tail)

    def _switch(self, scope: Scope, depth: int) -> None:
        pick = self.pick
        value = self.make.whole(scope, 2)
        self.line(f"switch (({value.text}) & 7) {{")
        self._switches += 1
        labels = pick.sample(range(8), pick.randint(2, 6))
        labels.insert(pick.randint(0, len(labels)), -1)
        for label in labels:
            text = "default" if label < 0 else f"case {label}"
            if pick.random() < 0.25:
                self.line(f"    {text}:" if label != labels[-1] else f"    {text}: ;")
                continue
            self.line(f"    {text}: {{")
            self.indent += 1
            self._inside(scope, depth)
            self.indent -= 1
            self.line("    }" + (" break;" if pick.random() < 0.6 else ""))
        self._switches -= 1
        self.line("}")

    # --- Declarations --------------------------------------------------------------------------

    def _declaration(self, scope: Scope) -> None:
        pick = self.pick
        kind = pick.choice([*INTEGERS, *FLOATS, "int", "float", "unsigned"])
        match pick.randrange(6):
            case 0 | 1 | 2:
                name = self.name("f" if kind in FLOATS else "v")
                value = self.make.any(scope, kind, 3, True)
                if value.cost * self._rounds > _BUDGET:
                    return
                self.line(f"{kind} {name} = {value.text};")
                scope.lvalues.append(Lvalue(name, kind, name))
            case 3:
                name = self.name("range")
                length = pick.choice([2, 4, 8, 8])
                scope_values = [
                    self.make.any(scope, kind, 1) for _ in range(pick.randint(0, length))
                ]
                cast = "" if kind == "bool" else f"({kind})"
                values = [f"{cast}({v.text})" if cast else f"({v.text}) != 0" for v in scope_values]
                if any(a.clashes(b) for a in scope_values for b in scope_values if a is not b):
                    values = []
                self.line(f"{kind} {name}[{length}] = {{{', '.join(values)}}};")
                scope.arrays.append(Array(name, kind, length))
            case 4:
                name = self.name("grid")
                value = self.make.any(Scope(), kind, 0)
                first = f"({value.text}) != 0" if kind == "bool" else f"({kind})({value.text})"
                self.line(f"{kind} {name}[4][2] = {{{{{first}}}}};")
                scope.arrays.append(Array(name, kind, 2, rows=4))
            case _:
                name = self.name("c")
                number = pick.randint(-100, 100)
                kind = pick.choice(["int", "long long", "short", "float"])
                self.line(f"{pick.choice(['const', 'constexpr'])} {kind} {name} = {number};")
                scope.lvalues.append(Lvalue(name, kind, name, fixed=True, has_address=False))

    def _objects(self, scope: Scope) -> None:
        """A struct: made, copied, changed by methods; its fields are in scope from then on."""
        if not self.records:
            return
        record = self.pick.choice(self.records)
        name = self.name("s")
        how = self.pick.randrange(3)
        value = self.make.whole(scope, 1)
        if how == 0:
            self.line(f"{record.name} {name} = {{}};")
        elif how == 1:
            self.line(f"{record.name} {name} = make_{record.name}({value.text});")
        else:
            self.line(
                f"{record.name} {name} = make_{record.name}(3) + make_{record.name}({value.text});"
            )
        token = name
        for field, kind in record.fields:
            scope.lvalues.append(Lvalue(f"{name}.{field}", kind, token))
        for field, kind in record.bit_fields:
            scope.lvalues.append(Lvalue(f"{name}.{field}", kind, token, has_address=False))
        array, kind, length = record.array
        scope.arrays.append(Array(f"{name}.{array}", kind, length))
        for method in record.methods:
            touched = frozenset([token, MEMORY])
            scope.functions.append(
                Function(
                    f"{name}.{method.name}", method.parameters, method.result, touched, touched
                )
            )
        if self.pick.random() < 0.5:
            pointer = self.name("q")
            self.line(f"{record.name}* {pointer} = &{name};")
            for field, kind in record.fields:
                scope.lvalues.append(Lvalue(f"{pointer}->{field}", kind, token))
            # Both names are one object.
        if self.pick.random() < 0.4:
            copy = self.name("s")
            self.line(f"{record.name} {copy} = {name};")
            for field, kind in record.fields:
                scope.lvalues.append(Lvalue(f"{copy}.{field}", kind, copy))
            if self.pick.random() < 0.5:
                self.line(f"{name} = {copy};")

    def _pointers(self, scope: Scope) -> None:
        """A pointer into an array, a reference, or a walk along an array."""
        pick = self.pick
        arrays = [a for a in scope.arrays if not a.rows and not a.fixed and a.length >= 4]
        places = [v for v in scope.lvalues if not v.fixed and v.has_address]
        if arrays and pick.random() < 0.6:
            array = pick.choice(arrays)
            name = self.name("p")
            offset = pick.randrange(array.length // 2)
            base = pick.choice([f"{array.text} + {offset}", f"&{array.text}[{offset}]"])
            self.line(f"{array.type}* {name} = {base};")
            if pick.random() < 0.4:
                value = self.make.whole(scope, 1)
                self.line(f"*{name}++ = {value.text};" if not value.writes else f"++{name};")
                offset += 1
            left = 1
            while left * 2 <= array.length - offset:
                left *= 2
            scope.arrays.append(Array(name, array.type, left))
            scope.lvalues.append(Lvalue(f"(*{name})", array.type, MEMORY))
        elif places:
            place = pick.choice(places)
            name = self.name("r")
            self.line(f"{place.type}& {name} = {place.text};")
            scope.lvalues.append(Lvalue(name, place.type, place.token))

    def _lambda(self, scope: Scope) -> None:
        pick = self.pick
        name = self.name("l")
        kind = pick.choice(["int", "unsigned", "double", "short"])
        copies = pick.random() < 0.6
        inner = scope.inner()
        # A copied array cannot be changed, and reads through other names stay reads.
        inner.arrays = [a for a in inner.arrays if not copies] if copies else inner.arrays
        inner.functions = []
        inner.lvalues = [v for v in inner.lvalues if not copies or v.text.isidentifier()]
        inner.lvalues.append(Lvalue("a", kind, "a"))
        if copies:
            body = self.make.any(inner, kind, 3)
            self.line(f"auto {name} = [=]({kind} a) {{ return ({kind})({body.text}); }};")
            scope.functions.append(Function(name, (kind,), kind, cost=body.cost))
            return
        effect = self.make.effect(inner, 2, real=False)
        body = self.make.any(inner, kind, 2)
        if effect is None:
            return
        self.line(
            f"auto {name} = [&]({kind} a) {{ {effect.text}; return ({kind})({body.text}); }};"
        )
        scope.functions.append(
            Function(
                name, (kind,), kind, effect.writes | body.writes, effect.reads | body.reads,
                effect.cost + body.cost,
            )
        )  # fmt: skip
