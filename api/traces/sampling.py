"""Which summaries a request wants to see of those that fit: all, or a share of them, always the same traces."""

from typing import Any, Final

from relambda.actors.domain.refusals import Refusal

_DIGITS: Final = 8


def share_of(given: dict[str, Any]) -> float:
    """The share that a GetTraceSummaries asks for, 1.0 for all. Raises Refusal: InvalidRequestException.

    X-Ray API reference, "SamplingStrategy": PartialScan and FixedRate, with a value. `Sampling` alone lets AWS leave
    out what it likes; a local cloud leaves out nothing.
    """
    strategy = given.get("SamplingStrategy") or {}
    share = float(strategy.get("Value", 1.0))
    if not 0.0 <= share <= 1.0:
        raise Refusal("InvalidRequestException", "The Value of a SamplingStrategy is a rate from 0 to 1.")
    return share if given.get("Sampling") is not False else 1.0


def is_sampled(trace: str, share: float) -> bool:
    """Whether a trace is in the share; by its id's random digits, so that pages and requests agree."""
    return int(trace[-_DIGITS:], 16) < share * 16**_DIGITS
