"""Random expressions: typed only as whole or real, defined for every value of their operands."""

from __future__ import annotations

import random

from random_cuda.scope import FLOATS, INTEGERS, MEMORY, UNSIGNED, Lvalue, Scope, Text, join

_WHOLE_LITERALS = (
    "0", "1", "2", "-1", "7", "255", "-128", "32767", "65535u", "2147483647", "0x80000000u",
    "4294967295u", "0xffL", "5000000000ll", "9223372036854775807ll",
    "18446744073709551615ull", "'q'", "'\\xf0'", "true", "017", "0b101", "3ul", "1'000",
)  # fmt: skip
_REAL_LITERALS = (
    "0.0",
    "1.0f",
    "-0.5",
    "0.1f",
    "0.1",
    "16777216.0f",
    "1e10",
    "-2.75f",
    ".5f",
    "3e-5",
)
# What a real sum that leaves their range still fits into the 32 bits it goes by way of.
_SMALL = ("char", "signed char", "short", "int8_t")
_BITS = ("__popc", "__clz", "__ffs", "__brev")
_REAL_CALLS = ("fabsf", "sqrt_of", "floorf", "ceil", "trunc", "rintf", "fabs", "floor")


class Expressions:
    """Makes expressions over a scope."""

    def __init__(self, pick: random.Random) -> None:
        self.pick = pick

    # --- Whole numbers -------------------------------------------------------------------------

    def whole(self, scope: Scope, depth: int, effects: bool = False) -> Text:
        """An integer expression; with effects where they are sequenced."""
        if depth <= 0:
            return self._whole_leaf(scope)
        pick = self.pick
        choice = pick.randrange(22)
        if choice < 5:
            op = pick.choice(["+", "-", "*", "&", "|", "^"])
            return self._pair(scope, depth, effects, lambda a, b: f"({a} {op} {b})")
        if choice < 7:
            op = pick.choice(["<", "<=", ">", ">=", "==", "!="])
            return self._pair(scope, depth, effects, lambda a, b: f"({a} {op} {b})")
        match choice:
            case 7:
                op = pick.choice("/%")
                if pick.random() < 0.5:
                    return self._pair(
                        scope, depth, effects, lambda a, b: f"({a} {op} (({b} & 15) + 1))"
                    )
                kind = pick.choice(["unsigned", "unsigned long long", "uint16_t"])
                return self._pair(
                    scope, depth, effects, lambda a, b: f"({a} {op} ({kind})({b} | 1))"
                )
            case 8 | 9:
                op, kind = pick.choice(["<<", ">>"]), self.integer_type()
                most = max(INTEGERS[kind], 32) - 1
                return self._pair(
                    scope, depth, effects, lambda a, b: f"(({kind}){a} {op} ({b} & {most}))"
                )
            case 10 | 11:
                return self._branches(scope, depth, effects, real=False)
            case 12:
                inner = self.whole(scope, depth - 1, effects)
                kind = self.integer_type()
                form = pick.choice(["({k}){e}", "static_cast<{k}>({e})"])
                return join(form.format(k=kind, e=inner.text), inner)
            case 13:
                inner = self.whole(scope, depth - 1, effects)
                return join(f"({pick.choice('-~!+')} {inner.text})", inner)
            case 14:
                op = pick.choice(["&&", "||"])
                one = self.whole(scope, depth - 1, effects)
                two = self.whole(scope, depth - 1, effects)
                return join(f"({one.text} {op} {two.text})", one, two)
            case 15:
                inner = self.real(scope, depth - 1)
                kind = self.integer_type()
                safe = "positive" if kind in UNSIGNED else "bounded"
                return join(f"({kind}){safe}({inner.text})", inner)
            case 16:
                op = pick.choice(["<", ">", "==", "!=", "<="])
                one, two = self.real(scope, depth - 1), self.real(scope, depth - 1)
                if one.clashes(two):
                    return self._whole_leaf(scope)
                return join(f"({one.text} {op} {two.text})", one, two)
            case 17:
                return self._call(scope, depth, lambda r: r not in FLOATS) or self._whole_leaf(
                    scope
                )
            case 18:
                name = pick.choice(["min", "max"])
                one = self.whole(scope, depth - 1)
                two = self.whole(scope, depth - 1)
                kind = pick.choice(["int", "unsigned", "long long", "unsigned long long"])
                other = kind if pick.random() < 0.6 else pick.choice(["int", "unsigned"])
                if one.clashes(two):
                    return one
                return join(f"{name}(({kind}){one.text}, ({other}){two.text})", one, two)
            case 19:
                inner = self.whole(scope, depth - 1)
                return join(f"{pick.choice(_BITS)}({inner.text})", inner)
            case _:
                if effects:
                    found = self.effect(scope, depth, real=False)
                    if found is not None:
                        return found
                return self._whole_leaf(scope)

    def _whole_leaf(self, scope: Scope) -> Text:
        pick = self.pick
        if pick.random() < 0.25:
            return Text(pick.choice(_WHOLE_LITERALS))
        if pick.random() < 0.04:
            return Text(f"sizeof({self.integer_type()})")
        found = self.lvalue(scope, lambda v: not v.is_float)
        if found is None:
            return Text(str(pick.randint(-300, 300)))
        place, use = found
        return Text(place.text, use.reads | {place.token}, use.writes, use.cost)

    def integer_type(self) -> str:
        """Any integer type."""
        return self.pick.choice(list(INTEGERS))

    # --- Real numbers --------------------------------------------------------------------------

    def real(self, scope: Scope, depth: int, effects: bool = False) -> Text:
        """A float or double expression; integers take part."""
        if depth <= 0:
            return self._real_leaf(scope)
        pick = self.pick
        match pick.randrange(10):
            case 0 | 1 | 2 | 3:
                op = pick.choice("+-*/") if pick.random() < 0.9 else "+"
                one = self.real(scope, depth - 1, effects)
                two = (
                    self.real(scope, depth - 1)
                    if pick.random() < 0.7
                    else self.whole(scope, depth - 1)
                )
                if one.clashes(two):
                    return one
                # A literal keeps the operation real where the second operand is whole.
                return join(f"({one.text} {op} {two.text})", one, two)
            case 4:
                inner = self.real(scope, depth - 1, effects)
                return join(f"({pick.choice(FLOATS)})({inner.text})", inner)
            case 5:
                return self._branches(scope, depth, effects, real=True)
            case 6:
                inner = self.real(scope, depth - 1)
                return join(f"{pick.choice(_REAL_CALLS)}({inner.text})", inner)
            case 7:
                # Without -0: which of two zeros is the greater is for the library to say.
                name = pick.choice(["fminf", "fmaxf", "fmin", "fmax"])
                one, two = self.real(scope, depth - 1), self.real(scope, depth - 1)
                if one.clashes(two):
                    return one
                return join(
                    f"{name}(bounded({one.text}) + 0.0, bounded({two.text}) + 0.0)", one, two
                )
            case 8:
                found = self._call(scope, depth, lambda r: r in FLOATS)
                return found or self._real_leaf(scope)
            case _:
                if effects:
                    found = self.effect(scope, depth, real=True)
                    if found is not None:
                        return found
                inner = self.real(scope, depth - 1)
                return join(f"(- {inner.text})", inner)

    def _real_leaf(self, scope: Scope) -> Text:
        if self.pick.random() < 0.3:
            return Text(self.pick.choice(_REAL_LITERALS))
        found = self.lvalue(scope, lambda v: v.is_float)
        if found is None:
            inner = self._whole_leaf(scope)
            return join(f"({self.pick.choice(FLOATS)}){inner.text}", inner)
        place, use = found
        return Text(place.text, use.reads | {place.token}, use.writes, use.cost)

    # --- Either --------------------------------------------------------------------------------

    def any(self, scope: Scope, kind: str, depth: int, effects: bool = False) -> Text:
        """A value that converts to the type without leaving its range."""
        if kind in FLOATS:
            return self.real(scope, depth, effects)
        if self.pick.random() < 0.1:
            inner = self.real(scope, depth, effects)
            safe = "positive" if kind in UNSIGNED else "bounded"
            return join(f"{safe}({inner.text})", inner)
        return self.whole(scope, depth, effects)

    def _pair(self, scope, depth, effects, form) -> Text:  # type: ignore[no-untyped-def]
        one = self.whole(scope, depth - 1, effects)
        two = self.whole(scope, depth - 1, effects and not one.writes)
        if one.clashes(two):
            return one
        return join(form(one.text, two.text), one, two)

    def _branches(self, scope: Scope, depth: int, effects: bool, *, real: bool) -> Text:
        make = self.real if real else self.whole
        test = self.whole(scope, depth - 1, effects)
        one, two = make(scope, depth - 1, effects), make(scope, depth - 1, effects)
        return join(f"({test.text} ? {one.text} : {two.text})", test, one, two)

    def _call(self, scope, depth, wanted) -> Text | None:  # type: ignore[no-untyped-def]
        functions = [f for f in scope.functions if wanted(f.result)]
        if not functions:
            return None
        function = self.pick.choice(functions)
        arguments: list[Text] = []
        for kind in function.parameters:
            argument = self.argument(scope, kind, depth - 1)
            if argument is None:
                return None
            if any(argument.clashes(a) for a in arguments):
                return None
            arguments.append(argument)
        text = f"{function.name}({', '.join(a.text for a in arguments)})"
        own = Text("", function.reads, function.writes, function.cost)
        # What the arguments read is read before the call writes.
        return join(text, own, *arguments)

    def argument(self, scope: Scope, kind: str, depth: int) -> Text | None:
        """A value, a reference to a variable, or a pointer to an array of eight."""
        if kind.endswith("&"):
            fits = [
                v for v in scope.lvalues
                if v.type == kind[:-1] and not v.fixed and v.has_address and v.token != MEMORY
            ]  # fmt: skip
            if not fits:
                return None
            place = self.pick.choice(fits)
            return Text(place.text, frozenset([place.token]), frozenset([place.token]))
        if kind.endswith("*"):
            arrays = [
                a for a in scope.arrays
                if a.type == kind[:-1] and a.length == 8 and not a.rows and not a.fixed
            ]  # fmt: skip
            if not arrays:
                return None
            return Text(self.pick.choice(arrays).text, frozenset([MEMORY]), frozenset([MEMORY]))
        return self.any(scope, kind, depth)

    # --- Lvalues and effects -------------------------------------------------------------------

    def lvalue(self, scope, wanted, *, written: bool = False) -> tuple[Lvalue, Text] | None:  # type: ignore[no-untyped-def]
        """A place, and what naming it reads."""
        places = [v for v in scope.lvalues if wanted(v) and not (written and v.fixed)]
        arrays = [
            a for a in scope.arrays
            if wanted(Lvalue("", a.type, "")) and not (written and a.fixed)
        ]  # fmt: skip
        if arrays and (not places or self.pick.random() < 0.35):
            array = self.pick.choice(arrays)
            index = self._index(scope)
            text = f"{array.text}[{index.text} & {array.length - 1}]"
            if array.rows:
                row = self._index(scope)
                rows, columns = array.rows - 1, array.length - 1
                text = f"{array.text}[{row.text} & {rows}][{index.text} & {columns}]"
                index = join("", index, row)
            return Lvalue(text, array.type, MEMORY), index
        if not places:
            return None
        return self.pick.choice(places), Text("", cost=0)

    def _index(self, scope: Scope) -> Text:
        """Mostly a plain variable: indices of indices of indices say little."""
        arrays = scope.arrays if self.pick.random() < 0.15 else []
        return self.whole(Scope(scope.lvalues, arrays), self.pick.choice([0, 0, 1]))

    def effect(self, scope: Scope, depth: int, *, real: bool) -> Text | None:
        """An assignment, compound assignment, increment or comma, as a value."""
        pick = self.pick
        found = self.lvalue(scope, lambda v: v.is_float == real, written=True)
        if found is None:
            return None
        place, use = found
        token = frozenset([place.token])
        choice = pick.randrange(8)
        if choice < 3 and place.type != "bool":
            form = pick.choice(["({}++)", "({}--)", "(++{})", "(--{})"])
            return Text(
                form.format(place.text), use.reads | token, use.writes | token, use.cost + 1
            )
        if choice == 3:
            first = self.effect(scope, depth - 1, real=pick.random() < 0.3)
            then = self.real(scope, depth - 1) if real else self.whole(scope, depth - 1)
            return join(f"({first.text}, {then.text})", first, then) if first else None
        op = self.compound(place.type)
        value = self.right_side(scope, place.type, op, depth - 1)
        if value.writes or place.token in use.reads:
            return None
        return Text(
            f"({place.text} {op} {value.text})",
            use.reads | value.reads | token, use.writes | token, use.cost + value.cost,
        )  # fmt: skip

    def compound(self, kind: str) -> str:
        """An assignment operator for the type."""
        if self.pick.random() < 0.35:
            return "="
        if kind in FLOATS:
            return self.pick.choice(["+=", "-=", "*=", "/="])
        return self.pick.choice(["+=", "-=", "*=", "&=", "|=", "^=", "<<=", ">>=", "/=", "%="])

    def right_side(self, scope: Scope, kind: str, op: str, depth: int) -> Text:
        """The right operand, kept where the operator is defined."""
        if op == "=" or kind in FLOATS or (kind in _SMALL and op in ("+=", "-=", "*=")):
            return self.any(scope, kind, depth)
        value = self.whole(scope, depth)
        if op in ("<<=", ">>="):
            return join(f"({value.text} & {max(INTEGERS[kind], 32) - 1})", value)
        if op in ("/=", "%="):
            return join(f"(({value.text} & 15) + 1)", value)
        return value
