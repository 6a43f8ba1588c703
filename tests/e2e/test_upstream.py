"""Services that a cloud does not have: sent on to RELAMBDA_UPSTREAM_URL as they came, or refused by name."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.docker


ANSWERS = {"POST": b'{"MessageId": "m-1"}', "GET": b"kept", "HEAD": b"kept"}


class StandIn(ThreadingHTTPServer):
    """Another endpoint for AWS's services; keeps what it was sent and answers with it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers = dict(ANSWERS)
        self.url = ""
        super().__init__(("127.0.0.1", 0), Request)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        assert isinstance(self.server, StandIn)
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        said = body if "x-echo" in headers else self.server.answers.get(self.command, b"")
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Connection", "x-private")
        self.send_header("X-Private", "for the next hop alone")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        read = b""
        while size := int(self.rfile.readline(), 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, name="stand-in")
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def client(service: str, url: str) -> Any:
    """An SDK's client of any service, at the cloud."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="111111111111",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def raw(url: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any, bytes]:
    """One request as it is written here."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, answer.headers, read


def test_requests_for_other_services_go_on_as_they_came(make_cloud: Any, stand_in: StandIn) -> None:
    """Given an upstream, when SDKs call S3 and SQS by the cloud, then method, path, host and bodies arrive unchanged.

    Lambda's own calls stay here.
    """
    cloud = make_cloud(RELAMBDA_UPSTREAM_URL=stand_in.url + "/base/")
    s3, big = client("s3", cloud.url), bytes(range(256)) * 12_000
    s3.put_object(Bucket="b", Key="a key/ü", Body=big)
    assert client("sqs", cloud.url).send_message(QueueUrl=f"{cloud.url}/1/q", MessageBody="hi")["MessageId"] == "m-1"
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == b"kept"
    assert s3.head_object(Bucket="b", Key="k")["ContentLength"] == 4
    assert cloud.client().list_functions()["Functions"] == []

    put, send, get, head = stand_in.seen
    assert put[:2] == ("PUT", "/base/b/a%20key/%C3%BC")
    assert big in put[3]
    assert json.loads(send[3])["MessageBody"] == "hi"
    assert (get[0], head[0]) == ("GET", "HEAD")
    for _, _, headers, _ in stand_in.seen:
        assert headers["host"] == urlsplit(cloud.url).netloc
        assert "Signature=" in headers["authorization"]


def test_code_in_s3_is_upstreams(make_cloud: Any, stand_in: StandIn, zipped: Any) -> None:
    """Given an upstream and no endpoint for S3, when a function is made of an object, then it comes from upstream."""
    stand_in.answers["GET"] = package = zipped("def handler(event, context): return event")
    aws = make_cloud(RELAMBDA_UPSTREAM_URL=stand_in.url).client()
    made = aws.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Role="arn:aws:iam::111111111111:role/r",
        Handler="index.handler",
        Code={"S3Bucket": "bucket", "S3Key": "k"},
    )
    assert made["CodeSize"] == len(package)
    assert [path for _, path, _, _ in stand_in.seen] == ["/bucket/k"]


def test_what_is_about_one_connection_is_not_sent_on(make_cloud: Any, stand_in: StandIn) -> None:
    """Given headers that are for the next hop alone, then neither side of the cloud sees the other's.

    A body without a length arrives whole, and several cookies come back as several.
    """
    cloud = make_cloud(RELAMBDA_UPSTREAM_URL=stand_in.url)
    hops = {
        "Connection": "x-mine",
        "X-Mine": "1",
        "TE": "trailers",
        "Host": "bucket.s3.amazonaws.com",
        "Via": "1.1 a",
        "X-Echo": "1",
    }
    status, headers, body = raw(cloud.url, "PUT", "/k?a=%2F", hops, iter([b"one", b"two"]))

    assert (status, body) == (200, b"onetwo")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert "X-Private" not in headers
    ((_, path, seen, received),) = stand_in.seen
    assert (path, received) == ("/k?a=%2F", b"onetwo")
    assert not {"x-mine", "te", "connection"} & set(seen)
    assert seen["host"] == "bucket.s3.amazonaws.com"
    assert seen["via"].startswith("1.1 a, 1.1 relambda-")


def test_an_upstream_that_leads_back_or_nowhere_is_told(make_cloud: Any, stand_in: StandIn) -> None:
    """Given an upstream that is this cloud again, or does not answer, then the error says so and names the option."""
    cloud = make_cloud(RELAMBDA_UPSTREAM_URL=stand_in.url)
    own = f"1.1 relambda-{(cloud.state / 'cloud-id').read_text().strip()}"
    status, _, body = raw(cloud.url, "GET", "/", {"Host": "sqs.us-east-1.amazonaws.com", "Via": own})
    assert (status, b"leads back" in body) == (508, True)
    assert not stand_in.seen

    lost = make_cloud(RELAMBDA_UPSTREAM_URL="http://127.0.0.1:1")
    with pytest.raises(ClientError, match="which does not answer") as refused:
        client("sqs", lost.url).list_queues()
    assert "RELAMBDA_UPSTREAM_URL=http://127.0.0.1:1" in str(refused.value)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "list_buckets"), ("sqs", "list_queues"), ("sns", "list_topics"), ("ec2", "describe_regions"),
     ("route53", "list_hosted_zones"), ("dynamodb", "list_tables")],
)  # fmt: skip
def test_without_an_upstream_other_services_are_refused_by_name(
    shared_cloud: Any, service: str, operation: str
) -> None:
    """Given no upstream, when an SDK calls one, then it reads which service and which option."""
    with pytest.raises(ClientError, match=f"and not {service}: start it with RELAMBDA_UPSTREAM_URL") as refused:
        getattr(client(service, shared_cloud.url), operation)()
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
