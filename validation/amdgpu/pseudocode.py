"""Translate AMD's ISA pseudocode of one instruction to C that computes one lane.

Example:

    D0.f32 = fma(S0.f32, S1.f32, D0.f32)    ->    D0=(u64)B32(fma_f32(F32(S0),F32(S1),F32(D0)));

The C speaks of raw bits: `S0`, `S1`, `S2`, `D0` are unsigned integers, a type suffix is a
reinterpretation. The helpers it calls (`F32`, `fma_f32`, ...) are in native/lane_math.h.
Shifts are mathematical (a shift by the width or more leaves 0, or the sign), as the hardware's are
after the masking that the pseudocode spells out.
"""

import re

from crossport.validation.amdgpu.pseudocode_types import (
    BY_NAME,
    C_TYPE,
    FLOATS,
    FUNCTIONS,
    LEVELS,
    MINMAX,
    NUMERIC,
    Body,
    Untranslatable,
    Value,
    bits,
    constant_span,
    convert,
    is_float,
    is_signed,
    joined_type,
    plain_number,
    reinterpret,
    sized_literal,
    tokens_of,
    width,
)

__all__ = ["Body", "Translator", "Untranslatable", "Value", "translate"]


_STATE = r"(PC|M0|VSKIP|SGPR|VGPR|HW_REGISTERS|TTMP|WAVE_\w+|LDS|MEM|S[012]|D1|SDST|VDST|DST)\b"
"""State of the wave that a body cannot reach: such opcodes are executed by hand, or refused."""


