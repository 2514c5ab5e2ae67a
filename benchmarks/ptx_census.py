"""Count the inline PTX of programs, and how much of it the HIP backend translates.

    python benchmarks/ptx_census.py HeCBench/src LeetCUDA --reasons 20

Every `asm` of the CUDA files in the folders is read where it stands, also in macros and in branches
that no compiler takes. A statement is translated as a whole or not at all, and its instructions
count with it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.ptx.edits import is_foreign
from crossport.backends.hip.semantics.ptx.instruction import parse_template
from crossport.backends.hip.semantics.ptx.statement import AsmStatement, asm_statements
from crossport.backends.hip.semantics.ptx.translate import translate
from crossport.backends.hip.semantics.ptx.values import NoTranslation
from crossport.backends.hip.source import SourceText

_SUFFIXES = {".cu", ".cuh", ".h", ".hpp"}


@dataclass
class Census:
    """What was counted."""

    files: int = 0
    statements: Counter[bool] = field(default_factory=Counter)
    instructions: Counter[bool] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, file: File) -> None:
        """Count one file."""
        found = [s for s in asm_statements(file) if not is_foreign(file, s)]
        self.files += bool(found)
        for statement in found:
            reason = _refusal(statement)
            self.statements[not reason] += 1
            program = parse_template(statement.template)
            self.instructions[not reason] += max(len(program.instructions), 1)
            if reason:
                self.reasons[reason] += 1

    def line(self, name: str) -> str:
        """A row of the table."""
        return (
            f"| {name} | {self.files} | {_share(self.statements)} | {_share(self.instructions)} |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--reasons", type=int, default=0, help="print the commonest refusals")
    options = parser.parse_args(arguments)
    print("| folder | files with PTX | statements translated | instructions translated |")
    print("|---|---|---|---|")
    reasons: Counter[str] = Counter()
    for folder in options.folders:
        census = Census()
        for path in sorted(p for p in folder.rglob("*") if p.suffix in _SUFFIXES and p.is_file()):
            data = path.read_bytes()
            if b"asm" in data:
                census.add(File(SourceText(str(path), data), frozenset()))
        print(census.line(folder.name))
        reasons += census.reasons
    for reason, count in reasons.most_common(options.reasons):
        print(f"{count:6} {reason}")
    return 0


def _refusal(statement: AsmStatement) -> str:
    try:
        translate(statement)
    except NoTranslation as error:
        return str(error)
    except (ValueError, IndexError, KeyError):
        return "operands that do not fit"
    return ""


def _share(counts: Counter[bool]) -> str:
    return f"{counts[True]} of {counts.total()}"


if __name__ == "__main__":
    sys.exit(main())
