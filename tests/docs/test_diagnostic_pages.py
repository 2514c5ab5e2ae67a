"""Every diagnostic code has a page of its own, and every page a code."""

from pathlib import Path

import pytest

from crossport.diagnostics import Code

PAGES = Path(__file__).parents[2] / "docs" / "diagnostics"


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.value)
def test_a_code_has_a_page_that_explains_it(code: Code) -> None:
    page = PAGES / f"{code.value}.md"
    assert page.is_file(), f"write {page.name} for {code.name}"
    text = page.read_text()
    assert text.startswith(f"# {code.value}: ")
    assert "```" in text, f"{page.name} shows no example"


def test_no_page_is_left_over() -> None:
    known = {code.value for code in Code}
    pages = {page.stem for page in PAGES.glob("CP*.md")}
    assert pages <= known
