"""URLs that a cloud answers lead whoever asked back to it."""

import pytest

from relambda.api.function_url_host import function_url
from relambda.api.public_url import public_url
from relambda.api.settings.settings import Settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", ""),
        ("localhost.localstack.cloud", "http://localhost.localstack.cloud:4510"),
        ("localhost.localstack.cloud:4566", "http://localhost.localstack.cloud:4566"),
        ("Cloud.Example:443", "https://cloud.example"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_localstack_host(host: str, url: str) -> None:
    """Given LOCALSTACK_HOST, then URLs have it, and the cloud's own port where it names none."""
    settings = Settings.read({"LOCALSTACK_HOST": host, "GATEWAY_LISTEN": "127.0.0.1:4510,127.0.0.2:4511"})
    assert public_url(settings) == url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:4566", "http://abc.lambda-url.us-east-1.localhost:4566/"),
        ("http://cloud.example:4566", "http://abc.lambda-url.us-east-1.cloud.example:4566/"),
        ("https://lambda.us-east-1.amazonaws.com", "https://abc.lambda-url.us-east-1.on.aws/"),
    ],
)
def test_function_urls(base: str, url: str) -> None:
    """Given how the cloud was called, then a function URL leads to it that way; AWS's own names keep AWS's form."""
    assert function_url(base, "abc", "us-east-1") == url
