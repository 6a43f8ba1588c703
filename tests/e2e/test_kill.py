"""Whatever is acknowledged survives SIGKILL; whatever is not is wholly there or wholly not."""

import base64
import hashlib
import random
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

ROLE = "arn:aws:iam::111111111111:role/test"
KILLS = 25
WRITERS = 3

State = tuple[str, str] | None
"""Description and code's sha256 of a function; None when there is none."""


@dataclass
class Ledger:
    """What one writer knows of its functions: the states that each may be in. One state unless a call was cut off."""

    may_be: dict[str, set[State]] = field(default_factory=dict)
    acknowledged: int = 0

    def known(self, name: str) -> State:
        """The state of a function that no cut-off call has touched."""
        (state,) = self.may_be.get(name, {None})
        return state


class Writer(threading.Thread):
    """Creates, updates and deletes functions of its own until a call is cut off."""

    def __init__(self, client: Any, ledger: Ledger, prefix: str, zipped: Callable[[str], bytes], seed: int) -> None:
        super().__init__(daemon=True)
        self.client, self.ledger, self.prefix, self.zipped = client, ledger, prefix, zipped
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.unexpected: list[Exception] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            name = f"{self.prefix}-{self.random.randrange(6)}"
            try:
                if not self._step(name):
                    return
            except Exception as error:  # noqa: BLE001 - the test tells of it, whatever it was
                self.unexpected.append(error)
                return

    def _step(self, name: str) -> bool:
        """One change of one function; False when the cloud is gone."""
        before = self.ledger.known(name)
        after, change = self._change(name, before)
        try:
            change()
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceConflictException":
                return True
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
            self.ledger.may_be[name] = {before, after}
            return False
        except BotoCoreError:
            self.ledger.may_be[name] = {before, after}
            return False
        self.ledger.may_be[name] = {after}
        self.ledger.acknowledged += 1
        return True

    def _change(self, name: str, before: State) -> tuple[State, Callable[[], object]]:
        word = f"{self.random.getrandbits(64):x}"
        package = self.zipped(f"def handler(event, context):\n    return '{word}'\n")
        sha = base64.b64encode(hashlib.sha256(package).digest()).decode()
        if before is None:
            return (word, sha), lambda: self.client.create_function(
                FunctionName=name,
                Runtime="python3.11",
                Role=ROLE,
                Handler="index.handler",
                Description=word,
                Code={"ZipFile": package},
            )
        kind = self.random.choice(["code", "configuration", "delete"])
        if kind == "code":
            return (before[0], sha), lambda: self.client.update_function_code(FunctionName=name, ZipFile=package)
        if kind == "configuration":
            return (word, before[1]), lambda: self.client.update_function_configuration(
                FunctionName=name, Description=word
            )
        return None, lambda: self.client.delete_function(FunctionName=name)


def actual(client: Any, name: str) -> State:
    """What the cloud says of a function, which must be whole: described, and its package there to download."""
    try:
        found = client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    with urllib.request.urlopen(found["Code"]["Location"], timeout=10) as package:
        sha = base64.b64encode(hashlib.sha256(package.read()).digest()).decode()
    assert found["Configuration"]["CodeSha256"] == sha
    return found["Configuration"]["Description"], sha


def settle(client: Any, name: str) -> None:
    """Wait until nothing of a function is pending: a restart finishes what was."""
    waiting = {"Delay": 0.05, "MaxAttempts": 400}
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=waiting)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=waiting)


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize("seed", [20261124, 20261125])
def test_acknowledged_changes_survive_sigkill(
    cloud: Any, zipped: Callable[[str], bytes], make_function: Any, seed: int
) -> None:
    """Fifty SIGKILLs of worker, master or both under concurrent changes lose nothing and leave no container."""
    # given a cloud with a warm function, and writers that each change functions of their own
    dice = random.Random(seed)
    runs = make_function(cloud.client(), FunctionName="runs")
    ledgers = [Ledger() for _ in range(WRITERS)]
    for round_ in range(KILLS):
        cloud.client().invoke(FunctionName=runs)
        doomed_containers = cloud.containers()
        assert doomed_containers
        writers = [
            Writer(cloud.client(), ledger, f"w{index}", zipped, dice.getrandbits(32))
            for index, ledger in enumerate(ledgers)
        ]
        for writer in writers:
            writer.start()
        # when processes of the cloud are killed at a random moment, and it is started again
        threading.Event().wait(dice.uniform(0.02, 0.5))
        who = dice.choice(["both", "both", "master", "worker"])
        cloud.kill(master=who != "worker", worker=who != "master")
        for writer in writers:
            writer.stopping.set()
            writer.join(60)
            assert not writer.unexpected, writer.unexpected
        cloud.revive(who)
        # then each function is in a state that it may be in, whole, and no container of before is left
        client = cloud.client()
        assert not doomed_containers & cloud.containers(), f"round {round_}, killed {who}"
        for ledger in ledgers:
            for name, states in ledger.may_be.items():
                found = actual(client, name)
                assert found in states, f"round {round_}, killed {who}: {name} is {found}, may be {states}"
                ledger.may_be[name] = {found}
                if found is not None:
                    settle(client, name)
    assert sum(ledger.acknowledged for ledger in ledgers) > KILLS
