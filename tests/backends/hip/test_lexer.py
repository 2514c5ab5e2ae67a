"""The lexer finds every token where it is, whatever bytes it is given."""

from hypothesis import given
from hypothesis import strategies as st

from crossport.backends.hip.lexer import Kind, Tokens

# Pieces that make lexers go wrong, in any order.
WORDS = (
    b"cudaMalloc cudaFree x 0x1p-3 1'000 .5e+3f 'a' '\\'' \"s\" \"\\\"\" // /* */ \\ # ( ) { } u8 L"
    b" <<< >>> a<b, c>(d) \" ' :: ->"
).split()
PIECES = st.sampled_from(
    [
        *WORDS,
        *(b"\n", b"\r\n", b" ", b"\t", b'R"(', b')"', b'R"x(', b')x"', b"\xff", b"\xc3\xa9"),
        *(b"#include <cuda.h>\n", b"#define A(x) cudaFree(x)\n", b"\\\n", b"\\\r\n"),
        *(b"#if 0\n", b"#endif\n"),
    ]
)
SOURCES = st.lists(PIECES, max_size=30).map(b"".join) | st.binary(max_size=60)


@given(SOURCES)
def test_tokens_stand_where_they_say(source: bytes) -> None:
    tokens = Tokens(source)
    end = 0
    for index in range(len(tokens)):
        assert tokens.start[index] >= end
        end = tokens.end(index)
        assert source[tokens.start[index] : end] == tokens.text[index] != b""


@given(SOURCES)
def test_nothing_but_comments_and_space_is_left_out(source: bytes) -> None:
    tokens = Tokens(source)
    at = 0
    for index in range(len(tokens) + 1):
        start = tokens.start[index] if index < len(tokens) else len(source)
        gap = source[at:start].strip(b" \t\r\n\v\f\\")
        assert gap == b"" or gap.startswith((b"//", b"/*")), gap
        at = tokens.end(index) if index < len(tokens) else at


@given(SOURCES)
def test_brackets_pair_up(source: bytes) -> None:
    tokens = Tokens(source)
    for one, other in tokens.partner.items():
        assert tokens.partner[other] == one
        assert {tokens.text[one], tokens.text[other]} in ({b"(", b")"}, {b"[", b"]"}, {b"{", b"}"})


def test_kinds() -> None:
    tokens = Tokens(b'#include "a.h"\nf(L"s", R"x(a)" b)x", 1\'000, \'c\'); // g\n')
    assert [(Kind(k).name, t) for k, t in zip(tokens.kind, tokens.text, strict=True)] == [
        ("DIRECTIVE", b"#include"),
        ("STRING", b'"a.h"'),
        ("NAME", b"f"),
        ("PUNCT", b"("),
        ("STRING", b'L"s"'),
        ("PUNCT", b","),
        ("STRING", b'R"x(a)" b)x"'),
        ("PUNCT", b","),
        ("NUMBER", b"1'000"),
        ("PUNCT", b","),
        ("CHARACTER", b"'c'"),
        ("PUNCT", b")"),
        ("PUNCT", b";"),
    ]


def test_arguments_know_brackets_and_templates() -> None:
    tokens = Tokens(b"f(a<1, 2>(x, y), b[1, 2], g(c, d), e < h, i > j)")
    arguments = tokens.arguments(1)
    assert arguments is not None
    assert [tokens.span_text(*a) for a in arguments] == [
        b"a<1, 2>(x, y)",
        b"b[1, 2]",
        b"g(c, d)",
        b"e < h",
        b"i > j",
    ]


def test_spliced_line_comment() -> None:
    assert Tokens(b"// a \\\r\n cudaFree\nx").text == [b"x"]


def test_place_counts_characters() -> None:
    source = "é = 1;\n\tcudaFree(x);".encode()
    tokens = Tokens(source)
    assert tokens.place(source.index(b"=")) == (1, 3)
    assert tokens.place(source.index(b"cuda")) == (2, 2)
