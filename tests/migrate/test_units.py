"""The programs of a tree, from each place that says how they are built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from crossport.diagnostics import Code, PortError
from crossport.migrate.dry_run import read_transcript
from crossport.migrate.units import find_programs

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make")
KERNEL = "__global__ void k(int* p) { *p = 1; }\n"


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@needs_make
def test_a_makefile_is_asked_and_nothing_is_built(tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    _write(
        tmp_path,
        a_dot_cu=KERNEL,
        host_dot_cpp="int main() {}\n",
        Makefile="all: a.o host.o\n"
        "%.o: %.cu\n\tnvcc -std=c++14 -Iinc -DN=2 -c $< -o $@\n"
        "%.o: %.cpp missing.txt\n\tg++ -c $< -o $@\n"
        "missing.txt:\n\ttouch $@\n",
    )
    (program,) = find_programs(tmp_path)
    assert (program.name, program.origin) == (".", "make")
    gpu, host = sorted(program.units, key=lambda unit: unit.kind)
    assert (gpu.source.name, gpu.kind, gpu.flags) == ("a.cu", "gpu", ("-std=c++14", "-DN=2"))
    assert gpu.folders == (tmp_path / "inc",)
    assert (host.source.name, host.kind) == ("host.cpp", "host")
    assert not (tmp_path / "missing.txt").exists()


@needs_make
def test_files_that_a_build_leaves_out_are_no_program(tmp_path: Path) -> None:
    _write(
        tmp_path,
        app__a_dot_cu=KERNEL + "int main() {}\n",
        app__Makefile="a: a.cu\n\tnvcc a.cu -o a\n",
        old__b_dot_cu=KERNEL,
    )
    assert [program.name for program in find_programs(tmp_path)] == ["app"]


def test_without_a_build_each_file_is_a_unit_less_the_included(tmp_path: Path) -> None:
    _write(tmp_path, main_dot_cu='#include "part.cu"\nint main() {}\n', part_dot_cu=KERNEL)
    (program,) = find_programs(tmp_path)
    assert program.origin == "file"
    assert [unit.source.name for unit in program.units] == ["main.cu"]


def test_a_compilation_database_is_preferred(tmp_path: Path) -> None:
    _write(tmp_path, a_dot_cu=KERNEL, Makefile="all:\n\tnvcc -DMAKE a.cu\n")
    entry = {"directory": str(tmp_path), "file": "a.cu", "command": "nvcc -DDB=1 -c a.cu"}
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    (program,) = find_programs(tmp_path)
    assert program.origin == "database"
    assert program.units[0].flags == ("-DDB=1",)


def test_a_broken_database_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "compile_commands.json").write_text('{"not": "a list"}')
    with pytest.raises(PortError) as raised:
        find_programs(tmp_path)
    assert raised.value.diagnostic.code is Code.CANNOT_READ


def test_a_transcript_follows_folders_and_shells(tmp_path: Path) -> None:
    text = (
        f"make[1]: Entering directory '{tmp_path}/sub'\n"
        "nvcc -c \\\n  x.cu\n"
        "cd deeper && nvcc -c y.cu; echo done > log\n"
        f"make[1]: Leaving directory '{tmp_path}/sub'\n"
        "FOO=1 ccache g++-12 -c z.cpp 2> err\n"
        "rm -f nvcc.cu\n"
    )
    found = [(c.folder.relative_to(tmp_path), c.argv) for c in read_transcript(text, tmp_path)]
    assert found == [
        (Path("sub"), ("nvcc", "-c", "x.cu")),
        (Path("sub/deeper"), ("nvcc", "-c", "y.cu")),
        (Path("."), ("g++-12", "-c", "z.cpp")),
    ]


def test_an_empty_word_is_no_separator() -> None:
    (command,) = read_transcript('nvcc -c k.cu -Xcompiler "" -I. -DN=2\n', Path("/p"))
    assert command.argv[-2:] == ("-I.", "-DN=2")
