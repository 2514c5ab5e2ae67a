"""Headers that no flag leads to are found by name in the project around the source."""

from __future__ import annotations

from pathlib import Path

from crossport.diagnostics import Code
from crossport.frontend.parse import parse

KERNEL = '#include "sizes.h"\n__global__ void k(int* p) { p[threadIdx.x] = SIZE; }\n'


def project(folder: Path, *headers: str) -> Path:
    """A project with a kernel in src/, and headers that define SIZE as their place in the list."""
    (folder / "LICENSE").write_text("none\n")
    source = folder / "src" / "k.cu"
    source.parent.mkdir()
    source.write_text(KERNEL)
    for number, name in enumerate(headers):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#define SIZE {number}\n")
    return source


def test_the_only_header_of_that_name_is_taken(tmp_path: Path) -> None:
    source = project(tmp_path, "include/deep/sizes.h")
    unit = parse(source)
    assert unit.includes == (str(tmp_path / "include/deep/sizes.h"),)
    assert unit.diagnostics == ()


def test_the_nearest_folder_decides(tmp_path: Path) -> None:
    source = project(tmp_path, "include/sizes.h", "src/more/sizes.h")
    assert parse(source).includes == (str(tmp_path / "src/more/sizes.h"),)


def test_two_in_one_folder_are_none(tmp_path: Path) -> None:
    source = project(tmp_path, "one/sizes.h", "two/sizes.h")
    assert [d.code for d in parse(source).diagnostics if d.code == Code.MISSING_HEADER] == [
        Code.MISSING_HEADER
    ]


def test_flags_go_first(tmp_path: Path) -> None:
    source = project(tmp_path, "one/sizes.h", "src/two/sizes.h")
    assert parse(source, [f"-I{tmp_path / 'one'}"]).includes == (str(tmp_path / "one/sizes.h"),)


def test_outside_a_project_nothing_is_searched(tmp_path: Path) -> None:
    source = project(tmp_path, "include/sizes.h")
    (tmp_path / "LICENSE").unlink()
    assert parse(source).includes == ()
