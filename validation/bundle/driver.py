"""Write the C++ driver of a bundle: one function a case, on top of driver_runtime.h.

Case n1000 of vecadd   ->   static void case_0(const driver::Options& o) {
                              driver::Session s(o, "vecadd__n1000", false);
                              auto& a_ = s.array("a", driver::Kind::f32, 1000, 'i', {...});
                              ...
                              s.measure((const void*)kernel, dim3(4), dim3(256), 0, args, false);
                            }
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np

from crossport.validation.cases import ArrayArg, Case, CaseFile, ScalarArg, StructArg, TextureArg
from crossport.validation.dtypes import DType, from_float64
from crossport.validation.generators import key_words

_KINDS = {
    "bool": "boolean", "int8": "i8", "uint8": "u8", "int16": "i16", "uint16": "u16",
    "int32": "i32", "uint32": "u32", "int64": "i64", "uint64": "u64",
    "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64",
}  # fmt: skip
_ROLES = {"in": "i", "out": "o", "inout": "b"}
_WORD = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long long"}
_ADDRESS = {"clamp": "Clamp", "border": "Border", "wrap": "Wrap", "mirror": "Mirror"}


def driver_text(cases: CaseFile) -> str:
    """The whole of driver.cu."""
    names = slugs(cases.cases)
    parts = [
        f"// Runs every case of {cases.source.name} and writes down what it did. Generated.\n"
        '#include "driver_runtime.h"\n'
        f'#include "source/{cases.source.name}"\n',
        *(
            _case(i, case, name)
            for i, (case, name) in enumerate(zip(cases.cases, names, strict=True))
        ),
        _main(cases.cases, names),
    ]
    return "\n".join(parts)


def slugs(cases: Sequence[Case]) -> list[str]:
    """A file name for each case, unique: `reduce_float_128__n1000`."""
    made: list[str] = []
    for case in cases:
        name = re.sub(r"[^A-Za-z0-9]+", "_", case.kernel).strip("_")
        slug = f"{name}__{re.sub(r'[^A-Za-z0-9_-]+', '_', case.name)}"
        made.append(slug if slug not in made else f"{slug}__{len(made)}")
    return made


def _main(cases: Sequence[Case], names: Sequence[str]) -> str:
    rows = "".join(
        f'      {{"{name}", {_bool(case.is_bench)}, case_{i}}},\n'
        for i, (case, name) in enumerate(zip(cases, names, strict=True))
    )
    return (
        "int main(int argc, char** argv) {\n"
        f"  return driver::main_of(argc, argv, {{\n{rows}  }});\n}}\n"
    )


def _case(index: int, case: Case, name: str) -> str:
    lines = [f'  driver::Session s(o, "{name}", {_bool(case.is_bench)});']
    lines += [_array(case, array) for array in case.arrays]
    values: list[str] = []
    for arg in case.args:
        match arg:
            case ArrayArg():
                values.append(f"{arg.name}_.device")
            case ScalarArg():
                word = _WORD[arg.dtype.bytes]
                lines.append(f"  {word} {arg.name}_ = {_bits(arg)};")
                values.append(f"{arg.name}_")
            case StructArg():
                lines += _struct(arg)
                values.append(f"{arg.name}_")
            case TextureArg():
                lines.append(_texture(arg))
                values.append(f"{arg.name}_")
    sizes = ", ".join(f"sizeof({value})" for value in values)
    pointers = ", ".join([f"&{value}" for value in values] + ["nullptr"])
    x, y, z = case.grid
    bx, by, bz = case.block
    lines += [
        f"  auto* kernel = &{case.kernel};",
        f"  if (!driver::fits(kernel, {{{sizes}}})) {{",
        '    std::fprintf(stderr, "driver: the arguments in cases.toml do not fit "'
        f'"{case.kernel}\\n");',
        "    std::exit(2);",
        "  }",
        f"  void* args[] = {{{pointers}}};",
        f"  s.measure(reinterpret_cast<const void*>(kernel), dim3({x}, {y}, {z}), "
        f"dim3({bx}, {by}, {bz}), {case.shared_bytes}, args, {_bool(case.is_cooperative)});",
    ]
    body = "\n".join(lines)
    return f"static void case_{index}(const driver::Options& o) {{\n{body}\n}}\n"


def _array(case: Case, array: ArrayArg) -> str:
    settings = array.generator.settings
    rule = array.generator.rule
    pair: tuple[object, object] = (0, 1)
    values: Sequence[object] = ()
    match rule:
        case "uniform" | "sorted":
            pair = settings.get("range", (0, 1))
        case "exact":
            pair = settings.get("range", (-4, 4))
        case "normal" | "special" | "nonfinite":
            pair = (settings.get("mean", 0), settings.get("std", 1))
        case "skew":
            pair = (settings.get("scale", 1), 0)
        case "const":
            pair = (settings.get("value", 0), 0)
        case "iota":
            pair = (settings.get("start", 0), settings.get("step", 1))
        case "offsets":
            pair = (settings["total"], 0)
        case "choice":
            values = settings["values"]
    k0, k1 = key_words(case.content_key(array))
    low, high = (float(str(v)) for v in pair)
    spec = (
        f'{{"{rule}", {{{k0}ull, {k1}ull}}, {{{low!r}, {high!r}}}, '
        f"{{{_int64(low, pair[0])}, {_int64(high, pair[1])}}}, "
        f"{{{', '.join(repr(float(str(v))) for v in values)}}}}}"
    )
    symbol = f", driver::symbol_of({array.name})" if array.symbol else ""
    ordered = _bool(array.compare not in ("multiset", "ignore"))
    kind, role = _KINDS[array.dtype.name], _ROLES[array.role]
    return (
        f'  auto& {array.name}_ = s.array("{array.name}", driver::Kind::{kind}, '
        f"{array.count}, '{role}', {spec}, {ordered}{symbol});"
    )


def _int64(number: float, exact: object) -> str:
    value = exact if isinstance(exact, int) else int(number)
    return f"{value}ll"


def _struct(arg: StructArg) -> list[str]:
    lines = [f"  {arg.c_type} {arg.name}_{{}};"]
    for field in arg.fields:
        if isinstance(field, tuple):
            member, array = field
            target = f"{arg.name}_.{member}"
            lines.append(f"  {target} = reinterpret_cast<decltype({target})>({array}_.device);")
        else:
            word = _WORD[field.dtype.bytes]
            target = f"{arg.name}_.{field.name}"
            lines.append(
                f"  {{ {word} word = {_bits(field)}; "
                f"static_assert(sizeof({target}) == sizeof(word)); "
                f"std::memcpy(&{target}, &word, sizeof(word)); }}"
            )
    return lines


def _texture(arg: TextureArg) -> str:
    return (
        f"  cudaTextureObject_t {arg.name}_ = s.texture({arg.array}_, {arg.width}, {arg.height}, "
        f"{arg.channels}, {_bool(arg.linear_filter)}, cudaAddressMode{_ADDRESS[arg.address]}, "
        f"{_bool(arg.normalized)});"
    )


def _bits(arg: ScalarArg) -> str:
    """A scalar as the integer whose bytes it has: no rounding between here and the kernel."""
    return f"0x{int.from_bytes(scalar_bytes(arg.dtype, arg.value), 'little'):x}"


def scalar_bytes(dtype: DType, value: float | int) -> bytes:
    """A number in its type's bytes, little endian."""
    if dtype.is_float:
        return from_float64(np.array([value], dtype=np.float64), dtype).tobytes()
    return struct.pack("<q" if value < 0 else "<Q", int(value))[: dtype.bytes]


def _bool(value: bool) -> str:
    return "true" if value else "false"
