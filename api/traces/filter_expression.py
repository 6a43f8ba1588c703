"""X-Ray's filter expressions, read by a grammar (X-Ray Developer Guide, "Using filter expressions").

Keywords and words are read in any case; expressions that stand side by side are joined by AND, as in AWS's own
example `ok !partial duration <3`.
"""

import re
from functools import cache, lru_cache
from typing import Any, Final, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from relambda.actors.domain.refusals import Refusal
from relambda.api.traces.filter_nodes import (
    Compares,
    Holds,
    Joined,
    Keyword,
    Kind,
    Level,
    Node,
    Not,
    OnCause,
    OnEdge,
    OnService,
    ServiceId,
    depth,
)

MOST_CHARACTERS: Final = 2000
MOST_NESTED: Final = 50
"""Expressions within each other: a bound of our own, AWS tells none."""
_SHOWN: Final = 30

_GRAMMAR: Final = r"""
start: any{trace}

?any{atom}: all{atom} | all{atom} ("OR"i all{atom})+ -> either
?all{atom}: one{atom} | one{atom} ("AND"i? one{atom})+ -> both
?one{atom}: atom | "!" one{atom} -> negation | "(" any{atom} ")"

?trace: hop | service | edge | cause
?hop: test{TRUTH, NUMERIC, TEXT} | ANNOTATION -> holds | ANNOTATION _compared -> compares
?within: test{CAUSE_TRUTH, CAUSE_NUMERIC, CAUSE_TEXT}

?test{truth, numeric, text}: truth -> holds | truth _is_truth -> compares
    | numeric -> holds | numeric _is_number -> compares
    | text -> holds | text _is_text -> compares
_compared: _is_truth | _is_number | _is_text
_is_truth: EQUALS BOOLEAN
_is_number: (EQUALS | ORDER) NUMBER
_is_text: (EQUALS | WORD) STRING

service: "service"i "(" who? ")" ("{" any{hop} "}")?
edge: "edge"i "(" who "," who ")" ("{" any{hop} "}")?
cause: CAUSE ("{" any{within} "}")?
who: STRING -> named | "id"i "(" member ("," member)* ")" -> id
member: LABEL ":" STRING

TRUTH: /(ok|error|throttle|fault|partial|inferred|root)\b/i
NUMERIC: /(responsetime|duration|http\.status)\b/i
TEXT: /(http\.(url|method|useragent|clientip)|user|name|type|availabilityzone|instance\.id|resource\.arn)\b/i
CAUSE_TRUTH: /(first|last|remote|inferred)\b/i
CAUSE_NUMERIC: /index\b/i
CAUSE_TEXT: /(name|type|message)\b/i
ANNOTATION.2: /annotation(\.[\w.:-]+|\[[^\]\[]+\])/i
CAUSE.2: /rootcause\.(fault|error)\.(service|entity|exception)\b/i
LABEL: /(name|type|account\.id)\b/i
EQUALS: "!=" | "="
ORDER: "<=" | ">=" | "<" | ">"
WORD: "CONTAINS"i | "BEGINSWITH"i | "ENDSWITH"i
BOOLEAN: /(true|false)\b/i
NUMBER: /-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(?![\w.])/i
STRING: /"([^"\\]|\\.)*"/s
%ignore /\s+/
"""
_ABSENT: Final = {
    "group.": "this cloud has no groups",
    "rootcause.json": "this cloud does not compare root causes as JSON",
    "rootcause.responsetime": "this cloud finds no root causes of response times",
}


@lru_cache(maxsize=256)
def parse(text: str) -> Node:
    """What an expression says. Raises Refusal: InvalidRequestException, with the place where it goes wrong."""
    if len(text) > MOST_CHARACTERS:
        raise _invalid(f"it has more than {MOST_CHARACTERS} characters")
    try:
        node: Node = _parser().parse(text)  # type: ignore[assignment]  # the transformer makes it one
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None
    return node


@cache
def _parser() -> Lark:
    """Made once, at the first expression: it takes tens of milliseconds."""
    return Lark(_GRAMMAR, parser="lalr", transformer=_Nodes(), maybe_placeholders=False)


class _Nodes(Transformer[Token, Node]):
    """Makes nodes of what the grammar finds, from the inside out."""

    def start(self, found: list[Node]) -> Node:
        return found[0]

    def either(self, found: list[Node]) -> Node:
        return _bounded(Joined("OR", tuple(found)))

    def both(self, found: list[Node]) -> Node:
        return _bounded(Joined("AND", tuple(found)))

    def negation(self, found: list[Node]) -> Node:
        return _bounded(Not(found[0]))

    def holds(self, found: list[Token]) -> Node:
        return Holds(_keyword(found[0]))

    def compares(self, found: list[Any]) -> Node:
        keyword, operator, value = found
        return Compares(_keyword(keyword), operator.upper(), _value(value))

    def service(self, found: list[Any]) -> Node:
        who, inner = _split(found)
        return _bounded(OnService(who[0] if who else None, inner))

    def edge(self, found: list[Any]) -> Node:
        (source, destination), inner = _split(found)
        return _bounded(OnEdge(source, destination, inner))

    def cause(self, found: list[Any]) -> Node:
        kind, level = cast("tuple[Kind, Level]", str(found[0]).lower().split(".")[1:])
        return _bounded(OnCause(kind, level, found[1] if len(found) > 1 else None))

    def named(self, found: list[Token]) -> ServiceId:
        return ServiceId(_text(found[0]))

    def id(self, found: list[tuple[str, str]]) -> ServiceId:
        labels = [label for label, _ in found]
        if len(set(labels)) < len(labels):
            raise _invalid("id() names a member twice")
        return ServiceId(**dict(found))

    def member(self, found: list[Token]) -> tuple[str, str]:
        return found[0].lower().removesuffix(".id"), _text(found[1])


def _split(found: list[Any]) -> tuple[list[ServiceId], Node | None]:
    who = [each for each in found if isinstance(each, ServiceId)]
    return who, found[-1] if len(found) > len(who) else None


def _keyword(token: Token) -> Keyword:
    if token.type != "ANNOTATION":
        return Keyword(token.lower())
    rest = token[len("annotation") :]
    return Keyword("annotation", rest[1:] if rest.startswith(".") else rest[1:-1])


def _value(token: Token) -> bool | float | str:
    match token.type:
        case "BOOLEAN":
            return token.lower() == "true"
        case "NUMBER":
            return float(token)
        case _:
            return _text(token)


def _text(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)


def _bounded(node: Node) -> Node:
    if depth(node) > MOST_NESTED:
        raise _invalid(f"its expressions nest deeper than {MOST_NESTED}")
    return node


def _unexpected(text: str, error: UnexpectedInput) -> Refusal:
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    at = len(text) if ended else error.pos_in_stream
    rest = text[at:]
    for start, why in _ABSENT.items():
        if rest.lower().startswith(start):
            return _invalid(why)
    return _invalid(f"{rest[:_SHOWN]!r} is not expected at character {at}" if rest else "it ends too early")


def _invalid(why: str) -> Refusal:
    return Refusal("InvalidRequestException", f"Invalid filter expression: {why}.")
