"""The page of options says what the code reads."""

from pathlib import Path

from relambda.api.settings.settings import options_table


def test_the_page_of_options_is_the_table_of_the_code() -> None:
    """docs/options.md holds the table that `relambda options` prints."""
    page = Path(__file__).parents[3] / "docs" / "options.md"
    assert options_table().strip() in page.read_text("utf-8"), "run `make options`"
