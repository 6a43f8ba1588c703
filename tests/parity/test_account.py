"""The account's settings as an SDK sees them."""

from collections.abc import Callable
from typing import Any

import pytest

OtherAws = Callable[[str, str], Any]


@pytest.mark.proves("GetAccountSettings")
def test_quotas_and_their_use(other_aws: OtherAws, function_zip: bytes) -> None:
    """Given a new account, then AWS's quotas and no use; given a function with a version, its code counts twice."""
    client = other_aws("333333333333", "eu-west-1")
    fresh = client.get_account_settings()
    assert fresh["AccountLimit"] == {
        "TotalCodeSize": 80530636800,
        "CodeSizeUnzipped": 262144000,
        "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
    assert fresh["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    client.create_function(
        FunctionName="counted",
        Runtime="python3.11",
        Role="arn:aws:iam::333333333333:role/any",
        Handler="app.handler",
        Code={"ZipFile": function_zip},
        Publish=True,
    )
    used = client.get_account_settings()["AccountUsage"]
    assert used == {"TotalCodeSize": 2 * len(function_zip), "FunctionCount": 1}


@pytest.mark.proves("GetAccountSettings")
def test_accounts_and_regions_do_not_see_each_other(other_aws: OtherAws, function_zip: bytes) -> None:
    """Given a function in one region of an account, then its other region and another account count none."""
    other_aws("444444444444", "eu-west-1").create_function(
        FunctionName="alone",
        Runtime="python3.11",
        Role="arn:aws:iam::444444444444:role/any",
        Handler="app.handler",
        Code={"ZipFile": function_zip},
    )
    for account, region in (("444444444444", "us-west-2"), ("555555555555", "eu-west-1")):
        assert other_aws(account, region).get_account_settings()["AccountUsage"]["FunctionCount"] == 0
