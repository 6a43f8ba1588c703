"""The page of options says what the code reads, and nothing that no test has seen at work."""

import re
from pathlib import Path

import pytest

from relambda.api.settings.settings import options, options_table

TESTS = Path(__file__).parents[2]
REAL = ("e2e/*.py", "parity/*.py", "integration/*/*.py")
"""Tests of whole clouds, engines and networks."""


def test_the_page_of_options_is_the_table_of_the_code() -> None:
    """docs/options.md holds the table that `relambda options` prints."""
    page = TESTS.parent / "docs" / "options.md"
    assert options_table().strip() in page.read_text("utf-8"), "run `make options`"


@pytest.mark.parametrize("variable", [row.variable for row in options().values()])
def test_each_option_is_set_in_a_test_of_its_effect(variable: str) -> None:
    """Whoever adds an option shows what it does, with real parts: to be read is not enough."""
    sources = [path.read_text("utf-8") for pattern in REAL for path in TESTS.glob(pattern)]
    assert any(re.search(rf"\b{variable}\b", source) for source in sources), f"no test sets {variable}"
