"""Loops of functions that invoke each other, told by the Lineage in X-Ray's trace header.

A function gets a trace header that names it and counts how often it was run in this chain; SDKs send the header on
with whatever the function calls. Sources: FACTS.md section 7, "Recursion config"; Developer Guide, "Use Lambda
recursive loop detection to prevent infinite loops" (about 16 times); X-Ray Developer Guide, "Tracing header"
(`hash:count|…`).
"""

from zlib import crc32

from relambda.actors.domain.refusals import Refusal

MOST_RUNS = 16
"""Runs of a function in one chain; the next one is stopped."""
MOST_NAMED = 32
"""Functions that one header names; the oldest are forgotten."""
_LINEAGE = "Lineage="


def runs(trace: str, function_arn: str) -> int:
    """How often a function was run in the chain that a trace header tells of; 0 for a header that tells nothing."""
    if _LINEAGE not in trace:
        return 0
    return _lineage(trace).get(_name(function_arn), 0)


def passed_on(trace: str, function_arn: str, fresh: str) -> str:
    """The header that a function gets, with one more run of it; `fresh` begins it when the caller sent none."""
    parts = [part for part in (trace or fresh).split(";") if part and not part.startswith(_LINEAGE)]
    lineage, name = _lineage(trace), _name(function_arn)
    count = lineage.pop(name, 0) + 1
    named = [*list(lineage.items())[-MOST_NAMED + 1 :], (name, count)]
    return ";".join([*parts, _LINEAGE + "|".join(f"{each}:{number}" for each, number in named)])


def stopped() -> Refusal:
    """The refusal that ends a loop, in the words of the API reference."""
    return Refusal(
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources "
        "and stopped your function's invocation.",
    )


def _name(function_arn: str) -> str:
    return f"{crc32(function_arn.encode()):08x}"


def _lineage(trace: str) -> dict[str, int]:
    text = next((part[len(_LINEAGE) :] for part in trace.split(";") if part.startswith(_LINEAGE)), "")
    counts = dict[str, int]()
    for each in text.split("|")[-MOST_NAMED:]:
        name, _, count = each.partition(":")
        if count.isascii() and count.isdecimal() and len(count) < 10:
            counts[name] = int(count)
    return counts
