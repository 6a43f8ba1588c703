"""Filter patterns of event source mappings: what is one, in EventBridge's pattern language.

Sources: Developer Guide, "Control which events Lambda sends to your function" (filter rule syntax), and FACTS.md
section 5, "Filters". Whether an event matches is for who polls.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.refusals import Refusal, invalid

MOST_FILTERS = 5
"""Filters of one mapping (FACTS.md section 5)."""
MOST_LEVELS = 32
"""How deep a pattern may nest; a pattern has 4096 characters at most, so deeper ones are no one's wish."""
_COMPARISONS = frozenset({"=", "<", "<=", ">", ">="})


def check_filters(criteria: Json) -> None:
    """Refuse criteria of which a pattern is none. Raises Refusal: InvalidParameterValueException."""
    filters = criteria.get("Filters") or []
    if len(filters) > MOST_FILTERS:
        raise invalid(f"An event source mapping has {MOST_FILTERS} filters at most; {len(filters)} are given.")
    for each in filters:
        pattern = (each or {}).get("Pattern")
        if pattern is not None and not is_pattern(pattern):
            raise _no_pattern()


def _no_pattern() -> Refusal:
    return invalid("Invalid filter pattern definition.")


def is_pattern(text: str) -> bool:
    """Whether a text is a filter pattern."""
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and _object(document, 0)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _object(document: Mapping[str, Any], level: int) -> bool:
    return level < MOST_LEVELS and all(_field(key, value, level) for key, value in document.items())


def _field(key: str, value: Any, level: int) -> bool:
    if key == "$or" and isinstance(value, list):
        return len(value) > 1 and all(isinstance(each, dict) and _object(each, level + 1) for each in value)
    if isinstance(value, dict):
        return bool(value) and _object(value, level + 1)
    return isinstance(value, list) and bool(value) and all(map(_rule, value))


def _rule(rule: Any) -> bool:
    if not isinstance(rule, dict):
        return _plain(rule)
    if len(rule) != 1:
        return False
    (name, argument), *_ = rule.items()
    check = _RULES.get(name)
    return check is not None and check(argument)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _affix(value: Any) -> bool:
    """A prefix or suffix: a text, or one whose case does not matter."""
    if isinstance(value, dict):
        return value.keys() == {"equals-ignore-case"} and _text(value["equals-ignore-case"])
    return _text(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(value: Any) -> bool:
    """One comparison, or two that bound a range."""
    if not isinstance(value, list) or len(value) not in {2, 4}:
        return False
    signs, numbers = value[::2], value[1::2]
    return all(isinstance(sign, str) and sign in _COMPARISONS for sign in signs) and all(map(_number, numbers))


def _texts(value: Any) -> bool:
    many: Sequence[Any] = value if isinstance(value, list) else [value]
    return bool(many) and all(map(_text, many))


def _anything_but(value: Any) -> bool:
    if isinstance(value, dict):
        if len(value) != 1:
            return False
        (name, argument), *_ = value.items()
        return name in {"prefix", "suffix", "equals-ignore-case", "wildcard"} and _texts(argument)
    many: Sequence[Any] = value if isinstance(value, list) else [value]
    return bool(many) and all(each is not None and _plain(each) for each in many)


_RULES: Mapping[str, Callable[[Any], bool]] = {
    "prefix": _affix,
    "suffix": _affix,
    "equals-ignore-case": _text,
    "wildcard": _text,
    "cidr": _text,
    "exists": lambda value: isinstance(value, bool),
    "numeric": _numeric,
    "anything-but": _anything_but,
}
