"""Relambda's own routes are for who runs the cloud: not for its functions, and not for pages in a browser."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.docker

ASKS = """
import os, urllib.error, urllib.request

def handler(event, context):
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + event["path"], method=event["method"])
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [answer.status, ""]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
"""


def test_functions_are_refused(shared_cloud: Any, make_function: Any, call: Callable[..., Any]) -> None:
    """Given a function, when it asks for the state or would replace it, then 403; it sees health and its package."""
    aws = shared_cloud.client()
    name = make_function(aws, ASKS)

    for method, path in (("GET", "snapshot"), ("POST", "snapshot?replace=true"), ("GET", "debugged")):
        (status, why), _ = call(aws, name, {"method": method, "path": f"/_relambda/{path}"})
        assert (status, "is for functions' containers" in why) == (403, True), why
        assert shared_cloud.url.removeprefix("http://") in why
    assert call(aws, name, {"method": "GET", "path": "/_relambda/health"})[0][0] == 200
    package = urlsplit(aws.get_function(FunctionName=name)["Code"]["Location"])
    assert call(aws, name, {"method": "GET", "path": f"{package.path}?{package.query}"})[0][0] == 200


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": "http://evil.example"}, "A web page of http://evil.example"),
        ({"Origin": "null"}, "A web page of null"),
        ({"Sec-Fetch-Site": "cross-site"}, "A web page of another site"),
        ({"Host": "rebound.example"}, "rebound.example is no name of this cloud"),
    ],
    ids=["foreign", "opaque", "fetch", "rebound"],
)
def test_pages_from_elsewhere_are_refused(shared_cloud: Any, headers: dict[str, str], words: str) -> None:
    """Given a request as a page sends it without asking first, then nothing of it is read, and 403 tells the mend."""
    given = {"Content-Type": "text/plain", **headers}
    for data in (None, b"no pod"):
        request = urllib.request.Request(f"{shared_cloud.url}/_relambda/snapshot", data, given)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 403
        assert words in json.loads(refused.value.read())["message"]


def test_its_own_pages_and_names_are_served(make_cloud: Any) -> None:
    """Given its own origin, localhost, or the name in LOCALSTACK_HOST, then the state is answered."""
    cloud = make_cloud(LOCALSTACK_HOST="cloud.example")
    address = cloud.url.removeprefix("http://")
    own = {"Origin": cloud.url, "Sec-Fetch-Site": "same-origin"}
    for headers in ({}, own, {"Host": f"localhost:{cloud.port}"}, {"Host": "cloud.example"}, {"Host": address}):
        request = urllib.request.Request(f"{cloud.url}/_relambda/snapshot", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200
