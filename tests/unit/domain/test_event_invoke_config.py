"""Configurations of asynchronous invocation: put replaces, update merges, and what AWS refuses."""

from typing import Any

import pytest

from relambda.actors.domain.event_invoke_config import (
    DeleteEventInvokeConfig,
    EventInvokeConfigChanged,
    EventInvokeConfigDeleted,
    PutEventInvokeConfig,
    UpdateEventInvokeConfig,
)
from relambda.actors.domain.publishing import VersionDeleted

ARN = "arn:aws:lambda:us-east-1:111111111111:function:orders"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:failed"
TOPIC = "arn:aws:sns:us-east-1:111111111111:done"
NOWHERE: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}


def put(stream: Any, qualifier: str = "$LATEST", missing: frozenset[str] = frozenset(), **settings: Any) -> Any:
    return PutEventInvokeConfig(
        resource=stream.name, at_ms=9_250, qualifier=qualifier, settings=settings, missing=missing
    )


def update(stream: Any, qualifier: str = "$LATEST", **settings: Any) -> UpdateEventInvokeConfig:
    return UpdateEventInvokeConfig(resource=stream.name, at_ms=9_500, qualifier=qualifier, settings=settings)


def delete(stream: Any, qualifier: str = "$LATEST") -> DeleteEventInvokeConfig:
    return DeleteEventInvokeConfig(resource=stream.name, at_ms=9_900, qualifier=qualifier)


def to(**sides: str) -> dict[str, Any]:
    return {side: {"Destination": arn} for side, arn in sides.items()}


def test_put_keeps_what_is_given_and_shows_both_destinations(orders: Any) -> None:
    """Given a function, when retries are set, then they are kept, the time in seconds, and two empty destinations."""
    orders.when(put(orders, MaximumRetryAttempts=0))
    assert orders.state.invoke_configs["$LATEST"] == {
        "Qualifier": "$LATEST",
        "LastModified": 9.25,
        "MaximumRetryAttempts": 0,
        "DestinationConfig": NOWHERE,
    }


def test_put_replaces(orders: Any) -> None:
    """Given a configuration, when another is put, then nothing of the former is left."""
    orders.when(put(orders, MaximumRetryAttempts=0, DestinationConfig=to(OnFailure=QUEUE)))
    orders.when(put(orders, MaximumEventAgeInSeconds=60))
    config = orders.state.invoke_configs["$LATEST"]
    assert "MaximumRetryAttempts" not in config
    assert config["DestinationConfig"] == NOWHERE


def test_update_merges(orders: Any) -> None:
    """Given a configuration, when members are updated, then the others stay, down to each destination."""
    orders.when(put(orders, MaximumRetryAttempts=1, DestinationConfig=to(OnFailure=QUEUE)))
    (changed,) = orders.when(update(orders, MaximumEventAgeInSeconds=70, DestinationConfig=to(OnSuccess=TOPIC)))
    assert changed == EventInvokeConfigChanged(
        at_ms=9_500,
        qualifier="$LATEST",
        settings={
            "MaximumRetryAttempts": 1,
            "MaximumEventAgeInSeconds": 70,
            "DestinationConfig": to(OnSuccess=TOPIC, OnFailure=QUEUE),
        },
    )


def test_an_empty_destination_is_none(orders: Any) -> None:
    """Given a destination, when it is updated to an empty text, then there is none."""
    orders.when(put(orders, DestinationConfig=to(OnFailure=QUEUE)))
    orders.when(update(orders, DestinationConfig=to(OnFailure="")))
    assert orders.state.invoke_configs["$LATEST"]["DestinationConfig"] == NOWHERE


@pytest.mark.parametrize("qualifier", ["$LATEST", "1", "live"])
def test_each_qualifier_has_its_own(orders: Any, qualifier: str) -> None:
    """Given $LATEST, a version and an alias, when one gets a configuration, then the others have none."""
    orders.published().pointing("live", "1").when(put(orders, qualifier, MaximumRetryAttempts=1))
    assert list(orders.state.invoke_configs) == [qualifier]


