"""What a port produced, as values: files, kernels, findings; their JSON, diff and exit code.

result = crossport.port("k.cu", to="rocm")
result.files            {Path("k.hip"): "..."}
result.kernels[0].tier  "source"
result.write("build/")
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crossport.diagnostics import Code, Diagnostic, PortError, Severity, sort_diagnostics

if TYPE_CHECKING:
    from crossport.backends.hip.edits import Edit

SCHEMA = 1

TargetName = Literal["hip", "triton", "pallas"]
TARGETS: dict[str, TargetName] = {
    "rocm": "hip", "hip": "hip", "triton": "triton", "tpu": "pallas", "pallas": "pallas",
}  # fmt: skip
"""What users may call a target, and what it is called here."""

Status = Literal["verified", "unverified", "failed", "partial", "refused"]


class Exit(IntEnum):
    """Exit codes of the command line; the most serious one wins."""

    DONE = 0
    USAGE = 1
    PARTIAL = 2
    FAILED = 3
    UNVERIFIABLE = 4
    INTERNAL = 5

    @classmethod
    def worst(cls, codes: Iterable[Exit]) -> Exit:
        """The code to report when several apply."""
        order = (cls.DONE, cls.PARTIAL, cls.UNVERIFIABLE, cls.FAILED, cls.USAGE, cls.INTERNAL)
        return max(codes, key=order.index, default=cls.DONE)


@dataclass(frozen=True, slots=True)
class KernelResult:
    """One kernel on one target.

    tier: how it was ported: "source" (HIP: the text, edited), "tile", "simt" or "xla".
    status: "verified" only if the port ran and matched; "partial" if constructs were left;
    "refused" if there is no port. `reason` says why it is not verified.
    facts: what `port inspect` shows, where they were asked for.
    """

    name: str
    file: str
    line: int
    target: TargetName
    tier: str
    status: Status
    reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    facts: Any = field(default=None, compare=False, repr=False)
    verdict: Any = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1)."""
        return {
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "target": self.target,
            "tier": self.tier,
            "status": self.status,
            "reason": self.reason or None,
            "diagnostics": [d.as_json() for d in self.diagnostics],
        }


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to write: `path` relative to the output folder, and the file that it comes from.

    `original` is that file's bytes (b"" for a generated file), `changes` what was edited in it.
    """

    path: Path
    data: bytes = field(repr=False)
    source: Path | None = None
    original: bytes = field(default=b"", repr=False)
    changes: tuple[Edit, ...] = field(default=(), repr=False)
    target: TargetName = "hip"

    @property
    def edits(self) -> int:
        """How many places changed."""
        return len(self.changes)

    @property
    def text(self) -> str:
        """The content; bytes that are no UTF-8 survive as surrogates (PEP 383)."""
        return self.data.decode("utf-8", "surrogateescape")

    def diff(self) -> str:
        """Unified diff against the source; for a generated file, against nothing."""
        before = self.original.decode("utf-8", "replace").splitlines(keepends=True)
        after = self.data.decode("utf-8", "replace").splitlines(keepends=True)
        name = shown_path(self.source) if self.source and self.original else "/dev/null"
        lines = difflib.unified_diff(before, after, name, str(self.path))
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


@dataclass(frozen=True, slots=True)
class PortResult:
    """A port of one source (or several, merged): everything that `port` shows and writes."""

    outputs: tuple[OutputFile, ...] = ()
    kernels: tuple[KernelResult, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def files(self) -> Mapping[Path, str]:
        """Output path -> text."""
        return {output.path: output.text for output in self.outputs}

    @property
    def exit_code(self) -> Exit:
        """0, or 2 where constructs were left unported."""
        left = any(d.severity is Severity.ERROR for d in self.diagnostics)
        left = left or any(k.status in ("partial", "refused") for k in self.kernels)
        failed = any(k.status == "failed" for k in self.kernels)
        return Exit.FAILED if failed else Exit.PARTIAL if left else Exit.DONE

    def diff(self) -> str:
        """Unified diffs of all outputs that differ from their source."""
        return "".join(output.diff() for output in self.outputs)

    def write(self, folder: str | Path) -> list[Path]:
        """Write the outputs below `folder` and give their paths.

        Raises PortError (CP1006) where that cannot be done, or where an output would replace a
        source file.
        """
        written: list[Path] = []
        for output in self.outputs:
            path = Path(folder) / output.path
            _write(path, output)
            written.append(path)
        return written

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1)."""
        return {
            "schema": SCHEMA,
            "files": [
                {
                    "path": str(o.path),
                    "source": str(o.source) if o.source else None,
                    "target": o.target,
                    "edits": o.edits,
                }
                for o in self.outputs
            ],
            "kernels": [k.as_json() for k in self.kernels],
            "diagnostics": [d.as_json() for d in self.diagnostics],
        }


def merge(results: Iterable[PortResult]) -> PortResult:
    """Several results as one; a header that two sources share is kept once."""
    outputs: dict[Path, OutputFile] = {}
    kernels: list[KernelResult] = []
    diagnostics: list[Diagnostic] = []
    for result in results:
        for output in result.outputs:
            outputs.setdefault(output.path, output)
        kernels += result.kernels
        diagnostics += result.diagnostics
    return PortResult(
        tuple(outputs.values()),
        tuple(dict.fromkeys(kernels)),
        tuple(sort_diagnostics(diagnostics)),
    )


def shown_path(path: Path) -> str:
    """A path as the user would type it: relative to where they are, if it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _write(path: Path, output: OutputFile) -> None:
    try:
        if output.source is not None and path.exists() and path.samefile(output.source):
            raise PortError(
                Diagnostic(
                    Code.CANNOT_WRITE,
                    f"{path} is the source itself and was not touched",
                    help="give another folder with -o",
                )
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(output.data)
    except OSError as error:
        raise PortError(
            Diagnostic(
                Code.CANNOT_WRITE,
                f"cannot write {path}: {error.strerror or error}",
                help="give a folder that can be written to with -o",
            )
        ) from error
