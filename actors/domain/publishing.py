"""Versions: published from $LATEST, deleted, never changed in between."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.description import code_sha256
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.qualifiers import dropped, without
from relambda.actors.domain.refusals import check_revision, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import CREATING, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVersion(Command):
    """Publish $LATEST, unless it is as the last published version is."""

    revision_id: str
    code_sha256: str | None = None
    description: str | None = None
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVersion(Command):
    """Delete one published version."""

    version: str


@event("VersionPublished")
@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """$LATEST was copied as the version of this number; both have the revision id from now on."""

    version: str
    description: str
    revision_id: str


@event("VersionDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDeleted(Event):
    """A published version is gone."""

    version: str


def published(state: FunctionState, at_ms: int, revision_id: str, description: str | None = None) -> VersionPublished:
    """The event that publishes $LATEST under the next number."""
    latest = state.versions[LATEST]
    return VersionPublished(
        at_ms=at_ms,
        version=str(state.last_version + 1),
        description=latest.config["Description"] if description is None else description,
        revision_id=revision_id,
    )


@function.decides(PublishVersion)
def publish(state: FunctionState, command: PublishVersion) -> Iterable[Event]:
    """A new version; nothing when $LATEST has not changed since the last one (TRAPS.md row 10)."""
    latest = state.latest
    if latest is None:
        raise not_found(f"Function not found: {command.resource.arn()}")
    if latest.unfinished:
        raise conflict(
            "The operation cannot be performed at this time. "
            + (
                "The function is currently in the following state: Pending"
                if latest.state.value == "Pending"
                else f"An update is in progress for resource: {command.resource.arn()}"
            )
        )
    check_revision(command.expected_revision_id, latest.revision_id)
    actual = code_sha256(latest.code.sha256)
    if command.code_sha256 is not None and command.code_sha256 != actual:
        raise invalid(
            f"CodeSHA256 ({command.code_sha256}) is different from current CodeSHA256 in $LATEST ({actual}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    if last_published(state) is None or not unchanged(state):
        yield published(state, command.at_ms, command.revision_id, command.description)


def last_published(state: FunctionState) -> Version | None:
    """The version with the highest number that is still there."""
    numbers = [int(version) for version in state.versions if not version.startswith("$")]
    return state.versions[str(max(numbers))] if numbers else None


def unchanged(state: FunctionState) -> bool:
    """$LATEST has the code and configuration of the last published version; descriptions do not count."""
    last, latest = last_published(state), state.latest
    if last is None or latest is None:
        return False
    ours, theirs = ({**version.config, "Description": ""} for version in (last, latest))
    return (last.code, last.layers, ours) == (latest.code, latest.layers, theirs)


@function.evolves(VersionPublished)
def version_published(state: FunctionState, event: VersionPublished) -> FunctionState:
    """The copy is there, and $LATEST has a new revision id (TRAPS.md row 10)."""
    latest = replace(state.versions[LATEST], revision_id=event.revision_id)
    config = {**latest.config, "Description": event.description}
    copy = replace(latest, version=event.version, config=config, modified_ms=event.at_ms, serving=None)
    if copy.unfinished and copy.update is not None:
        copy = replace(copy, state=CREATING, update=None)
    versions = {**state.versions, LATEST: latest, event.version: copy}
    return replace(state, versions=versions, last_version=int(event.version))


@function.decides(DeleteVersion)
def delete_version(state: FunctionState, command: DeleteVersion) -> Iterable[Event]:
    """The end of a published version, unless an alias points to it; one that is not there is no error."""
    if state.latest is None:
        raise not_found(f"Function not found: {command.resource.arn()}")
    if command.version == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if command.version in state.versions:
        yield VersionDeleted(at_ms=command.at_ms, version=command.version)


@function.evolves(VersionDeleted)
def version_deleted(state: FunctionState, event: VersionDeleted) -> FunctionState:
    """The version is gone, with all that hangs on it."""
    return replace(without(state, event.version), versions=dropped(state.versions, event.version))
