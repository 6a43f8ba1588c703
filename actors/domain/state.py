"""The state of a function: its head, its versions, and what hangs on them, folded from its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Decider, ViewRow, changed
from relambda.actors.domain.description import listing
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.version import Version


@dataclass(frozen=True, slots=True)
class Head:
    """What belongs to the function as a whole."""

    created_ms: int
    tags: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    recursive_loop: str = "Terminate"
    code_signing_config_arn: str = ""


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A function. Maps are by version, alias name or qualifier, and are replaced, never changed."""

    head: Head | None = None
    versions: Mapping[str, Version] = field(default_factory=dict)
    aliases: Mapping[str, Json] = field(default_factory=dict)
    policies: Mapping[str, Json] = field(default_factory=dict)
    urls: Mapping[str, Json] = field(default_factory=dict)
    invoke_configs: Mapping[str, Json] = field(default_factory=dict)
    provisioned: Mapping[str, Json] = field(default_factory=dict)
    runtime_management: Mapping[str, Json] = field(default_factory=dict)
    scaling: Mapping[str, Json] = field(default_factory=dict)
    last_version: int = 0
    """Version numbers are never used again, not even by a function created anew under the name (Developer Guide,
    "Lambda function versions")."""

    @property
    def latest(self) -> Version | None:
        """$LATEST, None when there is no such function."""
        return self.versions.get(LATEST)


def _rows(resource: ResourceName, old: FunctionState, new: FunctionState) -> Iterable[ViewRow]:
    if old.head is not new.head:
        yield ViewRow("functions", resource.key, new.head)
    yield from changed("versions", resource, old.versions, new.versions, version_key)
    yield from changed("aliases", resource, old.aliases, new.aliases)
    yield from changed("policies", resource, old.policies, new.policies)
    yield from changed("urls", resource, old.urls, new.urls)
    yield from changed("invoke_configs", resource, old.invoke_configs, new.invoke_configs)
    yield from changed("provisioned", resource, old.provisioned, new.provisioned)
    yield from changed("runtime_management", resource, old.runtime_management, new.runtime_management)
    yield from changed("scaling", resource, old.scaling, new.scaling)
    if old.versions is not new.versions:
        yield from _version_rows(resource, old, new)


def _version_rows(resource: ResourceName, old: FunctionState, new: FunctionState) -> Iterable[ViewRow]:
    for row in changed("version_listing", resource, old.versions, new.versions, version_key):
        shown = None if row.value is None else listing(resource, row.value, qualified=True)
        yield ViewRow(row.table, row.key, shown)
    if old.latest is not new.latest:
        listed = None if new.latest is None else listing(resource, new.latest)
        yield ViewRow("function_listing", resource.key, listed)
    was, now = (any(version.unfinished for version in state.versions.values()) for state in (old, new))
    if was != now:
        yield ViewRow("unfinished", resource.stream, {} if now else None)


def version_key(version: str) -> str:
    """A version's part of its row's key: $LATEST sorts first, then numbers as numbers."""
    return version if version.startswith("$") else version.zfill(10)


function: Decider[FunctionState] = Decider("function", FunctionState(), _rows)
