"""What patterns on JSON and on columns share: their tokens, `&&` and `||`, and comparisons with a value."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from relambda.api.logs.call import invalid
from relambda.api.logs.pattern_text import Pattern, regular_expression, unquoted, wildcards

Subject = TypeVar("Subject")
Test = Callable[[Subject], bool]

MOST_NESTED = 50
"""Parentheses within each other."""
SELECTOR = re.compile(r"""\$(?:\.?\[[^\]]*\]|\.[^\s.\[\]=!<>(){}&|"']+)+""")
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_VALUE = re.compile(r"""(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<bare>[^\s"%(){}\[\],&|=<>]+))""")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Tokens:
    """Reads a pattern from left to right. Every method raises InvalidParameterException for what it cannot read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here, behind blanks; it is read then."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        """What matches here, which must be there."""
        found = self.match(pattern)
        if found is None:
            raise self.wrong(what)
        return found[0]

    def take_words(self, *words: str) -> bool:
        """Whether these words stand here, in any case; they are read then."""
        return self.match(re.compile(r"\s+".join(words) + r"\b", re.IGNORECASE)) is not None

    def ahead(self, characters: str) -> bool:
        """Whether one of these characters comes next, behind blanks; nothing is read."""
        return self._text[self._at :].lstrip()[:1] in set(characters)

    def end(self) -> None:
        """Nothing is left."""
        self.take(re.compile(r"$"), "&& or || or the end")

    def wrong(self, expected: str) -> Exception:
        """What to raise where something else is expected."""
        return invalid(f"Invalid filter pattern: expected {expected} at {self._text[self._at : self._at + 30]!r}")

    def expression(self, condition: "Callable[[Tokens], Test[Any]]", depth: int = 0) -> "Test[Any]":
        """Conditions joined by `||` and, more tightly, by `&&`, in parentheses or not."""
        tests = [self._all(condition, depth)]
        while self.match(re.compile(r"\|\|")):
            tests.append(self._all(condition, depth))
        return tests[0] if len(tests) == 1 else lambda subject: any(test(subject) for test in tests)

    def _all(self, condition: "Callable[[Tokens], Test[Any]]", depth: int) -> "Test[Any]":
        tests = [self._one(condition, depth)]
        while self.match(re.compile(r"&&")):
            tests.append(self._one(condition, depth))
        return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)

    def _one(self, condition: "Callable[[Tokens], Test[Any]]", depth: int) -> "Test[Any]":
        if not self.match(re.compile(r"\(")):
            return condition(self)
        if depth >= MOST_NESTED:
            raise invalid(f"Invalid filter pattern: parentheses nest deeper than {MOST_NESTED}")
        test = self.expression(condition, depth + 1)
        self.take(re.compile(r"\)"), "a closing parenthesis")
        return test

    def comparison(self) -> "Test[Any]":
        """An operator and a value: what tells whether something compares so."""
        order = self.take(_OPERATOR, "one of = != < <= > >=")
        found = self.match(_VALUE)
        if found is None:
            raise self.wrong("a value")
        if order in _ORDERS:
            return _ordered(_ORDERS[order], found)
        equals = _equals(found)
        return equals if order == "=" else lambda value: not equals(value)


def _ordered(compare: Callable[[float, float], bool], found: re.Match[str]) -> "Test[Any]":
    bare = found["bare"] or ""
    if not _NUMBER.fullmatch(bare):
        raise invalid(f"Invalid filter pattern: {found[0]} is not a number")
    bound = float(bare)

    def holds(value: Any) -> bool:
        number = _number(value)
        return number is not None and compare(number, bound)

    return holds


def _equals(found: re.Match[str]) -> "Test[Any]":
    """A number equals numbers of its size; any other value, in which `*` is a wildcard, equals texts."""
    matches = _text_test(found)
    bare = found["bare"] or ""
    bound = float(bare) if _NUMBER.fullmatch(bare) else None

    def holds(value: Any) -> bool:
        number = None if isinstance(value, str) else _number(value)
        if bound is not None and number is not None:
            return number == bound
        text = _text(value)
        return text is not None and matches(text)

    return holds


def _text_test(found: re.Match[str]) -> Pattern:
    if found["regex"] is not None:
        return regular_expression(found["regex"])
    return wildcards(found["bare"] if found["quoted"] is None else unquoted(found["quoted"]))


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if len(value) < 100 and _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _text(value: Any) -> str | None:
    """A scalar as text; null, an object or a list has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
