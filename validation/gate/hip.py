"""What a HIP port may contain beyond its original: nothing that a port of it would not need.

    asm(".incbin \\"k.bundle\\"");        "4: asm at file scope"
    #if __has_include("/home/...")       "1: looks for files: __has_include"
    __device__ int calls;                "3: keeps calls, which is no variable of the original"

A HIP port is the source, edited. So whatever the original has too is fine, and what is new is held
against a list: reading files while compiling, asking who compiles, code that runs before main,
state between launches, a second kernel of the same name, a library that the original did without.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from crossport.backends.hip.lexer import Kind, Tokens
from crossport.validation.gate.kept import kept_variables

_ASKS = {
    "looks for files": "__has_include __has_include_next __has_embed",
    "asks for its own place": "__FILE__ __BASE_FILE__ __FILE_NAME__ __builtin_FILE "
    "__INCLUDE_LEVEL__ source_location __builtin_source_location",
    "asks when it is compiled": "__TIME__ __DATE__ __TIMESTAMP__",
    "asks who compiles it": "__clang_major__ __clang_minor__ __clang_patchlevel__ "
    "__clang_version__ __VERSION__ __OPTIMIZE__ __OPTIMIZE_SIZE__",
    "runs by itself": "constructor destructor ifunc init_priority",
    "may be replaced": "weak weakref alias naked section",
    "reaches the system": "getenv secure_getenv setenv popen fork vfork execve execvp dlopen dlsym "
    "ptrace mprotect syscall fopen ifstream opendir socket pthread_create sigaction signal",
}  # fmt: skip
_QUESTIONS = {name: why for why, names in _ASKS.items() for name in names.split()}
_DIRECTIVES = {"embed", "include_next", "import"}
_LIBRARIES = re.compile(
    r"(hipblas|rocblas|hipblaslt|miopen|hipfft|rocfft|hipsparse|rocsparse|hipsolver|rocsolver|"
    r"hipdnn|ck/|composable_kernel|hipcub|rocprim|thrust|rocwmma|torch|ATen|Eigen|mkl|cblas)"
)
_THEIRS = re.compile(
    r"cublas|cudnn|cufft|cusparse|cusolver|cub/|cub::|thrust|wmma|mma\.h|cutlass|torch|ATen|Eigen|cute"
)
_ASSEMBLER = re.compile(
    r"\.\s*(inc|sec|globl|text|data|weak|hidden|macro|set\b|org|fill|byte|long|quad|pushs|previous)"
)
_SPELLINGS = (
    (re.compile(rb"(?<=\w)\\\r?\n(?=\w)"), "a word in two lines"),
    (re.compile(rb"##"), "a word pasted together"),
    (re.compile(rb"%:|\?\?="), "a directive in other letters"),
    (re.compile(rb"\\u[0-9a-fA-F]{4}"), "a name in code points"),
)


def gate_hip(
    files: Mapping[str, bytes], originals: Collection[bytes], kernels: Collection[str]
) -> list[str]:
    """Why the files are no port of the originals; empty where they may be compiled.

    kernels: the plain names of those that are judged. Each entry starts with `file:line`.
    """
    known = _Known.of([Tokens(text) for text in originals])
    ported = {name: Tokens(data) for name, data in files.items()}
    found: list[str] = []
    for name, tokens in ported.items():
        text = _Text(name, tokens, known)
        found += [f"{name}:{tokens.place(at)[0]}: {what}" for at, what in text.findings()]
    found += _kernels(ported, known, kernels)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Known:
    """What the original has."""

    names: Counter[bytes]
    kept: frozenset[bytes]
    text: str
    includes: frozenset[str]
    definitions: Counter[bytes]
    asm_at_file_scope: int

    @classmethod
    def of(cls, originals: Collection[Tokens]) -> _Known:
        names: Counter[bytes] = Counter()
        definitions: Counter[bytes] = Counter()
        outside = 0
        for tokens in originals:
            names.update(t for k, t in zip(tokens.kind, tokens.text, strict=True) if k == Kind.NAME)
            definitions.update(_definitions(tokens))
            outside += sum(depth == 0 for _, depth in _asms(tokens))
        return cls(
            names,
            frozenset(name for tokens in originals for _, name in kept_variables(tokens)),
            "\n".join(tokens.source.decode("utf-8", "replace") for tokens in originals),
            frozenset(i.path for tokens in originals for i in tokens.includes()),
            definitions,
            outside,
        )


class _Text:
    """One file of the port."""

    def __init__(self, name: str, tokens: Tokens, known: _Known) -> None:
        self.name, self.tokens, self.known = name, tokens, known

    def findings(self) -> Iterator[tuple[int, str]]:
        """Place and finding."""
        tokens = self.tokens
        for at, kind in enumerate(tokens.kind):
            start, text = tokens.start[at], tokens.text[at]
            if kind == Kind.NAME:
                why = _QUESTIONS.get(text.decode("utf-8", "replace"))
                if why is not None and text not in self.known.names:
                    yield start, f"{why}: {text.decode()}"
            elif kind == Kind.DIRECTIVE:
                yield from self._directive(at)
        for start, name in kept_variables(tokens):
            if name not in self.known.kept:
                yield start, f"keeps {name.decode()}, which is no variable of the original"
        yield from self._includes()
        yield from self._assembly()
        yield from self._spelling()

    def _directive(self, at: int) -> Iterator[tuple[int, str]]:
        start = self.tokens.start[at]
        word = self.tokens.text[at].lstrip().lstrip(b"#").strip().decode("ascii", "replace")
        line = self.tokens.source[start : self.tokens.line_end(start)].decode("utf-8", "replace")
        if line.strip() in self.known.text:
            return
        if word in _DIRECTIVES:
            yield start, f"reads a file while compiling: #{word}"
        elif word == "include" and '"' not in line and "<" not in line:
            yield start, "includes what a macro names"
        elif word == "pragma" and re.search(
            r"\b(weak|push_macro|pop_macro|redefine_extname)\b", line
        ):
            yield start, f"may be replaced: {line.strip()[:60]}"

    def _includes(self) -> Iterator[tuple[int, str]]:
        for include in self.tokens.includes():
            path = include.path
            if path in self.known.includes:
                continue
            meant = normpath(join(dirname(self.name), path))
            if meant.startswith(("/", "~", "..", "\\")):
                yield include.start, f"includes a file from elsewhere: {path}"
            library = _LIBRARIES.search(path)
            if library and not _THEIRS.search(self.known.text):
                yield include.start, f"uses a library that the original did without: {path}"

    def _assembly(self) -> Iterator[tuple[int, str]]:
        outside = 0
        for at, depth in _asms(self.tokens):
            start = self.tokens.start[at]
            outside += depth == 0
            if depth == 0 and outside > self.known.asm_at_file_scope:
                yield start, "asm at file scope"
            template, plain = _template(self.tokens, at)
            if template in self.known.text and plain:
                continue
            if not plain:
                yield start, "asm whose text is not written out"
            elif _ASSEMBLER.search(template):
                yield start, "asm with a directive of the assembler"

    def _spelling(self) -> Iterator[tuple[int, str]]:
        """Ways of writing a word so that nobody finds it."""
        for pattern, why in _SPELLINGS:
            if not pattern.search(self.known.text.encode()):
                for match in pattern.finditer(self.tokens.source):
                    yield match.start(), why


def _asms(tokens: Tokens) -> Iterator[tuple[int, int]]:
    """Where `asm` stands, and how many braces are open there."""
    depth = 0
    for at, text in enumerate(tokens.text):
        if text == b"{":
            depth += 1
        elif text == b"}":
            depth -= 1
        elif tokens.kind[at] == Kind.NAME and text in (b"asm", b"__asm__", b"__asm"):
            yield at, depth


def _template(tokens: Tokens, at: int) -> tuple[str, bool]:
    """The text of an asm, and whether it is written out: string literals only."""
    parts: list[str] = []
    i = at + 1
    while i < len(tokens) and tokens.text[i] in (b"volatile", b"__volatile__", b"goto", b"inline"):
        i += 1
    i += 1  # The opening bracket.
    while i < len(tokens) and tokens.text[i] not in (b":", b")", b"::"):
        if tokens.kind[i] != Kind.STRING:
            return "".join(parts), False
        parts.append(tokens.text[i].decode("utf-8", "replace").strip('"'))
        i += 1
    return "".join(parts), bool(parts)


def _definitions(tokens: Tokens) -> Iterator[bytes]:
    """Names of kernels, once for each `__global__` that declares or defines them."""
    for at, text in enumerate(tokens.text):
        if text != b"__global__":
            continue
        for i in range(at + 1, min(at + 40, len(tokens) - 1)):
            attribute = tokens.text[i] in (b"__launch_bounds__", b"__attribute__", b"alignas")
            if tokens.kind[i] == Kind.NAME and tokens.text[i + 1] == b"(" and not attribute:
                yield tokens.text[i]
                break


def _kernels(
    ported: Mapping[str, Tokens], known: _Known, kernels: Collection[str]
) -> Iterator[str]:
    names: Counter[bytes] = Counter()
    definitions: Counter[bytes] = Counter()
    for tokens in ported.values():
        names.update(t for k, t in zip(tokens.kind, tokens.text, strict=True) if k == Kind.NAME)
        definitions.update(_definitions(tokens))
    first = next(iter(ported), "")
    for kernel in dict.fromkeys(k.split("<")[0].split("::")[-1].strip() for k in kernels):
        name = kernel.encode()
        if definitions[name] > known.definitions[name] > 0:
            yield f"{first}:0: defines {kernel} more often than the original: which is launched?"
        was = known.names[name] - known.definitions[name]
        if was > 0 and 0 < names[name] <= definitions[name]:
            yield f"{first}:0: the original launches {kernel}, the port does not"
