"""Functions: requests that AWS refuses, in its words."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


@pytest.mark.proves("GetFunction", "GetFunctionConfiguration", "DeleteFunction", "UpdateFunctionCode")
def test_names_that_lead_nowhere(
    aws: Any, other_aws: Any, make_function: Make, refused: Any, fresh: Any, function_zip: bytes
) -> None:
    """Given names of no function, other qualifiers, regions and accounts, then AWS's answers for each."""
    name, missing = make_function()["FunctionName"], fresh()
    found = "ResourceNotFoundException"
    for call in (aws.get_function, aws.get_function_configuration, aws.delete_function):
        assert refused(call, FunctionName=missing).told == (404, found, f"Function not found: {arn(missing)}")
        assert refused(call, FunctionName=f"{name}:1", Qualifier="2").told == (
            400,
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
        elsewhere = f"arn:aws:lambda:eu-west-1:111111111111:function:{name}"
        assert refused(call, FunctionName=elsewhere).told == (
            404,
            found,
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        )
        answer = refused(call, FunctionName=f"arn:aws:lambda:us-east-1:222222222222:function:{name}")
        assert (answer.status, answer.code) == (403, "AccessDeniedException")
    answer = refused(aws.get_function, FunctionName=name, Qualifier="1221")
    assert answer.told == (404, found, f"Function not found: {arn(name, '1221')}")
    answer = refused(aws.get_function, FunctionName="some-function", Qualifier="$LATEST")
    assert answer.told == (404, found, f"Function not found: {arn('some-function', '$LATEST')}")
    answer = refused(aws.delete_function, FunctionName=missing, Qualifier="1")
    assert answer.told == (404, found, f"Function not found: {arn(missing)}")
    answer = refused(aws.update_function_code, FunctionName=missing, ZipFile=function_zip)
    assert answer.told == (404, found, f"Function not found: {arn(missing)}")
    answer = refused(aws.update_function_configuration, FunctionName=missing)
    assert answer.told == (404, found, f"Function not found: {arn(missing)}")
    for client in (other_aws("151515151515"), other_aws(region="eu-west-1")):
        assert refused(client.get_function, FunctionName=name).status == 404


RUNTIME_SET = (
    "Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, "
    "nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, "
    "nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] or be a valid ARN"
)
ONE_ARCHITECTURE = (
    "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
    "Member must have length less than or equal to 1"
)
ARCHITECTURE_SET = (
    "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must "
    "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
)
LONG_NAME = (
    f"1 validation error detected: Value '{'a' * 65}' at 'functionName' failed to satisfy constraint: "
    "Member must have length less than or equal to 64"
)
BAD_ROLE = (
    "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular "
    r"expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
)
BAD_NAME = (
    "1 validation error detected: Value 'invalid:function:name' at 'functionName' failed to satisfy constraint: Member "
    r"must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?"
    r"-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
APPLY_ON = (
    "1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member "
    "must satisfy enum value set: [PublishedVersions, None]"
)
NO_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
INVALID, VALIDATION = "InvalidParameterValueException", "ValidationException"


@pytest.mark.proves("CreateFunction")
@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Role": "r1"}, VALIDATION, BAD_ROLE),
        ({"FunctionName": "invalid:function:name"}, VALIDATION, BAD_NAME),
        ({"FunctionName": "a" * 65}, INVALID, LONG_NAME),
        (
            {"Runtime": "non-existent-runtime"},
            INVALID,
            f"Value non-existent-runtime at 'runtime' failed to satisfy constraint: {RUNTIME_SET}",
        ),
        (
            {"Runtime": "PYTHON3.9"},
            INVALID,
            f"Value PYTHON3.9 at 'runtime' failed to satisfy constraint: {RUNTIME_SET}",
        ),
        ({"Architectures": ["x86_64", "arm64"]}, VALIDATION, ONE_ARCHITECTURE),
        ({"Architectures": ["X86_64"]}, VALIDATION, ARCHITECTURE_SET),
        ({"SnapStart": {"ApplyOn": "invalidOption"}}, VALIDATION, APPLY_ON),
        ({"Code": {"ZipFile": b"this is not a zip"}}, INVALID, NO_ZIP),
    ],
    ids=["role", "name", "long", "runtime", "case", "two", "architecture", "snapstart", "zip"],
)
def test_requests_that_aws_refuses(
    raw_aws: Any,
    request_of: Any,
    refused: Any,
    position: Callable[[], int],
    given: dict[str, Any],
    code: str,
    message: str,
) -> None:
    """Given nothing, when a function is created so, then AWS's answer, and no event."""
    head = position()
    answer = refused(raw_aws.create_function, **request_of(**given))
    assert answer.told == (400, code, message)
    assert answer.type == (None if code == VALIDATION else "User")
    assert position() == head


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_a_large_environment(aws: Any, make_function: Make, request_of: Any, refused: Any) -> None:
    """Given variables of more than 4 KB in all, when created or configured, then AWS echoes them."""
    given = {"Environment": {"Variables": {"SMALL_VAR": "ok", "LARGE_VAR": "x" * 4064}}}
    message = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        f'exceeded the 4KB limit. String measured: {{"SMALL_VAR":"ok","LARGE_VAR":"{"x" * 4064}"}}'
    )
    assert refused(aws.create_function, **request_of(**given)).told == (400, INVALID, message)
    name = make_function()["FunctionName"]
    assert refused(aws.update_function_configuration, FunctionName=name, **given).told == (400, INVALID, message)


