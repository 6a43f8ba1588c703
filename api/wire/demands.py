"""What a shape demands of a value: the tests, and AWS's words for each (FACTS.md section 2)."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from relambda.api.wire.constraints import ENUMS, NULLS_UNSAID, PATTERNS
from relambda.api.wire.model import Shape

NOT_NULL = "Member must not be null"
LONGEST_MATCHED = 20_000
"""Characters; the model's longest patterned member has 10,000. What is longer fails by its length alone."""

Test = tuple[str, Callable[[Any], object]]


def full_match(pattern: str) -> Callable[[str], object]:
    r"""A Java pattern of the model as a full match.

    Java's `\d`, `\s` and `\w` are ASCII, and a dash behind one of them is a plain dash. Where a pattern names
    Unicode categories, its class holds letters, numbers and `_` together, which is what Python's `\w` is without the
    ASCII flag. Raises ValueError for other categories.
    """
    pattern = re.sub(r"(\\[dsw])-", r"\1\-", pattern)
    if r"\p{" not in pattern:
        return re.compile(pattern, re.ASCII).fullmatch
    spaces = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    translated = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", spaces)
    if r"\p{" in translated or "_" not in translated:
        raise ValueError(f"pattern {pattern!r} names a Unicode category that is not translated yet")
    return re.compile(translated).fullmatch


@cache
def tests_of(shape: Shape) -> tuple[Test, ...]:
    """The constraints of a scalar, list or map on its own: AWS's words, and whether a value satisfies them."""
    if shape.kind in {"integer", "long", "double", "float"}:
        return tuple(_range_tests(shape))
    return (*_length_tests(shape), *_text_tests(shape))


def _range_tests(shape: Shape) -> list[Test]:
    tests: list[Test] = []
    if (top := shape.maximum) is not None:
        tests.append((f"Member must have value less than or equal to {top}", lambda value: value <= top))
    if (bottom := shape.minimum) is not None:
        tests.append((f"Member must have value greater than or equal to {bottom}", lambda value: value >= bottom))
    return tests


def _length_tests(shape: Shape) -> list[Test]:
    tests: list[Test] = []
    if (top := shape.maximum) is not None:
        tests.append((f"Member must have length less than or equal to {top}", lambda value: len(value) <= top))
    if (bottom := shape.minimum) is not None:
        tests.append((f"Member must have length greater than or equal to {bottom}", lambda value: len(value) >= bottom))
    return tests


def _text_tests(shape: Shape) -> list[Test]:
    tests: list[Test] = []
    if shape.enum:
        shown = ENUMS.get(shape.name, shape.enum)
        tests.append((value_set(shown), frozenset((*shape.enum, *shown)).__contains__))
    if shape.pattern is not None:
        shown_pattern = PATTERNS.get(shape.name, shape.pattern)
        tests.append((f"Member must satisfy regular expression pattern: {shown_pattern}", _matcher(shape)))
    return tests


def value_set(values: tuple[str, ...]) -> str:
    """The words for a value outside an enumeration."""
    return f"Member must satisfy enum value set: [{', '.join(values)}]"


def _matcher(shape: Shape) -> Callable[[str], object]:
    assert shape.pattern is not None
    matches = full_match(shape.pattern)
    recorded = PATTERNS.get(shape.name)
    also = full_match(recorded) if recorded else matches
    return lambda text: len(text) > LONGEST_MATCHED or matches(text) or also(text)


def words_of(shape: Shape) -> list[str]:
    """All that a list's or map's message says of its members: their constraints, met or not."""
    words = [text for text, _ in tests_of(shape)]
    if shape.item is not None and shape.item.shape.kind != "structure":
        words.append(f"Member must satisfy constraint: [{', '.join(item_words(shape))}]")
    return words


def item_words(shape: Shape) -> list[str]:
    """All that a list's message says of its items."""
    assert shape.item is not None
    return words_of(shape.item.shape) + ([] if shape.name in NULLS_UNSAID else [NOT_NULL])
