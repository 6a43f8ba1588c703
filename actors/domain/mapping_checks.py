"""What AWS refuses in an event source mapping that the model allows: by the kind of its source."""

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.filters import check_filters
from relambda.actors.domain.mapping_sources import SPECIAL, Source
from relambda.actors.domain.refusals import invalid

LEAST_RECORD_AGE = 60
"""Seconds; -1 stands for no limit (API reference, MaximumRecordAgeInSeconds)."""


def check(source: Source, given: Json, settings: Json, at_ms: int) -> None:
    """Refuse a mapping's settings; `given` are the members this request brings. Raises Refusal."""
    _check_members(source, given, settings)
    _check_position(source, settings, at_ms)
    _check_batch(source, settings)
    _check_destination(given)
    _check_age(settings)
    _check_scaling(source, settings)
    check_filters(settings.get("FilterCriteria", {}))


def _check_members(source: Source, given: Json, settings: Json) -> None:
    for member in given:
        if member in SPECIAL - source.takes and given[member]:
            raise invalid(f"Unsupported {member} parameter for given event source mapping type.")
    for member in source.requires:
        if not settings.get(member):
            shown = member[0].lower() + member[1:]
            raise invalid(f"Required '{shown}' parameter is missing.")


def _check_position(source: Source, settings: Json, at_ms: int) -> None:
    position = settings.get("StartingPosition")
    if position is None:
        return
    if not source.positions:
        name = "SQS" if source.kind.startswith("sqs") else source.kind
        raise invalid(f"StartingPosition is not valid for {name} event sources.")
    if position not in source.positions:
        raise invalid(f"Unsupported starting position for arn type: {settings['EventSourceArn']}")
    if position == "AT_TIMESTAMP":
        _check_timestamp(settings.get("StartingPositionTimestamp"), at_ms)


def _check_timestamp(timestamp: float | None, at_ms: int) -> None:
    if timestamp is None:
        raise invalid("Need to specify a timestamp")
    if timestamp * 1000 > at_ms:
        raise invalid("StartingPositionTimestamp cannot be in the future.")


def _check_batch(source: Source, settings: Json) -> None:
    size, window = settings["BatchSize"], settings.get("MaximumBatchingWindowInSeconds", 0)
    if source.kind == "sqs-fifo":
        if window:
            raise invalid("Batching window is not supported for FIFO queues")
        if size > source.most_records:
            raise invalid(f"Batch size {size} is more than the {source.most_records} that a FIFO queue allows.")
    elif source.kind == "sqs" and size > 10 and not window:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


def _check_destination(given: Json) -> None:
    if (given.get("DestinationConfig") or {}).get("OnSuccess", {}).get("Destination"):
        raise invalid("Unsupported OnSuccess parameter for given event source mapping type.")


def _check_age(settings: Json) -> None:
    age = settings.get("MaximumRecordAgeInSeconds", -1)
    if age != -1 and age < LEAST_RECORD_AGE:
        raise invalid(f"MaximumRecordAgeInSeconds is -1 or at least {LEAST_RECORD_AGE}; {age} is given.")


def _check_scaling(source: Source, settings: Json) -> None:
    pollers, (least, most) = settings.get("ProvisionedPollerConfig") or {}, source.pollers
    if pollers and settings.get("ScalingConfig"):
        raise invalid("ScalingConfig and ProvisionedPollerConfig cannot be used together.")
    if pollers.get("MinimumPollers", least) < least:
        raise invalid(f"MinimumPollers must be at least {least} for this event source.")
    if pollers.get("MaximumPollers", least) > most:
        raise invalid(f"MaximumPollers must be at most {most} for this event source.")
    if pollers.get("MinimumPollers", least) > pollers.get("MaximumPollers", most):
        raise invalid("MinimumPollers must not be greater than MaximumPollers.")
