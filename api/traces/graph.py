"""The services of traces and the calls between them, with figures: X-Ray's service graph.

X-Ray API reference, "Service" and "Edge"; Developer Guide, "Getting data from AWS X-Ray", "Retrieving the service
graph". Clients are a node of their own for each service that they call.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from relambda.api.traces.trace import Flags, Hop, Service, Trace, end_of, start_of

_CLIENT: Final = "client"
_STEP: Final = 3
"""Decimals of seconds to which a histogram rounds."""


@dataclass(slots=True)
class Figures:
    """What became of the requests to a service, or over an edge."""

    hops: list[Hop] = field(default_factory=list)

    def told(self, histogram: str) -> dict[str, Any]:
        """Times, statistics and a histogram of durations under that name."""
        documents = [hop.document for hop in self.hops]
        took = [max(end_of(each) - start_of(each), 0.0) for each in documents if "end_time" in each]
        spread = Counter(round(each, _STEP) for each in took)
        return {
            "StartTime": min(map(start_of, documents)),
            "EndTime": max(map(end_of, documents)),
            "SummaryStatistics": {**_counts([hop.part.flags for hop in self.hops]), "TotalResponseTime": sum(took)},
            histogram: [{"Value": value, "Count": count} for value, count in sorted(spread.items())],
        }


@dataclass(slots=True)
class _Node:
    id: int
    figures: Figures = field(default_factory=Figures)
    edges: dict[Service, Figures] = field(default_factory=dict)
    is_root: bool = False


def service_graph(traces: Iterable[Trace]) -> list[dict[str, Any]]:
    """The services of all the traces, numbered as they were met, with their edges; clients come last."""
    nodes: dict[Service, _Node] = {}
    clients: dict[Service, Figures] = {}
    for hop in (hop for trace in traces for hop in trace.hops):
        node = _node(nodes, hop.service)
        node.figures.hops.append(hop)
        if hop.caller is not None:
            _node(nodes, hop.caller).edges.setdefault(hop.service, Figures()).hops.append(hop)
        elif hop.is_root:
            node.is_root = True
            clients.setdefault(hop.service, Figures()).hops.append(hop)
    numbers = {service: node.id for service, node in nodes.items()}
    served = [_service(service, node, numbers) for service, node in nodes.items()]
    return [*served, *(_client(len(nodes) + at, *each, numbers) for at, each in enumerate(clients.items()))]


def _node(nodes: dict[Service, _Node], service: Service) -> _Node:
    return nodes.setdefault(service, _Node(len(nodes)))


def _service(service: Service, node: _Node, numbers: dict[Service, int]) -> dict[str, Any]:
    own = node.figures.told("ResponseTimeHistogram") if node.figures.hops else {}
    inferred = all(hop.is_inferred for hop in node.figures.hops)
    return {
        "ReferenceId": node.id,
        **service.told(),
        **({"Root": True} if node.is_root else {}),
        "State": "unknown" if inferred else "active",
        "Edges": [_edge(numbers[called], figures) for called, figures in node.edges.items()],
        **own,
        **({"DurationHistogram": own["ResponseTimeHistogram"]} if own else {}),
    }


def _client(id_: int, service: Service, figures: Figures, numbers: dict[Service, int]) -> dict[str, Any]:
    edge = _edge(numbers[service], figures)
    told = {**service.told(), "Type": _CLIENT, "State": "unknown"}
    return {"ReferenceId": id_, **told, "StartTime": edge["StartTime"], "EndTime": edge["EndTime"], "Edges": [edge]}


def _edge(number: int, figures: Figures) -> dict[str, Any]:
    return {"ReferenceId": number, **figures.told("ResponseTimeHistogram"), "Aliases": []}


def _counts(flags: Sequence[Flags]) -> dict[str, Any]:
    """A request counts once: as a fault, else as an error, else as fine."""
    faults = sum(each.fault for each in flags)
    errors = [each for each in flags if (each.error or each.throttle) and not each.fault]
    throttled = sum(each.throttle for each in errors)
    return {
        "OkCount": len(flags) - faults - len(errors),
        "ErrorStatistics": {
            "ThrottleCount": throttled,
            "OtherCount": len(errors) - throttled,
            "TotalCount": len(errors),
        },
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": len(flags),
    }
