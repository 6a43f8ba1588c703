"""Trace headers of invocations: every run of a function gets one, and a chain of them that loops is stopped."""

import os
import time

from relambda.actors.domain.lineage import MOST_RUNS, passed_on, runs, stopped
from relambda.actors.domain.names import ResourceName
from relambda.api.call import Call


def trace_for(call: Call, function: ResourceName) -> str:
    """The header that the function gets. Raises Refusal: RecursiveInvocationException."""
    arn = function.arn()
    if runs(call.trace_id, arn) >= MOST_RUNS:
        head = call.cloud.views.head(function)
        if head is not None and head.recursive_loop != "Allow":
            raise stopped()
    return passed_on(call.trace_id, arn, "" if call.trace_id else _fresh())


def _fresh() -> str:
    """A trace that begins here, and on which the function decides (X-Ray Developer Guide, "Tracing header")."""
    made = os.urandom(20).hex()
    return f"Root=1-{int(time.time()):08x}-{made[:24]};Parent={made[24:]};Sampled=?"
