"""Compile HIP to AMD code objects, and check host code: source in, bytes or diagnostics out.

Example:

    code_object = compile_hip(Path("saxpy.hip"), "gfx942")     # an ELF file, as bytes
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError, Severity, Span
from crossport.validation.amdgpu.compile.archs import Arch, arch_named
from crossport.validation.amdgpu.compile.cache import Cache, content_key
from crossport.validation.amdgpu.compile.commands import (
    MESSAGE_FLAGS,
    Command,
    Language,
    device_command,
    host_command,
)
from crossport.validation.amdgpu.compile.messages import opened_files, parse_messages
from crossport.validation.amdgpu.compile.places import Places, depends_on_folder, split_folders
from crossport.validation.amdgpu.compile.precompiled import precompiled_flags
from crossport.validation.amdgpu.compile.toolchains import (
    WRAPPERS,
    Toolchain,
    find_toolchains,
    hip_version,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A compiler call: errors as diagnostics; a code object where one was asked for."""

    diagnostics: tuple[Diagnostic, ...]
    code_object: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the compiler had no error."""
        return not self.diagnostics


def compile_hip(
    source: str | Path,
    arch: str,
    *,
    flags: Sequence[str] = (),
    include: Sequence[str | Path] = (),
    name: str = "source.hip",
    toolchain: Toolchain | None = None,
    timeout: float = 300.0,
    cache: Cache | None = None,
) -> bytes:
    """The code object (ELF) of a HIP source for one GPU; `PortError` with the compiler's errors.

    `source` is a path, or the text itself, called `name` in messages. `flags` are clang's, after
    ours; optimisation is -O3 unless they say otherwise.
    """
    target = arch_named(arch)
    chosen = toolchain or choose_toolchain(target)
    command = device_command(chosen, target)
    wanted = ["-O3", *_language(flags), *flags]
    outcome = run_compiler(
        command,
        chosen,
        source,
        flags=wanted,
        include=include,
        name=name,
        timeout=timeout,
        cache=cache,
        wants_code=True,
    )
    if not outcome.ok:
        raise PortError(outcome.diagnostics[0], *outcome.diagnostics[1:])
    return outcome.code_object


def check_device(
    source: str | Path,
    arch: str,
    *,
    flags: Sequence[str] = (),
    include: Sequence[str | Path] = (),
    name: str = "source.hip",
    toolchain: Toolchain | None = None,
    timeout: float = 300.0,
    cache: Cache | None = None,
) -> Outcome:
    """Whether the device side compiles for `arch`: the errors, none if it does.

    Code is generated (without optimisation and without the device libraries' bodies), because
    inline assembly, LDS size and unavailable instructions fail no earlier than there.
    """
    target = arch_named(arch)
    chosen = toolchain or choose_toolchain(target)
    command = device_command(chosen, target, link=False)
    wanted = [*_language(flags), *_without_optimisation(flags), "-O1", "-S"]
    return run_compiler(
        command,
        chosen,
        source,
        flags=wanted,
        include=include,
        name=name,
        timeout=timeout,
        cache=cache,
    )


def check_host(
    source: str | Path,
    *,
    language: Language = "hip",
    flags: Sequence[str] = (),
    include: Sequence[str | Path] = (),
    name: str = "source.hip",
    toolchain: Toolchain | None = None,
    timeout: float = 300.0,
    cache: Cache | None = None,
) -> Outcome:
    """Whether the host side passes a syntax and type check: the errors, none if it does.

    `language` c or c++ is for files without kernels that a host compiler builds: HIP's API is in
    reach, kernels are not.
    """
    chosen = toolchain or choose_toolchain(None)
    wanted = _without_optimisation(flags)
    if language == "c":
        wanted = [f for f in wanted if not (f.startswith("-std=") and "++" in f)]
    else:
        wanted = [*_language(flags), *wanted]
    return run_compiler(
        host_command(chosen, language),
        chosen,
        source,
        flags=wanted,
        include=include,
        name=name,
        timeout=timeout,
        cache=cache,
    )


def choose_toolchain(arch: Arch | None, rocm_path: Path | str | None = None) -> Toolchain:
    """The preferred toolchain that can compile for `arch`; a diagnostic if none can."""
    found = find_toolchains(rocm_path)
    for toolchain in found:
        if arch is None or arch.name in toolchain.archs:
            return toolchain
    what = "HIP" if arch is None else f"{arch.name} ({arch.product})"
    have = "; ".join(t.name for t in found) or "no HIP compiler at all"
    raise PortError(
        Diagnostic(
            Code.NO_COMPILER,
            f"nothing on this machine compiles {what}: found {have}",
            help="pip install 'crossport[amd]', or install ROCm",
        )
    )


def run_compiler(
    command: Command,
    toolchain: Toolchain,
    source: str | Path,
    *,
    flags: Sequence[str],
    include: Sequence[str | Path],
    name: str,
    timeout: float,
    cache: Cache | None = None,
    wants_code: bool = False,
) -> Outcome:
    """One compiler call on one source, answered from the cache where nothing changed."""
    text, path = _read(source)
    folders = [f"-I{Path(folder)}" for folder in include]
    argv = [*command.flags, *MESSAGE_FLAGS, "-Wno-everything", *folders, *flags]
    store = cache or Cache()
    kept, looked_in = split_folders([*folders, *flags])
    # A code object holds names of files (assert), and these are part of what was asked for.
    where = str(path.resolve()) if path is not None else name
    apart = [where, *looked_in] if wants_code else [os.path.basename(where)]
    if depends_on_folder(flags):
        apart.append(os.getcwd())
    own = [os.path.dirname(where)] if path is not None else []
    places = Places(str(path) if path is not None else name, (*own, *looked_in))
    state = _headers_state(toolchain)
    key = content_key(state, *apart, *toolchain.driver, *command.flags, *kept, text)
    if (entry := store.get(key, places)) is not None:
        known = tuple(_from_json(item, places) for item in entry.meta["diagnostics"])
        return Outcome(known, entry.payload)

    with tempfile.TemporaryDirectory(prefix="crossport-") as scratch:
        given = path
        if given is None:
            given = Path(scratch) / "source.hip"
            given.write_bytes(text)
        shown = str(path) if path is not None else name
        job = _Job(toolchain, command, given, shown, Path(scratch) / "out.co", timeout)
        ready = () if wants_code else precompiled_flags(command, flags, text, state)
        outcome, opened, lasting = job.run([*ready, *argv], wants_code)
        if ready and not outcome.ok:
            outcome, opened, lasting = job.run(argv, wants_code)
    if lasting:
        meta = {"diagnostics": [_to_json(d, places) for d in outcome.diagnostics]}
        store.put(key, places, opened, meta, outcome.code_object)
    return outcome


@dataclass(frozen=True, slots=True)
class _Job:
    """A source ready to be given to the compiler, which may happen twice."""

    toolchain: Toolchain
    command: Command
    given: Path
    shown: str
    output: Path
    timeout: float

    def run(self, argv: Sequence[str], wants_code: bool) -> tuple[Outcome, list[str], bool]:
        """The outcome, the user's headers that were opened, and whether it may be remembered."""
        call = [*self.toolchain.driver, *argv, *(["-c"] if wants_code else []), str(self.given)]
        if "-fsyntax-only" not in argv:
            call += ["-o", str(self.output)]
        code, said = _run(call, self.command.environment(), self.timeout)
        if code is None:
            return Outcome((_timed_out(self.shown, self.timeout),)), [], False
        system = _system_roots(self.toolchain)

        def is_users(file: str) -> bool:
            return not file.startswith(system) and not file.startswith("<")

        def rename(file: str) -> str:
            return self.shown if file == str(self.given) else file

        opened = [file for file in opened_files(said) if is_users(file)]
        if code == 0:
            payload = self.output.read_bytes() if wants_code else b""
            return Outcome((), payload), opened, True
        found = tuple(parse_messages(said, is_users, rename))
        found = found or (_unexplained(self.shown, code, said),)
        # A header that was missing may appear without anything we hashed changing.
        return Outcome(found), opened, not any("file not found" in d.message for d in found)


def _read(source: str | Path) -> tuple[bytes, Path | None]:
    if isinstance(source, str):
        return source.encode("utf-8", "surrogateescape"), None
    try:
        return source.read_bytes(), source
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_READ, f"cannot read {source}: {error.strerror}")
        ) from error


