"""Layers as functions use them: what AWS refuses, and what a container finds in /opt."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

ARN = "arn:aws:lambda:us-east-1:111111111111:layer"
ROLE = "arn:aws:iam::111111111111:role/parity"
OTHER = "222222222222"
READER = """
import pathlib

def handler(event, context):
    opt = pathlib.Path("/opt")
    found = {str(path.relative_to(opt)): path.read_text() for path in sorted(opt.rglob("*.*")) if path.is_file()}
    try:
        import shared
    except ImportError:
        return {"files": found}
    return {"files": found, "imported": shared.WHO}
"""


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


@pytest.fixture
def seen(aws: Any) -> Callable[[str], dict[str, Any]]:
    """What a function with the code READER finds in /opt."""

    def invoke(name: str) -> dict[str, Any]:
        answer = aws.invoke(FunctionName=name)
        found: dict[str, Any] = json.load(answer["Payload"])
        assert "FunctionError" not in answer, found
        return found

    return invoke


@pytest.mark.proves("GetLayerVersion", "AddLayerVersionPermission", "CreateFunction")
def test_another_account(
    aws: Any, other_aws: Callable[..., Any], publish_layer: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """Given another account, when a layer is shared with it, then it sees and uses it, and not before."""
    made, theirs = publish_layer(), other_aws(OTHER)
    arn, function = made["LayerVersionArn"], {"Role": ROLE, "Handler": "app.handler", "Runtime": "python3.11"}
    create = {**function, "FunctionName": "borrows", "Layers": [arn], "Code": {"ZipFile": _content(made)}}
    assert (refused(theirs.get_layer_version_by_arn, Arn=arn).status) == 403
    answer = refused(theirs.create_function, **create)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert f"lambda:GetLayerVersion on resource: {arn} because no resource-based policy" in str(answer.message)
    aws.add_layer_version_permission(
        LayerName=made["LayerArn"],
        VersionNumber=1,
        StatementId="share",
        Principal=OTHER,
        Action="lambda:GetLayerVersion",
    )
    assert theirs.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    assert theirs.create_function(**create)["Layers"] == [{"Arn": arn, "CodeSize": made["Content"]["CodeSize"]}]
    theirs.delete_function(FunctionName="borrows")
    assert refused(theirs.delete_layer_version, LayerName=made["LayerArn"], VersionNumber=1).status == 403


def _content(made: Any) -> bytes:
    with urlopen(made["Content"]["Location"], timeout=30) as answer:
        content: bytes = answer.read()
    return content


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_layers_of_a_function(
    aws: Any, make_function: Callable[..., Any], publish_layer: Callable[..., Any], wait: Callable[..., Any]
) -> None:
    """Given layers, when a function has them, then it shows them in order; an empty list takes them away."""
    one, two = publish_layer(), publish_layer()
    shown = [{"Arn": each["LayerVersionArn"], "CodeSize": each["Content"]["CodeSize"]} for each in (two, one)]
    made = make_function(Layers=[each["Arn"] for each in shown])
    assert made["Layers"] == shown
    name = made["FunctionName"]
    aws.delete_layer_version(LayerName=two["LayerArn"], VersionNumber=1)
    assert aws.get_function(FunctionName=name)["Configuration"]["Layers"] == shown
    assert "Layers" not in aws.update_function_configuration(FunctionName=name, Layers=[])
    wait("function_updated_v2", name)
    answer = aws.update_function_configuration(FunctionName=name, Layers=[one["LayerVersionArn"]])
    assert answer["Layers"] == shown[1:]


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_layers_that_a_function_cannot_have(
    aws: Any,
    other_aws: Callable[..., Any],
    make_function: Callable[..., Any],
    publish_layer: Callable[..., Any],
    refused: Callable[..., Any],
    position: Callable[[], int],
    make_zip: Callable[..., bytes],
) -> None:
    """Given layers that do not go together, or are not there, then AWS's refusals, and no event."""
    function = make_function()["FunctionName"]
    layers = [publish_layer()["LayerArn"] for _ in range(6)]
    other = other_aws(region="eu-central-1").publish_layer_version(LayerName="afar", Content={"ZipFile": make_zip()})[
        "LayerVersionArn"
    ]
    before, twice = position(), "Two different versions of the same layer are not allowed to be referenced in the same"
    for arns, words in (
        ([f"{layer}:1" for layer in layers], "Cannot reference more than 5 layers."),
        ([f"{layers[0]}:9"], f"Layer version {layers[0]}:9 does not exist."),
        ([f"{ARN}:doesnotexist:1"], f"Layer version {ARN}:doesnotexist:1 does not exist."),
        (
            [other],
            "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
        ),
        (
            [f"{layers[0]}:1", f"{layers[0]}:2"],
            f"{twice} function. {layers[0]}:1 and {layers[0]}:2 are versions of the same layer.",
        ),
        (
            [f"{layers[0]}:1", f"{layers[0]}:1"],
            f"{twice} function. {layers[0]}:1 and {layers[0]}:1 are versions of the same layer.",
        ),
    ):
        told = (400, "InvalidParameterValueException", words)
        assert refused(aws.update_function_configuration, FunctionName=function, Layers=arns).told == told
        create: dict[str, Any] = {
            "FunctionName": "never-made",
            "Role": ROLE,
            "Handler": "app.handler",
            "Runtime": "python3.11",
            "Code": {"ZipFile": make_zip()},
        }
        assert refused(aws.create_function, **create, Layers=arns).told == told
    answer = refused(aws.update_function_configuration, FunctionName=function, Layers=[layers[0]])
    assert answer.code == "ValidationException"
    assert position() == before


