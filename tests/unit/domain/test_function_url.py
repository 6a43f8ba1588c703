"""Function URLs: one for $LATEST and one for each alias, their ids, and what AWS refuses."""

from typing import Any

import pytest

from relambda.actors.domain.function_url import (
    CreateFunctionUrl,
    DeleteFunctionUrl,
    FunctionUrlCreated,
    FunctionUrlDeleted,
    UpdateFunctionUrl,
    url_id,
)
from relambda.actors.domain.functions import FunctionDeleted
from relambda.actors.domain.qualifiers import without
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.state import Head

CORS = {"AllowOrigins": ["https://example.com"], "MaxAge": 60}


def create(stream: Any, qualifier: str = "$LATEST", url: str = "abc", **settings: Any) -> CreateFunctionUrl:
    return CreateFunctionUrl(
        resource=stream.name, at_ms=9_007, qualifier=qualifier, url_id=url, settings={"AuthType": "NONE", **settings}
    )


def update(stream: Any, qualifier: str = "$LATEST", **settings: Any) -> UpdateFunctionUrl:
    return UpdateFunctionUrl(resource=stream.name, at_ms=9_500, qualifier=qualifier, settings=settings)


def delete(stream: Any, qualifier: str = "$LATEST") -> DeleteFunctionUrl:
    return DeleteFunctionUrl(resource=stream.name, at_ms=9_900, qualifier=qualifier)


def test_a_url_is_buffered_unless_it_streams(orders: Any) -> None:
    """Given a function, when it gets a URL, then it is there with its id and its time, and BUFFERED."""
    orders.when(create(orders))
    assert orders.state.urls["$LATEST"] == {
        "Qualifier": "$LATEST",
        "UrlId": "abc",
        "InvokeMode": "BUFFERED",
        "AuthType": "NONE",
        "CreationTime": "1970-01-01T00:00:09.007Z",
        "LastModifiedTime": "1970-01-01T00:00:09.007Z",
    }
    orders.published().pointing("live", "1").when(create(orders, "live", "def", InvokeMode="RESPONSE_STREAM"))
    assert orders.state.urls["live"]["InvokeMode"] == "RESPONSE_STREAM"


def test_an_update_keeps_the_url(orders: Any) -> None:
    """Given a URL, when members are updated, then they change, and the id, the creation and the others stay."""
    orders.when(create(orders, Cors=CORS))
    orders.when(update(orders, AuthType="AWS_IAM"))
    config = orders.state.urls["$LATEST"]
    assert (config["UrlId"], config["AuthType"], config["Cors"]) == ("abc", "AWS_IAM", CORS)
    assert (config["CreationTime"], config["LastModifiedTime"]) == (
        "1970-01-01T00:00:09.007Z",
        "1970-01-01T00:00:09.500Z",
    )


def test_an_empty_cors_is_none(orders: Any) -> None:
    """Given CORS, when it is updated to nothing, then it is gone."""
    orders.when(create(orders, Cors=CORS))
    orders.when(update(orders, Cors={}))
    assert "Cors" not in orders.state.urls["$LATEST"]


def test_there_is_one_url(orders: Any) -> None:
    """Given a URL, when another is made for the same qualifier, then AWS's text with two spaces refuses it."""
    orders.published().pointing("live", "1")
    for qualifier, arn in (("$LATEST", orders.name.arn()), ("live", orders.name.arn("live"))):
        orders.when(create(orders, qualifier))
        refusal = orders.refuses(create(orders, qualifier))
        assert refusal.code == "ResourceConflictException"
        assert refusal.message == (
            f"Failed to create function url config for [functionArn = {arn}]. "
            "Error message:  FunctionUrlConfig exists for this Lambda function"
        )


def test_nobody_to_have_one(stream: Any) -> None:
    """Given no function, or no such alias, when a URL is made, then the function does not exist."""
    assert stream.refuses(create(stream)).message == "Function does not exist"
    assert stream.created().refuses(create(stream, "nowhere")).message == "Function does not exist"


def test_tenants_have_none(stream: Any) -> None:
    """Given a function with tenant isolation, when a URL is made, then it is refused."""
    stream.created(TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    assert stream.refuses(create(stream)).code == "InvalidParameterValueException"


@pytest.mark.parametrize("command", [update, delete])
def test_there_is_no_url(stream: Any, command: Any) -> None:
    """Given no URL or no function, when it is updated or deleted, then what is asked for does not exist."""
    assert stream.refuses(command(stream)).message == "The resource you requested does not exist."
    assert stream.created().refuses(command(stream)).message == "The resource you requested does not exist."


def test_urls_are_deleted_one_by_one(orders: Any) -> None:
    """Given two URLs, when the function's own is deleted, then the alias's stays until its alias ends."""
    orders.published().pointing("live", "1").when(create(orders))
    orders.when(create(orders, "live", "def"))
    assert orders.when(delete(orders)) == (FunctionUrlDeleted(at_ms=9_900, qualifier="$LATEST"),)
    assert list(orders.state.urls) == ["live"]
    assert without(orders.state, "live").urls == {}


def test_the_view_of_ids_tells_whose_a_url_is(orders: Any) -> None:
    """Given a URL, then the view of ids leads from its region and id to the function, and no longer once it ended."""
    born = FunctionUrlCreated(at_ms=9_000, qualifier="$LATEST", url_id="abc", settings={"AuthType": "NONE"})
    owner = {"Function": orders.name.stream, "Qualifier": "$LATEST"}
    assert orders.rows(born)["url_ids", "us-east-1/abc"] == owner
    assert orders.rows(FunctionDeleted(at_ms=9_900))["url_ids", "us-east-1/abc"] is None


@pytest.mark.parametrize(
    ("tags", "qualifier", "chosen"),
    [
        ({}, "$LATEST", "fresh"),
        ({"_custom_id_": "Shop"}, "$LATEST", "shop"),
        ({"_custom_id_": "shop"}, "live", "shop-live"),
    ],
)
def test_a_tag_chooses_the_id(tags: dict[str, str], qualifier: str, chosen: str) -> None:
    """Given the tag _custom_id_, then the URL's id is what it says, with the alias's name behind it for an alias."""
    assert url_id(Head(created_ms=0, tags=tags), qualifier, "fresh") == chosen


@pytest.mark.parametrize("custom", ["", "a.b", "-a", "a-", "a_b", "a" * 64, "ä"])
def test_an_id_is_a_host_name(custom: str) -> None:
    """Given a tag that is no DNS label, then it is refused, and the message says what it may be."""
    with pytest.raises(Refusal, match="_custom_id_"):
        url_id(Head(created_ms=0, tags={"_custom_id_": custom}), "$LATEST", "fresh")
