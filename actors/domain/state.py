"""The state of a function: its head, its versions, and what hangs on them, folded from its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Decider, ViewRow, changed
from relambda.actors.domain.description import listing
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.references import provider_rows, signing_rows
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
        yield from signing_rows(resource, _signed_by(old), _signed_by(new))
    yield from changed("versions", resource, old.versions, new.versions, version_key)
    yield from changed("aliases", resource, old.aliases, new.aliases)
    yield from changed("policies", resource, old.policies, new.policies)
    yield from changed("urls", resource, old.urls, new.urls)
    yield from changed("invoke_configs", resource, old.invoke_configs, new.invoke_configs)
    yield from changed("provisioned", resource, old.provisioned, new.provisioned)
    yield from changed("runtime_management", resource, old.runtime_management, new.runtime_management)
    yield from changed("scaling", resource, old.scaling, new.scaling)
    if old.urls is not new.urls:
        yield from _url_ids(resource, old, new)
    if old.versions is not new.versions:
        yield from _version_rows(resource, old, new)
        yield from provider_rows(resource, old.versions, new.versions)
    if old.versions is not new.versions or old.provisioned is not new.provisioned:
        was, now = _unfinished(old), _unfinished(new)
        if was != now:
            yield ViewRow("unfinished", resource.stream, {} if now else None)


def _signed_by(state: FunctionState) -> str:
    return "" if state.head is None else state.head.code_signing_config_arn


def _unfinished(state: FunctionState) -> bool:
    """Whether an actor must go on with something after a restart."""
    provisioning = any(config["Status"] == "IN_PROGRESS" for config in state.provisioned.values())
    return provisioning or any(version.unfinished for version in state.versions.values())


def _url_ids(resource: ResourceName, old: FunctionState, new: FunctionState) -> Iterable[ViewRow]:
    """Whose a URL is, by region and id, as its host name tells them."""
    were, are = ({url["UrlId"]: qualifier for qualifier, url in state.urls.items()} for state in (old, new))
    for url_id in were.keys() | are.keys():
        if were.get(url_id) != are.get(url_id):
            owner = {"Function": resource.stream, "Qualifier": are[url_id]} if url_id in are else None
            yield ViewRow("url_ids", f"{resource.region}/{url_id}", owner)


def _version_rows(resource: ResourceName, old: FunctionState, new: FunctionState) -> Iterable[ViewRow]:
    for row in changed("version_listing", resource, old.versions, new.versions, version_key):
        shown = None if row.value is None else listing(resource, row.value, qualified=True)
        yield ViewRow(row.table, row.key, shown)
    if old.latest is not new.latest:
        listed = None if new.latest is None else listing(resource, new.latest)
        yield ViewRow("function_listing", resource.key, listed)


def version_key(version: str) -> str:
    """A version's part of its row's key: $LATEST sorts first, then numbers as numbers."""
    return version if version.startswith("$") else version.zfill(10)


function: Decider[FunctionState] = Decider("function", FunctionState(), _rows)
