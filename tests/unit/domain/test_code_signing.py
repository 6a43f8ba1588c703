"""Code-signing configurations: their life, and which of them a function has."""

from dataclasses import replace
from typing import Any

import pytest

from relambda.actors.domain.code_signing import (
    AttachCodeSigningConfig,
    CodeSigningConfigAttached,
    CodeSigningConfigCreated,
    CodeSigningConfigDeleted,
    CodeSigningConfigUpdated,
    CodeSigningState,
    CreateCodeSigningConfig,
    DeleteCodeSigningConfig,
    UpdateCodeSigningConfig,
    code_signing,
)
from relambda.actors.domain.functions import FunctionDeleted
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.tags import AddTags

NAME = ResourceName("code-signing-config", "111111111111", "us-east-1", "csc-00000000000000001")
ARN = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-00000000000000001"
CONFIG = {
    "Description": "",
    "AllowedPublishers": {"SigningProfileVersionArns": ["arn:aws:signer:::p"]},
    "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
}
THERE = code_signing.fold(CodeSigningState(), [CodeSigningConfigCreated(at_ms=1_000, config=CONFIG, tags={"a": "1"})])


def test_created_with_defaults() -> None:
    """Given only the publishers, when created, then the event has the defaults too."""
    publishers = {"AllowedPublishers": CONFIG["AllowedPublishers"]}
    command = CreateCodeSigningConfig(resource=NAME, at_ms=1_000, config=publishers, tags={})
    assert code_signing.decide(CodeSigningState(), command) == (
        CodeSigningConfigCreated(at_ms=1_000, config=CONFIG, tags={}),
    )
    too_many = replace(command, tags={f"k{number}": "v" for number in range(51)})
    with pytest.raises(Refusal, match="Number of tags exceeds resource tag limit"):
        code_signing.decide(CodeSigningState(), too_many)


def test_updated_member_by_member() -> None:
    """Given a configuration, when updated, then what is given is replaced; nothing given changes the time alone."""
    for changes in ({"Description": "d"}, {}):
        command = UpdateCodeSigningConfig(resource=NAME, at_ms=2_000, changes=changes)
        (event,) = code_signing.decide(THERE, command)
        assert event == CodeSigningConfigUpdated(at_ms=2_000, changes=changes)
        state = code_signing.evolve(THERE, event)
        assert (state.config, state.modified_ms) == ({**CONFIG, **changes}, 2_000)


def test_deleted_unless_it_is_used() -> None:
    """Given a configuration, when deleted, then it is gone; not while a function has it, nor when it is not there."""
    command = DeleteCodeSigningConfig(resource=NAME, at_ms=3_000, used=False)
    (event,) = code_signing.decide(THERE, command)
    assert event == CodeSigningConfigDeleted(at_ms=3_000)
    with pytest.raises(Refusal) as used:
        code_signing.decide(THERE, replace(command, used=True))
    assert used.value.code == "ResourceConflictException"
    with pytest.raises(Refusal) as gone:
        code_signing.decide(code_signing.evolve(THERE, event), command)
    assert gone.value.message == f"The Lambda code signing configuration {ARN} can not be found."
    assert not gone.value.typed


def test_rows() -> None:
    """Given a new configuration, then its row is its answer, and its tags are a row, gone with it."""
    rows = {row.table: row.value for row in code_signing.rows(NAME, CodeSigningState(), THERE)}
    assert rows == {
        "code_signing_configs": {
            "CodeSigningConfigId": NAME.name,
            "CodeSigningConfigArn": ARN,
            **CONFIG,
            "LastModified": "1970-01-01T00:00:01.000+0000",
        },
        "tags": {"a": "1"},
    }
    tagged = code_signing.decide(THERE, AddTags(resource=NAME, at_ms=2_000, tags={"b": "2"}))
    (row,) = code_signing.rows(NAME, THERE, code_signing.fold(THERE, tagged))
    assert (row.table, row.key, row.value) == ("tags", NAME.stream, {"a": "1", "b": "2"})
    rows = {row.table: row.value for row in code_signing.rows(NAME, THERE, CodeSigningState())}
    assert rows == {"code_signing_configs": None, "tags": None}


def attach(stream: Any, arn: str) -> AttachCodeSigningConfig:
    return AttachCodeSigningConfig(resource=stream.name, at_ms=5_000, arn=arn)


def test_a_function_has_one(orders: Any) -> None:
    """Given a function, when it gets a configuration, then its head and a row tell; the same again is no event."""
    events = orders.when(attach(orders, ARN))
    assert events == (CodeSigningConfigAttached(at_ms=5_000, arn=ARN),)
    assert orders.state.head.code_signing_config_arn == ARN
    assert orders.when(attach(orders, ARN)) == ()


def test_the_users_of_a_configuration_are_rows(orders: Any) -> None:
    """Given a function, when its configuration changes or it goes, then rows of its users come and go."""
    first = f"111111111111/us-east-1/{NAME.name}/orders"
    shown = {"FunctionArn": orders.name.arn()}
    changed = orders.rows(CodeSigningConfigAttached(at_ms=5_000, arn=ARN))
    assert changed["code_signing_functions", first] == shown
    second = ARN.replace("001", "002")
    changed = orders.rows(CodeSigningConfigAttached(at_ms=6_000, arn=second))
    assert changed["code_signing_functions", first] is None
    assert changed["code_signing_functions", first.replace("001", "002")] == shown
    changed = orders.rows(FunctionDeleted(at_ms=7_000))
    assert changed["code_signing_functions", first.replace("001", "002")] is None


def test_functions_that_cannot_have_one(stream: Any) -> None:
    """Given no function, or one of an image, when it gets a configuration, then AWS's refusals."""
    assert stream.refuses(attach(stream, ARN)).message == f"Function not found: {stream.name.arn()}"
    stream.created(PackageType="Image")
    words = "Code signing is not supported for functions created with container images."
    assert stream.refuses(attach(stream, ARN)).message == words
