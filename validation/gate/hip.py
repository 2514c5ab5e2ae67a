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
from crossport.validation.gate.host import host_variables
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
    "asks what the compiler knows": "__builtin_constant_p __builtin_is_constant_evaluated "
    "is_constant_evaluated __builtin_object_size __builtin_dynamic_object_size",
    "reaches the system": "getenv secure_getenv setenv environ popen system fork vfork clone "
    "execve execvp execl execlp posix_spawn posix_spawnp dlopen dlsym ptrace mprotect mmap "
    "shm_open syscall fopen freopen ifstream ofstream fstream filesystem opendir socket "
    "pthread_create jthread async atexit at_quick_exit sigaction signal usleep nanosleep",
}
# A port may ask for what its original asks for, in the words of the other platform.
_CLOCKS = (
    "clock clock64 __clock __clock64 wall_clock64 __builtin_readcyclecounter s_memtime "
    "__builtin_readsteadycounter __builtin_amdgcn_s_memtime __builtin_amdgcn_s_memrealtime "
    "s_memrealtime s_get_shader_cycles steady_clock system_clock high_resolution_clock "
    "clock_gettime gettimeofday"
)
_PLACES = (
    "__smid __builtin_amdgcn_s_getreg s_getreg_b32 __builtin_amdgcn_dispatch_ptr "
    "__builtin_amdgcn_dispatch_id __builtin_amdgcn_queue_ptr __builtin_amdgcn_implicitarg_ptr "
    "__builtin_amdgcn_kernarg_segment_ptr __builtin_amdgcn_processor_is"
)
_IN_OTHER_WORDS = (
    ("asks for the time", frozenset(_CLOCKS.split()), re.compile(r"clock|globaltimer|chrono|time")),
    ("asks where it runs", frozenset(_PLACES.split()), re.compile(r"smid|getreg")),
)  # fmt: skip
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
_NEVER = re.compile(r"#\s*(el)?if\s+\(?\s*(0|false)\b")
_REPLACES = re.compile(r"\b(weak|push_macro|pop_macro|redefine_extname|include_alias)\b")
_KEYWORDS = frozenset(
    "if else for while do switch case break continue return goto int float double char short long "
    "unsigned signed bool void auto const static struct class template typename using namespace "
    "sizeof true false inline extern volatile __global__ __device__ __host__ __shared__ "
    "__constant__ __launch_bounds__ __syncthreads threadIdx blockIdx blockDim gridDim "
    "warpSize".split()
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
    macros: frozenset[bytes]
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
            frozenset(
                tokens.at(at + 1)
                for tokens in originals
                for at, kind in enumerate(tokens.kind)
                if kind == Kind.DIRECTIVE and tokens.text[at].endswith(b"define")
            ),
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
                yield from self._other_words(start, text.decode("utf-8", "replace"))
            elif kind == Kind.DIRECTIVE:
                yield from self._directive(at)
        for start, name in kept_variables(tokens):
            if name not in self.known.kept:
                yield start, f"keeps {name.decode()}, which is no variable of the original"
        for start, name in host_variables(tokens):
            if name not in self.known.names:
                yield start, f"keeps {name.decode()} on the host, which the original has not"
        yield from self._includes()
        yield from self._assembly()
        yield from self._spelling()

    def _other_words(self, start: int, text: str) -> Iterator[tuple[int, str]]:
        """Clocks and places, which the original may have under another name."""
        for why, words, theirs in _IN_OTHER_WORDS:
            if text in words and not theirs.search(self.known.text):
                yield start, f"{why}: {text}"

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
        elif word == "line":
            yield start, "names another place: #line"
        elif word in ("if", "elif") and _NEVER.search(line):
            yield start, f"switches code off: {line.strip()[:60]}"
        elif word == "define":
            yield from self._macro(start, self.tokens.at(at + 1))
        elif word == "pragma" and _REPLACES.search(line):
            yield start, f"may be replaced: {line.strip()[:60]}"

    def _macro(self, start: int, name: bytes) -> Iterator[tuple[int, str]]:
        """A new macro over a word that has a meaning: of the language, the runtime, or the
        original."""
        text = name.decode("utf-8", "replace")
        is_theirs = name in self.known.names and name not in self.known.macros
        if text in _KEYWORDS or text.startswith(("hip", "__hip", "__builtin")) or is_theirs:
            yield start, f"gives a word another meaning: #define {text}"

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
            for word in re.findall(r"\w+", template):
                yield from self._other_words(start, word)
            if template in self.known.text and plain:
                continue
            if not plain:
                yield start, "asm whose text is not written out"
            elif _ASSEMBLER.search(template):
                yield start, "asm with a directive of the assembler"

    def _spelling(self) -> Iterator[tuple[int, str]]:
        """Ways of writing a word so that nobody finds it."""
        source = self.tokens.source
        if b"_Pragma" not in self.known.names:
            for match in re.finditer(rb'_Pragma\s*\(\s*"[^"]*\b(weak|push_macro|redefine)', source):
                yield match.start(), "may be replaced: _Pragma"
        for pattern, why in _SPELLINGS:
            if not pattern.search(self.known.text.encode()):
                for match in pattern.finditer(source):
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
