"""Event source mappings as an SDK sees them. Sources are known by their ARNs; none of them has to be there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

Make = Callable[..., Any]
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function"
KAFKA = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"]}}
ACCESS = [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:111111111111:secret:kafka"}]
TIMES_OUT = 200


def queue(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:111111111111:{name}"


def kinesis(name: str) -> str:
    return f"arn:aws:kinesis:us-east-1:111111111111:stream/{name}"


def dynamodb(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:111111111111:table/{name}/stream/2026-01-01T00:00:00.000"


@pytest.fixture
def function(make_function: Make, fresh: Callable[..., str]) -> str:
    """The name of a function."""
    name = fresh("esm")
    make_function(name)
    return name


@pytest.fixture
def settled(aws: Any) -> Callable[[str, str], dict[str, Any]]:
    """Waits until a mapping is in a state, asking as SDKs do."""

    def until(uuid: str, state: str) -> dict[str, Any]:
        for _ in range(TIMES_OUT):
            found: dict[str, Any] = aws.get_event_source_mapping(UUID=uuid)
            if found["State"] == state:
                return found
        pytest.fail(f"{uuid} did not become {state}")

    return until


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.proves(
    "CreateEventSourceMapping", "GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"
)
def test_the_life_of_a_queue_mapping(aws: Any, function: str, settled: Any, refused: Any) -> None:
    """Given a queue, then its mapping is Creating with SQS's defaults, Enabled, changed, and gone (TRAPS.md row 19)."""
    made = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=function)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    uuid = made["UUID"]
    assert isinstance(made["LastModified"], datetime)
    assert plain(made) == {
        "UUID": uuid,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:111111111111:event-source-mapping:{uuid}",
        "EventSourceArn": queue(function),
        "FunctionArn": f"{FUNCTION}:{function}",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "LastModified": made["LastModified"],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert settled(uuid, "Enabled")["BatchSize"] == 10
    updated = aws.update_event_source_mapping(UUID=uuid, BatchSize=5)
    assert (updated["ResponseMetadata"]["HTTPStatusCode"], updated["State"]) == (202, "Updating")
    assert settled(uuid, "Enabled")["BatchSize"] == 5
    assert aws.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    assert settled(uuid, "Disabled")["BatchSize"] == 5
    assert aws.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    settled(uuid, "Enabled")
    deleted = aws.delete_event_source_mapping(UUID=uuid)
    assert (deleted["ResponseMetadata"]["HTTPStatusCode"], deleted["State"]) == (202, "Deleting")
    gone = refused(aws.delete_event_source_mapping, UUID=uuid)
    assert gone.told == (404, "ResourceNotFoundException", "The resource you requested does not exist.")


@pytest.mark.proves("CreateEventSourceMapping")
def test_a_stream_mapping_shows_streams_defaults(aws: Any, function: str, settled: Any) -> None:
    """Given a Kinesis stream, then its mapping has the defaults of streams and "User action" (TRAPS.md row 19)."""
    made = aws.create_event_source_mapping(
        EventSourceArn=kinesis(function), FunctionName=f"{function}:$LATEST", StartingPosition="TRIM_HORIZON"
    )
    shown = plain(settled(made["UUID"], "Enabled"))
    for member in ("UUID", "EventSourceMappingArn", "LastModified"):
        shown.pop(member)
    assert shown == {
        "EventSourceArn": kinesis(function),
        "FunctionArn": f"{FUNCTION}:{function}:$LATEST",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "State": "Enabled",
        "StateTransitionReason": "User action",
    }


@pytest.mark.proves("CreateEventSourceMapping", "GetEventSourceMapping")
def test_one_that_is_not_enabled_is_disabled_at_once(aws: Any, function: str) -> None:
    """Given Enabled=False, when a mapping is created, then it is Disabled and stays so."""
    made = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=function, Enabled=False)
    assert made["State"] == "Disabled"
    assert plain(aws.get_event_source_mapping(UUID=made["UUID"])) == plain(made)
    assert aws.update_event_source_mapping(UUID=made["UUID"], BatchSize=2)["State"] == "Disabled"


