"""Layers of other accounts, from another endpoint: a second cloud."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.docker

OTHER = "222222222222"
USER = "from theirs import WORD\n\n\ndef handler(event, context):\n    return WORD\n"


def published(client: Any, *, share: bool) -> str:
    """The ARN of a layer version with a Python module."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("python/theirs.py", "WORD = 'from another account'\n")
    name = "shared" if share else "kept"
    version = client.publish_layer_version(LayerName=name, Content={"ZipFile": body.getvalue()})
    if share:
        client.add_layer_version_permission(
            LayerName=name, VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
        )
    return str(version["LayerVersionArn"])


def test_a_layer_of_another_account_is_fetched_once(
    make_cloud: Any, shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given a cloud with layers of another account, when functions of this one name them, then the shared one is used.

    It is asked for once: it is there when the other cloud no longer is.
    """
    theirs = make_cloud()
    arn, kept = (published(theirs.client(account=OTHER), share=share) for share in (True, False))
    aws = make_cloud(RELAMBDA_LAYER_ENDPOINT_URL=theirs.url).client()

    first = make_function(aws, USER, Layers=[arn])
    assert call(aws, first)[0] == "from another account"
    (layer,) = aws.get_function_configuration(FunctionName=first)["Layers"]
    assert layer["Arn"] == arn
    with pytest.raises(ClientError) as refusal:
        make_function(aws, USER, Layers=[kept])
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"

    theirs.stop()
    assert call(aws, make_function(aws, USER, Layers=[arn]))[0] == "from another account"
    with pytest.raises(ClientError) as refusal:
        make_function(shared_cloud.client(), USER, Layers=[arn])
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
