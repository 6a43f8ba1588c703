"""The arithmetic of an account's concurrency: who claims how much of it, held still while one claim is decided.

Claims of several functions meet in one sum, and each is an event of another stream. They are therefore put in a row:
whoever raises one holds a lock from the reading of the sum to the end of the command. Commands end when their events
and rows are durable, so the next one reads a sum that has them. Whoever lowers one needs no lock: a sum that was read
before is then only too careful. One process has the cloud, so one lock is enough.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from relambda.actors import codec
from relambda.actors.domain.concurrency_config import Share, claim
from relambda.actors.domain.names import ResourceName, Scope
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.state import Head
from relambda.api.cloud import Cloud
from relambda.api.views import Views

_in_a_row = threading.Lock()
WAIT_SECONDS = 30.0


def claims(views: Views, scope: Scope) -> Counter[str]:
    """What each function of a scope claims of its concurrency, by the function's key."""
    provisioned: Counter[str] = Counter()
    for key, value in views.scan("provisioned", scope.prefix):
        config = codec.document(value)
        provisioned[key.rpartition("/")[0]] += config["RequestedProvisionedConcurrentExecutions"]
    heads = ((key, codec.from_row(Head, value)) for key, value in views.scan("functions", scope.prefix))
    return Counter({key: claim(head, provisioned[key]) for key, head in heads})


def unreserved(cloud: Cloud, scope: Scope) -> int:
    """What is left for functions that have nothing for themselves."""
    return cloud.limits.concurrent_executions - claims(cloud.views, scope).total()


@contextmanager
def share_of(cloud: Cloud, function: ResourceName) -> Iterator[Share]:
    """What is left for one function, true until the block ends. Raises Refusal when others take too long."""
    if not _in_a_row.acquire(timeout=WAIT_SECONDS):
        raise Refusal(
            "ServiceException", f"Other changes of concurrency took more than {WAIT_SECONDS:.0f} s; try again."
        )
    try:
        others = claims(cloud.views, function.scope)
        others.pop(function.key, None)
        limits = cloud.limits
        yield Share(limits.concurrent_executions - others.total(), limits.minimum_unreserved_concurrency)
    finally:
        _in_a_row.release()
