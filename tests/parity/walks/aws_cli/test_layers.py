"""The AWS CLI on layers with their policies, and on code-signing configurations."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(420)]
Make = Callable[..., Any]
PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/release/abcdefghij"


def test_layers(make_cli: Make, make_function: Make, layer_package: Path) -> None:
    """Given a layer of two versions, then they are read by number and ARN, listed, shared, used and deleted."""
    cli, one = make_cli("181818181804"), {"layer_name": "shared", "version_number": 1}
    content = {"zip_file": f"fileb://{layer_package}"}
    first = cli("publish-layer-version", layer_name="shared", description="one", **content)
    cli("publish-layer-version", layer_name="shared", compatible_runtimes="python3.11", **content)
    cli("publish-layer-version", layer_name="other", **content)
    arn = cli.arn("layer:shared:1")
    assert (first["LayerVersionArn"], first["Version"]) == (arn, 1)
    shown = cli("get-layer-version", **one)
    by_arn = cli("get-layer-version-by-arn", arn=arn)
    assert shown["Content"]["CodeSha256"] == by_arn["Content"]["CodeSha256"] == first["Content"]["CodeSha256"]
    pages = cli.pages("list-layer-versions", "LayerVersions", size=1, layer_name="shared")
    assert [[each["Version"] for each in page] for page in pages] == [[2], [1]]
    pages = cli.pages("list-layers", "Layers", size=1)
    assert [[each["LayerName"] for each in page] for page in pages] == [["other"], ["shared"]]
    assert make_function(cli, "layered", layers=arn)["Layers"][0]["Arn"] == arn
    grant = {"statement_id": "all", "principal": "*", "action": "lambda:GetLayerVersion"}
    cli("add-layer-version-permission", **one, **grant)
    policy = json.loads(cli("get-layer-version-policy", **one)["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["all"]
    cli("remove-layer-version-permission", **one, statement_id="all")
    assert cli.refused("get-layer-version-policy", **one) == "ResourceNotFoundException"
    assert cli("delete-layer-version", **one) == ""
    assert cli.refused("get-layer-version", **one) == "ResourceNotFoundException"


def test_code_signing(make_cli: Make, make_function: Make) -> None:
    """Given configurations, then they are read, changed, listed, given to a function, and deleted when none has it."""
    cli, publishers = make_cli("181818181805"), f"SigningProfileVersionArns={PROFILE}"
    made = [
        cli("create-code-signing-config", allowed_publishers=publishers, description=each)["CodeSigningConfig"]
        for each in ("one", "two")
    ]
    which = {"code_signing_config_arn": made[0]["CodeSigningConfigArn"]}
    assert cli("get-code-signing-config", **which)["CodeSigningConfig"] == made[0]
    changed = cli("update-code-signing-config", **which, description="changed")["CodeSigningConfig"]
    assert changed["Description"] == "changed"
    pages = cli.pages("list-code-signing-configs", "CodeSigningConfigs", size=1)
    assert [len(page) for page in pages] == [1, 1]
    named = {"function_name": "signed"}
    make_function(cli, "signed")
    cli("put-function-code-signing-config", **named, **which)
    assert cli("get-function-code-signing-config", **named)["CodeSigningConfigArn"] == made[0]["CodeSigningConfigArn"]
    functions = cli("list-functions-by-code-signing-config", **which)["FunctionArns"]
    assert functions == [cli.arn("function:signed")]
    assert cli.refused("delete-code-signing-config", **which) == "ResourceConflictException"
    cli("delete-function-code-signing-config", **named)
    assert cli("delete-code-signing-config", **which) == ""
    assert cli.refused("get-code-signing-config", **which) == "ResourceNotFoundException"
