"""Reserved concurrency as an SDK sees it, and what it does to the account."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
OtherAws = Callable[[str, str], Any]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
FUNCTIONS_ONLY = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)


def unreserved(client: Any) -> int:
    """What the account's settings say is left."""
    return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])


def create(client: Any, name: str, zipped: bytes) -> None:
    """A function of another account."""
    client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::222222222222:role/any",
        Handler="app.handler",
        Code={"ZipFile": zipped},
    )


@pytest.mark.proves("PutFunctionConcurrency", "GetFunctionConcurrency", "DeleteFunctionConcurrency")
def test_a_reservation_is_put_got_and_deleted(aws: Any, make_function: Make) -> None:
    """Given a function, when 7 are reserved, then Get and GetFunction tell them; deleted, Get answers nothing."""
    make_function("reserved-life")
    put = aws.put_function_concurrency(FunctionName="reserved-life", ReservedConcurrentExecutions=7)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert put["ReservedConcurrentExecutions"] == 7
    assert aws.get_function_concurrency(FunctionName=f"{ARN}:reserved-life")["ReservedConcurrentExecutions"] == 7
    assert aws.get_function(FunctionName="reserved-life")["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    for _ in range(2):
        gone = aws.delete_function_concurrency(FunctionName="reserved-life")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "ReservedConcurrentExecutions" not in aws.get_function_concurrency(FunctionName="reserved-life")
    assert "Concurrency" not in aws.get_function(FunctionName="reserved-life")


@pytest.mark.proves("PutFunctionConcurrency", "GetFunctionConcurrency", "DeleteFunctionConcurrency")
def test_only_functions_have_one(aws: Any, make_function: Make) -> None:
    """Given a version's or an alias's name, when its concurrency is asked after, then AWS's text refuses it."""
    make_function("reserved-qualified")
    for name in ("reserved-qualified:1", f"{ARN}:reserved-qualified:live"):
        for call, more in (
            (aws.put_function_concurrency, {"ReservedConcurrentExecutions": 1}),
            (aws.get_function_concurrency, {}),
            (aws.delete_function_concurrency, {}),
        ):
            with pytest.raises(aws.exceptions.InvalidParameterValueException) as refused:
                call(FunctionName=name, **more)
            assert refused.value.response["Error"]["Message"] == FUNCTIONS_ONLY
            assert refused.value.response["Type"] == "User"


@pytest.mark.proves("PutFunctionConcurrency", "GetFunctionConcurrency", "DeleteFunctionConcurrency")
def test_the_function_is_not_there(aws: Any) -> None:
    """Given no function, then Put's refusal names $LATEST, and the others' do not."""
    gone = f"Function not found: {ARN}:reserved-nobody"
    with pytest.raises(aws.exceptions.ResourceNotFoundException) as put:
        aws.put_function_concurrency(FunctionName="reserved-nobody", ReservedConcurrentExecutions=1)
    assert put.value.response["Error"]["Message"] == f"{gone}:$LATEST"
    for call in (aws.get_function_concurrency, aws.delete_function_concurrency):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as refused:
            call(FunctionName="reserved-nobody")
        assert refused.value.response["Error"]["Message"] == gone


@pytest.mark.proves("PutFunctionConcurrency", "GetAccountSettings")
def test_the_account_keeps_its_minimum(other_aws: OtherAws, function_zip: bytes) -> None:
    """Given 1000 of which 100 must stay, then 900 may be reserved and no more, and 0 is always possible."""
    client = other_aws("222222222222", "eu-west-1")
    create(client, "first", function_zip)
    create(client, "second", function_zip)
    client.put_function_concurrency(FunctionName="first", ReservedConcurrentExecutions=600)
    with pytest.raises(client.exceptions.InvalidParameterValueException) as refused:
        client.put_function_concurrency(FunctionName="second", ReservedConcurrentExecutions=301)
    assert refused.value.response["Error"]["Message"] == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100]."
    )
    assert "Type" not in refused.value.response
    client.put_function_concurrency(FunctionName="second", ReservedConcurrentExecutions=300)
    assert unreserved(client) == 100
    client.put_function_concurrency(FunctionName="second", ReservedConcurrentExecutions=0)
    client.put_function_concurrency(FunctionName="first", ReservedConcurrentExecutions=900)
    assert unreserved(client) == 100
    client.delete_function(FunctionName="first")
    assert unreserved(client) == 1000


@pytest.mark.proves("PutFunctionConcurrency")
def test_requests_at_once_do_not_overdraw_the_account(other_aws: OtherAws, function_zip: bytes) -> None:
    """Given twelve functions that reserve 100 each at once, then nine get it: 100 of 1000 stay."""
    client = other_aws("222222222222", "ap-south-1")
    names = [f"crowd-{number}" for number in range(12)]
    for name in names:
        create(client, name, function_zip)

    def reserve(name: str) -> bool:
        try:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=100)
        except client.exceptions.InvalidParameterValueException:
            return False
        return True

    with ThreadPoolExecutor(len(names)) as crowd:
        assert sum(crowd.map(reserve, names)) == 9
    assert unreserved(client) == 100


@pytest.mark.proves("PutFunctionConcurrency")
def test_fewer_than_none_is_no_number(raw_aws: Any) -> None:
    """Given a negative number, then it is a validation error before anything is looked up."""
    with pytest.raises(ClientError) as refused:
        raw_aws.put_function_concurrency(FunctionName="reserved-nobody", ReservedConcurrentExecutions=-1)
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value '-1' at 'reservedConcurrentExecutions' failed to satisfy "
        "constraint: Member must have value greater than or equal to 0",
    }
