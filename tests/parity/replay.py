"""Proof of replay: `replay.py URL` compares a running cloud with a fresh process that has its log alone.

The log and blobs travel as a pod into an empty state directory; there, every row of every view is folded from events
again, and no checkpoint is. Then each operation of the model that only reads is asked, of every resource that the log
ever named, on both sides: bodies must be the same bytes. What is volatile by its nature is left out of the comparison:
the port by which a cloud was reached, and the signature in a `Location`, whose key lives with the process.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import botocore.session
from botocore.serialize import create_serializer

from relambda.actors.codec import event_types
from relambda.actors.domain.durable_names import token_of
from relambda.actors.domain.names import ResourceName, Scope, function_name
from relambda.store.log import LmdbStore
from relambda.store.state_dir import StateDirectory

SECONDS = 120
SIGNATURE = re.compile(rb"signature=[0-9a-f]+")
MODEL = botocore.session.get_session().get_service_model("lambda")
READS = frozenset(name for name in MODEL.operation_names if MODEL.operation_model(name).http["method"] == "GET")
RELAMBDA = (sys.executable, "-P", "-m", "relambda.api.cli")
ATTEMPTS, MOST_TOLD = 3, 20

Answers = dict[str, bytes]


class Reader:
    """Asks one cloud, and keeps what it answered by what was asked."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._port = b":%d/" % (address.port or 80)
        self._connection = HTTPConnection(address.netloc, timeout=SECONDS)
        self._serializer = create_serializer("rest-json", include_validation=False)
        self.answers: Answers = {}
        self.operations: set[str] = set()

    def read(self, scope: Scope, operation: str, **given: Any) -> Any:
        """Ask once; the answer's document."""
        request = self._serializer.serialize_to_request(given, MODEL.operation_model(operation))
        path = f"{request['url_path']}?{urlencode(request['query_string'], doseq=True)}"
        signed = f"AWS4-HMAC-SHA256 Credential={scope.account}/20260101/{scope.region}/lambda/aws4_request"
        self._connection.request("GET", path, headers={"Authorization": signed})
        answer = self._connection.getresponse()
        body = answer.read()
        lasting = SIGNATURE.sub(b"", body).replace(self._port, b":port/")
        self.answers[f"{scope.prefix}{operation}{given}"] = b"%d %s" % (answer.status, lasting)
        self.operations.add(operation)
        return json.loads(body or b"{}")

    def every(self, scope: Scope, operation: str, member: str, **given: Any) -> list[Any]:
        """All items of a list, in pages of 40."""
        found, marker = list[Any](), dict[str, str]()
        while True:
            page = self.read(scope, operation, **given, **marker, MaxItems=40)
            found += page.get(member, ())
            if "NextMarker" not in page:
                return found
            marker = {"Marker": page["NextMarker"]}


def crawl(reader: Reader, streams: list[ResourceName]) -> None:
    """Read all there is to read: lists of every scope, and every resource that has a stream, be it deleted."""
    for scope in sorted({stream.scope for stream in streams}, key=lambda scope: scope.prefix):
        reader.read(scope, "GetAccountSettings")
        for kind, member in (("Functions", "Functions"), ("EventSourceMappings", "EventSourceMappings")):
            reader.every(scope, f"List{kind}", member)
        reader.every(scope, "ListFunctions", "Functions", FunctionVersion="ALL")
        for kind in ("Layers", "CodeSigningConfigs", "CapacityProviders"):
            reader.every(scope, f"List{kind}", kind)
    for stream in streams:
        crawler = CRAWLERS.get(stream.kind)
        if crawler is not None:
            crawler(reader, stream)


def function(reader: Reader, resource: ResourceName) -> None:
    """A function, each of its versions and aliases, and its lists."""
    scope, named = resource.scope, {"FunctionName": resource.name}
    versions = reader.every(scope, "ListVersionsByFunction", "Versions", **named)
    aliases = [each["Name"] for each in reader.every(scope, "ListAliases", "Aliases", **named)]
    for each in aliases:
        reader.read(scope, "GetAlias", **named, Name=each)
    for qualifier in (None, *(each["Version"] for each in versions), *aliases):
        qualified(reader, resource, qualifier)
    for operation in ("GetFunctionConcurrency", "GetFunctionCodeSigningConfig", "GetFunctionRecursionConfig"):
        reader.read(scope, operation, **named)
    for kind in ("FunctionEventInvokeConfigs", "FunctionUrlConfigs", "ProvisionedConcurrencyConfigs"):
        reader.every(scope, f"List{kind}", kind, **named)
    reader.every(scope, "ListDurableExecutionsByFunction", "DurableExecutions", **named)
    reader.read(scope, "ListTags", Resource=resource.arn())


def qualified(reader: Reader, resource: ResourceName, qualifier: str | None) -> None:
    """What is read by name and qualifier."""
    given = {"FunctionName": resource.name} | ({} if qualifier is None else {"Qualifier": qualifier})
    for what in ("Function", "FunctionConfiguration", "FunctionEventInvokeConfig", "FunctionUrlConfig", "Policy"):
        reader.read(resource.scope, f"Get{what}", **given)
    reader.read(resource.scope, "GetRuntimeManagementConfig", **given)
    reader.read(resource.scope, "GetResourcePolicy", ResourceArn=resource.arn(qualifier))
    if qualifier is not None:
        for what in ("ProvisionedConcurrencyConfig", "FunctionScalingConfig"):
            reader.read(resource.scope, f"Get{what}", **given)


