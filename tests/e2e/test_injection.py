"""Functions that call AWS by its own host names, in real containers: they reach this cloud, and no more changes."""

import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.message
import dns.rrset
import docker
import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow]

OUTSIDE, ADDRESS = "outside.example", "198.51.100.9"
CALLS = """
import json, os, socket, urllib.request
import boto3

def names(client):
    return [each["FunctionName"] for each in client.list_functions()["Functions"]]

def handler(event, context):
    if "seen" in event:
        return {name: os.environ.get(name) for name in event["seen"]}
    if "resolve" in event:
        return socket.gethostbyname(event["resolve"])
    if "get" in event:
        with urllib.request.urlopen(event["get"]) as answer:
            return [each["FunctionName"] for each in json.load(answer)["Functions"]]
    if "queue" in event:
        return boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="hi")["MessageId"]
    client = boto3.client("lambda")
    return [client.meta.endpoint_url, names(client)]
"""
NODE = """
const https = require("https");
exports.handler = async (event) => new Promise((done, failed) => https.get(event.get, (answer) => {
  let text = "";
  answer.on("data", (part) => { text += part; });
  answer.on("end", () => done(JSON.parse(text).Functions.map((each) => each.FunctionName)));
}).on("error", failed));
"""
LAMBDA = "https://lambda.us-east-1.amazonaws.com"
FUNCTIONS = f"{LAMBDA}/2015-03-31/functions/"


class Names(threading.Thread):
    """The DNS server that was there before: on loopback, it knows one name."""

    def __init__(self) -> None:
        super().__init__(name="names")
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.udp.getsockname())

    def run(self) -> None:
        while True:
            wire, who = self.udp.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            answer = dns.message.make_response(query)
            if query.question[0].to_text().startswith(f"{OUTSIDE}. IN A"):
                record = query.question[0].to_text().removesuffix(" IN A")
                answer.answer.append(dns.rrset.from_text(record, 5, "IN", "A", ADDRESS))
            self.udp.sendto(answer.to_wire(), who)

    def stop(self) -> None:
        self.udp.sendto(b"", self.udp.getsockname())
        self.join(10)
        self.udp.close()


class Queues(BaseHTTPRequestHandler):
    """Another endpoint, which has SQS."""

    hosts: list[str] = []  # noqa: RUF012 - shared on purpose: a handler is made for each request

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.hosts.append(self.headers["Host"])
        body = json.dumps({"MessageId": "m-1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """A Docker network, so that its DNS port is nobody else's."""
    engine = docker.from_env()
    made = engine.networks.create(f"relambda-test-{uuid.uuid4().hex[:8]}")
    yield str(made.name)
    made.remove()
    engine.close()


@pytest.fixture(scope="module")
def queues() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Queues) as server:
        thread = threading.Thread(target=server.serve_forever, name="queues")
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    server = Names()
    server.start()
    yield server.address
    server.stop()


@pytest.fixture
def cloud(make_cloud: Any, network: str, queues: str, names: str) -> Any:
    """A cloud with endpoint injection, on a network of its own."""
    return make_cloud(
        RELAMBDA_POOL_SIZE="1",
        DNS_ADDRESS="",
        LAMBDA_DOCKER_NETWORK=network,
        RELAMBDA_UPSTREAM_URL=queues,
        DNS_SERVER=names,
    )


@pytest.fixture
def run(cloud: Any, make_function: Any, call: Any) -> Callable[..., Any]:
    """Has a new function make one call; what it returned, after its own name."""
    aws = cloud.client("000000000000")

    def with_event(event: Any, source: str = CALLS, **members: Any) -> tuple[str, Any]:
        name = make_function(aws, source, Timeout=30, MemorySize=512, **members)
        result, answer = call(aws, name, event)
        assert "FunctionError" not in answer, f"{result}{cloud.log()}"
        return name, result

    return with_event


def test_aws_is_this_cloud_to_functions(run: Any, call: Any, cloud: Any) -> None:
    """Given code that knows nothing of this cloud, when it calls AWS, then it is this cloud that answers.

    With AWS_ENDPOINT_URL, without it, and by a host name in the code; other services go upstream; a name outside AWS
    is what it was.
    """
    aws = cloud.client("000000000000")
    name, (endpoint, found) = run({})
    assert endpoint.startswith("http://")
    assert found == [name]
    assert call(aws, name, {"get": FUNCTIONS})[0] == [name]
    assert call(aws, name, {"resolve": OUTSIDE})[0] == ADDRESS
    assert call(aws, name, {"resolve": "sts.amazonaws.com"})[0] == endpoint.split("/")[2].split(":")[0]

    plain = {"Variables": {"AWS_ENDPOINT_URL": "", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}}
    aws.update_function_configuration(FunctionName=name, Environment=plain)
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    assert call(aws, name, {})[0] == [LAMBDA, [name]]
    queue = "https://sqs.us-east-1.amazonaws.com/000000000000/q"
    assert call(aws, name, {"queue": queue})[0] == "m-1"
    assert Queues.hosts[-1] == "sqs.us-east-1.amazonaws.com"


def test_it_survives_the_death_of_the_worker(run: Any, cloud: Any, call: Any) -> None:
    """Given Node, whose certificates are its own, when it calls AWS by a host name, then this cloud answers.

    So does the worker that takes the place of one that was killed.
    """
    name, found = run({"get": FUNCTIONS}, Runtime="nodejs22.x", Code={"ZipFile": javascript(NODE)})
    assert found == [name]
    cloud.kill(master=False, worker=True)
    cloud.revive("worker")
    assert call(cloud.client("000000000000"), name, {"get": FUNCTIONS})[0] == [name]


def javascript(source: str) -> bytes:
    """A package of one module."""
    import io
    import zipfile

    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.js", source)
    return body.getvalue()


def test_it_can_be_off_or_elsewhere(make_cloud: Any, make_function: Any, call: Any, network: str, cloud: Any) -> None:
    """Given DNS_ADDRESS=0, or a port that another cloud has, then functions see none of it, and run.

    Only who wanted it is warned, with what is in the way.
    """
    off = make_cloud(DNS_ADDRESS="0", LAMBDA_DOCKER_NETWORK=network)
    second = make_cloud(DNS_ADDRESS="", LAMBDA_DOCKER_NETWORK=network)
    seen = {"seen": ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_ENDPOINT_URL"]}
    for each in (off, second):
        aws = each.client()
        variables, _ = call(aws, make_function(aws, CALLS), seen)
        assert variables.pop("AWS_ENDPOINT_URL").startswith("http://")
        assert set(variables.values()) == {None}
    assert "by its own host names" not in off.log()
    assert ":443 is in use, by another cloud perhaps" in second.log()
    assert "by its own host names" not in cloud.log()
