"""HIP's own header, parsed once: most of the time of a check goes into reading it again.

    k.hip:  #include <hip/hip_runtime.h>   ->   -include-pch ~/.cache/crossport/pch/<hash>.pch

A precompiled header is used only where it cannot change the answer of a passing file: the file
includes hip_runtime.h itself, and neither it nor its flags define a macro that HIP's headers
read. A file that fails with it is compiled again without, so that errors are always the real ones.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from crossport.validation.amdgpu.compile.cache import cache_root, content_key, partial_name
from crossport.validation.amdgpu.compile.commands import Command

_INCLUDES_HIP = re.compile(
    rb"^[ \t]*#[ \t]*include[ \t]*[<\"]hip/hip_runtime\.h[>\"]", re.MULTILINE
)
_STEERS_HIP = re.compile(rb"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(?:_*HIP|__|NDEBUG)", re.MULTILINE)
# Flags with a value of their own that say where things are, not how the language is.
_PLACES = ("-I", "-isystem", "-iquote", "-idirafter", "-D", "-U")


def precompiled_flags(
    command: Command, flags: Sequence[str], text: bytes, state: str
) -> tuple[str, ...]:
    """Flags that make `command` read the header precompiled; empty where that is not safe."""
    if not _INCLUDES_HIP.search(text) or _STEERS_HIP.search(text):
        return ()
    language = _language_flags(flags)
    if language is None:
        return ()
    header = _header(command, language, state)
    return ("-Xclang", "-include-pch", "-Xclang", str(header)) if header is not None else ()


def _language_flags(flags: Sequence[str]) -> list[str] | None:
    """`flags` without macros and folders; None if one of them could change HIP's headers."""
    kept: list[str] = []
    rest = iter(flags)
    for flag in rest:
        if flag in ("-include", "-imacros", "-include-pch"):
            return None
        if not flag.startswith(_PLACES):
            kept.append(flag)
            continue
        value = next(rest, "") if flag in _PLACES else flag
        is_macro = flag.startswith(("-D", "-U"))
        if is_macro and re.match(r"(?:-[DU])?(?:_*HIP|__|NDEBUG)", value):
            return None
    return kept


def _header(command: Command, language: Sequence[str], state: str) -> Path | None:
    folder = cache_root() / "pch"
    target = folder / f"{content_key(state, *command.driver, *command.flags, *language)[:32]}.pch"
    if target.is_file():
        return target
    failed = target.with_suffix(".failed")
    if failed.is_file():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "hip_runtime_only.h"
    if not source.is_file():
        source.write_text("#include <hip/hip_runtime.h>\n")
    partial = partial_name(target)
    wanted = [part for part in (*command.flags, *language) if part not in ("-S", "-fsyntax-only")]
    emit = ("-fsyntax-only", "-Xclang", "-emit-pch", "-Xclang", "-o", "-Xclang", str(partial))
    done = subprocess.run(
        [*command.driver, *wanted, "-Wno-everything", *emit, str(source)],
        env=command.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode != 0 or not partial.is_file():
        failed.touch()
        return None
    os.replace(partial, target)
    return target
