"""A function's life: created, prepared, updated, deleted; what each step shows, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.configuration import merged, with_defaults
from relambda.actors.domain.description import describe, timestamp
from relambda.actors.domain.functions import (
    CreateFunction,
    DeleteFunction,
    FinishPreparation,
    FunctionCodeUpdated,
    FunctionCreated,
    FunctionDeleted,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.publishing import VersionPublished
from relambda.actors.domain.version import Code, Status

SETTINGS: Mapping[str, Any] = {
    "Runtime": "python3.12",
    "Role": "arn:aws:iam::111111111111:role/any",
    "Handler": "app.handler",
}
ZIP, OTHER = Code(sha256="00" * 32, size=10), Code(sha256="11" * 32, size=20)
UPDATING = "The operation cannot be performed at this time. An update is in progress for resource: {}"
IMAGE = Code(sha256="22" * 32, image_uri="registry.example.org/app:1")


def create(stream: Any, settings: Mapping[str, Any] | None = None, **given: Any) -> CreateFunction:
    full = {**SETTINGS, **(settings or {})}
    given = {"code": ZIP, "limits": Limits(), **given}
    return CreateFunction(resource=stream.name, at_ms=1_000, settings=full, revision_id="c1", **given)


def update_code(stream: Any, code: Code = OTHER, **given: Any) -> UpdateFunctionCode:
    return UpdateFunctionCode(resource=stream.name, at_ms=5_000, code=code, revision_id="u1", **given)


def configure(stream: Any, settings: Mapping[str, Any], **given: Any) -> UpdateFunctionConfiguration:
    return UpdateFunctionConfiguration(
        resource=stream.name, at_ms=5_000, settings=settings, revision_id="u1", limits=Limits(), **given
    )


def finish(stream: Any, prepared: str, failure: Status | None = None, version: str = LATEST) -> FinishPreparation:
    return FinishPreparation(
        resource=stream.name,
        at_ms=6_000,
        version=version,
        prepared_revision_id=prepared,
        revision_id="f1",
        failure=failure,
    )


def shown(stream: Any) -> dict[str, Any]:
    return describe(stream.name, stream.state.latest, qualified=False)


def test_a_new_function_is_pending_then_active(stream: Any) -> None:
    """Given nothing, when created, then Pending and no LastUpdateStatus; once prepared, Active and Successful."""
    stream.when(create(stream))
    pending = shown(stream)
    assert (pending["State"], pending["StateReasonCode"]) == ("Pending", "Creating")
    assert pending["StateReason"] == "The function is being created."
    assert "LastUpdateStatus" not in pending
    stream.when(finish(stream, "c1"))
    active = shown(stream)
    assert (active["State"], active["LastUpdateStatus"], active["RevisionId"]) == ("Active", "Successful", "f1")
    assert not active.keys() & {"StateReason", "StateReasonCode", "LastUpdateStatusReason"}


def test_what_is_always_shown(stream: Any) -> None:
    """Given a function that was created with the least, then it shows AWS's defaults, and nothing that is unset."""
    stream.when(create(stream))
    assert shown(stream) == {
        "FunctionName": "orders",
        "FunctionArn": "arn:aws:lambda:us-east-1:111111111111:function:orders",
        "Runtime": "python3.12",
        "Role": "arn:aws:iam::111111111111:role/any",
        "Handler": "app.handler",
        "CodeSize": 10,
        "CodeSha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": "1970-01-01T00:00:01.000+0000",
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": "c1",
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"},
        "RuntimeVersionConfig": shown(stream)["RuntimeVersionConfig"],
    }


def test_created_and_published_at_once(stream: Any) -> None:
    """Given nothing, when created with Publish, then version 1 is Pending too, and both become Active."""
    created, published = stream.when(create(stream, publish=True))
    assert (type(created), type(published)) == (FunctionCreated, VersionPublished)
    assert stream.state.versions["1"].state.value == "Pending"
    stream.when(finish(stream, "c1"))
    stream.when(finish(stream, "c1", version="1"))
    assert {version.state.value for version in stream.state.versions.values()} == {"Active"}


def test_a_name_is_taken_once(orders: Any) -> None:
    """Given a function, when it is created again, then the conflict names it."""
    refusal = orders.refuses(create(orders))
    assert (refusal.code, refusal.message) == ("ResourceConflictException", "Function already exist: orders")


def test_no_more_than_fifty_tags(stream: Any) -> None:
    """Given nothing, when created with 51 tags, then it is refused."""
    refusal = stream.refuses(create(stream, tags={f"k{number}": "v" for number in range(51)}))
    assert refusal.message == "Number of tags exceeds resource tag limit."


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"Handler": ""}, "InvalidParameterValueException"),
        ({"PackageType": "Image"}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"K": "x" * 4096}}}, "InvalidParameterValueException"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "nodejs22.x"}, "InvalidParameterValueException"),
        ({"MemorySize": 10_241}, "ValidationException"),
        ({"Timeout": 901}, "ValidationException"),
    ],
)
def test_configurations_that_aws_refuses(stream: Any, settings: dict[str, Any], code: str) -> None:
    """Given nothing, when created with a configuration of no meaning, then it is refused."""
    assert stream.refuses(create(stream, settings)).code == code


