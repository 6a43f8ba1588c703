"""Whether a trace fits a filter expression (X-Ray Developer Guide, "Using filter expressions").

A keyword may have several values in a trace, such as `user`: it compares so when one of them does, and not at all when
there is none.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from relambda.api.traces.fields import cause_fields, hop_fields, trace_fields
from relambda.api.traces.filter_nodes import (
    Compares,
    Holds,
    Joined,
    Keyword,
    Node,
    Not,
    OnCause,
    OnEdge,
    OnService,
    ServiceId,
    Value,
)
from relambda.api.traces.root_causes import root_causes
from relambda.api.traces.trace import Service, Trace

Fields: TypeAlias = Callable[[Keyword], Sequence[Any]]
"""The values that a keyword has."""


class _Compare(Protocol):
    def __call__(self, found: Any, value: Any, /) -> bool: ...


_ORDERS: Final[Mapping[str, _Compare]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "CONTAINS": lambda found, value: value in found,
    "BEGINSWITH": str.startswith,
    "ENDSWITH": str.endswith,
    "=": operator.eq,
    "!=": operator.ne,
}


def fits(node: Node, trace: Trace) -> bool:
    """Whether the filter lets the trace pass."""
    return _fits(node, trace, trace_fields(trace))


def _fits(node: Node, trace: Trace, fields: Fields) -> bool:
    match node:
        case Not():
            return not _fits(node.inner, trace, fields)
        case Joined():
            each_fits = (_fits(each, trace, fields) for each in node.parts)
            return all(each_fits) if node.word == "AND" else any(each_fits)
        case Holds():
            return any(value is not False for value in fields(node.keyword))
        case Compares():
            return any(_compares(value, node.operator, node.value) for value in fields(node.keyword))
        case OnService() | OnEdge():
            return _has_hop(node, trace)
        case OnCause():
            return _has_cause(node, trace)


def _compares(found: Any, order: str, value: Value) -> bool:
    """Values of different kinds do not compare."""
    return _kind(found) is _kind(value) and bool(_ORDERS[order](found, value))


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _has_hop(node: OnService | OnEdge, trace: Trace) -> bool:
    hops = trace.hops
    if isinstance(node, OnService):
        hops = [each for each in hops if _means(node.id, each.service)]
    else:
        called = [each for each in hops if each.caller is not None and _means(node.source, each.caller)]
        hops = [each for each in called if _means(node.destination, each.service)]
    return any(node.filter is None or _fits(node.filter, trace, hop_fields(trace, each)) for each in hops)


def _means(id_: ServiceId | None, service: Service) -> bool:
    return id_ is None or all(
        not wanted or wanted == found
        for wanted, found in ((id_.name, service.name), (id_.type, service.type), (id_.account, service.account))
    )


def _has_cause(node: OnCause, trace: Trace) -> bool:
    lists = (each.listed(node.level) for each in root_causes(trace, node.kind))
    return any(
        node.filter is None or _fits(node.filter, trace, cause_fields(told, index, len(listed)))
        for listed in lists
        for index, told in enumerate(listed)
    )
