"""`relambda options`: the table of environment variables."""

import click

from relambda.api.cli.output import answer, json_option
from relambda.api.settings.settings import options as rows
from relambda.api.settings.settings import options_table


@click.command
@json_option
def options(*, as_json: bool) -> None:
    """List the environment variables that a cloud understands, as Markdown."""
    table = [
        {"variable": row.variable, "default": row.default, "allowed": row.kind.allowed, "meaning": row.meaning}
        for row in rows().values()
    ]
    answer(table, options_table(), as_json=as_json)