@pytest.mark.proves("CreateEventSourceMapping", "DeleteFunction")
def test_it_outlives_its_function(aws: Any, function: str, settled: Any, refused: Any) -> None:
    """Given a mapping, when its function is deleted, then it is Enabled still; a new one is refused."""
    made = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=function)
    aws.delete_function(FunctionName=function)
    assert settled(made["UUID"], "Enabled")["FunctionArn"] == f"{FUNCTION}:{function}"
    missing = refused(aws.create_event_source_mapping, EventSourceArn=queue("other"), FunctionName=function)
    assert missing.told == (400, "InvalidParameterValueException", "Function does not exist")
    assert missing.type == "User"


@pytest.mark.proves("CreateEventSourceMapping")
def test_a_second_one_of_the_same(aws: Any, function: str, refused: Any) -> None:
    """Given mappings of a queue, a stream and a Kafka, when each is made again, then AWS's three texts tell which."""

    def twice(**given: Any) -> tuple[str, Any]:
        made = aws.create_event_source_mapping(FunctionName=function, **given)
        return made["UUID"], refused(aws.create_event_source_mapping, FunctionName=function, **given)

    rest = "Please update or delete the existing mapping with UUID"
    uuid, answer = twice(EventSourceArn=queue(function))
    assert answer.told == (
        409,
        "ResourceConflictException",
        (
            f'An event source mapping with SQS arn (" {queue(function)} ") and function (" {function} ") '
            f"already exists. {rest} {uuid}"
        ),
    )
    uuid, answer = twice(EventSourceArn=dynamodb(function), StartingPosition="LATEST")
    assert answer.message == (
        f'The event source arn (" {dynamodb(function)} ") and function (" {function} ") provided mapping already '
        f"exists. {rest} {uuid}"
    )
    uuid, answer = twice(SelfManagedEventSource=KAFKA, Topics=["topic"], SourceAccessConfigurations=ACCESS)
    assert answer.message == (
        f'An event source mapping with event source ("kafka:1000"), function ("{FUNCTION}:{function}"), topics '
        f'("topic") already exists. {rest} {uuid}'
    )
    more = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000", "kafka:2000"]}}
    answer = refused(
        aws.create_event_source_mapping,
        FunctionName=function,
        SelfManagedEventSource=more,
        Topics=["topic"],
        SourceAccessConfigurations=ACCESS,
    )
    assert 'event source ("kafka:1000,kafka:2000")' in answer.message
    assert answer.message.endswith(uuid)


@pytest.mark.proves("UpdateEventSourceMapping")
def test_an_update_may_not_make_two_of_the_same(aws: Any, function: str, make_function: Make, refused: Any) -> None:
    """Given mappings of one queue to two functions, when one is turned to the other's function, then it is refused."""
    other = make_function()["FunctionName"]
    first = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=function)
    second = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=other)
    answer = refused(aws.update_event_source_mapping, UUID=second["UUID"], FunctionName=function)
    assert answer.code == "ResourceConflictException"
    assert first["UUID"] in answer.message


