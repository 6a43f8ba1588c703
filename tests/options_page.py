"""`make options`: the table of `relambda options` put into docs/options.md, from the table's first line to its end."""

from pathlib import Path

from relambda.api.settings.settings import options_table

PAGE = Path(__file__).parents[1] / "docs" / "options.md"


def main() -> None:
    """Write the page anew; what stands around the table stays."""
    lines, table = PAGE.read_text("utf-8").splitlines(), options_table().strip().splitlines()
    first = lines.index(table[0])
    last = next((index for index in range(first, len(lines)) if not lines[index].startswith("|")), len(lines))
    PAGE.write_text("\n".join([*lines[:first], *table, *lines[last:]]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