def test_members_without_a_word_in_them(stream: Any) -> None:
    """Given members that are there and empty, when created and updated, then they are as if nobody had given them."""
    stream.when(create(stream, {"SnapStart": {}, "TracingConfig": {}}))
    stream.when(finish(stream, "c1"))
    stream.when(configure(stream, {"SnapStart": {}, "TracingConfig": {}}))
    assert shown(stream)["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert shown(stream)["TracingConfig"] == {"Mode": "PassThrough"}


@pytest.mark.parametrize(("runtime", "blocked"), [("python3.7", True), ("python3.12", False)])
def test_deprecated_runtimes_where_that_is_asked_for(stream: Any, runtime: str, blocked: bool) -> None:
    """Given LAMBDA_RUNTIME_VALIDATION, when created in 2026 with a blocked runtime, then AWS's words; else created."""
    command = CreateFunction(
        resource=stream.name,
        at_ms=1_790_000_000_000,
        settings={**SETTINGS, "Runtime": runtime},
        code=ZIP,
        revision_id="c1",
        limits=Limits(runtime_validation=True),
    )
    if not blocked:
        stream.when(command)
        return
    assert stream.refuses(command).message == (
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )


def test_other_code_serves_once_it_is_ready(orders: Any) -> None:
    """Given a function, when its code is updated, then InProgress with the old code serving, then Successful."""
    before = orders.state.latest
    orders.when(update_code(orders))
    during = orders.state.latest
    assert (during.code, during.serving, during.state.value) == (OTHER, before, "Active")
    assert shown(orders)["LastUpdateStatus"] == "InProgress"
    assert shown(orders)["LastUpdateStatusReason"] == "The function is being created."
    assert shown(orders)["LastUpdateStatusReasonCode"] == "Creating"
    orders.when(finish(orders, "u1"))
    assert (orders.state.latest.serving, shown(orders)["LastUpdateStatus"]) == (None, "Successful")


def test_a_dry_run_changes_nothing(orders: Any) -> None:
    """Given a function, when its code is updated as a dry run, then nothing happens; what is refused is refused."""
    assert orders.when(update_code(orders, dry_run=True)) == ()
    assert orders.refuses(update_code(orders, dry_run=True, expected_revision_id="other")).code == (
        "PreconditionFailedException"
    )


def test_update_and_publish(orders: Any) -> None:
    """Given a function, when its code is updated with Publish, then the new version is Pending, $LATEST InProgress."""
    orders.when(update_code(orders, publish=True))
    assert orders.state.versions["1"].state.value == "Pending"
    assert orders.state.versions["1"].update is None
    assert orders.state.latest.update.value == "InProgress"


def test_update_and_publish_of_the_same_code(orders: Any) -> None:
    """Given a published function, when updated to the same code with Publish, then no version is added."""
    orders.published()
    (event,) = orders.when(update_code(orders, ZIP, publish=True))
    assert type(event) is FunctionCodeUpdated


def test_another_architecture(orders: Any) -> None:
    """Given a function, when its code comes for another architecture, then the configuration has it."""
    orders.when(update_code(orders, architectures=("arm64",)))
    assert orders.state.latest.config["Architectures"] == ["arm64"]


def test_code_must_be_of_the_functions_kind(stream: Any, orders: Any) -> None:
    """Given a zip function, then no image; given an image function, then no zip: in AWS's words."""
    assert orders.refuses(update_code(orders, IMAGE)).message == (
        "Please don't provide ImageUri when updating a function with packageType Zip."
    )
    orders.given(FunctionDeleted(at_ms=3_000)).created(PackageType="Image")
    assert orders.refuses(update_code(orders)).message == (
        "Please provide ImageUri when updating a function with packageType Image."
    )


def test_one_update_at_a_time(orders: Any) -> None:
    """Given an update in progress, when updated again, then the conflict names the function."""
    orders.when(configure(orders, {"Timeout": 9}))
    for command in (configure(orders, {"Timeout": 8}), update_code(orders)):
        refusal = orders.refuses(command)
        assert (refusal.code, refusal.message) == (
            "ResourceConflictException",
            UPDATING.format(orders.name.arn()),
        )


def test_no_update_while_pending(stream: Any) -> None:
    """Given a function that is being created, when it is updated, then the conflict tells its state."""
    stream.when(create(stream))
    assert stream.refuses(configure(stream, {"Timeout": 9})).message == (
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )


def test_an_update_of_nothing_has_new_revisions(orders: Any) -> None:
    """Given a function, when nothing is configured, then its revision changes, and once more at the end."""
    orders.when(configure(orders, {}))
    assert orders.state.latest.revision_id == "u1"
    orders.when(finish(orders, "u1"))
    assert orders.state.latest.revision_id == "f1"


def test_updates_may_be_bound_to_a_revision(orders: Any) -> None:
    """Given a function, when updated with another revision, then 412; with its own, then it is updated."""
    for command in (configure, update_code):
        given = ({"Timeout": 9},) if command is configure else ()
        refusal = orders.refuses(command(orders, *given, expected_revision_id="other"))
        assert refusal.code == "PreconditionFailedException"
    orders.when(configure(orders, {"Timeout": 9}, expected_revision_id="r2"))
    assert orders.state.latest.config["Timeout"] == 9


def test_a_failed_update_keeps_the_function_active(orders: Any) -> None:
    """Given an update in progress, when it fails, then the function is Active and the update Failed, with a reason."""
    orders.when(update_code(orders))
    orders.when(finish(orders, "u1", Status("Failed", "no image", "InvalidImage")))
    told = shown(orders)
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "Failed")
    assert (told["LastUpdateStatusReason"], told["LastUpdateStatusReasonCode"]) == ("no image", "InvalidImage")


