"""Options that change what AWS's answers are: quotas, checks of runtimes, synchronous creation, visible transitions."""

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

SYNCHRONOUS = {"LAMBDA_SYNCHRONOUS_CREATE": "1", "LAMBDA_RUNTIME_VALIDATION": "1"}
QUOTAS = {
    "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS": "7",
    "LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY": "2",
    "LAMBDA_LIMITS_TOTAL_CODE_SIZE": "6000",
    "LAMBDA_LIMITS_CODE_SIZE_ZIPPED": "2000",
    "LAMBDA_LIMITS_CODE_SIZE_UNZIPPED": "9000",
    "LAMBDA_LIMITS_CREATE_FUNCTION_REQUEST_SIZE": "4000",
    "LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES": "100",
    "LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES": "1000",
}
TOO_LARGE = "RequestEntityTooLargeException"
INVALID = "InvalidParameterValueException"


@pytest.fixture(scope="module")
def tight(start_cloud: Any, aws_of: Any, python_image: str) -> Any:
    """A client of a cloud with small quotas, where CreateFunction waits and runtimes are checked."""
    return aws_of(start_cloud(**QUOTAS, **SYNCHRONOUS))


@pytest.fixture(scope="module")
def slow(start_cloud: Any, aws_of: Any, python_image: str) -> Any:
    """A client of a cloud where each transition is to be seen for two seconds."""
    return aws_of(start_cloud(RELAMBDA_STATE_TRANSITION_MS="2000"))


def packed(size: int, *, stored: bool) -> bytes:
    """A package with a handler and a file of so many zeros."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'x' * event\n")
        archive.writestr("zeros", bytes(size))
    return content.getvalue()


def test_the_account_tells_its_quotas(tight: Any) -> None:
    """Given quotas, then GetAccountSettings tells them."""
    limit = tight.get_account_settings()["AccountLimit"]
    assert limit == {
        "TotalCodeSize": 6000,
        "CodeSizeUnzipped": 9000,
        "CodeSizeZipped": 2000,
        "ConcurrentExecutions": 7,
        "UnreservedConcurrentExecutions": 7,
    }


def test_packages_that_are_too_large(tight: Any, request_of: Any, refused: Any) -> None:
    """Given a package past each quota, then AWS's words with the quota's number."""
    given = request_of(Code={"ZipFile": packed(2001, stored=True)})
    assert refused(tight.create_function, **given).told == (
        *(413, TOO_LARGE),
        "Zipped size must be smaller than 2000 bytes",
    )
    given = request_of(Code={"ZipFile": packed(9000, stored=False)})
    assert refused(tight.create_function, **given).told == (
        *(400, INVALID),
        "Unzipped size must be smaller than 9000 bytes",
    )
    larger = {"ZipFile": packed(3000, stored=True)}
    words = "Request must be smaller than 4000 bytes for the {} operation"
    answer = refused(tight.create_function, **request_of(Code=larger))
    assert answer.told == (413, TOO_LARGE, words.format("CreateFunction"))
    answer = refused(tight.update_function_code, FunctionName="any", **larger)
    assert answer.told == (413, TOO_LARGE, words.format("UpdateFunctionCode"))


def test_an_environment_that_is_too_large(tight: Any, request_of: Any, refused: Any) -> None:
    """Given variables past the quota, then they are refused."""
    answer = refused(tight.create_function, **request_of(Environment={"Variables": {"KEY": "x" * 100}}))
    assert (answer.status, answer.code) == (400, INVALID)
    assert "String measured: " in answer.message


def test_a_deprecated_runtime(tight: Any, aws: Any, request_of: Any, refused: Any) -> None:
    """Given LAMBDA_RUNTIME_VALIDATION, then a deprecated runtime is refused; without it, it is taken."""
    given = request_of(Runtime="python3.7")
    answer = refused(tight.create_function, **given)
    assert (answer.status, answer.code) == (400, INVALID)
    assert answer.message == (
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions."
    )
    assert aws.create_function(**given)["Runtime"] == "python3.7"
    aws.delete_function(FunctionName=given["FunctionName"])


def test_concurrency_of_the_account(tight: Any, request_of: Any, refused: Any) -> None:
    """Given seven of which two must stay unreserved, then five may be reserved, and no more."""
    name = tight.create_function(**request_of())["FunctionName"]
    assert refused(tight.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=6).message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [2]."
    )
    tight.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    tight.delete_function(FunctionName=name)


def test_creation_waits(tight: Any, request_of: Any) -> None:
    """Given LAMBDA_SYNCHRONOUS_CREATE, when a function is created, then it is Active; published, its version is."""
    for publish, version in ((False, "$LATEST"), (True, "1")):
        made = tight.create_function(**request_of(Publish=publish))
        assert (made["State"], made["LastUpdateStatus"], made["Version"]) == ("Active", "Successful", version)
        tight.delete_function(FunctionName=made["FunctionName"])


def test_an_answer_that_is_too_large(tight: Any, request_of: Any) -> None:
    """Given a quota of a thousand bytes, when a function answers more, then AWS's error with that number."""
    name = tight.create_function(**request_of(Code={"ZipFile": packed(0, stored=True)}))["FunctionName"]
    assert len(json.load(tight.invoke(FunctionName=name, Payload=b"998")["Payload"])) == 998
    answer = tight.invoke(FunctionName=name, Payload=b"999")
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"]) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (1000 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    tight.delete_function(FunctionName=name)


