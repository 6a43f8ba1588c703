"""AWS's ValidationException, against recorded answers and by law."""

import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relambda.api.wire.demands import full_match
from relambda.api.wire.errors import ServiceError
from relambda.api.wire.meaning import check_meaning
from relambda.api.wire.model import Service
from relambda.api.wire.validate import checker, validate

_FUNCTION_ARN = "arn:aws:lambda:us-east-1:111111111111:function:f"

RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("validation_examples.json").read_text("utf-8"))


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return b64decode(value["$bytes"]) if "$bytes" in value else {k: _with_bytes(v) for k, v in value.items()}
    return value


def _refusal(service: Service, operation: str, given: dict[str, Any]) -> ServiceError:
    try:
        validate(service.operation(operation), given)
        check_meaning(service.operation(operation), given)
    except ServiceError as refusal:
        return refusal
    pytest.fail(f"{operation} took {given}")


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['operation']}-{row['message'][:60]}")
def test_recorded_refusals_come_out_word_for_word(lambda_model: Service, row: dict[str, Any]) -> None:
    """Each refusal recorded from AWS is answered with its code and its exact sentence."""
    refusal = _refusal(lambda_model, row["operation"], _with_bytes(row["input"]))

    assert (refusal.code, refusal.message) == (row["code"], row["message"])


def test_every_violation_is_counted_and_joined(lambda_model: Service) -> None:
    """All violations of one input are told in one sentence, nulls without quotes."""
    refusal = _refusal(lambda_model, "CreateFunction", {"FunctionName": "f", "Timeout": 0, "MemorySize": 64})

    assert refusal.message == (
        "4 validation errors detected: "
        "Value null at 'role' failed to satisfy constraint: Member must not be null; "
        "Value null at 'code' failed to satisfy constraint: Member must not be null; "
        "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1; "
        "Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"
    )


def test_structures_in_a_list_are_named_by_number(lambda_model: Service) -> None:
    """A member of the second structure in a list is at `list.2.member.name`."""
    good = {
        "Arn": "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0",
        "LocalMountPath": "/mnt/a",
    }
    given = {"FunctionName": "f", "FileSystemConfigs": [good, good | {"LocalMountPath": "/tmp"}]}

    refusal = _refusal(lambda_model, "UpdateFunctionConfiguration", given)

    assert refusal.message is not None
    assert "Value '/tmp' at 'fileSystemConfigs.2.member.localMountPath' failed" in refusal.message


def test_names_in_capitals_lose_only_their_first(lambda_model: Service) -> None:
    """AWS spells KMSKeyArn `kMSKeyArn`."""
    refusal = _refusal(lambda_model, "UpdateFunctionConfiguration", {"FunctionName": "f", "KMSKeyArn": "no"})

    assert refusal.message is not None
    assert "Value 'no' at 'kMSKeyArn' failed to satisfy constraint" in refusal.message


def test_nulls_inside_lists_and_maps_are_refused(lambda_model: Service) -> None:
    """A null in a list of scalars is a violation at the list's path."""
    refusal = _refusal(lambda_model, "UntagResource", {"Resource": _FUNCTION_ARN, "TagKeys": ["a", None]})

    assert refusal.message is not None
    assert refusal.message.startswith("1 validation error detected: Value '[a, null]' at 'tagKeys' failed")


def test_sensitive_values_are_not_repeated(lambda_model: Service) -> None:
    """What the model calls sensitive does not come back in the message."""
    given = {"FunctionName": "f", "Environment": {"Variables": {"1secret": "hidden"}}}

    refusal = _refusal(lambda_model, "UpdateFunctionConfiguration", given)

    assert refusal.message is not None
    assert "Value at 'environment.variables' failed to satisfy constraint: Map keys" in refusal.message
    assert "hidden" not in refusal.message


def test_huge_values_are_cut_in_the_message(lambda_model: Service) -> None:
    """A value of megabytes is refused by its length alone and not sent back whole."""
    refusal = _refusal(lambda_model, "GetFunction", {"FunctionName": "-" * 3_000_000})

    assert refusal.message is not None
    assert len(refusal.message) < 100_000
    assert "less than or equal to 256" in refusal.message


def test_an_endless_list_of_faults_is_cut(lambda_model: Service) -> None:
    """A body of a hundred thousand faulty structures does not make an answer of as many sentences."""
    refusal = _refusal(
        lambda_model, "UpdateFunctionConfiguration", {"FunctionName": "f", "FileSystemConfigs": [{}] * 10**5}
    )

    assert refusal.message is not None
    assert refusal.message.count("; ") < 1_100


def test_old_runtimes_are_no_matter_of_shape(lambda_model: Service) -> None:
    """A deprecated runtime passes here; that it is no longer supported is said elsewhere, in other words."""
    given = {"FunctionName": "f", "Runtime": "python3.7"}

    validate(lambda_model.operation("UpdateFunctionConfiguration"), given)
    check_meaning(lambda_model.operation("UpdateFunctionConfiguration"), given)


@pytest.mark.parametrize("name", ["network-connector:c", "layer:l", "function:f"])
def test_record_and_model_both_let_pass(lambda_model: Service, name: str) -> None:
    """A value passes when AWS's recorded pattern or the newer model's takes it."""
    arn = f"arn:aws:lambda:us-east-1:111111111111:{name}"

    validate(lambda_model.operation("ListTags"), {"Resource": arn})


def test_a_queue_needs_no_starting_position(lambda_model: Service) -> None:
    """Only streams must say where to start."""
    given = {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:111111111111:q"}

    check_meaning(lambda_model.operation("CreateEventSourceMapping"), given)


def test_unicode_categories_match_as_in_java() -> None:
    """Tag keys take letters, numbers and spaces of any script, and refuse symbols."""
    matches = full_match(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)")

    assert matches("größe 部署 ٣_/x")
    assert not matches("a\tb")
    assert not matches("a€")


def _patterns(service: Service) -> list[str]:
    inputs = [service.operation(name).input for name in service.operation_names()]
    members = [member for shape in inputs if shape for member in shape.members.values()]
    return sorted({pattern for member in members if (pattern := member.shape.pattern)})


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_texts_made_from_a_pattern_satisfy_it(lambda_model: Service, data: st.DataObject) -> None:
    """Whatever a pattern of the model generates, its test takes."""
    pattern = data.draw(st.sampled_from(_patterns(lambda_model)))

    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))

    assert full_match(pattern)(text)


def test_every_pattern_of_the_model_compiles(lambda_model: Service) -> None:
    """No pattern of any input is beyond the translation from Java."""
    for name in lambda_model.operation_names():
        shape = lambda_model.operation(name).input
        assert shape is None or callable(checker(shape))