def layer(reader: Reader, resource: ResourceName) -> None:
    """A layer's versions and their policies."""
    scope, named = resource.scope, {"LayerName": resource.name}
    for each in reader.every(scope, "ListLayerVersions", "LayerVersions", **named):
        for operation in ("GetLayerVersion", "GetLayerVersionPolicy"):
            reader.read(scope, operation, **named, VersionNumber=each["Version"])
        reader.read(scope, "GetLayerVersionByArn", Arn=each["LayerVersionArn"])


def mapping(reader: Reader, resource: ResourceName) -> None:
    """An event source mapping and its tags."""
    reader.read(resource.scope, "GetEventSourceMapping", UUID=resource.name)
    reader.read(resource.scope, "ListTags", Resource=resource.arn())


def code_signing_config(reader: Reader, resource: ResourceName) -> None:
    """A code-signing configuration, its functions and its tags."""
    which = {"CodeSigningConfigArn": resource.arn()}
    reader.read(resource.scope, "GetCodeSigningConfig", **which)
    reader.every(resource.scope, "ListFunctionsByCodeSigningConfig", "FunctionArns", **which)
    reader.read(resource.scope, "ListTags", Resource=resource.arn())


def capacity_provider(reader: Reader, resource: ResourceName) -> None:
    """A capacity provider, what runs on it, and its tags."""
    named = {"CapacityProviderName": resource.name}
    reader.read(resource.scope, "GetCapacityProvider", **named)
    reader.every(resource.scope, "ListFunctionVersionsByCapacityProvider", "FunctionVersions", **named)
    reader.read(resource.scope, "ListTags", Resource=resource.arn())


def durable_executions(reader: Reader, resource: ResourceName) -> None:
    """The executions of a name: history, and the state by whichever token is the present one."""
    owner, _, name = resource.name.partition("/")
    named = {"FunctionName": owner, "DurableExecutionName": name}
    function_ = function_name(resource.scope, owner)
    for each in reader.every(resource.scope, "ListDurableExecutionsByFunction", "DurableExecutions", **named):
        which = {"DurableExecutionArn": each["DurableExecutionArn"]}
        assert each["DurableExecutionArn"].startswith(function_.arn())
        reader.read(resource.scope, "GetDurableExecution", **which)
        reader.every(resource.scope, "GetDurableExecutionHistory", "Events", **which)
        for sequence in range(8):
            token = token_of(each["DurableExecutionArn"].rpartition("/")[2], sequence)
            reader.every(resource.scope, "GetDurableExecutionState", "Operations", **which, CheckpointToken=token)


CRAWLERS = {
    "function": function,
    "layer": layer,
    "event-source-mapping": mapping,
    "code-signing-config": code_signing_config,
    "capacity-provider": capacity_provider,
    "durable": durable_executions,
}


def relambda(*arguments: object) -> str:
    """Run the command line."""
    command = [*RELAMBDA, *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr}")
    return done.stdout


def position(url: str) -> int:
    """The number of the last event in a cloud's log."""
    with urlopen(f"{url}/_relambda/health", timeout=SECONDS) as answer:
        return int(json.load(answer)["position"])


def differences(before: Answers, after: Answers) -> Iterator[str]:
    """What one side answers otherwise than the other."""
    for asked in sorted(before.keys() | after.keys()):
        if before.get(asked) != after.get(asked):
            yield f"{asked}\n  live:     {before.get(asked)!r}\n  replayed: {after.get(asked)!r}"


@contextmanager
def replayed(pod: Path, scratch: Path) -> Iterator[tuple[str, list[ResourceName]]]:
    """A cloud that has a pod's log alone, by its URL, and the streams that the log names."""
    where = ("--state-dir", scratch)
    relambda("snapshot", "import", pod, *where)
    store = LmdbStore.open(StateDirectory(scratch).current() / "log", event_types(), power_safe=False)
    streams = [ResourceName.of_stream(stream) for stream in store.streams()]
    store.close()
    started = json.loads(relambda("start", "-d", "--host", "127.0.0.1", "--port", 0, *where, "--json"))
    try:
        yield started["url"], streams
    finally:
        relambda("stop", *where)


def compare(url: str, scratch: Path) -> tuple[list[str], set[str]]:
    """Differences between a cloud and what its log makes of a fresh process, and the operations that were asked."""
    pod = scratch / "live.pod"
    with urlopen(f"{url}/_relambda/snapshot", timeout=SECONDS) as answer:
        pod.write_bytes(answer.read())
    with replayed(pod, scratch / "state") as (fresh, streams):
        live, after = Reader(url), Reader(fresh)
        crawl(after, streams)
        crawl(live, streams)
    print(f"{len(live.answers)} reads of {len(streams)} streams", file=sys.stderr)
    return list(differences(live.answers, after.answers)), live.operations


def main(url: str) -> None:
    """Compare; again when the log went on meanwhile. Fails with the differences."""
    found = list[str]()
    for _ in range(ATTEMPTS):
        before = position(url)
        with tempfile.TemporaryDirectory(prefix="replay-") as scratch:
            found, operations = compare(url, Path(scratch))
        if not found:
            print(*sorted(operations), sep="\n")
            return
        if position(url) == before:
            break
    raise SystemExit("\n".join(["a replayed log answers otherwise:", *found[:MOST_TOLD]]))


if __name__ == "__main__":
    main(sys.argv[1])