@pytest.mark.proves("CreateFunction")
def test_sizes(aws: Any, request_of: Any, refused: Any) -> None:
    """Given packages too large for the request and for AWS, when created, then 413 with AWS's words for each."""
    answer = refused(aws.create_function, **request_of(Code={"ZipFile": b"\0" * 52_428_801}))
    assert answer.told == (
        413,
        "RequestEntityTooLargeException",
        "Zipped size must be smaller than 52428800 bytes",
    )
    answer = refused(aws.create_function, **request_of(Code={"ZipFile": b"\0" * 53_000_000}))
    assert answer.told == (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    )
    assert answer.type is None


@pytest.mark.proves("CreateFunction")
def test_a_name_is_taken_once(aws: Any, make_function: Make, request_of: Any, refused: Any, other_aws: Any) -> None:
    """Given a function, when created again, then 409; in another region, it is created."""
    name = make_function()["FunctionName"]
    assert refused(aws.create_function, **request_of(FunctionName=name)).told == (
        409,
        "ResourceConflictException",
        f"Function already exist: {name}",
    )
    make_function(name, client=other_aws(region="eu-west-1"))


@pytest.mark.proves("UpdateFunctionCode", "UpdateFunctionConfiguration")
def test_updates_that_aws_refuses(
    aws: Any, make_function: Make, refused: Any, position: Callable[[], int], function_zip: bytes
) -> None:
    """Given a zip function, when updated by another revision, with an image or no zip, then AWS's answers, no event."""
    name = make_function()["FunctionName"]
    head = position()
    stale = (412, "PreconditionFailedException", STALE)
    wrong = {"FunctionName": name, "RevisionId": "wrong"}
    assert refused(aws.update_function_code, **wrong, ZipFile=function_zip).told == stale
    assert refused(aws.update_function_configuration, **wrong, Timeout=9).told == stale
    assert refused(aws.update_function_code, FunctionName=name, ImageUri="repository/app:1").told == (
        400,
        INVALID,
        "Please don't provide ImageUri when updating a function with packageType Zip.",
    )
    assert refused(aws.update_function_code, FunctionName=name, ZipFile=b"no zip").told == (400, INVALID, NO_ZIP)
    assert position() == head


@pytest.mark.proves("CreateFunction")
def test_code_from_nowhere(aws: Any, request_of: Any, refused: Any, publish_layer: Any, position: Any) -> None:
    """Given an image without a name, with a layer beside it, then no source of code is given at all."""
    layer = publish_layer()["LayerVersionArn"]
    before = position()
    answer = refused(aws.create_function, **request_of(Code={"ImageUri": ""}, Layers=[layer]))
    assert answer.told == (400, "InvalidParameterValueException", "Please provide a source for function code.")
    assert position() == before


RESERVED = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
]
"""Names that no function's user may set (Developer Guide, "Defined runtime environment variables")."""


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_variables_that_are_lambdas_own(
    aws: Any, make_function: Make, refused: Any, fresh: Any, function_zip: bytes
) -> None:
    """Given variables of reserved names, when a function is to have one, then it is refused, and nothing changes."""
    name = make_function(Environment={"Variables": {"MINE": "1"}})["FunctionName"]
    begin = (
        "Lambda was unable to configure your environment variables because the environment variables you have "
        "provided contains reserved keys that are currently not supported for modification. "
        "Reserved keys used in this request: "
    )
    for reserved in RESERVED:
        variables = {"Variables": {"MINE": "2", reserved: "mine"}}
        answer = refused(aws.update_function_configuration, FunctionName=name, Environment=variables)
        assert answer.told == (400, "InvalidParameterValueException", begin + reserved)
    for private in ("_HANDLER", "_X_AMZN_TRACE_ID"):
        variables = {"Variables": {private: "mine"}}
        assert refused(aws.update_function_configuration, FunctionName=name, Environment=variables).status == 400
    assert aws.get_function_configuration(FunctionName=name)["Environment"] == {"Variables": {"MINE": "1"}}
    missing = fresh()
    answer = refused(
        aws.create_function,
        FunctionName=missing,
        Runtime="python3.11",
        Handler="index.handler",
        Role="arn:aws:iam::111111111111:role/test",
        Code={"ZipFile": function_zip},
        Environment={"Variables": {"AWS_REGION": "mars", "LAMBDA_TASK_ROOT": "/"}},
    )
    assert answer.told == (400, "InvalidParameterValueException", f"{begin}AWS_REGION, LAMBDA_TASK_ROOT")
    assert refused(aws.get_function, FunctionName=missing).status == 404
