"""Read a CUDA source, and the flags it is compiled with; say what is wrong with either.

read_source(Path("k.cu"))                      the bytes, or PortError CP1001..CP1003
clang_flags(["-Iinc", "-O3", "-arch=sm_90"])   ("-Iinc",): what changes the meaning of the text
database_flags(Path("k.cu"), Path("build"))    the same from build/compile_commands.json
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError

_LARGEST = 256 * 1024 * 1024


def read_source(path: Path) -> bytes:
    """The bytes of a source file. Anything that is not text raises `PortError`."""
    try:
        if path.is_dir():
            raise _refused(Code.CANNOT_READ, f"{path} is a folder, not a source file")
        if path.stat().st_size > _LARGEST:
            raise _refused(Code.NOT_TEXT, f"{path} is larger than {_LARGEST >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refused(Code.CANNOT_READ, f"cannot read {path}: {reason}") from error
    except ValueError as error:  # a null byte in the name
        raise _refused(Code.CANNOT_READ, f"cannot read {str(path)!r}: {error}") from error
    check_source(path, data)
    return data


def check_source(path: Path, data: bytes) -> None:
    """Raise `PortError` unless the bytes can be C++ text."""
    if not data.strip():
        raise _refused(Code.EMPTY_INPUT, f"{path} is empty")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused(Code.NOT_TEXT, f"{path} is UTF-16", "save it as UTF-8")
    if b"\0" in data:
        raise _refused(Code.NOT_TEXT, f"{path} holds null bytes: it is not source text")


# Options that take a value in the next word, or right behind themselves.
_WITH_VALUE = ("-I", "-D", "-U", "-isystem", "-iquote", "-include", "-idirafter")
# nvcc's long spellings.
_LONG = {
    "--include-path": "-I",
    "--define-macro": "-D",
    "--undefine-macro": "-U",
    "--system-include": "-isystem",
    "--pre-include": "-include",
}
_STANDARDS = {
    "c++03",
    "c++11",
    "c++14",
    "c++17",
    "c++20",
    "gnu++11",
    "gnu++14",
    "gnu++17",
    "gnu++20",
}


def clang_flags(flags: Sequence[str], folder: Path | None = None) -> tuple[str, ...]:
    """Of a compiler's flags (nvcc, clang or gcc), those that decide what the source says.

    Include folders, macros, forced includes and the language standard stay; paths become relative
    to `folder`. Include folders of a CUDA toolkit or a C library go: the shim stands for them.
    """
    kept: list[str] = []
    words = list(flags)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in _LONG:
            option = _LONG[name]
            value = value if equals else (words.pop(0) if words else "")
            kept += _kept(option, value, folder)
        elif name in ("-std", "--std"):
            value = value if equals else (words.pop(0) if words else "")
            if value in _STANDARDS:
                kept.append(f"-std={value}")
        elif option := next((o for o in _WITH_VALUE if word.startswith(o)), ""):
            value = (
                word[len(option) :].removeprefix("=")
                if option.startswith("-is")
                else word[len(option) :]
            )
            if not value:
                value = words.pop(0) if words else ""
            for part in value.split(",") if option == "-I" else (value,):
                kept += _kept(option, part, folder)
    return tuple(kept)


def _kept(option: str, value: str, folder: Path | None) -> list[str]:
    value = value.strip()
    if not value:
        return []
    if option in ("-D", "-U"):
        return [option + value]
    path = value if folder is None or os.path.isabs(value) else str(folder / value)
    if option != "-include" and is_toolkit(Path(path)):
        return []
    return [option + path] if option == "-I" else [option, path]


def is_installed(folder: Path) -> bool:
    """Is this the include folder of a CUDA toolkit or of a C library, and so no project's?"""
    return _has(folder, "cuda_runtime_api.h", "stdlib.h", "vector")


def is_toolkit(folder: Path) -> bool:
    """Does an include folder hold headers that the shim replaces? A project may bring CUB along."""
    return is_installed(folder) or _has(folder, "cub/cub.cuh", "thrust/version.h")


def _has(folder: Path, *headers: str) -> bool:
    return any((folder / header).is_file() for header in headers)


def database_flags(path: Path, build: Path) -> tuple[str, ...]:
    """The flags of one file from a compilation database; () where it has no entry."""
    file = build if build.is_file() else build / "compile_commands.json"
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(
            Code.CANNOT_READ,
            f"no compilation database: {file}: {error.strerror}",
            "name the folder that holds compile_commands.json",
        ) from error
    except ValueError as error:
        raise _refused(Code.CANNOT_READ, f"{file} is not JSON: {error}") from error
    target = path.resolve()
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        folder = Path(str(entry.get("directory", ".")))
        folder = folder if folder.is_absolute() else file.parent / folder
        if (folder / str(entry.get("file", ""))).resolve() == target:
            arguments = entry.get("arguments")
            if not isinstance(arguments, list):
                try:
                    arguments = shlex.split(str(entry.get("command", "")))
                except ValueError:
                    arguments = str(entry.get("command", "")).split()
            return clang_flags([str(a) for a in arguments[1:]], folder)
    return ()


def _refused(code: Code, message: str, help: str = "") -> PortError:
    return PortError(Diagnostic(code, message, help=help))
