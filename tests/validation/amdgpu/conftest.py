"""One emulated device for each architecture and test session; which opcodes the tests run."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from amdgpu_encoding import names_of

from crossport.validation.amdgpu import stepping
from crossport.validation.amdgpu.arch import Arch
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.program import Program


@pytest.fixture(scope="session")
def devices() -> Iterator[Callable[[str], Device]]:
    """A function from architecture name to its device."""
    made: dict[str, Device] = {}

    def device(arch: str = "gfx942") -> Device:
        if arch not in made:
            made[arch] = Device(arch)
        return made[arch]

    yield device
    for item in made.values():
        item.close()


@pytest.fixture(scope="session", autouse=True)
def executed_opcodes() -> Iterator[None]:
    """With CROSSPORT_OPCODES=FILE: note the opcodes that tests run one by one.

    benchmarks/amdgpu_coverage.py makes its table of them. Instructions of whole kernels do not
    count: there, a wrong result may not show.
    """
    kept = os.environ.get("CROSSPORT_OPCODES")
    if not kept:
        yield
        return
    seen: dict[str, set[str]] = {}
    original = stepping.program_of

    def noting(arch: Arch, code: bytes, wave_size: int) -> tuple[CodeObject, Program]:
        whole, program = original(arch, code, wave_size)
        for i in program.instructions:
            if i is not None and i.pc not in program.problems:
                seen.setdefault(arch.name, set()).update(names_of(arch.name, i))
        return whole, program

    stepping.program_of = noting
    yield
    stepping.program_of = original
    found = {arch: sorted(names) for arch, names in sorted(seen.items())}
    Path(kept).write_text(json.dumps(found, indent=0) + "\n")
