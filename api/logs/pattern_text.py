"""What all filter patterns test: texts, by a regular expression, with wildcards."""

import re
from collections.abc import Callable
from typing import TypeAlias

import re2

from relambda.api.logs.call import invalid

Pattern: TypeAlias = Callable[[str], bool]
"""Whether a message, or a value in it, is wanted."""

_REGEX = re.compile(r"(?:[A-Za-z0-9_#=@/;,:\s^$?\[\]{}|*+.-]|\\.)+")


def unquoted(text: str) -> str:
    """What stands between quotation marks, without the backslashes that escape."""
    return re.sub(r"\\(.)", r"\1", text)


def regular_expression(text: str) -> Pattern:
    """A regular expression of the few characters AWS takes, matched in linear time."""
    if not _REGEX.fullmatch(text):
        raise invalid(f"Invalid filter pattern: the regular expression %{text}% has characters that are not supported")
    options = re2.Options()
    options.log_errors = False
    try:
        search = re2.compile(text, options).search
    except re2.error as error:
        raise invalid(f"Invalid filter pattern: %{text}%: {error}") from None
    return lambda message: search(message) is not None


def wildcards(text: str) -> Pattern:
    """A whole value in which `*` stands for anything."""
    if "*" not in text:
        return text.__eq__
    search = re2.compile("(?s)" + "(?:.*)".join(re2.escape(part) for part in text.split("*"))).fullmatch
    return lambda value: search(value) is not None
