"""Bundles: recorded evidence loads, and what was touched is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crossport.diagnostics import Code, PortError
from crossport.validation.bundle.archive import load_bundle, make_bundle
from crossport.validation.bundle.driver import slugs
from crossport.validation.cases import load_cases

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
RECORDED = CORPUS / "vecadd" / "h200.bundle"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/h200.bundle")), ids=lambda p: p.parent.name)
def test_every_recorded_bundle_is_whole(path: Path) -> None:
    bundle = load_bundle(path)
    assert "H200" in bundle.device["name"]
    cases = bundle.cases.checked
    assert all(bundle.has(case) for case in cases)
    for case in cases:
        record = bundle.record(case)
        assert record["broken_guards"] == [] and record["changed_inputs"] == []
        assert len(record["cold_times_us"]) >= 10
        for array in case.written:
            assert len(bundle.output(case, array)) == array.count
    bundle.check_inputs(cases[0])


def test_the_source_is_the_corpus_source() -> None:
    for path in CORPUS.glob("*/h200.bundle"):
        loaded = load_cases(path.parent)
        name = f"source/{loaded.source.name}"
        assert load_bundle(path).files[name] == loaded.source.read_bytes(), path.parent.name


def _rebuilt(change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(RECORDED) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _flip(files: dict[str, bytes]) -> None:
    name = next(n for n in files if n.endswith(".c.bin"))
    files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]


def _drop(files: dict[str, bytes]) -> None:
    del files[next(n for n in files if n.endswith(".c.bin"))]


def _add(files: dict[str, bytes]) -> None:
    files["results/extra.bin"] = b"1"


def _edit_source(files: dict[str, bytes]) -> None:
    files["source/vecadd.cu"] += b"//"


def _loosen_cases(files: dict[str, bytes]) -> None:
    files["cases.toml"] = files["cases.toml"].replace(
        b'role = "out"', b'role = "out", compare = "ignore"'
    )


@pytest.mark.parametrize("change", [_flip, _drop, _add, _edit_source, _loosen_cases])
def test_a_touched_bundle_is_refused(
    change: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    target = tmp_path / "k.bundle"
    target.write_bytes(_rebuilt(change))
    with pytest.raises(PortError) as error:
        load_bundle(target)
    assert error.value.diagnostic.code is Code.BUNDLE_TAMPERED


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 1000])
def test_garbage_is_refused(data: bytes, tmp_path: Path) -> None:
    target = tmp_path / "k.bundle"
    target.write_bytes(data)
    with pytest.raises(PortError) as error:
        load_bundle(target)
    assert error.value.diagnostic.code is Code.BUNDLE_INVALID


def test_a_truncated_bundle_is_refused(tmp_path: Path) -> None:
    whole = RECORDED.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 30):
        target = tmp_path / "k.bundle"
        target.write_bytes(whole[:length])
        with pytest.raises(PortError):
            load_bundle(target)


def test_unsafe_names_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "k.bundle"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("../../evil", "x")
    with pytest.raises(PortError, match="unsafe name"):
        load_bundle(target)


def test_an_unrecorded_bundle_says_what_to_do(tmp_path: Path) -> None:
    cases = make_bundle(CORPUS / "vecadd", tmp_path / "b")
    assert (tmp_path / "b" / "run.sh").exists()
    assert len(set(slugs(cases.cases))) == len(cases.cases)
    with pytest.raises(PortError) as error:
        load_bundle(tmp_path / "b")
    assert "run.sh" in error.value.diagnostic.help


def test_a_missing_bundle_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PortError) as error:
        load_bundle(tmp_path / "none.bundle")
    assert error.value.diagnostic.code is Code.CANNOT_READ
