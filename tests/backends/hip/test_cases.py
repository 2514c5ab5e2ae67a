"""Each case of cases/*.txt: a CUDA text, what it becomes, and what is announced (lines with `!`).

The whole text pipeline runs, so that a case also sees what the other modules do to it. Each case is
checked for stability too: porting the port changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossport.backends.hip.port import HipOptions, port_unit
from crossport.diagnostics import Severity

CASES = Path(__file__).with_name("cases")


@dataclass(frozen=True)
class _Case:
    name: str
    before: str
    after: str
    announced: tuple[str, ...]


def _cases() -> Iterator[_Case]:
    for path in sorted(CASES.glob("*.txt")):
        for number, block in enumerate(path.read_text().split("\n===\n")):
            title, _, rest = block.partition("\n")
            before, _, after = rest.partition("\n---\n")
            lines = after.rstrip("\n").split("\n")
            text = "\n".join(line for line in lines if not line.startswith("! "))
            announced = tuple(line[2:] for line in lines if line.startswith("! "))
            yield _Case(f"{path.stem}-{number}: {title[2:]}", before + "\n", text + "\n", announced)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_case(case: _Case, tmp_path: Path) -> None:
    # Unless a case is about includes, the line that any source has is left out of it.
    head = "" if "#include" in case.before or "includes" in case.name else "#include <cuda.h>\n"
    ported_head = "#include <hip/hip_runtime.h>\n" if head else ""
    source = tmp_path / "k.cu"
    source.write_text(head + case.before)
    result = port_unit(source, HipOptions())
    assert result.files[0].ported.decode() == ported_head + case.after
    found = [d for d in result.diagnostics if d.severity != Severity.NOTE]
    assert len(found) == len(case.announced), found
    for wanted in case.announced:
        code, _, message = wanted.partition(" ")
        assert any(d.code == code and d.message.startswith(message) for d in found), wanted

    again = tmp_path / "k.hip"
    again.write_bytes(result.files[0].ported)
    assert port_unit(again, HipOptions()).files[0].edits == ()
