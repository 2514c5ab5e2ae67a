"""Build the emulator's C for this machine: the core once, instruction bodies as they are met.

Compiled functions are kept under the cache folder by the hash of their text, so a kernel compiles
only the instructions that no kernel before it used. Compilers, in this order: `CROSSPORT_HOST_CC`,
the ziglang wheel, clang, gcc.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.bodies import Function
from crossport.validation.amdgpu.compile.cache import cache_root
from crossport.validation.amdgpu.lowering import NATIVE

_FLAGS = (
    *("-O2", "-march=native", "-ffp-contract=off", "-fno-strict-aliasing", "-fwrapv", "-fPIC"),
    *("-fno-math-errno", "-ffreestanding", "-w"),
    # Compilers prefer half-width vectors; rows of 64 lanes want the whole width.
    *(("-mprefer-vector-width=512",) if platform.machine() == "x86_64" else ()),
)


@dataclass(frozen=True, slots=True)
class HostCompiler:
    """How to turn C into a shared library here."""

    name: str
    compile: tuple[str, ...]
    link: tuple[str, ...]


@cache
def host_compiler() -> HostCompiler:
    """The host C compiler; raises a diagnostic where there is none."""
    if own := os.environ.get("CROSSPORT_HOST_CC"):
        return HostCompiler(own, (own,), (own, "-shared", "-nostdlib"))
    wheel = importlib.util.find_spec("ziglang")
    if wheel is not None and wheel.origin:
        zig = Path(wheel.origin).parent / "zig"
        if zig.exists():
            return HostCompiler("zig", (str(zig), "clang"), (str(zig), "ld.lld", "-shared"))
    for name in ("clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "gcc", "cc"):
        if path := shutil.which(name):
            return HostCompiler(name, (path,), (path, "-shared", "-nostdlib"))
    raise PortError(
        Diagnostic(
            Code.NO_HOST_COMPILER,
            "the AMD GPU emulator needs a C compiler, and none was found",
            help="pip install 'crossport[amd]' brings one (ziglang), or install clang",
        )
    )


@cache
def _machine() -> str:
    """What -march=native means here."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.M)
        model = re.search(r"^model name\s*:(.*)$", text, re.M)
        return (flags[1] if flags else "") + (model[1] if model else "")
    except OSError:
        return os.uname().machine


@cache
def _folder() -> Path:
    """Cache folder for this compiler, machine and set of headers."""
    compiler = host_compiler()
    digest = hashlib.sha256(" ".join((*compiler.compile, *_FLAGS, _machine())).encode())
    for header in ("base.h", "lane_math.h", "division.h"):
        digest.update((NATIVE / header).read_bytes())
    folder = cache_root() / "amdgpu" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="crossport-amdgpu-"))


def _build(source: str, name: str) -> Path:
    """Compile one C text to a shared library in the cache."""
    target = _folder() / name
    if target.exists():
        return target
    compiler = host_compiler()
    with tempfile.TemporaryDirectory(prefix="build-", dir=_folder()) as work:
        c, o, so = (Path(work) / f"x.{end}" for end in ("c", "o", "so"))
        c.write_text(source)
        for command in (
            (*compiler.compile, *_FLAGS, f"-I{NATIVE}", "-c", str(c), "-o", str(o)),
            (*compiler.link, str(o), "-o", str(so)),
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines()
                raise PortError(
                    Diagnostic(
                        Code.NO_HOST_COMPILER,
                        f"{compiler.name} cannot build the emulator: "
                        + (said[0] if said else f"exit code {done.returncode}"),
                        help="set CROSSPORT_HOST_CC to a clang or gcc for this machine",
                    )
                )
        so.replace(target)
    return target


def core_library() -> Path:
    """The compiled core."""
    return _core_library(_folder())


@cache
def _core_library(folder: Path) -> Path:
    digest = hashlib.sha256()
    for header in sorted(NATIVE.glob("*.[ch]")):
        digest.update(header.read_bytes())
    return _build('#include "core.c"\n', f"core-{digest.hexdigest()[:16]}.so")


def body_libraries(functions: Iterable[Function]) -> dict[str, Path]:
    """Symbol -> library, for every function; compiles those that no cached library has."""
    wanted = {f.symbol: f for f in functions}
    known = _found.setdefault(_folder(), {})
    if any(symbol not in known for symbol in wanted):
        _look_for_libraries(_folder(), known)
    missing = [f for symbol, f in sorted(wanted.items()) if symbol not in known]
    if missing:
        parts = max(1, min(os.cpu_count() or 1, 4, len(missing) // 12 + 1))
        chunks = [missing[k::parts] for k in range(parts)]
        with ThreadPoolExecutor(parts) as pool:
            for library, chunk in zip(pool.map(_build_bodies, chunks), chunks, strict=True):
                known.update({f.symbol: library for f in chunk})
    return {symbol: known[symbol] for symbol in wanted}


def _build_bodies(functions: list[Function]) -> Path:
    source = '#include "lane_math.h"\n' + "\n".join(f.text for f in functions) + "\n"
    name = f"bodies-{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    library = _build(source, f"{name}.so")
    listing = _folder() / f"{name}.txt"
    draft = listing.with_suffix(f".{os.getpid()}")
    draft.write_text("\n".join(f.symbol for f in functions))
    draft.replace(listing)
    return library


_found: dict[Path, dict[str, Path]] = {}
_seen: set[Path] = set()


def _look_for_libraries(folder: Path, known: dict[str, Path]) -> None:
    """Take in the libraries that this process has not seen yet."""
    for listing in folder.glob("bodies-*.txt"):
        if listing not in _seen:
            _seen.add(listing)
            library = listing.with_suffix(".so")
            if library.exists():
                known.update(dict.fromkeys(listing.read_text().split(), library))
