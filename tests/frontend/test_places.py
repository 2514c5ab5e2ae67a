"""Words, comments and macros of a source, by byte."""

from __future__ import annotations

from pathlib import Path

from crossport.frontend.parse import parse
from crossport.frontend.places import Places, comments, place_of, words


def test_words() -> None:
    """Comments and spaces are none; raw strings, spliced lines and numbers are one each."""
    data = b'x<<<1, 0x1F>>>(R"(a"b)", 1.5e-3f, "c\\"d") // e\n/* f */ y'
    assert [w.text for w in words(data)] == [
        "x", "<<<", "1", ",", "0x1F", ">>>", "(", 'R"(a"b)"', ",", "1.5e-3f", ",", '"c\\"d"', ")",
        "y",
    ]  # fmt: skip
    assert all(data[w.start : w.end].decode() == w.text for w in words(data))
    assert [c.text for c in comments(data)] == ["// e", "/* f */"]


def test_macros_are_known_by_their_use(tmp_path: Path) -> None:
    """A cursor out of a macro stands at the use, and is not editable there."""
    path = tmp_path / "k.cu"
    path.write_text(
        "#define TWICE(x) ((x) * 2)\n__device__ int f(int a) { return TWICE(a) + a; }\n"
    )
    unit = parse(path)
    places = Places(unit.macros)
    data = unit.main.data
    use = data.rindex(b"TWICE")
    macro = places.macro_at(str(path), use + 6)
    assert macro is not None and macro.name == "TWICE"
    assert data[macro.start : macro.end] == b"TWICE(a)"
    assert places.macro_at(str(path), macro.end) is None
    assert places.editable(place_of(unit.functions[0]))
