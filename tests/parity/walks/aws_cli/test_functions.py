"""The AWS CLI on functions, their versions and aliases, and invocations."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(420)]
Make = Callable[..., Any]


def test_functions(make_cli: Make, make_function: Make, package: Path) -> None:
    """Given nothing, when functions are created, updated, listed in pages and deleted, then each answer is AWS's."""
    cli = make_cli("181818181801")
    created = make_function(cli, "first", description="one", tags="team=walk")
    assert (created["State"], created["FunctionArn"]) == ("Pending", cli.arn("function:first"))
    for waiter in ("function-exists", "function-active", "function-active-v2"):
        cli.wait(waiter, function_name="first")
    shown = cli("get-function", function_name="first")
    assert (shown["Tags"], shown["Configuration"]["State"]) == ({"team": "walk"}, "Active")
    revision = shown["Configuration"]["RevisionId"]
    updated = cli(
        "update-function-code", function_name="first", zip_file=f"fileb://{package}", revision_id=revision, publish=True
    )
    assert updated["Version"] == "1"
    cli.wait("function-updated", function_name="first")
    stale = cli.refused("update-function-configuration", function_name="first", timeout=7, revision_id=revision)
    assert stale == "PreconditionFailedException"
    cli("update-function-configuration", function_name="first", timeout=7, environment="Variables={STAGE=walk}")
    cli.wait("function-updated-v2", function_name="first")
    configuration = cli("get-function-configuration", function_name="first")
    assert (configuration["Timeout"], configuration["Environment"]) == (7, {"Variables": {"STAGE": "walk"}})
    for name in ("second", "third"):
        make_function(cli, name)
    pages = cli.pages("list-functions", "Functions")
    assert [[each["FunctionName"] for each in page] for page in pages] == [["first", "second"], ["third"]]
    assert cli("delete-function", function_name="third") == {"StatusCode": 204}
    assert cli.refused("get-function", function_name="third") == "ResourceNotFoundException"


def test_versions_and_aliases(make_cli: Make, make_function: Make) -> None:
    """Given a function, when it is published and aliased, then versions and weights are as AWS documents them."""
    cli, named = make_cli("181818181802"), {"function_name": "versioned"}
    make_function(cli, "versioned")
    cli.wait("function-active-v2", **named)
    assert cli("publish-version", **named, description="one")["FunctionArn"] == cli.arn("function:versioned:1")
    cli.wait("published-version-active", **named, qualifier="1")
    cli("update-function-configuration", **named, memory_size=256)
    cli.wait("function-updated-v2", **named)
    assert cli("publish-version", **named)["Version"] == "2"
    pages = cli.pages("list-versions-by-function", "Versions", **named)
    assert [[each["Version"] for each in page] for page in pages] == [["$LATEST", "1"], ["2"]]
    alias = cli("create-alias", **named, name="live", function_version="1")
    assert alias["AliasArn"] == cli.arn("function:versioned:live")
    again = cli.refused("create-alias", **named, name="live", function_version="2")
    assert again == "ResourceConflictException"
    weighted = cli("update-alias", **named, name="live", routing_config="AdditionalVersionWeights={2=0.5}")
    assert weighted["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    cli("create-alias", **named, name="beta", function_version="2")
    assert cli("get-alias", **named, name="live")["RevisionId"] == weighted["RevisionId"]
    pages = cli.pages("list-aliases", "Aliases", size=1, **named)
    assert [[each["Name"] for each in page] for page in pages] == [["beta"], ["live"]]
    cli("delete-alias", **named, name="beta")
    assert cli.refused("get-alias", **named, name="beta") == "ResourceNotFoundException"


def test_invocations(make_cli: Make, make_function: Make, tmp_path: Path) -> None:
    """Given a function, when invoked in each of the CLI's ways, then its answer is in the file, or it is queued."""
    cli, out, event = make_cli("181818181803"), tmp_path / "out.json", tmp_path / "event.json"
    named = {"function_name": "invoked"}
    make_function(cli, "invoked")
    cli.wait("function-active-v2", **named)
    told = cli("invoke", str(out), **named, payload='{"n": 1}', log_type="Tail")
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(out.read_text()) == {"n": 1}
    assert cli("invoke", str(out), **named, invocation_type="Event", payload="{}") == {"StatusCode": 202}
    assert cli("invoke", str(out), **named, invocation_type="DryRun") == {"StatusCode": 204}
    event.write_text("{}")
    assert cli("invoke-async", **named, invoke_args=str(event)) == {"Status": 202}
    assert cli.refused("invoke", str(out), **named, payload="{") == "InvalidRequestContentException"