def test_a_failed_creation(stream: Any) -> None:
    """Given a pending function, when its preparation fails, then it is Failed, with a reason."""
    stream.when(create(stream))
    stream.when(finish(stream, "c1", Status("Failed", "no image", "InvalidImage")))
    told = shown(stream)
    assert (told["State"], told["StateReason"], told["StateReasonCode"]) == ("Failed", "no image", "InvalidImage")


def test_the_end_of_an_older_preparation_is_no_news(orders: Any) -> None:
    """Given an update in progress, when the preparation of another revision ends, then nothing happens."""
    orders.when(update_code(orders))
    assert orders.when(finish(orders, "c1")) == ()
    assert orders.when(finish(orders, "u1", version="7")) == ()


def test_the_end_leaves_a_number(orders: Any) -> None:
    """Given a published function, when it is deleted, then all is gone but the number of its last version."""
    orders.published()
    assert orders.when(DeleteFunction(resource=orders.name, at_ms=9_000)) == (FunctionDeleted(at_ms=9_000),)
    assert (orders.state.versions, orders.state.head, orders.state.last_version) == ({}, None, 1)


def test_nobody_to_tell(stream: Any) -> None:
    """Given no function, when updated or deleted, then it is not found by its unqualified ARN."""
    for command in (
        update_code(stream),
        configure(stream, {}),
        DeleteFunction(resource=stream.name, at_ms=1),
    ):
        refusal = stream.refuses(command)
        assert (refusal.code, refusal.message) == (
            "ResourceNotFoundException",
            f"Function not found: {stream.name.arn()}",
        )


def test_rows_come_and_go_with_it(stream: Any) -> None:
    """Given nothing, when created and deleted, then the views gain and lose the function's rows."""
    events = stream.when(create(stream))
    key, version = stream.name.key, f"{stream.name.key}/$LATEST"
    stream.state = type(stream.state)()
    rows = stream.rows(*events)
    assert rows.keys() == {
        ("functions", key),
        ("versions", version),
        ("version_listing", version),
        ("function_listing", key),
        ("unfinished", stream.name.stream),
    }
    listed = rows["function_listing", key]
    assert not listed.keys() & {"State", "StateReason", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert set(stream.rows(FunctionDeleted(at_ms=9_000)).values()) == {None}


@pytest.mark.parametrize(
    ("settings", "gone"),
    [
        ({"KMSKeyArn": ""}, "KMSKeyArn"),
        ({"DeadLetterConfig": {"TargetArn": ""}}, "DeadLetterConfig"),
        ({"FileSystemConfigs": []}, "FileSystemConfigs"),
    ],
)
def test_empty_values_remove(settings: dict[str, Any], gone: str) -> None:
    """Given a configuration with a member, when it is updated with that member's empty value, then it is gone."""
    name = ResourceName("function", "111111111111", "us-east-1", "orders")
    full = {
        "KMSKeyArn": "arn:aws:kms:us-east-1:111111111111:key/k",
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:111111111111:q"},
        "FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/a"}],
    }
    before = with_defaults(name, {**SETTINGS, **full})
    assert before.keys() - merged(before, settings).keys() == {gone}


@given(at_ms=st.integers(0, 4_102_444_800_000))
def test_moments_sort_as_texts(at_ms: int) -> None:
    """For every moment: Lambda's form of it is later, as a text, than that of the millisecond before."""
    assert timestamp(at_ms) < timestamp(at_ms + 1)
