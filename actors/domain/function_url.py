"""Function URLs: an HTTPS endpoint of a function, or of one of its aliases."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import Refusal, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, Head, function

SETTINGS = ("AuthType", "Cors", "InvokeMode")
CUSTOM_ID_TAG = "_custom_id_"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunctionUrl(Command):
    """Give $LATEST, or an alias, a URL of this id."""

    qualifier: str
    url_id: str
    settings: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionUrl(Command):
    """Change members of a URL's configuration."""

    qualifier: str
    settings: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunctionUrl(Command):
    """Take a URL back; another one that is made later has another id."""

    qualifier: str


@event("FunctionUrlCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrlCreated(Event):
    """$LATEST or an alias has a URL."""

    qualifier: str
    url_id: str
    settings: Json


@event("FunctionUrlUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrlUpdated(Event):
    """The configuration of a URL is this one now."""

    qualifier: str
    settings: Json


@event("FunctionUrlDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrlDeleted(Event):
    """A URL is gone."""

    qualifier: str


def url_id(head: Head, qualifier: str, fresh: str) -> str:
    """The id of a URL to come: `fresh`, or what the function's tag `_custom_id_` says.

    An alias's URL then gets the tag's id with a dash and the alias's name. Raises Refusal when that is no DNS label.
    """
    custom = head.tags.get(CUSTOM_ID_TAG)
    if custom is None:
        return fresh
    chosen = (custom if qualifier == LATEST else f"{custom}-{qualifier}").lower()
    if not _LABEL.fullmatch(chosen):
        raise invalid(
            f"The tag {CUSTOM_ID_TAG} asks for the function URL id '{chosen}', which is no host name: give it up to 63 "
            "letters, digits and inner dashes."
        )
    return chosen


def no_url() -> Refusal:
    """There is no such URL, and maybe no such function."""
    return not_found("The resource you requested does not exist.")


@function.decides(CreateFunctionUrl)
def create_url(state: FunctionState, command: CreateFunctionUrl) -> Iterable[Event]:
    """A URL for a function or alias that has none."""
    latest = state.latest
    if latest is None or (command.qualifier != LATEST and command.qualifier not in state.aliases):
        raise not_found("Function does not exist")
    if command.qualifier in state.urls:
        arn = command.resource.arn(None if command.qualifier == LATEST else command.qualifier)
        raise conflict(
            f"Failed to create function url config for [functionArn = {arn}]. "
            "Error message:  FunctionUrlConfig exists for this Lambda function"
        )
    if "TenancyConfig" in latest.config:
        raise invalid("Function URLs are not supported for functions with tenant isolation.")
    yield FunctionUrlCreated(
        at_ms=command.at_ms,
        qualifier=command.qualifier,
        url_id=command.url_id,
        settings=_without_empty_cors(command.settings),
    )


@function.evolves(FunctionUrlCreated)
def url_created(state: FunctionState, event: FunctionUrlCreated) -> FunctionState:
    """The URL is there, buffered unless it streams."""
    moment = _moment(event.at_ms)
    config = {
        "Qualifier": event.qualifier,
        "UrlId": event.url_id,
        "InvokeMode": "BUFFERED",
        **event.settings,
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }
    return replace(state, urls={**state.urls, event.qualifier: config})


@function.decides(UpdateFunctionUrl)
def update_url(state: FunctionState, command: UpdateFunctionUrl) -> Iterable[Event]:
    """Members that are given replace; an empty Cors removes it."""
    former = state.urls.get(command.qualifier)
    if former is None:
        raise no_url()
    kept = {member: former[member] for member in SETTINGS if member in former}
    settings = _without_empty_cors({**kept, **command.settings})
    yield FunctionUrlUpdated(at_ms=command.at_ms, qualifier=command.qualifier, settings=settings)


@function.evolves(FunctionUrlUpdated)
def url_updated(state: FunctionState, event: FunctionUrlUpdated) -> FunctionState:
    """The configuration is in force; the URL stays."""
    former = state.urls[event.qualifier]
    kept = {member: value for member, value in former.items() if member not in SETTINGS}
    config = {**kept, **event.settings, "LastModifiedTime": _moment(event.at_ms)}
    return replace(state, urls={**state.urls, event.qualifier: config})


@function.decides(DeleteFunctionUrl)
def delete_url(state: FunctionState, command: DeleteFunctionUrl) -> Iterable[Event]:
    """The end of a URL, which must be there; those of other qualifiers stay (TRAPS.md row 14)."""
    if command.qualifier not in state.urls:
        raise no_url()
    yield FunctionUrlDeleted(at_ms=command.at_ms, qualifier=command.qualifier)


@function.evolves(FunctionUrlDeleted)
def url_deleted(state: FunctionState, event: FunctionUrlDeleted) -> FunctionState:
    """The URL is gone."""
    return replace(state, urls=dropped(state.urls, event.qualifier))


def _without_empty_cors(settings: Json) -> Json:
    return settings if settings.get("Cors") else {name: value for name, value in settings.items() if name != "Cors"}


def _moment(at_ms: int) -> str:
    """ISO 8601 in UTC with a `Z`, as published answers have it."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