def test_code_of_the_account(tight: Any, request_of: Any, refused: Any, fresh: Callable[..., str]) -> None:
    """Given 6,000 bytes in all, then functions, versions and layers that fit are stored, until others are deleted."""
    package, exceeded = packed(1500, stored=True), (400, "CodeStorageExceededException", "Code storage limit exceeded.")
    assert 3 * len(package) <= 6000 < 4 * len(package)
    name = tight.create_function(**request_of(Code={"ZipFile": package}))["FunctionName"]
    tight.publish_version(FunctionName=name)
    layer = {"LayerName": fresh("layer"), "Content": {"ZipFile": package}}
    tight.publish_layer_version(**layer)
    assert refused(tight.create_function, **request_of(Code={"ZipFile": package})).told == exceeded
    assert refused(tight.update_function_code, FunctionName=name, ZipFile=package).told == exceeded
    assert refused(tight.publish_layer_version, **layer).told == exceeded
    assert refused(tight.publish_version, FunctionName=name).told == exceeded
    tight.delete_function(FunctionName=name, Qualifier="1")
    tight.publish_layer_version(**layer)
    tight.delete_function(FunctionName=name)


@pytest.mark.timeout(60)
def test_transitions_are_seen(slow: Any, request_of: Any, refused: Any, wait: Any, function_zip: bytes) -> None:
    """Given transitions of two seconds, then Pending and InProgress are seen, and what must wait for them conflicts."""
    name = slow.create_function(**request_of())["FunctionName"]
    arn = f"arn:aws:lambda:us-east-1:111111111111:function:{name}"
    made = slow.get_function_configuration(FunctionName=name)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in made
    answer = refused(slow.invoke, FunctionName=name)
    assert answer.told == (
        *(409, "ResourceConflictException"),
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    )
    wait("function_active_v2", name, slow)
    active = slow.get_function_configuration(FunctionName=name)
    assert active["RevisionId"] != made["RevisionId"]

    updating = slow.update_function_configuration(FunctionName=name, Description="other")
    assert (updating["State"], updating["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updating["LastUpdateStatusReasonCode"] == "Creating"
    conflict = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    for call, given in (
        (slow.update_function_configuration, {"Description": "third"}),
        (slow.update_function_code, {"ZipFile": function_zip}),
        (slow.publish_version, {}),
    ):
        answer = refused(call, FunctionName=name, **given)
        assert answer.told == (409, "ResourceConflictException", conflict), call
    assert slow.invoke(FunctionName=name)["StatusCode"] == 200
    wait("function_updated_v2", name, slow)
    updated = slow.get_function_configuration(FunctionName=name)
    assert (updated["Description"], updated["LastUpdateStatus"]) == ("other", "Successful")
    assert updated["RevisionId"] not in {active["RevisionId"], updating["RevisionId"]}
    slow.delete_function(FunctionName=name)


def test_runtimes_are_told_to_who_asks_as_localstack_is_asked(cloud: dict[str, Any]) -> None:
    """Given the address of runtimes, then those that AWS supports, those it no longer does, or all; no other filter."""

    def runtimes(query: str = "") -> list[str]:
        with urllib.request.urlopen(f"{cloud['url']}/_aws/lambda/runtimes{query}") as answer:
            return list(json.load(answer)["Runtimes"])

    supported, deprecated = runtimes(), runtimes("?filter=deprecated")
    assert supported == runtimes("?filter=supported")
    assert {"python3.13", "nodejs24.x", "provided.al2023"} <= set(supported)
    assert {"python3.7", "go1.x", "nodejs"} <= set(deprecated)
    assert not set(supported) & set(deprecated)
    assert runtimes("?filter=all") == supported + deprecated == runtimes("?filter=supported&filter=deprecated")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        runtimes("?filter=tasty")
