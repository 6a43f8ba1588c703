"""The ways from the services of a trace to where its faults and errors came from.

X-Ray Developer Guide, "Getting data from AWS X-Ray", "Refining traces by root cause": a root cause lists services from
the one that the client called to the one that failed first, and within each the entities, which are its segment and
subsegments, with the exceptions that they recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relambda.api.traces.filter_nodes import Kind, Level
from relambda.api.traces.trace import Document, Hop, Part, Trace, segment_of


@dataclass(frozen=True, slots=True)
class RootCause:
    """One way: its services as the summary tells them, and whether the client noticed."""

    services: Sequence[Mapping[str, Any]]
    impacts_client: bool

    def told(self) -> dict[str, Any]:
        """As the summary tells it."""
        return {"Services": list(self.services), "ClientImpacting": self.impacts_client}

    def listed(self, level: Level) -> list[Mapping[str, Any]]:
        """Its services, all their entities, or all the exceptions of those, in their order."""
        if level == "service":
            return list(self.services)
        entities = [entity for service in self.services for entity in service["EntityPath"]]
        return entities if level == "entity" else [one for entity in entities for one in entity["Exceptions"]]


def root_causes(trace: Trace, kind: Kind) -> list[RootCause]:
    """Those of one kind, a way for each part that failed and has nothing failing below it."""
    failed = [part for part in trace.parts if getattr(part.flags, kind)]
    inner = {id(part.above) for part in failed}
    hops = {id(hop.part): hop for hop in trace.hops}
    ways = (_way(part, kind) for part in failed if id(part) not in inner)
    return [RootCause(_services(way, hops), way[0] is trace.root) for way in ways]


def _way(part: Part, kind: Kind) -> list[Part]:
    """From the outermost part that failed to this one, without a gap."""
    way, seen = [part], {id(part)}
    while (above := way[0].above) is not None and id(above) not in seen and getattr(above.flags, kind):
        seen.add(id(above))
        way.insert(0, above)
    return way


def _services(way: Sequence[Part], hops: Mapping[int, Hop]) -> list[dict[str, Any]]:
    """The parts by the service that they belong to; a call that nobody answered is an entity of both services."""
    services = list[dict[str, Any]]()
    of: Part | None = None
    for part in way:
        segment = segment_of(part)
        if not services or segment is not of:
            services.append(_service(hops.get(id(segment)), part))
            of = segment
        services[-1]["EntityPath"].append(_entity(part))
        if id(part) in hops and not part.is_segment:
            services.append({**_service(hops[id(part)], part), "EntityPath": [_entity(part, remote=False)]})
    return services


def _service(hop: Hop | None, part: Part) -> dict[str, Any]:
    name = str(part.document["name"])
    told = {"Name": name, "Names": [name]} if hop is None else hop.service.told()
    return {**told, "EntityPath": [], "Inferred": hop is not None and hop.is_inferred}


def _entity(part: Part, *, remote: bool | None = None) -> dict[str, Any]:
    is_remote = part.document.get("namespace") in {"aws", "remote"}
    return {
        "Name": str(part.document["name"]),
        "Exceptions": list(_exceptions(part.document)),
        "Remote": is_remote if remote is None else remote,
    }


def _exceptions(document: Document) -> Iterator[dict[str, str]]:
    """Those in the document's `cause`; one that only names another part's exception has none."""
    cause = document.get("cause")
    exceptions = cause.get("exceptions") if isinstance(cause, dict) else None
    for one in exceptions if isinstance(exceptions, list) else ():
        if isinstance(one, dict):
            yield {"Name": str(one.get("type", "")), "Message": str(one.get("message", ""))}
