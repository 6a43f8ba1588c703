"""Trace headers of invocations: every run of a function gets one, and a chain of them that loops is stopped."""

import os
import time
from dataclasses import replace

from relambda.actors.domain.lineage import MOST_RUNS, passed_on, runs, stopped
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.trace_header import TraceHeader
from relambda.api.call import Call


def trace_for(call: Call, function: ResourceName) -> str:
    """The header that the function gets. Raises Refusal: RecursiveInvocationException."""
    arn = function.arn()
    if runs(call.trace_id, arn) >= MOST_RUNS:
        head = call.cloud.views.head(function)
        if head is not None and head.recursive_loop != "Allow":
            raise stopped()
    return passed_on(_completed(call.trace_id) if call.trace_id else "", arn, "" if call.trace_id else _fresh())


def _fresh() -> str:
    """A trace that begins here, and on which the function decides (X-Ray Developer Guide, "Tracing header")."""
    return f"Root={_fresh_root()};Sampled=?"


def _fresh_root() -> str:
    return f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"


def _completed(header: str) -> str:
    """The caller's header with a root and a decision, or the question for one; a parent goes with its root alone."""
    read = TraceHeader.read(header)
    parent = read.parent if read.root else ""
    return str(replace(read, root=read.root or _fresh_root(), parent=parent, sampled=read.sampled or "?"))
