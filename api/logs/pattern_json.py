"""Filter patterns that look into JSON: `{ ($.level = "ERROR") && ($.latency > 100) }`."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec

from relambda.api.logs.call import invalid
from relambda.api.logs.pattern_text import Pattern
from relambda.api.logs.pattern_values import SELECTOR, Tokens

Test: TypeAlias = Callable[[Any], bool]
"""Whether a document is wanted."""
Step: TypeAlias = "str | int | None"
"""A member, an element, or None for all of them."""

_STEP = re.compile(
    r"""\.?\[\s*(?:(?P<index>\d{1,9})|(?P<all>\*)|'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*\]"""
    r"""|\.(?P<name>[^\s.\[\]=!<>(){}&|"']+)"""
)


def parse_json(text: str) -> Pattern:
    """A pattern in braces; a message that is no JSON is not wanted. Raises InvalidParameterException."""
    if not text.endswith("}"):
        raise invalid("Invalid filter pattern: the closing brace is missing")
    tokens = Tokens(text[1:-1])
    test = tokens.expression(_condition)
    tokens.end()

    def wanted(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):
            return False
        try:
            document = msgspec.json.decode(message)
        except (msgspec.DecodeError, RecursionError):
            return False
        return test(document)

    return wanted


def _condition(tokens: Tokens) -> Test:
    """One condition on what a selector finds: on any of it, when it finds several."""
    steps = _steps(tokens.take(SELECTOR, "a selector such as $.level"))
    if tokens.take_words("NOT", "EXISTS"):
        return lambda document: next(_found(document, steps), _NOTHING) is _NOTHING
    if tokens.take_words("EXISTS"):
        return lambda document: next(_found(document, steps), _NOTHING) is not _NOTHING
    holds = _constant(tokens) or tokens.comparison()
    return lambda document: any(holds(value) for value in _found(document, steps))


def _constant(tokens: Tokens) -> Test | None:
    if not tokens.take_words("IS"):
        return None
    negated = tokens.take_words("NOT")
    for word, constant in (("TRUE", True), ("FALSE", False), ("NULL", None)):
        if tokens.take_words(word):
            return lambda value: (value is constant) is not negated
    raise invalid("Invalid filter pattern: IS goes with TRUE, FALSE or NULL")


_NOTHING = object()


def _steps(selector: str) -> list[Step]:
    steps: list[Step] = []
    at = 1
    while at < len(selector):
        found = _STEP.match(selector, at)
        if found is None:
            raise invalid(f"Invalid filter pattern: invalid selector {selector}")
        steps.append(_step(found))
        at = found.end()
    return steps


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return int(found["index"])
    if found["all"] is not None or found["name"] == "*":
        return None
    return next(name for name in (found["single"], found["double"], found["name"]) if name is not None)


def _found(document: Any, steps: list[Step]) -> Iterator[Any]:
    """All that the steps lead to."""
    here = [document]
    for step in steps:
        here = [value for each in here for value in _next(each, step)]
    yield from here


def _next(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(value, list):
        if step is None:
            yield from value
        elif isinstance(step, int) and step < len(value):
            yield value[step]
    elif isinstance(value, dict):
        if step is None:
            yield from value.values()
        elif step in value:
            yield value[step]
