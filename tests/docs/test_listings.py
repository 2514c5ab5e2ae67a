"""The listings in docs/ are what the code prints today. `--update-golden` rewrites them."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.frontend.unit import TranslationUnit
from crossport.inspection import inspect_units
from crossport.ir.nodes import Module
from crossport.ir.printer import print_function
from crossport.porting import Options, port_file

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
INSPECT = ROOT / "docs" / "inspect.md"
KERNEL = Path("corpus/reduce_warp_shuffle/reduce_warp_shuffle.cu")
_LISTING = re.compile(r"(<!-- listing: ([\w-]+) -->\n```\w*\n)(.*?)(```)", re.DOTALL)


@pytest.fixture(autouse=True)
def _in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    # Paths in the listings are relative to the repository.
    monkeypatch.chdir(ROOT)


@cache
def _unit() -> TranslationUnit:
    return parse(KERNEL)


@cache
def _module() -> Module:
    return lower_unit(_unit())


def _unit_summary() -> str:
    unit = _unit()
    lines = [f"kernel  {k.name}  {k.span}" for k in unit.kernels]
    lines += [
        f"launch  {launch.kernel}<<<{launch.grid.text}, {launch.block.text}>>>  {launch.span}"
        for launch in unit.launches
    ]
    return "\n".join(lines) + "\n"


def _inspected() -> str:
    unit = parse(Path("corpus/compact_ballot/compact_ballot.cu"))
    return inspect_units([unit], None, ("sm_90", "gfx942", "v5e")).as_text()


LISTINGS: dict[str, Callable[[], str]] = {
    "source": lambda: KERNEL.read_text(),
    "unit": _unit_summary,
    "thread-ir": lambda: "\n".join(print_function(f) for f in _module().functions),
    "facts": lambda: inspect_units([_unit()], None, ("sm_90", "gfx942")).as_text(),
    "inspect": _inspected,
    "hip": lambda: port_file(KERNEL, ["hip"], Options()).diff(),
    "triton": lambda: next(iter(port_file(KERNEL, ["triton"], Options()).files.values())),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_listing_is_current(name: str, update_golden: bool) -> None:
    path = INSPECT if name == "inspect" else ARCHITECTURE
    page = path.read_text()
    found = {match.group(2): match.group(3) for match in _LISTING.finditer(page)}
    expected = LISTINGS[name]()
    if update_golden:

        def renew(match: re.Match[str]) -> str:
            body = expected if match.group(2) == name else match.group(3)
            return match.group(1) + body + match.group(4)

        path.write_text(_LISTING.sub(renew, page))
        return
    assert found[name] == expected
