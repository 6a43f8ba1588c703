"""Layers: versions of archives that functions find in /opt, and the rules for naming them in a function.

A version's number is never given again, and its content stays for the functions that use it (TRAPS.md row 20).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Decider, Event, ViewRow, changed, event
from relambda.actors.domain.description import timestamp
from relambda.actors.domain.names import ResourceName, Scope
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import invalid

_HIGHEST = 10**10 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLayerVersion(Command):
    """Publish stored content as the layer's next version. None is for members that the request does not have."""

    sha256: str
    size: int
    mount: str = ""
    description: str = ""
    license_info: str | None = None
    compatible_runtimes: tuple[str, ...] | None = None
    compatible_architectures: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteLayerVersion(Command):
    """Delete a version; one that is not there is no error."""

    version: int


@event("LayerVersionPublished")
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersionPublished(Event):
    """A layer has one more version, with the content of this zip (its sha256 in hex, its size in bytes)."""

    version: int
    sha256: str
    size: int
    description: str
    license_info: str | None
    compatible_runtimes: tuple[str, ...] | None
    compatible_architectures: tuple[str, ...] | None
    mount: str = ""
    """A host folder in the place of the zip (hot reload)."""


@event("LayerVersionDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersionDeleted(Event):
    """A version can neither be seen nor be added to functions any more."""

    version: int


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One version of a layer."""

    number: int
    sha256: str
    size: int
    created_ms: int
    description: str = ""
    license_info: str | None = None
    compatible_runtimes: tuple[str, ...] | None = None
    compatible_architectures: tuple[str, ...] | None = None
    mount: str = ""

    def fits(self, runtime: str | None, architecture: str | None) -> bool:
        """Whether it says of itself that it is compatible with both, as far as they are asked for."""
        runtimes, architectures = self.compatible_runtimes or (), self.compatible_architectures or ()
        return (runtime is None or runtime in runtimes) and (architecture is None or architecture in architectures)


@dataclass(frozen=True, slots=True)
class LayerState:
    """A layer: its versions and their policies by number, and the last number that was given."""

    versions: Mapping[str, LayerVersion] = field(default_factory=dict)
    policies: Mapping[str, Json] = field(default_factory=dict)
    last_version: int = 0


def newest_first(version: str) -> str:
    """A version's part of its row's key: rows are read upwards, lists begin with the newest version."""
    return f"{_HIGHEST - int(version):010d}"


def describe_version(layer: ResourceName, version: LayerVersion) -> dict[str, Any]:
    """A version as lists show it; empty lists are shown, absent ones are not (TRAPS.md row 20)."""
    shown: dict[str, Any] = {
        "LayerVersionArn": layer.arn(str(version.number)),
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": timestamp(version.created_ms),
        "CompatibleRuntimes": version.compatible_runtimes,
        "LicenseInfo": version.license_info,
        "CompatibleArchitectures": version.compatible_architectures,
    }
    return {member: value for member, value in shown.items() if value is not None}


def _rows(layer: ResourceName, old: LayerState, new: LayerState) -> Iterable[ViewRow]:
    yield from changed("layer_versions", layer, old.versions, new.versions, newest_first)
    for row in changed("layer_version_listing", layer, old.versions, new.versions, newest_first):
        yield replace(row, value=None if row.value is None else describe_version(layer, row.value))
    yield from changed("layer_policies", layer, old.policies, new.policies)
    was, now = _newest(old), _newest(new)
    if was is not now:
        yield ViewRow("layers", layer.key, None if now is None else _listed(layer, now))


def _newest(state: LayerState) -> LayerVersion | None:
    return max(state.versions.values(), key=lambda version: version.number, default=None)


def _listed(layer: ResourceName, newest: LayerVersion) -> Json:
    return {
        "LayerName": layer.name,
        "LayerArn": layer.arn(),
        "LatestMatchingVersion": describe_version(layer, newest),
    }


layer: Decider[LayerState] = Decider("layer", LayerState(), _rows)


def layer_name(scope: Scope, name: str) -> ResourceName:
    """The identity of a layer."""
    return ResourceName(layer.kind, scope.account, scope.region, name)


@layer.decides(PublishLayerVersion)
def publish(state: LayerState, command: PublishLayerVersion) -> Iterable[Event]:
    """One more version, be its content what the last one's is."""
    yield LayerVersionPublished(
        at_ms=command.at_ms,
        version=state.last_version + 1,
        sha256=command.sha256,
        size=command.size,
        description=command.description,
        license_info=command.license_info,
        compatible_runtimes=command.compatible_runtimes,
        compatible_architectures=command.compatible_architectures,
        mount=command.mount,
    )


@layer.evolves(LayerVersionPublished)
def published(state: LayerState, event: LayerVersionPublished) -> LayerState:
    """The version is there."""
    version = LayerVersion(
        number=event.version,
        sha256=event.sha256,
        size=event.size,
        created_ms=event.at_ms,
        description=event.description,
        license_info=event.license_info,
        compatible_runtimes=event.compatible_runtimes,
        compatible_architectures=event.compatible_architectures,
        mount=event.mount,
    )
    return replace(state, versions={**state.versions, str(event.version): version}, last_version=event.version)


def check_number(number: int) -> None:
    """Refuse what cannot be a version's number. Raises Refusal."""
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1")


@layer.decides(DeleteLayerVersion)
def delete(state: LayerState, command: DeleteLayerVersion) -> Iterable[Event]:
    """The end of a version that is there."""
    check_number(command.version)
    if str(command.version) in state.versions:
        yield LayerVersionDeleted(at_ms=command.at_ms, version=command.version)


@layer.evolves(LayerVersionDeleted)
def deleted(state: LayerState, event: LayerVersionDeleted) -> LayerState:
    """The version is gone, with its policy."""
    number = str(event.version)
    return replace(state, versions=dropped(state.versions, number), policies=dropped(state.policies, number))


def check_use(arns: Sequence[str], region: str, most: int, package_type: str) -> None:
    """Refuse ARNs of layer versions that one function cannot have together. Raises Refusal."""
    if not arns:
        return
    if package_type == "Image":
        raise invalid(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )
    if len(arns) > most:
        raise invalid(f"Cannot reference more than {most} layers.")
    if any(arn.split(":")[3] not in {region, ""} for arn in arns):
        raise invalid(
            f"Layers are not in the same region as the function. Layers are expected to be in region {region}."
        )
    _check_distinct(arns)


def _check_distinct(arns: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for arn in arns:
        other = first.setdefault(arn.rpartition(":")[0], arn)
        if other is not arn:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{other} and {arn} are versions of the same layer."
            )