class Translator:
    """Recursive-descent translation; one instance an instruction."""

    def __init__(self, operands: dict[str, str]) -> None:
        """`operands` maps the predeclared names (S0, D0, ...) to their types."""
        self.names = dict(operands)
        self.declared: dict[str, str] = {}
        self.uses: set[str] = set()
        self.tokens: list[tuple[str, str]] = []
        self.at = 0

    # ---- statements

    def translate(self, text: str) -> Body:
        lines = self._lines(text)
        out = [self._statement(line) for line in lines]
        head = "".join(f"{C_TYPE[t]} {n}=0;" for n, t in sorted(self.declared.items()))
        return Body(head + "".join(out), self.uses)

    @staticmethod
    def _lines(text: str) -> list[str]:
        lines: list[str] = []
        for raw in text.split("\n"):
            line = raw.split("//")[0].strip()
            if not line:
                continue
            if lines and lines[-1].count("(") > lines[-1].count(")"):
                lines[-1] += " " + line
            else:
                lines.append(line)
        lines = [line.rstrip(";").strip() for line in lines]
        return [line for line in lines if line and not re.match(r"\w+ = lambda\(", line)]

    def _statement(self, line: str) -> str:
        if match := re.match(r"(if|elsif)\s*(.*)\bthen$", line):
            head = "if" if match[1] == "if" else "}else if"
            return f"{head}({self.expression(match[2]).c}){{"
        if line in ("else", "endif", "endfor", "break"):
            return {"else": "}else{", "break": "break;"}.get(line, "}")
        if match := re.match(r"for (\w+) in (.*?) : (.*) do$", line):
            low, high = self.expression(match[2]).c, self.expression(match[3]).c
            self.names[match[1]] = "i32"
            self.declared.pop(match[1], None)
            name = match[1]
            return f"for(i32 {name}=(i32)({low});{name}<=(i32)({high});{name}++){{"
        if match := re.match(r"declare (\w+) : (\d+)'([UIFB])$", line):
            type_ = match[3].lower() + match[2]
            if match[1] not in self.names and type_ in C_TYPE:
                self._declare(match[1], type_)
            return ""
        if line.startswith(("prev_mode", "ROUND_MODE")):
            self.uses.add("ROUND")
            return ""
        return self._assignment(line)

    def _declare(self, name: str, type_: str) -> None:
        self.names[name] = type_
        self.declared[name] = type_

    def _assignment(self, line: str) -> str:
        match = re.match(r"(.*?[^=!<>+\-|&*])\s*(\+=|-=|\|=|&=|=)\s*([^=].*)$", line)
        if not match:
            raise Untranslatable(f"statement {line[:50]!r}")
        target, operator, source = match[1].strip(), match[2], match[3]
        if operator != "=":
            source = f"{target} {operator[0]} ({source})"
        chained = re.match(r"((?:D0|VCC|EXEC)\.u64\[laneId\]) = (.*)$", source)
        if chained:
            return self._assign(target, self.expression(chained[2])) + self._assign(
                chained[1], self.expression(chained[2])
            )
        if match := re.match(r"(\w+)\.u(?:32|64)\[(\d+) : 0\] = ", line):
            reverse = re.match(r"(\w+)\.u\d+\[0 : (\d+)\]$", source)
            if reverse and reverse[2] == match[2]:
                return f"{match[1]}=bit_reverse{int(match[2]) + 1}({reverse[1]});"
        return self._assign(target, self.expression(source))

    def _assign(self, target: str, value: Value) -> str:
        if target in ("D0.u64[laneId]", "VCC.u64[laneId]", "D1.u64[laneId]", "SDST.u64[laneId]"):
            self.uses.add("LANE_BIT")
            return f"cb=({value.c})&1;"
        if target == "EXEC.u64[laneId]":
            self.uses |= {"LANE_BIT", "EXEC_BIT"}
            return f"cb=({value.c})&1;"
        if target in ("VCC", "EXEC.u64", "EXEC", "EXEC.u32", "VCC.u64", "EXEC_LO.u32"):
            if target.startswith("VCC"):
                raise Untranslatable("whole VCC written")
            self.uses.add("EXEC_WRITTEN")
            return f"EXEC={bits(value)};"
        if target == "SCC":
            self.uses.add("SCC")
            return f"SCC=(({value.c})!=0);"
        if target in ("{ D1.u1, D0.u64 }", "{ D1.i1, D0.i64 }"):
            self.uses.add("LANE_BIT")
            return f"{{u128 wide={value.c};D0=(u64)wide;cb=(u32)(wide>>64)&1;}}"
        if re.match(_STATE, target):
            raise Untranslatable(f"writes {target}")
        target = re.sub(r"^D(?=[.\[ ]|$)", "D0", target)
        if match := re.match(r"(\w+)\[(.+?) : (.+?)\](?:\.(\w+))?$", target):
            name, type_ = match[1], match[4] or "b64"
            high, low = self.expression(match[2]), self.expression(match[3])
            if name not in self.names:
                self._declare(name, "b64")
            raw = bits(Value(convert(value, type_), type_)) if type_[0] != "b" else bits(value)
            if type_ == "bf16":
                raw = bits(value)
            return f"{name}=insert({name},{high.c},{low.c},{raw});"
        if match := re.match(r"(\w+)(?:\.[ub]\d+)?\[(.+)\]$", target):
            if self.names.get(match[1], "arr").startswith("arr"):
                raise Untranslatable(f"array element {target}")
            index = self.expression(match[2]).c
            return f"{match[1]}=insert({match[1]},{index},{index},{bits(value)}&1);"
        if match := re.match(r"(\w+)(?:\.(\w+))?$", target):
            name, type_ = match[1], match[2]
            if name == "D0":
                if type_ and type_[0] != "b":
                    value = Value(convert(value, type_), type_)
                return f"D0={bits(value)};"
            if name not in self.names:
                fallback = {"lit": "i32", "mask": "u64"}.get(value.type, value.type)
                self._declare(name, type_ or fallback)
            own = self.names[name]
            if own[0] == "b" and own != "bf16":
                return f"{name}={bits(value)};"
            return f"{name}={convert(value, own)};"
        raise Untranslatable(f"assignment to {target}")

    # ---- expressions

    def expression(self, text: str) -> Value:
        saved = self.tokens, self.at
        self.tokens, self.at = tokens_of(text), 0
        value = self._ternary()
        if self.at != len(self.tokens):
            raise Untranslatable(f"text left over: {self.tokens[self.at][1]}")
        self.tokens, self.at = saved
        return value

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise Untranslatable("text ends early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _expect(self, text: str) -> None:
        if self._next()[1] != text:
            raise Untranslatable(f"{text!r} expected")

    def _ternary(self) -> Value:
        condition = self._binary(0)
        if self._peek() != "?":
            return condition
        self._next()
        yes = self._ternary()
        self._expect(":")
        no = self._ternary()
        type_ = yes.type if yes.type == no.type else joined_type(yes, no)
        return Value(f"(({condition.c})?({convert(yes, type_)}):({convert(no, type_)}))", type_)

    def _binary(self, level: int) -> Value:
        if level == len(LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in LEVELS[level] and self.tokens[self.at][0] == "op":
            operator = self._next()[1]
            signed_zero = self._signed_zero() if operator == "==" else None
            if signed_zero is not None:
                left = Value(f"is_zero_{left.type}({left.c},{signed_zero})", "u1")
                continue
            left = self._combine(operator, left, self._binary(level + 1))
        return left

    def _signed_zero(self) -> int | None:
        """`== -0.0` asks for the sign too; C's == does not."""
        rest = [t[1] for t in self.tokens[self.at : self.at + 2]]
        if len(rest) == 2 and rest[0] in "+-" and rest[1] in ("0.0", "0.0F"):
            self.at += 2
            return int(rest[0] == "-")
        return None

    @staticmethod
    def _combine(operator: str, a: Value, b: Value) -> Value:
        match operator:
            case "||" | "&&":
                return Value(f"(({a.c}){operator}({b.c}))", "u1")
            case "==" | "!=" | "<" | ">" | "<=" | ">=" | "<>":
                type_ = joined_type(a, b)
                x, y = convert(a, type_), convert(b, type_)
                if operator == "<>":
                    return Value(f"less_or_greater({x},{y})", "u1")
                return Value(f"(({x}){operator}({y}))", "u1")
            case "<<" | ">>":
                if a.type == "u128":
                    return Value(f"(({a.c}){operator}(({b.c})&127))", "u128")
                type_ = ("i" if is_signed(a.type) else "u") + ("64" if width(a.type) > 32 else "32")
                name = "shl" if operator == "<<" else "shr"
                return Value(f"{name}_{type_}({convert(a, type_)},(u32)({b.c}))", type_)
            case "**":
                return Value(f"exp2_int_{a.type}((i32)({b.c}))", a.type)
            case _:
                type_ = joined_type(a, b)
                c = f"(({convert(a, type_)}){operator}({convert(b, type_)}))"
                return Value(f"((f16){c})" if type_ == "f16" else c, type_)

    def _unary(self) -> Value:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "op" and text in ("-", "~", "!", "+"):
            self._next()
            value = self._unary()
            if text == "!":
                return Value(f"(!({value.c}))", "u1")
            if text == "~" and value.type == "u1":
                return Value(f"(!({value.c}))", "u1")
            if text == "+":
                return value
            if is_float(value.type):
                return Value(f"(-({value.c}))", value.type)
            type_ = joined_type(value, value)
            if text == "~" and width(value.type) < 32:
                return Value(f"((u32)~({value.c})&{(1 << width(value.type)) - 1}u)", value.type)
            return Value(f"({text}({convert(value, type_)}))", type_)
        return self._postfix(self._primary())

    def _postfix(self, value: Value) -> Value:
        while self._peek() in (".", "[") and self.tokens[self.at][0] == "op":
            if self._next()[1] == ".":
                type_ = self._next()[1]
                if type_ == "fp8" or type_ == "bf8":
                    type_ = "b8"
                if value.type == "mask":
                    continue
                value = reinterpret(value, type_)
                continue
            high = self._ternary()
            if self._peek() == ":":
                self._next()
                low = self._ternary()
                self._expect("]")
                span = constant_span(high.c, low.c)
                type_ = "b64" if span is None or span > 32 else "b32"
                value = Value(f"slice({bits(value)},{high.c},{low.c})", type_)
            elif self._peek() == "+:":
                self._next()
                count = self._ternary()
                self._expect("]")
                top = f"({high.c})+({count.c})-1"
                value = Value(f"slice({bits(value)},{top},{high.c})", "b32")
            else:
                self._expect("]")
                value = Value(f"((u32)(({bits(value)})>>({high.c}))&1u)", "u1")
        return value

    def _arguments(self) -> list[Value]:
        self._expect("(")
        out: list[Value] = []
        while self._peek() != ")":
            out.append(self._ternary())
            if self._peek() == ",":
                self._next()
        self._expect(")")
        return out

    def _primary(self) -> Value:
        kind, text = self._next()
        match kind:
            case "sized":
                return sized_literal(text)
            case "number":
                return plain_number(text)
            case "cast":
                return self._cast(text)
            case "op" if text == "(":
                inner = self._ternary()
                self._expect(")")
                return Value(f"({inner.c})", inner.type, inner.origin)
            case "op" if text == "{":
                return self._concatenation()
            case "name":
                return self._name(text)
        raise Untranslatable(f"{text!r}")

    def _cast(self, text: str) -> Value:
        size, letter = text.split("'")
        self._expect("(")
        value = self._ternary()
        self._expect(")")
        if letter == "B":
            if int(size) > 64:
                return Value(f"((u128)({value.c}))", "u128")
            return Value(bits(value), "b64" if int(size) > 32 else "b32")
        if int(size) > 64:
            if value.type == "u128":
                return value
            signed = "(i128)" if letter == "I" else ""
            return Value(f"((u128){signed}({value.c}))", "u128")
        type_ = letter.lower() + size
        if letter == "F" and value.type == "lit":
            # 32'F(0xffc00000) means these bits, not this number.
            return reinterpret(Value(value.c, "u64"), type_)
        if letter == "F" and value.type in ("u32", "u64", "i64"):
            return reinterpret(value, type_)
        if letter == "F" and value.origin is not None and value.origin.type == type_:
            return value.origin
        if type_ not in C_TYPE:
            raise Untranslatable(f"cast {text}")
        if type_ in ("u1", "b1"):
            return Value(f"(({value.c})&1u)", "u1")
        if letter == "F" and value.type == "b32" and value.c.startswith("(u64)((("):
            return reinterpret(value, type_)
        return Value(convert(value, type_), type_, value if letter == "F" else None)

    def _concatenation(self) -> Value:
        parts = [self._ternary()]
        while self._peek() == ",":
            self._next()
            parts.append(self._ternary())
        self._expect("}")
        total = sum(width(p.type) for p in parts)
        if total > 64:
            raise Untranslatable("concatenation wider than 64 bits")
        c = "0ull"
        for part in parts:
            c = f"(({c})<<{width(part.type)}|({bits(part)}))" if c != "0ull" else f"({bits(part)})"
        return Value(c, "b64" if total > 32 else "b32")

    def _name(self, name: str) -> Value:
        constants = {
            "PI": Value("3.14159265358979323846", "f64"),
            "INF": Value("__builtin_inf()", "f64", Value("INF", "inf")),
            "laneId": Value("(u32)l", "u32"),
        }
        if self._peek() == "(":
            return self._function(name, self._arguments())
        if name == "INF" and self._peek() == ".":
            self._next()
            type_ = self._next()[1]
            return Value(f"(({type_})__builtin_inf())", type_)
        if name in constants:
            return constants[name]
        if name == "SCC":
            self.uses.add("SCC")
            return Value("SCC", "u1")
        if name == "VCC":
            self.uses.add("CARRY_IN")
            for text in (".", "u64", "[", "laneId", "]"):
                self._expect(text)
            return Value("ci", "u1")
        if name in ("EXEC", "EXEC_LO"):
            self.uses.add("EXEC")
            return Value("EXEC", "u64")
        if name == "WAVE_MODE":
            self._expect(".")
            flag = self._next()[1]
            if flag not in ("IEEE", "DX10_CLAMP"):
                raise Untranslatable(f"WAVE_MODE.{flag}")
            return Value({"IEEE": "IEEE", "DX10_CLAMP": "DX10"}[flag], "u1")
        if name in ("SIMM16", "SIMM32"):
            self.uses.add("LITERAL")
            return Value("LITERAL", "b32")
        if name in self.names:
            return Value(name, self.names[name])
        raise Untranslatable(f"name {name}")

    def _function(self, name: str, arguments: list[Value]) -> Value:
        if name in ("signext",):
            a = arguments[0]
            return Value(f"((i64)({a.c}))", "i64")
        if name == "signext_from_bit":
            a = arguments[0]
            c = f"sign_from_bit(({bits(a)}),(u32)({arguments[1].c}))"
            return reinterpret(Value(c, "u64"), a.type)
        if name == "pow":
            return Value(f"exp2_{arguments[1].type}({arguments[1].c})", arguments[1].type)
        if name == "ABSDIFF":
            x, y = (bits(a) for a in arguments)
            return Value(f"absdiff({x},{y})", "u32")
        if name in FUNCTIONS:
            function, result = FUNCTIONS[name]
            first = arguments[0]
            if name in ("isNAN", "isSignalNAN", "cvtToQuietNAN") and first.origin is not None:
                first = first.origin
            if first.type not in FLOATS and name != "abs":
                raise Untranslatable(f"{name} of {first.type}")
            type_ = "i32" if first.type == "lit" else first.type
            rest = [f"(i32)({a.c})" if name == "ldexp" else a.c for a in arguments[1:]]
            value = Value(f"{function}_{type_}({','.join([first.c, *rest])})", result or type_)
            if name == "cvtToQuietNAN":
                return Value(value.c, type_, value)
            return value
        if name in BY_NAME:
            function, result = BY_NAME[name]
            raw = [bits(a) if not is_float(a.type) else a.c for a in arguments]
            return Value(f"{function}({','.join(raw)})", result)
        if match := MINMAX.match(name):
            type_ = match[3]
            by_mode = is_float(type_) and match[1] in ("min", "max") and "num" not in match[2]
            extra = ",IEEE" if by_mode else ""
            args = ",".join(convert(a, type_) for a in arguments)
            return Value(f"{match[1]}{match[2]}_{type_}({args}{extra})", type_)
        if match := NUMERIC.match(name):
            source, result = match[1], match[2]
            value = arguments[0]
            if value.type != source:
                value = reinterpret(value, source)
            out = {"snorm": "i16", "unorm": "u16"}.get(result, result)
            return Value(f"{source}_to_{result}({value.c})", out)
        raise Untranslatable(f"function {name}")


def translate(text: str, operands: dict[str, str]) -> Body:
    """Translate the pseudocode of one instruction; raises Untranslatable."""
    try:
        return Translator(operands).translate(text)
    except KeyError as problem:
        raise Untranslatable(f"no C type for {problem}") from problem
