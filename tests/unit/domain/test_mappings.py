"""Event source mappings: the states they go through, what they show, and what is refused."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.decider import Command, Event
from relambda.actors.domain.mapping_sources import identities, source_of
from relambda.actors.domain.mappings import (
    ENDS,
    CreateMapping,
    DeleteMapping,
    MappingCreated,
    MappingDeleted,
    MappingDeletionRequested,
    MappingSettled,
    MappingState,
    MappingUpdated,
    Settle,
    Target,
    UpdateMapping,
    describe,
    mapping,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal

UUID = "11111111-2222-4333-8444-555555555555"
NAME = ResourceName("event-source-mapping", "111111111111", "us-east-1", UUID)
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:orders"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:orders"
STREAM = "arn:aws:kinesis:us-east-1:111111111111:stream/orders"
MSK = "arn:aws:kafka:us-east-1:111111111111:cluster/orders/0000-1"
BROKER = "arn:aws:mq:us-east-1:111111111111:broker:orders:b-1"
DOCUMENTS = "arn:aws:rds:us-east-1:111111111111:cluster:orders"
ACCESS = [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:111111111111:secret:x"}]


@dataclass(slots=True)
class Mapping:
    """A mapping, and what has happened to it."""

    state: MappingState = field(default_factory=MappingState)

    def when(self, command: Command) -> tuple[Event, ...]:
        events = mapping.decide(self.state, command)
        self.state = mapping.fold(self.state, events)
        return events

    def refuses(self, command: Command) -> Refusal:
        with pytest.raises(Refusal) as refused:
            mapping.decide(self.state, command)
        return refused.value

    def settled(self) -> "Mapping":
        self.when(Settle(resource=NAME, at_ms=2_000, state=self.state.state))
        return self


def create(target: Target | None = None, taken_by: str | None = None, **request: Any) -> CreateMapping:
    return CreateMapping(
        resource=NAME, at_ms=1_000, request=request, target=target or Target(FUNCTION), taken_by=taken_by
    )


def update(**request: Any) -> UpdateMapping:
    return UpdateMapping(resource=NAME, at_ms=3_000, request=request)


DELETE = DeleteMapping(resource=NAME, at_ms=4_000)


@pytest.fixture
def enabled() -> Mapping:
    """A queue's mapping that is Enabled."""
    made = Mapping()
    made.when(create(EventSourceArn=QUEUE))
    return made.settled()


