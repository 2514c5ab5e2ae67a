"""The HTML page holds what the verdict holds, and no text of a port can break out of it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from crossport.validation.judge_port import candidate_from_file, judge_port
from crossport.validation.numerics.words import Word
from crossport.validation.report import html_report
from crossport.validation.verdict import LaunchVerdict, Verdict

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _checked(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_a_verdict_becomes_a_page() -> None:
    source = CORPUS / "softmax_rows" / "softmax_rows.cu"
    verdict = judge_port(
        candidate_from_file(source, "cuda"), CORPUS / "softmax_rows" / "h200.bundle", mutate=3
    )
    page = html_report([verdict])
    _checked(page)
    assert verdict.mutation is not None and verdict.mutation.total == 3
    for text in ("NVIDIA H200", "large_values", "equivalent", verdict.seed, "broken variants"):
        assert text in page


def test_several_verdicts_have_an_overview_and_what_failed_comes_first() -> None:
    good = LaunchVerdict("k", "n33", "recorded", Word.EXACT, "every bit")
    bad = LaunchVerdict("k", "n65", "unseen", Word.DIVERGENT, "too far off")
    verdicts = [
        Verdict("triton", "triton", (good, bad), {}, "0", {}, {}),
        Verdict("hip", "amdgpu:gfx942", (good,), {"device": "NVIDIA H200"}, "1", {}, {}),
    ]
    page = html_report(verdicts, sources=["a.cu", "b.cu"])
    _checked(page)
    assert page.index("1 of 2") < page.index("1 of 1") < page.index("too far off")
    assert page.index("n65") < page.index("n33")
    assert 'href="#v1">b.cu' in page and 'id="v1"' in page
    assert "prefers-color-scheme:dark" in page
    assert "No port was judged" in html_report([])


def test_text_of_a_port_stays_text() -> None:
    bad = LaunchVerdict(
        "<script>k", "c", "recorded", Word.DIVERGENT, "<img src=x onerror=alert(1)>", (), ("</td>",)
    )
    verdict = Verdict("triton", "r", (bad,), {}, "0", {}, {}, missing="<b>")
    tags = _checked(html_report([verdict], "<title>"))
    assert not {"script", "img", "b"} & tags.seen


def test_what_was_not_judged_and_what_was_found_are_on_the_page() -> None:
    launch = LaunchVerdict("k", "n33", "unseen", Word.DIVERGENT, "too far off")
    verdict = Verdict(
        "triton", "r", (launch,), {}, "0", {}, {}, not_ported={"other": "a grid-wide <barrier>"},
        counterexample='cases = [{name = "n33"}]',
    )  # fmt: skip
    page = html_report([verdict])
    _checked(page)
    assert "other: a grid-wide &lt;barrier&gt;" in page
    assert "cases = [{name = &quot;n33&quot;}]" in page
