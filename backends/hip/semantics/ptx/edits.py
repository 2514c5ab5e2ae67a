"""Inline PTX of a file: translated, or reported and left as it is.

    asm("bfe.u32 %0, %1, 8, 4;" : "=r"(r) : "r"(x));      ->      r = (unsigned int)x >> 8 & 0xfu;

Assembly of the host, and of AMD GPUs, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.ptx.statement import AsmStatement, asm_statements
from crossport.backends.hip.semantics.ptx.translate import Translated, translate
from crossport.backends.hip.semantics.ptx.values import NoTranslation
from crossport.backends.hip.source import SourceText
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
    "mfctl",
    "rd %%tick",
    "_fpcr",
    "mtfsf",
    "mffs",
    "frsp",
    "%hi(",
    "%lo(",
    "%fsr",
    "lwarx",
    "=ar.",
)


def ptx_edits(file: File, texts: Collection[SourceText]) -> None:
    """Translate the inline PTX of a file; `texts` are the files of its unit."""
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
            _refuse(file, statement, str(reason), texts)
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


def _refuse(
    file: File, statement: AsmStatement, reason: str, texts: Collection[SourceText]
) -> None:
    macro = _macro_around(file, statement.first)
    is_unused = macro is not None and not _is_used(file.text.tokens.text[macro], texts)
    file.report(
        Code.PTX_NOT_TRANSLATED,
        f"inline PTX that has no translation: {reason}"
        + (", in a macro that is not used" if is_unused else ""),
        statement.first,
        Severity.WARNING if is_unused else Severity.ERROR,
        "write what it computes in C++, or guard it with #ifndef __HIP_PLATFORM_AMD__",
    )


def _is_used(macro: bytes, texts: Collection[SourceText]) -> bool:
    """Whether a unit names a macro elsewhere than where it defines it."""
    for text in texts:
        if macro not in text.words:
            continue
        tokens = text.tokens
        for index in text.code_names:
            if tokens.text[index] == macro and not tokens.at(index - 1).endswith(
                (b"define", b"undef")
            ):
                return True
    return False


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
    return _macro_around(file, index) is not None


def _macro_around(file: File, index: int) -> int | None:
    """The name of the macro in whose body a token stands."""
    tokens = file.text.tokens
    at = index - 1
    while at >= 0 and tokens.kind[at] != Kind.DIRECTIVE:
        at -= 1
    if at < 0 or not tokens.text[at].endswith(b"define"):
        return None
    return at + 1 if tokens.start[index] < tokens.line_end(tokens.start[at]) else None


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
