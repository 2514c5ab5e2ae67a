"""Write the program that makes a candidate's launches on a GPU: HIP text, one function a call.

call 0: vecadd, n = 33   ->   static void call_0() {
                                launcher::Call s(0);
                                void* a_ = s.array("a", 132);
                                unsigned int n_ = 0x21;
                                void* args[] = {&a_, &b_, &c_, &n_, nullptr};
                                s.launch((const void*)kernel, dim3(1, 1, 1), dim3(256, 1, 1), ...);
                              }
"""

from __future__ import annotations

from collections.abc import Sequence

from crossport.validation.bundle.driver import scalar_bytes
from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg, TextureArg
from crossport.validation.runners.base import Call

_WORD = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long long"}


def can_launch(case: Case) -> bool:
    """Whether this runner has a way to pass the arguments: all but textures."""
    return not any(isinstance(arg, TextureArg) for arg in case.args)


def launcher_text(entry: str, calls: Sequence[Call]) -> str:
    """The whole program; calls that cannot be passed answer so."""
    functions = [_call(number, call.case) for number, call in enumerate(calls)]
    runs = "\n".join(f"  call_{number}();" for number in range(len(calls)))
    return "\n".join(
        [
            "// Makes the launches of one candidate. Generated.",
            "#include <hip/hip_runtime.h>",
            f'#include "candidate/{entry}"',
            '#include "launcher_runtime.h"',
            *functions,
            f"int main() {{\n{runs}\n}}\n",
        ]
    )


def _call(number: int, case: Case) -> str:
    if not can_launch(case):
        reply = '{\\"status\\": \\"unsupported\\"}'
        return (
            f"static void call_{number}() {{\n"
            f'  launcher::replies().push_back("{reply}");\n  launcher::write_replies();\n}}'
        )
    lines = [f"  launcher::Call s({number});"]
    for array in case.arrays:
        if array.symbol:
            lines.append(
                f"  void* {array.name}_ = nullptr;\n"
                f"  (void)hipGetSymbolAddress(&{array.name}_, HIP_SYMBOL({array.name}));\n"
                f'  s.variable("{array.name}", {array.bytes}, {array.name}_);'
            )
        else:
            lines.append(f'  void* {array.name}_ = s.array("{array.name}", {array.bytes});')
    for arg in case.args:
        match arg:
            case ScalarArg():
                lines.append(f"  {_WORD[arg.dtype.bytes]} {arg.name}_ = {_bits(arg)};")
            case StructArg():
                lines += _struct(arg)
            case ArrayArg() | TextureArg():
                pass
    pointers = ", ".join([f"&{arg.name}_" for arg in case.args] + ["nullptr"])
    grid, block = (", ".join(map(str, size)) for size in (case.grid, case.block))
    cooperative = str(case.is_cooperative).lower()
    lines += [
        f"  auto* kernel = &{case.kernel};",
        f"  void* args[] = {{{pointers}}};",
        f"  s.launch(reinterpret_cast<const void*>(kernel), dim3({grid}), dim3({block}), "
        f"{case.shared_bytes}, args, {cooperative});",
    ]
    body = "\n".join(lines)
    return f"static void call_{number}() {{\n{body}\n}}"


def _struct(arg: StructArg) -> list[str]:
    lines = [f"  {arg.c_type} {arg.name}_{{}};"]
    for field in arg.fields:
        if isinstance(field, tuple):
            member, array = field
            target = f"{arg.name}_.{member}"
            lines.append(f"  {target} = static_cast<decltype({target})>({array}_);")
        else:
            target = f"{arg.name}_.{field.name}"
            word = _WORD[field.dtype.bytes]
            lines.append(
                f"  {{ {word} bits = {_bits(field)}; "
                f"std::memcpy(&{target}, &bits, sizeof(bits)); }}"
            )
    return lines


def _bits(arg: ScalarArg) -> str:
    return f"0x{int.from_bytes(scalar_bytes(arg.dtype, arg.value), 'little'):x}"
