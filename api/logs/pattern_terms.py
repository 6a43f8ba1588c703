r"""Filter patterns that list terms: `ERROR "not found" -retried`, `?ERROR ?WARN`, `%4\d\d%`."""

import re

from relambda.api.logs.call import invalid
from relambda.api.logs.pattern_text import Pattern, regular_expression, unquoted

_TERM = re.compile(r"""\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<bare>[^\s"%]+))""")
_WORD = re.compile(r"\w+")


def parse_terms(text: str) -> Pattern:
    """All plain terms, none of those behind `-`; the ones behind `?` count when there are no others: any of them."""
    terms: dict[str, list[Pattern]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise invalid(f"Invalid filter pattern: {text!r} cannot be read behind character {at}")
        terms[found["sign"]].append(_term(found))
        at = found.end()
    wanted, unwanted, optional = terms[""], terms["-"], terms["?"]
    if optional and not wanted and not unwanted:
        return lambda message: any(term(message) for term in optional)
    return lambda message: all(term(message) for term in wanted) and not any(term(message) for term in unwanted)


def _term(found: re.Match[str]) -> Pattern:
    if found["regex"] is not None:
        return regular_expression(found["regex"])
    if found["quoted"] is not None:
        return _containing(unquoted(found["quoted"]))
    if not _WORD.fullmatch(found["bare"]):
        raise invalid(f"Invalid character(s) in term '{found['bare']}'")
    return _containing(found["bare"])


def _containing(term: str) -> Pattern:
    return lambda message: term in message
