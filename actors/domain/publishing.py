"""Versions: published from $LATEST, deleted, never changed in between.

A function of managed instances has `$LATEST.PUBLISHED` beside its numbered versions: what PublishTo publishes, each
time in the place of the former (FACTS.md section 7).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.aliases import invokes
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.description import code_sha256
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.qualifiers import dropped, is_version, without
from relambda.actors.domain.refusals import check_revision, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import CREATING, Version

LATEST_PUBLISHED = "$LATEST.PUBLISHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVersion(Command):
    """Publish $LATEST, unless it is as the last published version is."""

    revision_id: str
    code_sha256: str | None = None
    description: str | None = None
    expected_revision_id: str | None = None
    to_latest_published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVersion(Command):
    """Delete one published version."""

    version: str


@event("VersionPublished")
@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """$LATEST was copied as this version, with this description; both have the revision id from now on."""

    version: str
    description: str
    revision_id: str


@event("VersionDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDeleted(Event):
    """A published version is gone."""

    version: str


def settled(resource: ResourceName, state: FunctionState) -> Version:
    """$LATEST of a function of which no change is under way. Raises Refusal."""
    latest = state.latest
    if latest is None:
        raise not_found(f"Function not found: {resource.arn()}")
    if latest.state.value == "Pending":
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    if latest.unfinished:
        raise conflict(
            f"The operation cannot be performed at this time. An update is in progress for resource: {resource.arn()}"
        )
    return latest


def published(state: FunctionState, at_ms: int, revision_id: str, description: str | None = None) -> VersionPublished:
    """The event that publishes $LATEST under the next number."""
    return _publication(state, at_ms, revision_id, description, str(state.last_version + 1))


def _publication(
    state: FunctionState, at_ms: int, revision_id: str, description: str | None, version: str
) -> VersionPublished:
    own = state.versions[LATEST].config["Description"]
    return VersionPublished(
        at_ms=at_ms,
        version=version,
        description=own if description is None else description,
        revision_id=revision_id,
    )


@function.decides(PublishVersion)
def publish(state: FunctionState, command: PublishVersion) -> Iterable[Event]:
    """A new version; nothing when $LATEST has not changed since the last one (TRAPS.md row 10)."""
    latest = settled(command.resource, state)
    check_revision(command.expected_revision_id, latest.revision_id)
    _check_code(latest, command.code_sha256)
    if command.to_latest_published and "CapacityProviderConfig" not in latest.config:
        raise invalid("PublishTo is supported for functions with a capacity provider only.")
    version = LATEST_PUBLISHED if command.to_latest_published else str(state.last_version + 1)
    if publication(state, to_latest_published=command.to_latest_published) is None:
        yield _publication(state, command.at_ms, command.revision_id, command.description, version)


def _check_code(latest: Version, expected: str | None) -> None:
    actual = code_sha256(latest.code.sha256)
    if expected is not None and expected != actual:
        raise invalid(
            f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({actual}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )


def publication(state: FunctionState, *, to_latest_published: bool = False) -> Version | None:
    """The version that publishing now would give again: the last one, when $LATEST is still as it was then."""
    last = state.versions.get(LATEST_PUBLISHED) if to_latest_published else last_published(state)
    latest = state.latest
    if last is None or latest is None:
        return None
    was = {**last.config, "Description": last.source_description}
    return last if (last.code, last.layers, was) == (latest.code, latest.layers, latest.config) else None


def last_published(state: FunctionState) -> Version | None:
    """The version with the highest number that is still there."""
    numbers = [int(version) for version in state.versions if not version.startswith("$")]
    return state.versions[str(max(numbers))] if numbers else None


@function.evolves(VersionPublished)
def version_published(state: FunctionState, event: VersionPublished) -> FunctionState:
    """The copy is there, and $LATEST has a new revision id (TRAPS.md row 10)."""
    latest = replace(state.versions[LATEST], revision_id=event.revision_id)
    copy = replace(
        latest,
        version=event.version,
        config={**latest.config, "Description": event.description},
        source_description=latest.config["Description"],
        modified_ms=event.at_ms,
        serving=None,
    )
    if copy.unfinished or _starts_anew(copy):
        copy = replace(copy, state=CREATING, update=None)
    versions = {**state.versions, LATEST: latest, event.version: copy}
    last = state.last_version if event.version.startswith("$") else int(event.version)
    return replace(state, versions=versions, last_version=last)


def _starts_anew(version: Version) -> bool:
    """SnapStart and managed instances initialise a version before it is Active (FACTS.md section 1, "State facts")."""
    return version.config["SnapStart"]["ApplyOn"] == "PublishedVersions" or "CapacityProviderConfig" in version.config


@function.decides(DeleteVersion)
def delete_version(state: FunctionState, command: DeleteVersion) -> Iterable[Event]:
    """The end of a published version that no alias invokes; one that is not there is no error.

    The words about aliases are AWS's as users have published them.
    """
    if state.latest is None:
        raise not_found(f"Function not found: {command.resource.arn()}")
    if command.version == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if not is_version(command.version):
        raise invalid("Deletion of aliases is not currently supported.")
    referring = sorted(name for name, alias in state.aliases.items() if invokes(alias, command.version))
    if referring:
        raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(referring)}]")
    if command.version in state.versions:
        yield VersionDeleted(at_ms=command.at_ms, version=command.version)


@function.evolves(VersionDeleted)
def version_deleted(state: FunctionState, event: VersionDeleted) -> FunctionState:
    """The version is gone, with all that hangs on it."""
    return replace(without(state, event.version), versions=dropped(state.versions, event.version))
