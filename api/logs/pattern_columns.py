"""Filter patterns on columns: `[ip, user, ..., status = 4*, bytes > 1000]` (user guide, "space-delimited")."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from relambda.api.logs.call import invalid
from relambda.api.logs.pattern_text import Pattern
from relambda.api.logs.pattern_values import Tokens

Test: TypeAlias = Callable[[str], bool]
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_REST = re.compile(r"\.\.\.")
_COLUMN = re.compile(r"""\[(?P<bracketed>[^\]]*)\]|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S+)""")


def parse_columns(text: str) -> Pattern:
    """A pattern in brackets; each column is tested in its place. Raises InvalidParameterException."""
    if not text.endswith("]"):
        raise invalid("Invalid filter pattern: the closing bracket is missing")
    tokens = Tokens(text[1:-1])
    head: list[Test] = []
    tail: list[Test] | None = None
    while True:
        if tokens.match(_REST):
            if tail is not None:
                raise invalid("Invalid filter pattern: it has two ellipses")
            tail = []
        else:
            (head if tail is None else tail).append(tokens.expression(_column))
        if not tokens.match(re.compile(",")):
            break
    tokens.end()
    return lambda message: _fits(_columns(message), head, tail)


def _column(tokens: Tokens) -> "Test | Any":
    """A name alone takes anything."""
    tokens.take(_NAME, "a column's name")
    return tokens.comparison() if tokens.ahead("=!<>") else _anything


def _anything(_column: str) -> bool:
    return True


def _columns(message: str) -> list[str]:
    """What blanks part, and what brackets or quotation marks hold together."""
    return [
        next(text for text in (found["bracketed"], found["quoted"], found["bare"]) if text is not None)
        for found in _COLUMN.finditer(message)
    ]


def _fits(columns: list[str], head: list[Test], tail: list[Test] | None) -> bool:
    if tail is None:
        exact = len(columns) == len(head)
        return exact and all(test(column) for test, column in zip(head, columns, strict=True))
    if len(columns) < len(head) + len(tail):
        return False
    last = columns[len(columns) - len(tail) :]
    return all(test(column) for test, column in zip([*head, *tail], [*columns[: len(head)], *last], strict=True))
