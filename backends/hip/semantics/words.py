"""Small words with another meaning, or none, in HIP.

    register int i;                         ->   int i;                 (no such word in C++17)
    __nanosleep(100);                       ->   __builtin_amdgcn_s_sleep(2);
    __pipeline_memcpy_async(to, from, 16)   ->   copy_now(to, from, 16)   (nothing to wait for)
    __launch_bounds__(256, 2)               noted: the second number counts something else
    __launch_bounds__(256, 2, 4)            ->   __launch_bounds__(256, 2)   (no clusters)

Each is decided by the word alone, so that macros and inactive branches are covered.
"""

from __future__ import annotations

import re

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.semantics.context import Call, File
from crossport.backends.hip.semantics.warp import is_pure
from crossport.diagnostics import Code, Severity

_CYCLES_PER_SLEEP = 64
WHY_COPY = "copies into LDS are done at once"


def word_edits(file: File) -> None:
    """Rewrite the small words of a file."""
    for index in file.uses((b"register",)):
        _register(file, index)
    for call in file.calls((b"__nanosleep",)):
        _sleep(file, call)
    for call in file.calls((b"__launch_bounds__",)):
        _bounds(file, call)
    for call in file.calls((b"__pipeline_memcpy_async",)):
        file.helpers.add("copy_now")
        file.replace(call.name, call.name, "copy_now", WHY_COPY)
    for call in file.calls((b"__pipeline_commit", b"__pipeline_wait_prior")):
        file.replace(call.name, call.closing, "((void)0)", WHY_COPY)


def _register(file: File, index: int) -> None:
    tokens = file.text.tokens
    if not tokens.is_name(index + 1) and tokens.kind[index + 1 : index + 2] != [Kind.PUNCT]:
        return
    following = tokens.start[index + 1] if index + 1 < len(tokens) else tokens.end(index)
    between = tokens.source[tokens.end(index) : following]
    end = following if between.strip() == b"" and b"\n" not in between else tokens.end(index)
    file.replace_bytes(tokens.start[index], end, "", "C++17 has no register storage class")


def _sleep(file: File, call: Call) -> None:
    text = ", ".join(file.source(*a) for a in call.arguments)
    number = re.fullmatch(r"\s*(\d+)[uUlL]*\s*", text)
    # About one cycle a nanosecond; the operand must be a constant of 7 bits.
    units = min(127, max(1, int(number[1]) // _CYCLES_PER_SLEEP)) if number else 2
    sleep = f"__builtin_amdgcn_s_sleep({units})"
    if not is_pure(text):
        sleep = f"((void)({text}), {sleep})"
    file.replace(call.name, call.closing, sleep, "a pause, in steps of 64 cycles")


def _bounds(file: File, call: Call) -> None:
    arguments = call.arguments
    if len(arguments) == 3:
        tokens = file.text.tokens
        end = tokens.end(arguments[1][1] - 1)
        file.replace_bytes(
            end, tokens.start[call.closing], "", "AMD GPUs have no thread block clusters"
        )
    if len(arguments) >= 2:
        file.report(
            Code.LAUNCH_BOUNDS_DIFFER,
            "the second argument of __launch_bounds__ is blocks per multiprocessor in CUDA, and"
            " wavefronts per SIMD unit on AMD GPUs; results do not depend on it, speed may",
            arguments[1][0],
            Severity.NOTE,
            "tune it on the target, or drop it",
        )
