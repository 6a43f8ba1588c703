"""Event sources: what kind an ARN or a list of brokers is, and what a mapping of that kind may and must say.

Sources: the parameter tables of the Developer Guide for each source, esm_defaults.tsv, TRAPS.md row 19. A source is
known by the form of its ARN alone: nothing outside the project is asked whether it is there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.refusals import Refusal, invalid

KAFKA_SERVERS = "KAFKA_BOOTSTRAP_SERVERS"
_STREAM = frozenset(
    {
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "FunctionResponseTypes",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
    }
)
SPECIAL = _STREAM | {
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "Topics",
    "TumblingWindowInSeconds",
}
"""Members that not every kind of source has."""
_POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of event source: what its mappings show unless told, which special members they take and must have."""

    kind: str
    takes: frozenset[str]
    defaults: Json = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    most_records: int = 10_000
    pollers: tuple[int, int] = (1, 2_000)
    """MinimumPollers at least, MaximumPollers at most (esm_defaults.tsv, "scaling")."""
    reason: str = "USER_INITIATED"
    """StateTransitionReason (TRAPS.md row 19)."""


_STREAM_DEFAULTS: Json = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "LastProcessingResult": "No records processed",
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": -1,
    "TumblingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
}
_QUEUE_DEFAULTS: Json = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
_QUEUE = frozenset({"FunctionResponseTypes", "ScalingConfig", "ProvisionedPollerConfig"})
_SHARDS = _STREAM | {"ParallelizationFactor", "TumblingWindowInSeconds"}
_KAFKA = _STREAM | {"ProvisionedPollerConfig", "SourceAccessConfigurations", "Topics"}
_MANY: Json = {"BatchSize": 100}

SQS = Source("sqs", _QUEUE, _QUEUE_DEFAULTS, pollers=(2, 10_000))
SQS_FIFO = Source("sqs-fifo", _QUEUE, _QUEUE_DEFAULTS, most_records=10, pollers=(2, 10_000))
KINESIS = Source("kinesis", _SHARDS, _STREAM_DEFAULTS, ("StartingPosition",), _POSITIONS, reason="User action")
DYNAMODB = Source("dynamodb", _SHARDS, _STREAM_DEFAULTS, ("StartingPosition",), _POSITIONS[:2], reason="User action")
MSK = Source(
    "kafka",
    _KAFKA | {"AmazonManagedKafkaEventSourceConfig"},
    _MANY,
    ("Topics", "StartingPosition"),
    _POSITIONS,
)
SELF_MANAGED_KAFKA = Source(
    "self-managed-kafka",
    _KAFKA | {"SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig"},
    {**_MANY, "StartingPosition": "TRIM_HORIZON"},
    ("SourceAccessConfigurations", "Topics"),
    _POSITIONS,
)
MQ = Source("mq", frozenset({"Queues", "SourceAccessConfigurations"}), _MANY, ("SourceAccessConfigurations", "Queues"))
DOCUMENT_DB = Source(
    "rds",
    frozenset({"DocumentDBEventSourceConfig", "SourceAccessConfigurations"}),
    _MANY,
    ("SourceAccessConfigurations", "DocumentDBEventSourceConfig", "StartingPosition"),
    _POSITIONS,
)

_ARNS: Mapping[str, tuple[re.Pattern[str], Source]] = {
    "sqs": (re.compile(r"[\w-]{1,80}(\.fifo)?"), SQS),
    "kinesis": (re.compile(r"stream/[\w.-]+(/consumer/[\w.-]+:\d+)?"), KINESIS),
    "dynamodb": (re.compile(r"table/[\w.-]+/stream/.+"), DYNAMODB),
    "kafka": (re.compile(r"cluster/[\w-]+/[\w-]+"), MSK),
    "mq": (re.compile(r"broker:[\w-]+:[\w-]+"), MQ),
    "rds": (re.compile(r"cluster:[\w-]+"), DOCUMENT_DB),
}


def source_of(request: Json) -> Source:
    """The kind of source that a request names. Raises Refusal."""
    arn, brokers = request.get("EventSourceArn"), request.get("SelfManagedEventSource")
    if arn is None and brokers and (brokers.get("Endpoints") or {}).get(KAFKA_SERVERS):
        return SELF_MANAGED_KAFKA
    parts = (arn or "").split(":", 5)
    known = _ARNS.get(parts[2]) if len(parts) == 6 else None
    if known is None or not known[0].fullmatch(parts[5]):
        raise _unrecognized()
    return SQS_FIFO if known[1] is SQS and parts[5].endswith(".fifo") else known[1]


def _unrecognized() -> Refusal:
    return invalid("Unrecognized event source.")


def identities(document: Json) -> tuple[str, ...]:
    """What no two mappings may share: the source (of Kafka, each broker and topic) and the function's ARN."""
    what = [*document.get("Topics", ()), *document.get("Queues", ()), document["FunctionArn"]]
    return tuple("\n".join([place, *what]) for place in _places(document))


def servers(document: Json) -> list[str]:
    """The brokers of a self-managed Kafka; none for other sources."""
    return list(document.get("SelfManagedEventSource", {}).get("Endpoints", {}).get(KAFKA_SERVERS, ()))


def _places(document: Json) -> list[str]:
    arn = document.get("EventSourceArn")
    return [arn] if arn is not None else servers(document)


def duplicate_text(source: Source, document: Json, uuid: str) -> str:
    """AWS's words for a second mapping of a source to a function: three forms (TRAPS.md row 19).

    Brokers and databases: the form of Kafka, as no answer about them is recorded.
    """
    name, arn = document["FunctionArn"].split(":function:")[1], document.get("EventSourceArn")
    rest = f"Please update or delete the existing mapping with UUID {uuid}"
    if source.kind in {"sqs", "sqs-fifo"}:
        return f'An event source mapping with SQS arn (" {arn} ") and function (" {name} ") already exists. {rest}'
    if source.kind in {"kinesis", "dynamodb"}:
        return f'The event source arn (" {arn} ") and function (" {name} ") provided mapping already exists. {rest}'
    what = "".join(
        f', {member.lower()} ("{",".join(document[member])}")' for member in ("Topics", "Queues") if member in document
    )
    place = arn or ",".join(servers(document))
    return (
        f'An event source mapping with event source ("{place}"), function ("{document["FunctionArn"]}"){what} '
        f"already exists. {rest}"
    )
