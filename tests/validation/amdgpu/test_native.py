"""The compiled core and bodies stand alone: nothing of a compiler's run-time library is needed."""

from pathlib import Path

import pytest

pytest.importorskip("tinygrad")

from elftools.elf.elffile import ELFFile

from crossport.validation.amdgpu.native import core_library

_LIBC = {"memcpy", "memset", "memmove", "calloc", "free"}


def test_libraries_need_only_libc() -> None:
    # A double converted straight to half calls __truncdfhf2 on hosts without AVX512-FP16.
    for library in (core_library(), *core_library().parent.glob("bodies-*.so")):
        assert _undefined(library) <= _LIBC, library


def _undefined(library: Path) -> set[str]:
    with library.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".dynsym")
        return {s.name for s in table.iter_symbols() if s["st_shndx"] == "SHN_UNDEF" and s.name}
