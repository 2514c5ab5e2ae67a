"""Every pass against its case file: text before, `---`, text after; a second run changes nothing.

A case starts with a comment line that says what it shows. `pytest --update-golden` writes what
comes out into the files; the diff is then part of the review.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from crossport.ir.nodes import Module
from crossport.ir.parser import parse_module
from crossport.ir.passes import (
    canonicalize_loops,
    drop_dead_code,
    each_function,
    fold_constants,
    forward_reads,
    inline_calls,
    nest_guards,
    split_structs,
)
from crossport.ir.passes.split_deep import split_deep
from crossport.ir.printer import print_module
from crossport.ir.verify import verify

HERE = Path(__file__).parent
PASSES: dict[str, Callable[[Module], Module]] = {
    "canonicalize_loops": each_function(canonicalize_loops),
    "drop_dead_code": each_function(drop_dead_code),
    "fold_constants": each_function(fold_constants),
    "forward_reads": each_function(forward_reads),
    "inline_calls": inline_calls,
    "nest_guards": each_function(nest_guards),
    # What is deep in earnest would fill pages here.
    "split_deep": each_function(lambda function: split_deep(function, 4)),
    "split_structs": split_structs,
}


def cases(name: str) -> list[tuple[str, str, str]]:
    """Title, input and expected output of each case of a pass."""
    text = (HERE / f"{name}.cases").read_text()
    found = []
    for part in re.split(r"(?m)^(?=# )", text):
        if part.strip():
            title, _, rest = part.partition("\n")
            before, _, after = rest.partition("---\n")
            found.append((title[2:], before.strip(), after.strip()))
    return found


ALL = [(name, *case) for name in PASSES for case in cases(name)]


@pytest.mark.parametrize(
    ("name", "title", "before", "after"), ALL, ids=[f"{n}: {t}" for n, t, _, _ in ALL]
)
def test_case(name: str, title: str, before: str, after: str, update_golden: bool) -> None:
    module = parse_module(before)
    assert verify(module) == []
    result = PASSES[name](module)
    printed = print_module(result).strip()
    if update_golden:
        path = HERE / f"{name}.cases"
        old = f"# {title}\n{before}\n---\n{after}"
        new = f"# {title}\n{before}\n---\n{printed}"
        path.write_text(path.read_text().replace(old.strip(), new.strip()))
        return
    assert verify(result) == []
    assert printed == print_module(parse_module(after)).strip()
    assert PASSES[name](result) == result


def test_every_pass_has_cases() -> None:
    assert {p.stem for p in HERE.glob("*.cases")} == PASSES.keys()
