"""Inline PTX of a file: translated, or reported and left as it is.

    asm("bfe.u32 %0, %1, 8, 4;" : "=r"(r) : "r"(x));      ->      r = (unsigned int)x >> 8 & 0xfu;

Assembly of the host, and of AMD GPUs, is left alone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.ptx.statement import AsmStatement, asm_statements
from crossport.backends.hip.semantics.ptx.translate import Translated, translate
from crossport.backends.hip.semantics.ptx.values import NoTranslation
from crossport.diagnostics import Code, Severity

_HOST_WORDS = (
    "rdtsc",
    "cpuid",
    "mrc ",
    "mftb",
    "fldcw",
    "fnstcw",
    "xchg",
    "lock;",
    "pause",
    "rpcc",
)


def ptx_edits(file: File) -> None:
    """Translate the inline PTX of a file."""
    for statement in asm_statements(file):
        if is_foreign(file, statement):
            continue
        if _in_macro(file, statement.first):
            statement = _bracketed(statement)
        try:
            translated = translate(statement)
        except (NoTranslation, ValueError, IndexError, KeyError) as error:
            reason = (
                error.args[0] if isinstance(error, NoTranslation) else "operands that do not fit"
            )
            _refuse(file, statement, str(reason))
            continue
        file.helpers |= translated.helpers
        file.replace(
            statement.first,
            statement.last,
            _written(file, statement, translated),
            "inline PTX in C++",
        )


# AMD's own mnemonics: a HIP branch that no condition names.
_AMD = re.compile(r"\s*(?:[vs]_[a-z]|ds_[a-z]|buffer_|global_(?:load|store|atomic)_|flat_)")


def is_foreign(file: File, statement: AsmStatement) -> bool:
    """Assembly of another processor, by its registers or mnemonics; or an empty template."""
    template = statement.template
    if not template.strip() and not statement.problem:
        return True
    constraints = "".join(o.constraint for o in statement.operands)
    return (
        _AMD.match(template) is not None
        or any(word in template for word in _HOST_WORDS)
        or any(c in constraints for c in "aASDmgtu")
        or ("%%" in template and any(r in template for r in ("%%e", "%%r1", "%%rax", "%%x", "%%y")))
        or any(o.register in ("w", "m", "g") for o in statement.operands)
    )


def _refuse(file: File, statement: AsmStatement, reason: str) -> None:
    file.report(
        Code.PTX_NOT_TRANSLATED,
        f"inline PTX that has no translation: {reason}",
        statement.first,
        Severity.ERROR,
        "write what it computes in C++, or guard it with #ifndef __HIP_PLATFORM_AMD__",
    )


def _written(file: File, statement: AsmStatement, translated: Translated) -> str:
    in_macro = _in_macro(file, statement.first)
    lines = translated.lines
    if not translated.is_block:
        return (
            lines[0] if statement.ends_with_semicolon else lines[0].removesuffix(";") or "((void)0)"
        )
    if in_macro or not statement.ends_with_semicolon:
        tail = "" if statement.ends_with_semicolon else " "
        return f"{{ {' '.join(lines)} }}{tail}".rstrip()
    indent = _indent(file, statement.first)
    newline = "\r\n" if b"\r\n" in file.text.source[:4096] else "\n"
    body = newline.join(f"{indent}  {line}" for line in lines)
    return f"{{{newline}{body}{newline}{indent}}}"


def _in_macro(file: File, index: int) -> bool:
    """Does a token stand in the body of a `#define`?"""
    tokens = file.text.tokens
    at = index - 1
    while at >= 0 and tokens.kind[at] != Kind.DIRECTIVE:
        at -= 1
    if at < 0 or not tokens.text[at].endswith(b"define"):
        return False
    return tokens.start[index] < tokens.line_end(tokens.start[at])


def _bracketed(statement: AsmStatement) -> AsmStatement:
    """Operands in brackets: a macro's parameter may stand for any expression."""
    return replace(
        statement,
        outputs=tuple(replace(o, text=f"({o.text})") for o in statement.outputs),
        inputs=tuple(replace(o, text=f"({o.text})") for o in statement.inputs),
    )


def _indent(file: File, index: int) -> str:
    source = file.text.source
    start = source.rfind(b"\n", 0, file.text.tokens.start[index]) + 1
    line = source[start : file.text.tokens.start[index]]
    return line[: len(line) - len(line.lstrip())].decode("utf-8", "replace")