def test_it_is_creating_then_enabled() -> None:
    """Given nothing, when a queue is mapped, then it is Creating until it settles, with SQS's defaults."""
    made = Mapping()
    (created,) = made.when(create(EventSourceArn=QUEUE, FunctionName="orders"))
    assert isinstance(created, MappingCreated)
    assert describe(NAME, made.state) == {
        "UUID": UUID,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:111111111111:event-source-mapping:{UUID}",
        "EventSourceArn": QUEUE,
        "FunctionArn": FUNCTION,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "LastModified": 1.0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    settle = Settle(resource=NAME, at_ms=2_000, state="Creating")
    assert made.when(settle) == (MappingSettled(at_ms=2_000, state="Enabled"),)
    assert made.when(settle) == ()


@pytest.mark.parametrize(
    ("enabled_first", "asked", "through", "ends"),
    [
        (True, None, "Updating", "Enabled"),
        (True, True, "Updating", "Enabled"),
        (True, False, "Disabling", "Disabled"),
        (False, None, "Disabled", "Disabled"),
        (False, False, "Disabled", "Disabled"),
        (False, True, "Enabling", "Enabled"),
    ],
)
def test_states_of_an_update(enabled_first: bool, asked: bool | None, through: str, ends: str) -> None:
    """Given an enabled or a disabled mapping, when it is updated, then it goes through AWS's states."""
    made = Mapping()
    made.when(create(EventSourceArn=QUEUE, Enabled=enabled_first))
    made.settled()
    (updated,) = made.when(update(BatchSize=3, Enabled=asked))
    assert isinstance(updated, MappingUpdated)
    assert made.state.state == through
    assert made.settled().state.state == ends
    assert made.state.settings is not None
    assert made.state.settings["BatchSize"] == 3


def test_it_is_deleted(enabled: Mapping) -> None:
    """Given a mapping, when it is deleted, then it is Deleting, then gone, and nothing finds it."""
    assert enabled.when(DELETE) == (MappingDeletionRequested(at_ms=4_000),)
    assert enabled.when(Settle(resource=NAME, at_ms=5_000, state="Deleting")) == (MappingDeleted(at_ms=5_000),)
    assert enabled.state == MappingState()
    for command in (DELETE, update(BatchSize=1)):
        refusal = enabled.refuses(command)
        assert (refusal.code, refusal.message) == (
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
        )


def test_one_in_transition_is_in_use() -> None:
    """Given a mapping that is Creating, when it is updated or deleted, then it is in use."""
    made = Mapping()
    made.when(create(EventSourceArn=QUEUE))
    assert made.refuses(update(BatchSize=1)).message == "Cannot update the event source mapping because it is in use."
    refusal = made.refuses(DELETE)
    assert (refusal.code, refusal.message) == (
        "ResourceInUseException",
        "Cannot delete the event source mapping because it is in use.",
    )


def test_an_update_keeps_what_it_does_not_give() -> None:
    """Given a stream's mapping, when its destination is set and cleared, then all else stays."""
    made = Mapping()
    made.when(create(EventSourceArn=STREAM, StartingPosition="LATEST", BatchSize=7))
    made.settled().when(update(DestinationConfig={"OnFailure": {"Destination": QUEUE}}))
    assert made.state.settings is not None
    assert made.state.settings["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}
    made.settled().when(update(DestinationConfig={"OnFailure": {"Destination": ""}}))
    assert made.state.settings["DestinationConfig"] == {"OnFailure": {}}
    assert (made.state.settings["BatchSize"], made.state.settings["StartingPosition"]) == (7, "LATEST")


def test_who_takes_it_is_told(enabled: Mapping) -> None:
    """Given another mapping of the same source and function, then creating or updating is a conflict with its UUID."""
    refusal = Mapping().refuses(create(taken_by="other", EventSourceArn=QUEUE))
    assert refusal.code == "ResourceConflictException"
    assert refusal.message.endswith("with UUID other")
    again = UpdateMapping(resource=NAME, at_ms=3_000, request={}, taken_by="other", target=Target(FUNCTION))
    assert enabled.refuses(again).code == "ResourceConflictException"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target(FUNCTION, exists=False), "Function does not exist"),
        (Target(FUNCTION, tenant_isolated=True), "Event source mappings are not supported"),
    ],
)
def test_functions_that_cannot_be_mapped(enabled: Mapping, target: Target, text: str) -> None:
    """Given no function, or one with tenants, then nothing is mapped to it."""
    assert Mapping().refuses(create(target, EventSourceArn=QUEUE)).message.startswith(text)
    command = UpdateMapping(resource=NAME, at_ms=3_000, request={}, target=target)
    assert enabled.refuses(command).message.startswith(text)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"EventSourceArn": QUEUE}, "sqs"),
        ({"EventSourceArn": f"{QUEUE}.fifo"}, "sqs-fifo"),
        ({"EventSourceArn": f"{STREAM}/consumer/one:1"}, "kinesis"),
        ({"EventSourceArn": MSK}, "kafka"),
        ({"EventSourceArn": BROKER}, "mq"),
        ({"EventSourceArn": DOCUMENTS}, "rds"),
        ({"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a.b:9"]}}}, "self-managed-kafka"),
    ],
)
def test_the_kind_of_a_source(request_: dict[str, Any], kind: str) -> None:
    """Given an ARN or brokers, then the kind of source is known by their form."""
    assert source_of(request_).kind == kind


