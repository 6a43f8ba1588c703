"""Where a cloud listens, and what it calls itself."""

import io
import random
import socket
import urllib.request
import zipfile
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import boto3

from relambda.api.cli.http_client import health
from relambda.api.worker import MOST_SILENT


def package() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return event")
    return body.getvalue()


def client(url: str) -> Any:
    return boto3.client(
        "lambda", endpoint_url=url, region_name="us-east-1", aws_access_key_id="1", aws_secret_access_key="1"
    )


def test_several_addresses_and_a_name_of_its_own(clouds: Any, relambda: Any) -> None:
    """Given several GATEWAY_LISTEN addresses and a LOCALSTACK_HOST, then each address answers, with URLs of that name.

    The package of a function is at the URL that is told, once the name leads to the cloud.
    """
    port = random.randrange(20_000, 30_000)
    net = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    listens = [f"{net}.1:{port}", f"{net}.2:{port}", f"[::1]:{port}"]
    options = {"GATEWAY_LISTEN": ",".join(listens), "LOCALSTACK_HOST": "cloud.example", "DNS_ADDRESS": "0"}

    started = relambda("start", "-d", "--state-dir", clouds.directory(), "--json", **options)

    assert started.returncode == 0, started.stderr
    assert all((health(f"http://{listen}") or {})["status"] == "running" for listen in listens)
    aws = client(f"http://{listens[1]}")
    role = "arn:aws:iam::000000000000:role/r"
    aws.create_function(
        FunctionName="f", Runtime="python3.11", Role=role, Handler="index.handler", Code={"ZipFile": package()}
    )
    location = aws.get_function(FunctionName="f")["Code"]["Location"]
    assert location.startswith(f"http://cloud.example:{port}/")
    with urllib.request.urlopen(location.replace("cloud.example", f"{net}.2")) as answer:
        assert answer.read() == package()
    url = aws.create_function_url_config(FunctionName="f", AuthType="NONE")["FunctionUrl"]
    assert urlsplit(url).netloc.endswith(f".lambda-url.us-east-1.cloud.example:{port}")


def test_who_connects_and_says_nothing_keeps_nobody_out(clouds: Any) -> None:
    """Given more silent connections than may be, then the oldest is closed, the youngest served, and so are others."""
    started = clouds.start()
    at = urlsplit(started["url"])
    with ExitStack() as connections:
        silent = [
            connections.enter_context(socket.create_connection((at.hostname, at.port), timeout=30))
            for _ in range(MOST_SILENT + 100)
        ]
        assert (health(started["url"]) or {})["status"] == "running"
        assert silent[0].recv(1) == b""
        silent[-1].sendall(b"HEAD /_relambda/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert silent[-1].recv(12) == b"HTTP/1.1 200"
