"""Function URLs as an SDK sees them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
GONE = "The resource you requested does not exist."
CORS = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"], "MaxAge": 86400}


def refused(call: Callable[..., Any], code: str, **given: Any) -> str:
    """The message of a refusal with this code."""
    with pytest.raises(ClientError) as refusal:
        call(**given)
    assert refusal.value.response["Error"]["Code"] == code
    return str(refusal.value.response["Error"]["Message"])


@pytest.mark.proves(
    "CreateFunctionUrlConfig", "GetFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"
)
def test_a_urls_life(aws: Any, make_function: Make) -> None:
    """Given a function, then its URL is made, told, changed and deleted, InvokeMode and times as AWS shows them."""
    make_function("url-life")
    created = aws.create_function_url_config(FunctionName="url-life", AuthType="NONE", Cors=CORS)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["FunctionArn"] == f"{ARN}:url-life"
    assert (created["AuthType"], created["Cors"]) == ("NONE", CORS)
    assert "InvokeMode" not in created
    assert "LastModifiedTime" not in created
    assert re.fullmatch(r"https?://[a-z0-9]{32}\.lambda-url\.us-east-1\.[^/]+/", created["FunctionUrl"])
    got = aws.get_function_url_config(FunctionName="url-life")
    assert (got["FunctionUrl"], got["InvokeMode"]) == (created["FunctionUrl"], "BUFFERED")
    assert got["LastModifiedTime"] == got["CreationTime"] == created["CreationTime"]
    updated = aws.update_function_url_config(FunctionName="url-life", AuthType="AWS_IAM", Cors={})
    assert (updated["FunctionUrl"], updated["AuthType"]) == (created["FunctionUrl"], "AWS_IAM")
    assert updated["CreationTime"] == created["CreationTime"]
    assert "LastModifiedTime" in updated
    assert "InvokeMode" not in updated
    assert "Cors" not in updated
    streaming = aws.update_function_url_config(FunctionName="url-life", InvokeMode="RESPONSE_STREAM")
    assert (streaming["InvokeMode"], streaming["AuthType"]) == ("RESPONSE_STREAM", "AWS_IAM")
    gone = aws.delete_function_url_config(FunctionName="url-life")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call, more in (
        (aws.get_function_url_config, {}),
        (aws.delete_function_url_config, {}),
        (aws.update_function_url_config, {"AuthType": "NONE"}),
    ):
        assert refused(call, "ResourceNotFoundException", FunctionName="url-life", **more) == GONE


@pytest.mark.proves("CreateFunctionUrlConfig", "ListFunctionUrlConfigs", "DeleteAlias")
def test_an_alias_has_its_own(aws: Any, make_function: Make) -> None:
    """Given a function and an alias, then both have URLs, listed whole or by pages; the alias's ends with it."""
    make_function("url-alias", Publish=True)
    aws.create_alias(FunctionName="url-alias", Name="live", FunctionVersion="1")
    assert aws.list_function_url_configs(FunctionName="url-alias")["FunctionUrlConfigs"] == []
    own = aws.create_function_url_config(FunctionName="url-alias", AuthType="NONE")
    alias = aws.create_function_url_config(
        FunctionName="url-alias", Qualifier="live", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )
    assert (alias["FunctionArn"], alias["InvokeMode"]) == (f"{ARN}:url-alias:live", "RESPONSE_STREAM")
    assert own["FunctionUrl"] != alias["FunctionUrl"]
    listed = aws.list_function_url_configs(FunctionName="url-alias")["FunctionUrlConfigs"]
    assert [config["FunctionArn"] for config in listed] == [f"{ARN}:url-alias", f"{ARN}:url-alias:live"]
    assert [config["InvokeMode"] for config in listed] == ["BUFFERED", "RESPONSE_STREAM"]
    pages = aws.get_paginator("list_function_url_configs").paginate(
        FunctionName="url-alias", PaginationConfig={"PageSize": 1}
    )
    assert [len(page["FunctionUrlConfigs"]) for page in pages] == [1, 1]
    message = refused(
        aws.create_function_url_config,
        "ResourceConflictException",
        FunctionName="url-alias",
        AuthType="NONE",
    )
    assert message == (
        f"Failed to create function url config for [functionArn = {ARN}:url-alias]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function"
    )
    aws.delete_function_url_config(FunctionName="url-alias")
    got = aws.get_function_url_config(FunctionName="url-alias", Qualifier="live")
    assert got["FunctionUrl"] == alias["FunctionUrl"]
    aws.delete_alias(FunctionName="url-alias", Name="live")
    assert aws.list_function_url_configs(FunctionName="url-alias")["FunctionUrlConfigs"] == []


@pytest.mark.proves("CreateFunctionUrlConfig", "GetFunctionUrlConfig", "ListFunctionUrlConfigs")
def test_the_function_is_not_there(aws: Any, make_function: Make) -> None:
    """Given no function or alias, then Create and List say so in one way, Get in another."""
    make_function("url-missing")
    create, code = aws.create_function_url_config, "ResourceNotFoundException"
    for given in ({"FunctionName": "url-nobody"}, {"FunctionName": "url-missing", "Qualifier": "nowhere"}):
        assert refused(create, code, AuthType="NONE", **given) == "Function does not exist"
        assert refused(aws.get_function_url_config, code, **given) == GONE
    assert refused(aws.list_function_url_configs, code, FunctionName="url-nobody") == "Function does not exist"


@pytest.mark.proves("CreateFunctionUrlConfig")
@pytest.mark.parametrize("qualifier", ["1", "$LATEST"])
def test_a_version_has_none(aws: Any, qualifier: str) -> None:
    """Given a version or $LATEST, then the qualifier is a validation error."""
    message = refused(
        aws.create_function_url_config,
        "ValidationException",
        FunctionName="url-nobody",
        Qualifier=qualifier,
        AuthType="NONE",
    )
    assert message == (
        f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
    )


@pytest.mark.proves("CreateFunctionUrlConfig")
def test_an_unknown_mode(aws: Any) -> None:
    """Given an unknown mode, then the validation error has AWS's order of modes."""
    message = refused(
        aws.create_function_url_config,
        "ValidationException",
        FunctionName="url-nobody",
        AuthType="NONE",
        InvokeMode="UNKNOWN",
    )
    assert message == (
        "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"
    )


@pytest.mark.proves("CreateFunctionUrlConfig")
def test_a_tag_chooses_the_id(aws: Any, make_function: Make) -> None:
    """Given the tag _custom_id_, then it is the URL's id, an alias's has its name too, and nobody else gets it."""
    make_function("url-custom", Publish=True, Tags={"_custom_id_": "my-shop"})
    make_function("url-copycat", Tags={"_custom_id_": "my-shop"})
    aws.create_alias(FunctionName="url-custom", Name="live", FunctionVersion="1")
    own = aws.create_function_url_config(FunctionName="url-custom", AuthType="NONE")
    alias = aws.create_function_url_config(FunctionName="url-custom", Qualifier="live", AuthType="NONE")
    assert "//my-shop.lambda-url.us-east-1." in own["FunctionUrl"]
    assert "//my-shop-live.lambda-url.us-east-1." in alias["FunctionUrl"]
    message = refused(
        aws.create_function_url_config, "ResourceConflictException", FunctionName="url-copycat", AuthType="NONE"
    )
    assert "'my-shop' is in use" in message
    aws.delete_function(FunctionName="url-custom")
    taken = aws.create_function_url_config(FunctionName="url-copycat", AuthType="NONE")
    assert taken["FunctionUrl"] == own["FunctionUrl"]
