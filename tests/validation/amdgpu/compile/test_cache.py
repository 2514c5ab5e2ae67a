"""Results are found again wherever a tree lies, and only while its headers are the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crossport.validation.amdgpu.compile import check_host, compiler, find_toolchains
from crossport.validation.amdgpu.compile.cache import Cache
from crossport.validation.amdgpu.compile.places import Places, split_folders


def test_a_file_is_named_by_the_folder_that_it_was_found_in() -> None:
    here = Places("k.hip", ("/a/src", "/a/src/include"))
    there = Places("/b/k.hip", ("/b", "/b/include"))
    assert here.name("k.hip") == "@"
    assert here.name("/a/src/include/x.h") == "1/x.h"
    assert here.name("/usr/include/y.h") == "=/usr/include/y.h"
    assert [there.path(n) for n in ("@", "1/x.h", "=/usr/include/y.h")] == [
        "/b/k.hip",
        "/b/include/x.h",
        "/usr/include/y.h",
    ]


def test_folders_are_taken_out_of_flags() -> None:
    flags = ["-Ia", "-iquote", "b", "-DX", "-isystem", "c"]
    assert split_folders(flags) == (["-I", "-iquote", "-DX", "-isystem"], ["a", "b", "c"])


def test_one_text_has_a_result_for_each_set_of_headers(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    for folder in ("a", "b"):
        header = tmp_path / folder / "x.h"
        header.parent.mkdir()
        header.write_text(folder)
        places = Places("k.hip", (str(header.parent),))
        cache.put("0123", places, [str(header)], {"from": folder}, folder.encode())
    for folder in ("a", "b"):
        entry = cache.get("0123", Places("k.hip", (str(tmp_path / folder),)))
        assert entry is not None
        assert (entry.meta, entry.payload) == ({"from": folder}, folder.encode())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the compiler was really asked to read."""
    if not find_toolchains(None):
        pytest.skip("no HIP compiler here: pip install 'crossport[amd]'")
    made: list[str] = []
    run: Callable[..., tuple[int | None, str]] = compiler._run

    def counted(argv: list[str], *rest: object) -> tuple[int | None, str]:
        made.append(argv[-1])
        return run(argv, *rest)

    monkeypatch.setattr(compiler, "_run", counted)
    return made


def test_a_tree_keeps_its_results_when_it_moves(
    tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    (first / "include").mkdir(parents=True)
    (first / "main.cpp").write_text('#include "x.h"\nint main() { return answer(); }\n')
    (first / "include" / "x.h").write_text("int answer() { return wrong; }\n")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    cache = Cache(tmp_path / "cache")

    def check(tree: Path) -> list[str]:
        outcome = check_host(
            tree / "main.cpp", language="c++", include=[tree / "include"], cache=cache
        )
        return [d.span.file for d in outcome.diagnostics if d.span is not None]

    assert check(first) == [str(first / "include" / "x.h")]
    monkeypatch.chdir(tmp_path)
    assert check(second) == [str(second / "include" / "x.h")]
    assert len(calls) == 1

    # A header that now stands in front of the other one.
    (second / "x.h").write_text("int answer() { return 42; }\n")
    assert check(second) == []
    assert len(calls) == 2
