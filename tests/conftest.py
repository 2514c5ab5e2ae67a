"""Options of this test suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites expected files; the diff is then part of the review."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite expected files instead of comparing"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))