@pytest.mark.docker
@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration", "DeleteLayerVersion", "Invoke")
def test_a_container_sees_its_layers(
    aws: Any,
    make_function: Callable[..., Any],
    publish_layer: Callable[..., Any],
    make_zip: Callable[..., bytes],
    wait: Callable[..., Any],
    seen: Callable[..., Any],
) -> None:
    """Given a function with a layer, when invoked, then /opt has it; with two, the later one lies on top.

    A change of layers reaches a warm container; a deleted layer version stays for who has it.
    """
    base = publish_layer(zipped=zipped({"python/shared.py": "WHO = 'base'\n", "etc/a.txt": "a of base"}))
    over = publish_layer(zipped=zipped({"python/shared.py": "WHO = 'over'\n", "etc/b.txt": "b of over"}))
    arns = [layer["LayerVersionArn"] for layer in (base, over)]
    name = make_function(Code={"ZipFile": make_zip(READER)}, Layers=arns[:1])["FunctionName"]
    assert seen(name) == {
        "files": {"etc/a.txt": "a of base", "python/shared.py": "WHO = 'base'\n"},
        "imported": "base",
    }
    both = {"etc/a.txt": "a of base", "etc/b.txt": "b of over"}
    for order, top in ((arns, "over"), (arns[::-1], "base")):
        aws.update_function_configuration(FunctionName=name, Layers=order)
        wait("function_updated_v2", name)
        found = seen(name)
        assert found == {"files": {**both, "python/shared.py": f"WHO = '{top}'\n"}, "imported": top}
    aws.delete_layer_version(LayerName=base["LayerArn"], VersionNumber=1)
    aws.update_function_configuration(FunctionName=name, Description="starts another container")
    wait("function_updated_v2", name)
    assert seen(name)["imported"] == "base"


@pytest.mark.slow
@pytest.mark.proves("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration")
def test_layers_that_are_too_large(
    aws: Any,
    make_function: Callable[..., Any],
    publish_layer: Callable[..., Any],
    refused: Callable[..., Any],
    position: Callable[[], int],
) -> None:
    """Given layers that fill the 250 MB, alone or with the code, then AWS's words for each, and no event."""
    large = zipped({"zeros": "0" * 140_000_000})
    layers = [publish_layer(zipped=large)["LayerVersionArn"] for _ in range(2)]
    name = make_function(Layers=layers[:1])["FunctionName"]
    before = position()
    alone = "Layers consume more than the available size of 262144000 bytes"
    assert refused(aws.update_function_configuration, FunctionName=name, Layers=layers).message == alone
    together = (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        "The actual size is 280000000 bytes."
    )
    assert refused(aws.update_function_code, FunctionName=name, ZipFile=large).message == together
    function: dict[str, Any] = {"Role": ROLE, "Runtime": "python3.11", "Handler": "app.handler"}
    answer = refused(
        aws.create_function, FunctionName="never-fits", Code={"ZipFile": large}, Layers=layers[:1], **function
    )
    assert answer.told == (400, "InvalidParameterValueException", together)
    assert position() == before
