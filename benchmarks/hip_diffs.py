"""Write docs/hip-diffs.md: what a HIP port changes, shown on programs of the corpus.

    python benchmarks/hip_diffs.py corpus docs/hip-diffs.md [PROGRAM...]

Without names, the ten programs with the most kinds of edits are shown, one port a program. With
`--check` nothing is written, and the exit code says whether the page is up to date.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from crossport.porting import Options, port_file
from crossport.result import PortResult

SHOWN = 10
HEAD = """# Ten ports, as a maintainer would see them

Written by `python benchmarks/hip_diffs.py corpus docs/hip-diffs.md`: each program of the corpus is
ported with `port FILE --to rocm`, and the ten whose ports need the most kinds of edits are shown.
Nothing but these lines differs from the original, byte for byte.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One program and its port."""

    source: Path
    result: PortResult

    @property
    def diff(self) -> str:
        """The whole port as a unified diff; headers of ours that come along are not part of it."""
        return "".join(f.diff() for f in self.result.outputs if f.source is not None)

    @property
    def headers(self) -> list[str]:
        """The headers of ours that the port brings along."""
        return [str(f.path) for f in self.result.outputs if f.source is None]

    @property
    def variety(self) -> int:
        """How many different words the changed lines bring: the more, the more there is to see."""
        words = {"+": set[str](), "-": set[str]()}
        for line in self.diff.splitlines()[2:]:
            if line[:1] in words:
                words[line[0]] |= set(re.findall(r"\w+", line))
        return len(words["+"] - words["-"])


def page(corpus: Path, names: list[str]) -> str:
    """The page as text."""
    sources = sorted(corpus.rglob("*.cu"))
    if names:
        sources = [s for s in sources if s.stem in names]
    shown = [Shown(s, port_file(s, ("hip",), Options())) for s in sources]
    shown = [s for s in shown if s.diff]
    if not names:
        shown = sorted(shown, key=lambda s: (-s.variety, s.source.stem))[:SHOWN]
    return HEAD + "".join(_section(s, corpus) for s in sorted(shown, key=lambda s: s.source.stem))


def _section(shown: Shown, corpus: Path) -> str:
    name = shown.source.relative_to(corpus.parent).as_posix()
    edits = sum(f.edits for f in shown.result.outputs)
    diff = shown.diff.replace(str(shown.source.resolve()), name)
    along = f"Comes with {' and '.join(shown.headers)}.\n\n" if shown.headers else ""
    return f"\n## {shown.source.stem} ({edits} edits)\n\n{along}```diff\n{diff}```\n"


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = page(options.corpus, options.programs)
    if options.check:
        return int(options.page.read_text(encoding="utf-8") != text)
    options.page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