STREAM = {"EventSourceArn": kinesis("s"), "StartingPosition": "LATEST"}
REFUSALS = [
    ({}, "Unrecognized event source."),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
    (
        {"EventSourceArn": "arn:aws:kinesis:us-east-1:111111111111:q/x", "StartingPosition": "LATEST"},
        "Unrecognized",
    ),
    (
        {"EventSourceArn": kinesis("s")},
        (
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        ),
    ),
    (
        {"EventSourceArn": dynamodb("t"), "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1.0},
        f"Unsupported starting position for arn type: {dynamodb('t')}",
    ),
    ({"EventSourceArn": kinesis("s"), "StartingPosition": "AT_TIMESTAMP"}, "Need to specify a timestamp"),
    (
        {"EventSourceArn": queue("q"), "StartingPosition": "LATEST"},
        "StartingPosition is not valid for SQS event sources.",
    ),
    (
        {"EventSourceArn": queue("q"), "DestinationConfig": {"OnFailure": {"Destination": queue("dead")}}},
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    (
        {"EventSourceArn": queue("q"), "BatchSize": 11},
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    (
        {"EventSourceArn": queue("q.fifo"), "MaximumBatchingWindowInSeconds": 1},
        "Batching window is not supported for FIFO queues",
    ),
    (
        {"SelfManagedEventSource": KAFKA, "Topics": ["topic"]},
        "Required 'sourceAccessConfigurations' parameter is missing.",
    ),
    (
        {"EventSourceArn": queue("q"), "FilterCriteria": {"Filters": [{"Pattern": "{"}]}},
        "Invalid filter pattern definition.",
    ),
    ({**STREAM, "ScalingConfig": {"MaximumConcurrency": 2}}, "Unsupported ScalingConfig parameter"),
    ({**STREAM, "MaximumRecordAgeInSeconds": 59}, "MaximumRecordAgeInSeconds is -1 or at least 60"),
]


@pytest.mark.proves("CreateEventSourceMapping")
@pytest.mark.parametrize(("given", "text"), REFUSALS)
def test_what_is_refused(
    aws: Any, function: str, refused: Any, position: Any, given: dict[str, Any], text: str
) -> None:
    """Given what no mapping may say, then it is refused in AWS's words, and no event is left of it."""
    before = position()
    answer = refused(aws.create_event_source_mapping, FunctionName=function, **given)
    assert (answer.status, answer.code) == (400, "InvalidParameterValueException")
    assert answer.message.startswith(text)
    assert position() == before


@pytest.mark.proves("UpdateEventSourceMapping", "GetEventSourceMapping", "DeleteEventSourceMapping")
@pytest.mark.parametrize("call", ["get", "update", "delete"])
def test_one_that_is_not_there(aws: Any, refused: Any, position: Any, call: str) -> None:
    """Given no such mapping, then the resource does not exist, and nothing happens."""
    before = position()
    answer = refused(getattr(aws, f"{call}_event_source_mapping"), UUID="00000000-0000-4000-8000-000000000000")
    assert answer.told == (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    assert position() == before


@pytest.mark.proves("CreateEventSourceMapping", "UpdateEventSourceMapping")
def test_filters_are_shown_and_removed(aws: Any, function: str, settled: Any) -> None:
    """Given filters, then they are shown; updated to none, they are gone."""
    filters = {"Filters": [{"Pattern": '{"body": {"kind": ["order", {"prefix": "x"}]}}'}]}
    made = aws.create_event_source_mapping(
        EventSourceArn=queue(function), FunctionName=function, FilterCriteria=filters
    )
    assert made["FilterCriteria"] == filters
    settled(made["UUID"], "Enabled")
    assert "FilterCriteria" not in aws.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={})


@pytest.mark.proves("CreateEventSourceMapping", "TagResource", "UntagResource", "ListTags")
def test_tags_of_a_mapping(aws: Any, function: str) -> None:
    """Given tags at creation, then they are listed, added to and taken away by the mapping's ARN."""
    made = aws.create_event_source_mapping(EventSourceArn=queue(function), FunctionName=function, Tags={"a": "1"})
    arn = made["EventSourceMappingArn"]
    aws.tag_resource(Resource=arn, Tags={"b": "2"})
    assert aws.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"b": "2"}


@pytest.mark.proves("ListEventSourceMappings")
def test_lists_by_function_and_source_in_pages(aws: Any, function: str, other_aws: Any) -> None:
    """Given mappings, then they are listed by function as named, by source, and page by page; others see none."""
    made = [
        aws.create_event_source_mapping(EventSourceArn=queue(f"{function}-{n}"), FunctionName=function)
        for n in range(3)
    ]
    aws.create_event_source_mapping(EventSourceArn=queue(f"{function}-0"), FunctionName=f"{function}:$LATEST")
    pages = aws.get_paginator("list_event_source_mappings").paginate(
        FunctionName=function, PaginationConfig={"PageSize": 2}
    )
    listed = [[each["UUID"] for each in page["EventSourceMappings"]] for page in pages]
    assert [len(page) for page in listed] == [2, 1]
    assert sorted(uuid for page in listed for uuid in page) == sorted(each["UUID"] for each in made)
    by_source = aws.list_event_source_mappings(EventSourceArn=queue(f"{function}-0"))["EventSourceMappings"]
    assert {each["FunctionArn"] for each in by_source} == {
        f"{FUNCTION}:{function}",
        f"{FUNCTION}:{function}:$LATEST",
    }
    assert other_aws("222222222222").list_event_source_mappings()["EventSourceMappings"] == []