@pytest.mark.parametrize(
    "request_",
    [
        {"EventSourceArn": MSK, "Topics": ["orders"], "StartingPosition": "LATEST"},
        {"EventSourceArn": BROKER, "Queues": ["orders"], "SourceAccessConfigurations": ACCESS},
        {
            "EventSourceArn": DOCUMENTS,
            "StartingPosition": "LATEST",
            "SourceAccessConfigurations": ACCESS,
            "DocumentDBEventSourceConfig": {"DatabaseName": "orders"},
        },
    ],
)
def test_what_a_source_requires(request_: dict[str, Any]) -> None:
    """Given all that a source requires, then it is mapped with batches of 100; without any one of it, it is refused."""
    made = Mapping()
    made.when(create(**request_))
    assert made.state.settings is not None
    assert made.state.settings["BatchSize"] == 100
    assert "MaximumBatchingWindowInSeconds" not in made.state.settings
    for member in request_.keys() - {"EventSourceArn"}:
        rest = {name: value for name, value in request_.items() if name != member}
        shown = member[0].lower() + member[1:]
        assert Mapping().refuses(create(**rest)).message == f"Required '{shown}' parameter is missing."


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"EventSourceArn": f"{QUEUE}.fifo", "BatchSize": 11}, "Batch size 11"),
        (
            {"EventSourceArn": STREAM, "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1.5},
            "StartingPositionTimestamp cannot be in the future.",
        ),
        (
            {"EventSourceArn": STREAM, "StartingPosition": "LATEST", "Topics": ["x"]},
            "Unsupported Topics parameter for given event source mapping type.",
        ),
        (
            {
                "EventSourceArn": QUEUE,
                "ScalingConfig": {"MaximumConcurrency": 2},
                "ProvisionedPollerConfig": {"MinimumPollers": 2},
            },
            "ScalingConfig and ProvisionedPollerConfig cannot be used together.",
        ),
        (
            {"EventSourceArn": QUEUE, "ProvisionedPollerConfig": {"MinimumPollers": 3, "MaximumPollers": 2}},
            "MinimumPollers must not be greater than MaximumPollers.",
        ),
        (
            {"EventSourceArn": QUEUE, "ProvisionedPollerConfig": {"MinimumPollers": 1}},
            "MinimumPollers must be at least 2",
        ),
    ],
)
def test_what_a_source_refuses(request_: dict[str, Any], text: str) -> None:
    """Given settings that the source has not, then they are refused."""
    assert Mapping().refuses(create(**request_)).message.startswith(text)


def test_rows_follow_the_mapping(enabled: Mapping) -> None:
    """Given a mapping, then its rows tell it, whose source it is, its tags, and whether it is unfinished."""
    born = mapping.fold(MappingState(), mapping.decide(MappingState(), create(EventSourceArn=QUEUE)))
    rows = {row.table: row.value for row in mapping.rows(NAME, MappingState(), born)}
    assert rows.keys() == {"mappings", "mapping_sources", "mapping_tags", "unfinished"}
    assert (rows["mapping_sources"], rows["mapping_tags"], rows["unfinished"]) == ({"UUID": UUID}, {}, {})
    gone = {row.table: row.value for row in mapping.rows(NAME, enabled.state, MappingState())}
    assert gone == {"mappings": None, "mapping_sources": None, "mapping_tags": None}


def test_each_broker_is_an_identity() -> None:
    """Given two mappings of a Kafka that share one broker and topic, then they share an identity."""

    def of(*servers: str) -> set[str]:
        endpoints = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": list(servers)}}
        return set(identities({"SelfManagedEventSource": endpoints, "Topics": ["t"], "FunctionArn": FUNCTION}))

    assert of("a:1", "b:1") & of("b:1", "c:1")
    assert not of("a:1") & of("b:1")


COMMANDS = st.sampled_from(
    [
        create(EventSourceArn=QUEUE),
        update(BatchSize=2),
        update(Enabled=False),
        update(Enabled=True),
        DELETE,
        *(Settle(resource=NAME, at_ms=5_000, state=state) for state in ENDS),
    ]
)


@given(st.lists(COMMANDS, max_size=30))
def test_whatever_is_asked_the_state_is_aws_own(commands: list[Command]) -> None:
    """Given any commands in any order, then the state is one of AWS's, and a refused one leaves it as it was."""
    state = MappingState()
    for command in commands:
        if isinstance(command, CreateMapping) and state.settings is not None:
            continue
        try:
            state = mapping.fold(state, mapping.decide(state, command))
        except Refusal:
            continue
        assert (state.settings is None) == (not state.state)
        assert state.state in {"", "Enabled", "Disabled", *ENDS}