def _language(flags: Sequence[str]) -> list[str]:
    return [] if any(flag.startswith(("-std=", "--std=")) for flag in flags) else ["-std=c++17"]


def _without_optimisation(flags: Sequence[str]) -> list[str]:
    return [f for f in flags if not (f.startswith("-O") and len(f) <= 6)]


def _run(argv: list[str], env: dict[str, str], timeout: float) -> tuple[int | None, str]:
    """Exit code and stderr; None when time ran out (the whole process group is ended)."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    return process.returncode, said.decode("utf-8", "replace")


def _system_roots(toolchain: Toolchain) -> tuple[str, ...]:
    """Folders whose files a user does not write."""
    tool = Path(toolchain.driver[0])
    roots = {str(toolchain.headers), str(WRAPPERS), "/usr/include", "/usr/lib", "/usr/bin/../"}
    roots |= {str(tool.parent), str(tool.resolve().parent.parent)}
    if toolchain.rocm_path is not None:
        roots.add(str(toolchain.rocm_path))
    return tuple(sorted(roots))


def _headers_state(toolchain: Toolchain) -> str:
    """What identifies a compiler with its headers, so that an update invalidates old results."""
    return f"2|{toolchain.version}|{hip_version(toolchain.headers)}|{_wrappers_state()}"


@functools.lru_cache(maxsize=1)
def _wrappers_state() -> str:
    paths = sorted(WRAPPERS.rglob("*.h"))
    return content_key(*(part for path in paths for part in (path.name, path.read_bytes())))


def _timed_out(shown: str, timeout: float) -> Diagnostic:
    return Diagnostic(
        Code.COMPILER_TIMEOUT,
        f"the compiler did not finish {shown} in {timeout:.0f} s",
        help="compile this file apart, or raise the limit",
    )


def _unexplained(shown: str, code: int, said: str) -> Diagnostic:
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(".")]
    crashed = code < 0 or "PLEASE submit a bug report" in said
    what = "crashed" if crashed else f"ended with code {code}"
    first = next((line for line in lines if "rror" in line or "fatal" in line.lower()), "")
    last = first or (lines[-1] if lines else "no message")
    return Diagnostic(
        Code.DOES_NOT_COMPILE, f"the compiler {what} on {shown}: {last.strip()[:300]}"
    )


def _to_json(diagnostic: Diagnostic, places: Places) -> dict[str, object]:
    place: list[object] | None = None
    if (span := diagnostic.span) is not None:
        file = places.name(span.file)
        place = [file, span.line, span.column, span.end_line, span.end_column]
    return {
        "code": diagnostic.code.value,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "span": place,
    }


def _from_json(item: dict[str, object], places: Places) -> Diagnostic:
    place = item["span"]
    span = Span(places.path(place[0]), *place[1:]) if isinstance(place, list) else None
    return Diagnostic(
        Code(str(item["code"])), str(item["message"]), span, Severity.ERROR, str(item["help"])
    )
