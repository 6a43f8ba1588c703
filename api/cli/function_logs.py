"""A function's logs as the command line reads them from a running cloud: through CloudWatch Logs' own API."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from relambda.api.cli.http_client import CloudRefusedError, ask
from relambda.api.wire.names import split_function_name
from relambda.api.wire.signature import DEFAULT_ACCOUNT, DEFAULT_REGION

Event: TypeAlias = "dict[str, Any]"
POLL_SECONDS = 0.5
LATE_MS = 5_000
"""How much older than others an event may be that comes in after them."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and the account and region it is looked for in."""

    name: str
    account: str
    region: str

    @classmethod
    def named(cls, text: str, environ: Mapping[str, str]) -> "Function":
        """The function of a name or an ARN; what a name leaves out is where the AWS CLI would look.

        Raises ValueError for what is no function's name.
        """
        parts = split_function_name(text)
        if parts is None:
            raise ValueError(f"{text} is no function's name")
        key = environ.get("AWS_ACCESS_KEY_ID", "")
        account = key if len(key) == 12 and key.isdigit() else DEFAULT_ACCOUNT
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
        return cls(parts.name, parts.account or account, parts.region or region)


def _rank(event: Event) -> int:
    """The order in which events came in: their ids end with it."""
    return int(event["eventId"][16:])


class FunctionLogs:
    """Reads the logs of one function; before an invocation there are none.

    Every method raises CloudRefusedError and CloudUnreachableError.
    """

    def __init__(self, url: str, function: Function) -> None:
        self._url, self._function = url, function
        self._is_there = False
        self._group = self._find_group()

    def last(self, count: int) -> list[Event]:
        """The last events, oldest first."""
        found: list[Event] = []
        for event in self._pages({"startFromHead": False}):
            if len(found) == count:
                break
            found.append(event)
        return found[::-1]

    def since(self, start_ms: int) -> Iterator[Event]:
        """All events from a time on."""
        return self._pages({"startTime": max(0, start_ms)})

    def follow(self, seen: list[Event]) -> Iterator[Event]:
        """Events that come behind those that were `seen`, for ever; each once, in the order they came in."""
        known = seen or self.last(1)
        last, start_ms = max(map(_rank, known), default=0), max((each["timestamp"] for each in known), default=0)
        while True:
            new = sorted((event for event in self.since(start_ms - LATE_MS) if _rank(event) > last), key=_rank)
            yield from new
            if new:
                last, start_ms = _rank(new[-1]), max(start_ms, *(event["timestamp"] for event in new))
            time.sleep(POLL_SECONDS)

    def _pages(self, request: dict[str, Any]) -> Iterator[Event]:
        request = {**request, "logGroupName": self._group}
        while True:
            try:
                page = self._logs("FilterLogEvents", request)
            except CloudRefusedError as error:
                if self._is_there and error.code == "ResourceNotFoundException":
                    return  # its first invocation makes the group
                raise
            yield from (event for event in page["events"] if self._is_own(event["logStreamName"]))
            if "nextToken" not in page:
                return
            request["nextToken"] = page["nextToken"]

    def _is_own(self, stream: str) -> bool:
        """Functions may share a group; there a stream has its function's name before the version."""
        return self._group == f"/aws/lambda/{self._function.name}" or f"/{self._function.name}[" in stream

    def _find_group(self) -> str:
        """The function's group; that of a deleted function, if it wrote to its own."""
        path = f"/2015-03-31/functions/{quote(self._function.name)}/configuration"
        try:
            config = ask(self._url, "GET", path, {"Authorization": self._scope("lambda")})
        except CloudRefusedError:
            return f"/aws/lambda/{self._function.name}"
        self._is_there = True
        return str(config["LoggingConfig"]["LogGroup"])

    def _logs(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Authorization": self._scope("logs"),
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Logs_20140328.{operation}",
        }
        return ask(self._url, "POST", "/", headers, json.dumps(request).encode())

    def _scope(self, service: str) -> str:
        where = f"{self._function.account}/20260101/{self._function.region}/{service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={where}, SignedHeaders=host, Signature=0"
