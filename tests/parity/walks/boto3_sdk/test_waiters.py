"""Every waiter of the installed boto3, to what it waits for, and to what ends it."""

from typing import Any

import pytest
from botocore.exceptions import WaiterError

pytestmark = pytest.mark.docker
STATES = ("function_active", "function_active_v2", "function_exists", "published_version_active")
UPDATES = ("function_updated", "function_updated_v2")
NOWHERE = {"ImageUri": "127.0.0.1:9/nobody/nothing:latest"}
LATEST = {"published_version_active": {"Qualifier": "$LATEST"}}


@pytest.mark.parametrize("waiter", [*STATES, *UPDATES])
def test_a_waiter(world: Any, waiter: str) -> None:
    """Given a function that is created or updated just now, then the waiter ends well, and it is Active."""
    named = world.function(Publish=True)
    if waiter in UPDATES:
        world.aws.update_function_configuration(**named, Timeout=9)
    given = {"Qualifier": "1"} if waiter == "published_version_active" else {}
    world.until(waiter, "walked", **given)
    told = world.aws.get_function_configuration(**named)
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "Successful")


@pytest.mark.parametrize("waiter", [state for state in STATES if state != "function_exists"])
def test_a_waiter_sees_failure(world: Any, waiter: str) -> None:
    """Given a function whose image cannot be had, then waiters for its state end with the state Failed."""
    world.aws.create_function(FunctionName="walked", Role=world.role, PackageType="Image", Code=NOWHERE)
    with pytest.raises(WaiterError, match="Failed"):
        world.until(waiter, "walked", **LATEST.get(waiter, {}))
    assert world.aws.get_function_configuration(FunctionName="walked")["State"] == "Failed"


@pytest.mark.parametrize("waiter", UPDATES)
def test_a_waiter_sees_a_failed_update(world: Any, waiter: str) -> None:
    """Given an update to an image that cannot be had, then waiters for updates end with its status Failed."""
    named = world.function(PackageType="Image", Code={"ImageUri": world.image})
    world.aws.update_function_code(**named, **NOWHERE)
    with pytest.raises(WaiterError, match="Failed"):
        world.until(waiter, "walked")
    told = world.aws.get_function_configuration(**named)
    assert (told["State"], told["LastUpdateStatus"]) == ("Active", "Failed")


def test_a_waiter_ends_when_it_has_asked_enough(world: Any) -> None:
    """Given no function, when waited for, then the waiter asks as often as it is told to, and ends."""
    waiter = world.aws.get_waiter("function_exists")
    with pytest.raises(WaiterError, match="Max attempts"):
        waiter.wait(FunctionName="nobody", WaiterConfig={"Delay": 0, "MaxAttempts": 2})


def test_every_waiter_is_walked(aws: Any) -> None:
    """Given the installed model, then the tables above have each of its waiters."""
    assert sorted(aws.waiter_names) == sorted([*STATES, *UPDATES])
