"""A cloud in this process, asked through its WSGI application: thousands of requests a second, no socket between."""

import io
import json
import logging
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from relambda.actors.domain.durable import StartExecution, StopExecution
from relambda.actors.domain.durable_names import Execution, execution_stream, token_of
from relambda.actors.domain.names import Scope
from relambda.actors.domain.refusals import Refusal
from relambda.api.app import create_app
from relambda.api.cloud import Cloud
from relambda.api.network.doorkeeper import Doorkeeper
from relambda.api.settings.settings import Settings
from relambda.api.wire.errors import UNMODELLED
from relambda.api.wire.model import Operation, Service, Shape, load

ACCOUNT, REGION = "111111111111", "us-east-1"
CREDENTIAL = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/lambda/aws4_request"
BY_MODEL = {"ValidationException", "SerializationException"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe"
PLACE = {
    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": ROLE},
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as the server gets it; the query and the path are encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and the number of events that the log gained by it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    events: int

    @property
    def code(self) -> str | None:
        """The error's code, None for a success."""
        return self.headers.get("x-amzn-errortype")

    @property
    def words(self) -> str:
        """The error's message."""
        body = json.loads(self.body)
        return body.get("message") or body.get("Message") or ""

    def wrong(self, operation: Operation, fits: bool | None) -> str | None:
        """How it is not what an input that fits the model, or does not, must get; None when it is."""
        if self.status >= 500:
            return f"a failure of the server: {self.status} {self.body[:300]!r}"
        if not self._is_signed():
            return f"not as AWS's answers are: {self.status} {self.headers} {self.body[:300]!r}"
        if self.code is None:
            return "accepted against the model" if fits is False else None
        if self.events:
            return f"refused ({self.code}), yet the log has {self.events} events more"
        return self._wrongly_refused(operation, fits)

    def _is_signed(self) -> bool:
        """Whether it tells a request id, and a refusal its error's own status and spelling (FACTS.md section 2)."""
        if len(self.headers.get("x-amzn-requestid", "")) != 36:
            return False
        shape = load("lambda").error_shape(self.code) if self.code else None
        if shape is None:
            return True
        spelling = "Message" if "Message" in shape.members else "message"
        return self.status == shape.error_status and spelling in json.loads(self.body)

    def _wrongly_refused(self, operation: Operation, fits: bool | None) -> str | None:
        told, by_model = f"{self.code}: {self.words[:300]}", self.code in BY_MODEL
        if self.code not in {*operation.errors, *UNMODELLED} and fits is not None:
            return f"the operation has no such error: {told}"
        if fits and by_model:
            return f"refused though it fits: {told}"
        if fits is False and not by_model:
            return f"not refused as the model refuses: {told}"
        return None


class InProcess:
    """Asks one cloud, one request after another."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._app = cloud, create_app(cloud, Doorkeeper((), frozenset()))
        self.stand_ins: tuple[str, ...] = ()
        """Ids of nothing, which `probe` replaces."""
        self._executions: list[Execution] = []
        self._made: dict[str, str] = {}
        self.model: Service = load("lambda")

    def send(self, name: str, given: Mapping[str, Any]) -> Answer:
        """Ask for an operation with an input by member names; a member that is None is `null`, or not there."""
        return self.send_raw(self.request(name, given))

    def request(self, name: str, given: Mapping[str, Any]) -> Raw:
        """The request that `send` sends."""
        return request(self.model.operation(name), given)

    def send_raw(self, raw: Raw) -> Answer:
        """Ask with a request as it stands; what it set going in the background is over when this returns."""
        before, told = self._cloud.store.head(), list[Any]()

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            told.extend((status, headers))

        body = b"".join(self._app(_environ(raw), start))
        gained = self._cloud.store.head() - before
        if gained:
            assert self._cloud.wait_for(self._is_settled, 20)
        status, headers = told
        return Answer(int(status[:3]), {name.lower(): value for name, value in headers}, body, gained)

    def _is_settled(self) -> bool:
        """Whether nothing goes on in the background; a durable execution runs for as long as it is."""
        return all(stream.startswith("durable/") for stream, _ in self._cloud.store.rows("unfinished", limit=100))

    def furnish(self, package: bytes) -> None:
        """See to it that there is some of everything that can be named; what there is is left as it is."""
        self._make_function("probe", package)
        self._make_function("lasting", package, DurableConfig={"ExecutionTimeout": 600})
        answer = self.send("CreateAlias", {"FunctionName": "probe", "Name": "live", "FunctionVersion": "1"})
        assert answer.code in {None, "ResourceConflictException", "ResourceNotFoundException"}, answer
        self.send("PublishLayerVersion", {"LayerName": "probe", "Content": {"ZipFile": package}})
        self.send("CreateCapacityProvider", {"CapacityProviderName": "probe", **PLACE})

    def _make_function(self, name: str, package: bytes, **more: Any) -> None:
        created = {"Role": ROLE, "Runtime": "python3.11", "Handler": "app.handler", "Code": {"ZipFile": package}}
        self.send("CreateFunction", {"FunctionName": name, **created, **more})
        self.send("PublishVersion", {"FunctionName": name})

    def probe(self, name: str, given: Mapping[str, Any]) -> Answer:
        """Ask; ids of nothing that stand in for what has ids of its own are replaced by those of ones made for it."""
        makers = {
            "DurableExecutionArn": self._execution,
            "CallbackId": self._callback,
            "UUID": self._mapping,
            "CodeSigningConfigArn": self._signing,
        }
        for member, make in makers.items():
            if given.get(member) in self.stand_ins:
                given = {**given, member: self._made.get(member) or make()}
                self._made[member] = given[member]
        if "DurableExecutionArn" in self._made and given.get("CheckpointToken") in self.stand_ins:
            given = {**given, "CheckpointToken": token_of(_id_of(self._made["DurableExecutionArn"]), 0)}
        answer = self.send(name, given)
        if answer.code is None and not name.startswith(("Get", "List", "Update")):
            self._forget()
        return answer

    def _forget(self) -> None:
        """Make others from now on. Executions are stopped: a timer that goes off later is no answer's event."""
        self._made.clear()
        while self._executions:
            made = self._executions.pop()
            command = StopExecution(resource=made.resource, at_ms=self._cloud.clock.now_ms(), execution_id=made.id)
            with suppress(Refusal):
                self._cloud.ask(command)

    def _execution(self) -> str:
        """The ARN of an execution that runs; its function cannot, without an engine."""
        resource = execution_stream(Scope(ACCOUNT, REGION), "lasting", str(uuid.uuid4()))
        command = StartExecution(
            resource=resource,
            at_ms=self._cloud.clock.now_ms(),
            id=str(uuid.uuid4()),
            version="1",
            function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:lasting:1",
            input="{}",
            config={"ExecutionTimeout": 600},
        )
        self._executions.append(Execution(resource, "1", self._cloud.ask(command).id))
        return self._executions[-1].arn

    def _callback(self) -> str:
        """The id of a callback that is open."""
        arn = self._execution()
        begun = {"Id": "c", "Type": "CALLBACK", "Action": "START"}
        token = token_of(_id_of(arn), 0)
        asked = {"DurableExecutionArn": arn, "CheckpointToken": token, "Updates": [begun]}
        (operation,) = json.loads(self.send("CheckpointDurableExecution", asked).body)["NewExecutionState"][
            "Operations"
        ]
        return str(operation["CallbackDetails"]["CallbackId"])

    def _mapping(self) -> str:
        """The UUID of an event source mapping."""
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{uuid.uuid4()}"
        asked = {"EventSourceArn": queue, "FunctionName": "lasting"}
        return str(json.loads(self.send("CreateEventSourceMapping", asked).body)["UUID"])

    def _signing(self) -> str:
        """The ARN of a code-signing configuration."""
        profiles = [f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/probe/0123456789"]
        asked = {"AllowedPublishers": {"SigningProfileVersionArns": profiles}}
        answer = json.loads(self.send("CreateCodeSigningConfig", asked).body)
        return str(answer["CodeSigningConfig"]["CodeSigningConfigArn"])


def _id_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _environ(raw: Raw) -> dict[str, Any]:
    """A request as gunicorn hands it to an application."""
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in raw.headers.items()}
    return {
        "REQUEST_METHOD": raw.method,
        "PATH_INFO": raw.path,
        "QUERY_STRING": raw.query,
        "RAW_URI": f"{raw.path}?{raw.query}" if raw.query else raw.path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4566",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(raw.body)),
        "CONTENT_TYPE": "application/json",
        "HTTP_HOST": "127.0.0.1:4566",
        "HTTP_AUTHORIZATION": CREDENTIAL,
        "wsgi.input": io.BytesIO(raw.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }


def request(operation: Operation, given: Mapping[str, Any]) -> Raw:
    """The request that carries an input; unlike an SDK's own it carries any value, whether it fits or not."""
    shape, path, headers, body = operation.input, operation.path, dict[str, str](), dict[str, Any]()
    query: list[tuple[str, str]] = list(operation.query)
    for name, value in given.items():
        member = shape.members.get(name) if shape else None
        if member is None or not member.place:
            body[name] = value
        elif member.place == "uri":
            path = path.replace("{" + member.wire_name + "}", quote("" if value is None else str(value), safe=""))
        elif value is not None and member.place == "querystring":
            query += [(member.wire_name, _text(one)) for one in (value if isinstance(value, list) else [value])]
        elif value is not None:
            headers[member.wire_name] = _text(value).encode().decode("latin-1")
    return Raw(operation.method, path, urlencode(query), headers, _body(shape, body))


def _body(shape: Shape | None, members: Mapping[str, Any]) -> bytes:
    if shape is None or not members:
        return b""
    content: Any = members
    if shape.payload:
        content = b"" if members.get(shape.payload) is None else members[shape.payload]
    return content if isinstance(content, bytes) else json.dumps(content, default=_encoded).encode()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encoded(value: bytes) -> str:
    return b64encode(value).decode()


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A cloud without a Docker engine (nothing here needs one), which holds some of everything that can be named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        cloud = Cloud.open(Settings.read({}, state_dir=tmp_path_factory.mktemp("probed")))
        logging.getLogger("relambda").setLevel(logging.CRITICAL)
        try:
            yield InProcess(cloud)
        finally:
            logging.getLogger("relambda").setLevel(logging.NOTSET)
            cloud.close(5)
