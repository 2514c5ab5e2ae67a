"""What a compile command says about the language, in clang's words.

Example (a Makefile's command, and what a check of the ported file needs of it):

    nvcc -std=c++17 -Xcompiler -fopenmp,-Wall -arch=sm_60 -O3 -I../inc -DN=4 -c a.cu -o a.o
    ->  -std=c++17  -fopenmp  -DN=4      include folders: ../inc

Flags about code generation, warnings, architectures and linking say nothing about whether a file
compiles, and are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CUDA_SUFFIXES = frozenset({".cu"})
HIP_SUFFIXES = frozenset({".hip"})
HOST_SUFFIXES = frozenset({".c", ".cc", ".cpp", ".cxx", ".c++", ".C"})
SOURCE_SUFFIXES = CUDA_SUFFIXES | HIP_SUFFIXES | HOST_SUFFIXES

# nvcc's and gcc's options that take their value as the next word.
_WITH_VALUE = frozenset(
    "-o -ccbin --compiler-bindir -gencode --generate-code -arch --gpu-architecture -code"
    " --gpu-code -Xptxas --ptxas-options -Xlinker --linker-options -Xnvlink -Xarchive -Xfatbin"
    " -maxrregcount --maxrregcount -l -L -T -MF -MT -MQ -u -z -framework --std -std -rpath"
    " -odir --output-directory -diag-suppress --diag-suppress -diag-error -Werror-all-warnings"
    " -t --threads -cudart --cudart -optf --options-file --default-stream -prec-div -prec-sqrt"
    " -mllvm -Xclang".split()
)
_FOLDERS = ("-I", "-isystem", "-iquote", "-idirafter", "--include-path", "--system-include")
_FORCED = ("-include", "--pre-include", "-imacros")
_TO_HOST = ("-Xcompiler", "--compiler-options", "-Xcompiler=", "--compiler-options=")
_KEPT = ("-fopenmp", "-pthread", "-fno-exceptions", "-fno-rtti", "-fchar8_t", "-funsigned-char")


@dataclass(frozen=True, slots=True)
class CompileFlags:
    """A command taken apart; relative folders are still relative to where it runs."""

    sources: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    language: str = ""
    compiles: bool = True


def read_command(arguments: Sequence[str]) -> CompileFlags:
    """Take a compiler's arguments (without the compiler itself) apart."""
    sources: list[str] = []
    flags: list[str] = []
    folders: list[str] = []
    forced: list[str] = []
    language = ""
    compiles = True
    words = iter(arguments)
    for word in words:
        if (value := _valued(word, _FOLDERS, words)) is not None:
            folders.append(value)
        elif (value := _valued(word, _FORCED, words)) is not None:
            forced.append(value)
        elif word in ("-D", "-U", "--define-macro", "--undefine-macro"):
            kind = "-U" if word.lower().startswith(("-u", "--undefine")) else "-D"
            flags.append(kind + next(words, ""))
        elif word.startswith(("-D", "-U")):
            flags.append(word)
        elif word.startswith(_TO_HOST):
            inner = word.partition("=")[2] or next(words, "")
            nested = read_command([part for part in inner.split(",") if part])
            flags += nested.flags
            folders += nested.folders
        elif word in ("-x", "--x"):
            language = next(words, "")
        elif word.startswith("-x") and len(word) > 2 and not word.startswith("-xH"):
            language = word[2:].lstrip("=")
        elif word in ("-std", "--std"):
            flags.append(f"-std={next(words, '')}")
        elif word.startswith(("-std=", "--std=")):
            flags.append("-std=" + word.partition("=")[2])
        elif word.startswith(_KEPT):
            flags.append(word)
        elif word in ("-E", "-M", "-MM", "--version", "-V", "-dryrun", "--help"):
            compiles = False
        elif word in _WITH_VALUE:
            next(words, "")
        elif not word.startswith("-") and Path(word).suffix in SOURCE_SUFFIXES:
            sources.append(word)
    return CompileFlags(
        tuple(sources), tuple(flags), tuple(folders), tuple(forced), language, compiles
    )


def _valued(word: str, options: tuple[str, ...], words: Iterator[str]) -> str | None:
    """The value of one of `options`, written `-I x`, `-Ix` or `--include-path=x`."""
    for option in options:
        if word == option:
            return next(words, "")
        if word.startswith(option) and len(word) > len(option):
            rest = word[len(option) :]
            if option.startswith("--") and not rest.startswith("="):
                continue
            # `-include-pch` is another option than `-include`.
            if option in ("-include", "-isystem", "-iquote") and rest.startswith("-"):
                continue
            return rest.removeprefix("=")
    return None
