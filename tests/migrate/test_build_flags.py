"""Compile commands taken apart."""

from __future__ import annotations

import shlex

import pytest

from crossport.migrate.build_flags import read_command


@pytest.mark.parametrize(
    ("command", "flags", "folders", "sources"),
    [
        (
            "-std=c++17 -Xcompiler -Wall -arch=sm_60 -O3 -c main.cu -o main.o",
            ("-std=c++17",),
            (),
            ("main.cu",),
        ),
        (
            "-gencode arch=compute_80,code=sm_80 -I../inc -I other -DN=4 -D M -c a.cu b.cpp",
            ("-DN=4", "-DM"),
            ("../inc", "other"),
            ("a.cu", "b.cpp"),
        ),
        (
            "-Xcompiler -fopenmp,-Wall,-DX=1 --compiler-options=-DY -c k.cu",
            ("-fopenmp", "-DX=1", "-DY"),
            (),
            ("k.cu",),
        ),
        (
            "--std c++14 -ccbin g++ -Xptxas -v main.cu -lm -lcublas",
            ("-std=c++14",),
            (),
            ("main.cu",),
        ),
        ("-isystem /x/y -include-pch z.pch -idirafter w a.cpp", (), ("/x/y", "w"), ("a.cpp",)),
        ("-U FOO -UBAR '-DS=\"a b\"' a.cu", ("-UFOO", "-UBAR", '-DS="a b"'), (), ("a.cu",)),
    ],
)
def test_what_the_language_needs_is_kept(
    command: str, flags: tuple[str, ...], folders: tuple[str, ...], sources: tuple[str, ...]
) -> None:
    found = read_command(shlex.split(command))
    assert (found.flags, found.folders, found.sources) == (flags, folders, sources)


def test_a_forced_include_and_a_language_are_named() -> None:
    found = read_command(["-x", "cu", "-include", "pre.h", "-dc", "a.cpp"])
    assert (found.language, found.forced) == ("cu", ("pre.h",))


def test_a_command_that_compiles_nothing_says_so() -> None:
    assert not read_command(["-MM", "a.cu"]).compiles
