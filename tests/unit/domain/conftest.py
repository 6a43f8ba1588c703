"""A function's stream as tests of the domain see it: given events, when a command, then events or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from relambda.actors import kinds
from relambda.actors.domain.decider import Command, Event
from relambda.actors.domain.functions import FunctionCreated, PreparationFinished
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.publishing import VersionPublished
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import Code

CONFIG: Mapping[str, Any] = {
    "Description": "",
    "Runtime": "python3.12",
    "Handler": "app.handler",
    "Timeout": 3,
    "MemorySize": 128,
    "PackageType": "Zip",
    "TracingConfig": {"Mode": "PassThrough"},
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"},
}


@dataclass(slots=True)
class Stream:
    """A function `orders` of account 111111111111 in us-east-1, and what has happened to it."""

    name: ResourceName = field(default_factory=lambda: ResourceName("function", "111111111111", "us-east-1", "orders"))
    state: FunctionState = field(default_factory=FunctionState)

    def given(self, *events: Event) -> "Stream":
        """Let these have happened too."""
        self.state = function.fold(self.state, events)
        return self

    def created(self, *, tags: Mapping[str, str] | None = None, **config: Any) -> "Stream":
        """Let it be there and Active; `config` is beside or in the place of the ordinary configuration."""
        born = FunctionCreated(
            at_ms=1_000,
            config={**CONFIG, **config},
            code=Code(sha256="00" * 32, size=10),
            revision_id="r1",
            tags=tags or {},
            layers=(),
            code_signing_config_arn="",
        )
        return self.given(born, PreparationFinished(at_ms=2_000, version=LATEST, revision_id="r2", failure=None))

    def published(self, count: int = 1) -> "Stream":
        """Let it have this many more versions."""
        for _ in range(count):
            number = str(self.state.last_version + 1)
            self.given(VersionPublished(at_ms=3_000, version=number, description="", revision_id=f"r-v{number}"))
        return self

    def pointing(self, alias: str, version: str, weights: Mapping[str, float] | None = None) -> "Stream":
        """Let it have an alias that points to a version, however that came to be."""
        target: dict[str, Any] = {"FunctionVersion": version}
        if weights:
            target["RoutingConfig"] = {"AdditionalVersionWeights": weights}
        self.state = replace(self.state, aliases={**self.state.aliases, alias: target})
        return self

    def when(self, command: Command) -> tuple[Event, ...]:
        """Decide a command, and fold what follows from it. Raises Refusal."""
        events = function.decide(self.state, command)
        self.given(*events)
        return events

    def refuses(self, command: Command) -> Refusal:
        """The refusal of a command that must be refused."""
        with pytest.raises(Refusal) as refused:
            function.decide(self.state, command)
        return refused.value

    def rows(self, *events: Event) -> dict[tuple[str, str], Any]:
        """The rows of views that change when these happen, by table and key; the events stay happened."""
        before = self.state
        self.given(*events)
        return {(row.table, row.key): row.value for row in function.rows(self.name, before, self.state)}


@pytest.fixture
def stream() -> Stream:
    """A function that is not there yet."""
    assert function in kinds.DECIDERS.values()
    return Stream()


@pytest.fixture
def orders(stream: Stream) -> Stream:
    """A function that is there, Active, with nothing but $LATEST."""
    return stream.created()
