"""Capacity providers: their states, what they refuse, and which function versions have them."""

from dataclasses import replace
from typing import Any

import pytest

from relambda.actors.domain.capacity_providers import (
    MOST_PROVIDERS,
    MOST_VERSIONS,
    CapacityProviderActivated,
    CapacityProviderCreated,
    CapacityProviderDeleted,
    CapacityProviderDeletionBegun,
    CapacityProviderState,
    CapacityProviderUpdated,
    CreateCapacityProvider,
    DeleteCapacityProvider,
    SettleCapacityProvider,
    UpdateCapacityProvider,
    capacity_provider,
    check_use,
    describe,
)
from relambda.actors.domain.configuration import check, with_defaults
from relambda.actors.domain.decider import Command
from relambda.actors.domain.functions import FunctionDeleted
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.publishing import VersionPublished
from relambda.actors.domain.refusals import Refusal

NAME = ResourceName("capacity-provider", "111111111111", "us-east-1", "big")
ARN = "arn:aws:lambda:us-east-1:111111111111:capacity-provider:big"
CONFIG: dict[str, Any] = {"VpcConfig": {"SubnetIds": ["s"], "SecurityGroupIds": []}}
BORN = CapacityProviderCreated(at_ms=1_000, config=CONFIG, tags={})
PENDING = capacity_provider.fold(CapacityProviderState(), [BORN])
ACTIVE = capacity_provider.fold(PENDING, [CapacityProviderActivated(at_ms=2_000)])
DELETING = capacity_provider.fold(ACTIVE, [CapacityProviderDeletionBegun(at_ms=3_000)])
CREATE = CreateCapacityProvider(resource=NAME, at_ms=1_000, config=CONFIG, tags={}, others=0)
UPDATE = UpdateCapacityProvider(resource=NAME, at_ms=4_000, changes={})
DELETE = DeleteCapacityProvider(resource=NAME, at_ms=4_000, used=False)


def settle(begun: str) -> SettleCapacityProvider:
    return SettleCapacityProvider(resource=NAME, at_ms=5_000, begun=begun)


def refusal(state: CapacityProviderState, command: Command) -> Refusal:
    with pytest.raises(Refusal) as refused:
        capacity_provider.decide(state, command)
    return refused.value


def test_from_pending_to_active() -> None:
    """Given nothing, when created, then Pending; when settled, then Active."""
    assert capacity_provider.decide(CapacityProviderState(), CREATE) == (BORN,)
    assert PENDING.state == "Pending"
    assert capacity_provider.decide(PENDING, settle("Pending")) == (CapacityProviderActivated(at_ms=5_000),)
    assert ACTIVE.state == "Active"


def test_from_deleting_to_nothing() -> None:
    """Given an active one, when deleted, then Deleting; when settled, then gone, and its name is free."""
    assert capacity_provider.decide(ACTIVE, DELETE) == (CapacityProviderDeletionBegun(at_ms=4_000),)
    (event,) = capacity_provider.decide(DELETING, settle("Deleting"))
    assert event == CapacityProviderDeleted(at_ms=5_000)
    gone = capacity_provider.evolve(DELETING, event)
    assert capacity_provider.decide(gone, CREATE) == (BORN,)


@pytest.mark.parametrize("state", [CapacityProviderState(), PENDING, ACTIVE, DELETING])
def test_what_is_late_changes_nothing(state: CapacityProviderState) -> None:
    """Given any state, when what began with another one is done, then nothing happens."""
    for begun in {"Pending", "Deleting"} - {state.state}:
        assert capacity_provider.decide(state, settle(begun)) == ()


def test_updating_keeps_the_rest() -> None:
    """Given an active one, when updated, then the members given are replaced, and it is Active still."""
    scaling = {"CapacityProviderScalingConfig": {"MaxVCpuCount": 8}}
    (event,) = capacity_provider.decide(ACTIVE, replace(UPDATE, changes=scaling))
    assert event == CapacityProviderUpdated(at_ms=4_000, changes=scaling)
    shown = describe(NAME, capacity_provider.evolve(ACTIVE, event))
    assert shown == {
        "CapacityProviderArn": ARN,
        "State": "Active",
        **CONFIG,
        **scaling,
        "LastModified": "1970-01-01T00:00:04.000+0000",
    }


def test_what_is_not_there() -> None:
    """Given nothing, when updated or deleted, then not found in AWS's words."""
    for command in (UPDATE, DELETE):
        refused = refusal(CapacityProviderState(), command)
        assert (refused.code, refused.message) == (
            "ResourceNotFoundException",
            f"Capacity provider not found: {ARN}",
        )