@pytest.mark.parametrize("qualifier", ["$LATEST", "7", "nowhere"])
def test_nobody_to_configure(stream: Any, orders: Any, qualifier: str) -> None:
    """Given no such function, version or alias, when a configuration is put, then AWS says it does not exist."""
    target = type(stream)() if qualifier == "$LATEST" else orders
    assert target.refuses(put(target, qualifier, MaximumRetryAttempts=1)).message == "The function doesn't exist."


@pytest.mark.parametrize("command", [update, delete])
def test_no_configuration(orders: Any, command: Any) -> None:
    """Given no configuration, when it is updated or deleted, then the qualified ARN has none."""
    refusal = orders.refuses(command(orders))
    assert refusal.code == "ResourceNotFoundException"
    assert refusal.message == f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig"


def test_nothing_is_given(orders: Any) -> None:
    """Given a function, when nothing is set, put and update are refused."""
    text = "You must specify at least one of error handling or destination setting."
    assert orders.refuses(put(orders)).message == text
    orders.when(put(orders, MaximumRetryAttempts=1))
    assert orders.refuses(update(orders)).message == text


@pytest.mark.parametrize("own", [ARN, f"{ARN}:$LATEST", f"{ARN}:1"])
def test_a_function_is_no_destination_for_itself(orders: Any, own: str) -> None:
    """Given a function, when it is its own destination, under whatever qualifier, then that is refused."""
    refusal = orders.refuses(put(orders, DestinationConfig=to(OnSuccess=own)))
    assert refusal.message == "You can't specify the function as a destination for itself."


def test_a_destination_function_must_be_there(orders: Any) -> None:
    """Given a destination that nobody has, then its ARN is invalid."""
    gone = "arn:aws:lambda:us-east-1:111111111111:function:doesnotexist"
    refusal = orders.refuses(put(orders, missing=frozenset({gone}), DestinationConfig=to(OnSuccess=gone)))
    assert refusal.message == f"The destination ARN {gone} is invalid."


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        (
            to(OnSuccess="arn:aws:iam:us-east-1:111111111111:function:orders"),
            "onSuccess=OnSuccess(destination=arn:aws:iam:us-east-1:111111111111:function:orders), onFailure=null",
        ),
        (
            to(OnSuccess="arn:aws:s3:::records"),
            "onSuccess=OnSuccess(destination=arn:aws:s3:::records), onFailure=null",
        ),
        (
            to(OnFailure=f"{QUEUE}.fifo"),
            f"onSuccess=null, onFailure=OnFailure(destination={QUEUE}.fifo)",
        ),
        (to(OnFailure="kafka://topic"), "onSuccess=null, onFailure=OnFailure(destination=kafka://topic)"),
    ],
)
def test_what_takes_no_records(orders: Any, config: dict[str, Any], shown: str) -> None:
    """Given a destination of another kind, then AWS prints the configuration as Java does and calls it invalid."""
    refusal = orders.refuses(put(orders, DestinationConfig=config))
    assert refusal.message == f"The provided destination config DestinationConfig({shown}) is invalid."


@pytest.mark.parametrize(
    "arn",
    [
        QUEUE,
        TOPIC,
        "arn:aws:s3:::records",
        "arn:aws:events:us-east-1:111111111111:event-bus/default",
        "arn:aws:lambda:us-east-1:111111111111:function:other:live",
    ],
)
def test_what_takes_records_of_failures(orders: Any, arn: str) -> None:
    """Given a queue, topic, bucket, bus or another function, when it is to get failures, then it is taken."""
    assert orders.when(put(orders, DestinationConfig=to(OnFailure=arn)))


def test_it_is_deleted(orders: Any) -> None:
    """Given configurations, when one is deleted, or a version with one is, then it is gone and others stay."""
    orders.published().when(put(orders, MaximumRetryAttempts=1))
    orders.when(put(orders, "1", MaximumRetryAttempts=1))
    assert orders.when(delete(orders)) == (EventInvokeConfigDeleted(at_ms=9_900, qualifier="$LATEST"),)
    assert list(orders.state.invoke_configs) == ["1"]
    orders.given(VersionDeleted(at_ms=9_950, version="1"))
    assert orders.state.invoke_configs == {}
