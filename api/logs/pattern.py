"""Filter patterns of CloudWatch Logs: which messages a pattern wants (user guide, "Filter pattern syntax")."""

from functools import lru_cache

from relambda.api.logs.pattern_columns import parse_columns
from relambda.api.logs.pattern_json import parse_json
from relambda.api.logs.pattern_terms import parse_terms
from relambda.api.logs.pattern_text import Pattern


@lru_cache(maxsize=256)
def parse(pattern: str) -> Pattern:
    """What tells whether a message is wanted; an empty pattern wants all. Raises ServiceError."""
    text = pattern.strip()
    if text.startswith("{"):
        return parse_json(text)
    return parse_columns(text) if text.startswith("[") else parse_terms(text)