def test_what_conflicts() -> None:
    """Given one under way, in use or of that name, when changed, deleted or created, then a conflict."""
    conflicts: list[tuple[CapacityProviderState, Command]] = [
        *((state, command) for state in (PENDING, DELETING) for command in (UPDATE, DELETE, CREATE)),
        (ACTIVE, CREATE),
        (ACTIVE, replace(DELETE, used=True)),
    ]
    for state, command in conflicts:
        assert refusal(state, command).code == "ResourceConflictException"


def test_the_quota_of_an_account() -> None:
    """Given as many as an account may have, when one more is created, then it is refused."""
    nothing = CapacityProviderState()
    assert capacity_provider.decide(nothing, replace(CREATE, others=MOST_PROVIDERS - 1))
    refused = refusal(nothing, replace(CREATE, others=MOST_PROVIDERS))
    assert refused.code == "CapacityProviderLimitExceededException"


def test_settings_that_contradict_each_other() -> None:
    """Given scaling or instance types that contradict themselves, when created, then they are refused."""
    policies = [{"PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 50.0}]
    for bad in (
        {"CapacityProviderScalingConfig": {"ScalingMode": "Manual"}},
        {"CapacityProviderScalingConfig": {"ScalingPolicies": policies}},
        {"InstanceRequirements": {"AllowedInstanceTypes": ["a"], "ExcludedInstanceTypes": ["b"]}},
    ):
        refused = refusal(CapacityProviderState(), replace(CREATE, config={**CONFIG, **bad}))
        assert refused.code == "InvalidParameterValueException"
    manual = {"CapacityProviderScalingConfig": {"ScalingMode": "Manual", "ScalingPolicies": policies}}
    assert capacity_provider.decide(CapacityProviderState(), replace(CREATE, config={**CONFIG, **manual}))


def test_an_actor_must_go_on() -> None:
    """Given each state, then a row tells what is unfinished, for the actor to be woken after a restart."""
    for old, new, told in (
        (CapacityProviderState(), PENDING, {}),
        (PENDING, ACTIVE, None),
        (ACTIVE, DELETING, {}),
        (DELETING, CapacityProviderState(), None),
    ):
        rows = {row.table: row.value for row in capacity_provider.rows(NAME, old, new)}
        assert rows["unfinished"] == told
        assert ("tags" in rows) == (not (old.state and new.state))


def test_whom_a_provider_takes() -> None:
    """Given no provider, one under way or a full one, then a function version is refused."""
    active = {"State": "Active"}
    check_use(ARN, active, MOST_VERSIONS - 1)
    for provider, versions, code in (
        (None, 0, "ResourceNotFoundException"),
        ({"State": "Deleting"}, 0, "ResourceConflictException"),
        (active, MOST_VERSIONS, "FunctionVersionsPerCapacityProviderLimitExceededException"),
    ):
        with pytest.raises(Refusal) as refused:
            check_use(ARN, provider, versions)
        assert refused.value.code == code


PROVIDED = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": ARN}}


def test_the_versions_of_a_provider_are_rows(stream: Any) -> None:
    """Given a function with a provider, when versions come and the function goes, then so do their rows."""
    stream.created(CapacityProviderConfig=PROVIDED, Runtime="python3.13", MemorySize=2048)
    changed = stream.rows(VersionPublished(at_ms=3_000, version="1", description="", revision_id="r"))
    key = "111111111111/us-east-1/big/orders"
    assert changed["capacity_provider_versions", f"{key}/0000000001"] == {
        "FunctionArn": stream.name.arn("1"),
        "State": "Pending",
    }
    changed = stream.rows(FunctionDeleted(at_ms=4_000))
    assert changed["capacity_provider_versions", f"{key}/$LATEST"] is None
    assert changed["capacity_provider_versions", f"{key}/0000000001"] is None


@pytest.mark.parametrize(
    "bad",
    [
        {"Runtime": "python3.12"},
        {"Runtime": "ruby3.4"},
        {"MemorySize": 2047},
        {"MemorySize": 32769},
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
    ],
)
def test_what_managed_instances_cannot_run(bad: dict[str, Any]) -> None:
    """Given a function with a provider, then runtime, memory and SnapStart are those that managed instances have."""
    settings = {"CapacityProviderConfig": PROVIDED, "Runtime": "python3.13", "Handler": "app.handler"}
    function = ResourceName("function", "111111111111", "us-east-1", "f")
    check(with_defaults(function, settings), settings, Limits(), 0, creating=True)
    with pytest.raises(Refusal) as refused:
        check(with_defaults(function, {**settings, **bad}), {**settings, **bad}, Limits(), 0, creating=True)
    assert refused.value.code == "InvalidParameterValueException"
