"""X-Ray's sampling rules as SDKs ask for them: the default rule, which nobody can change here."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

DEFAULT_RULE: Mapping[str, Any] = {
    "RuleName": "Default",
    "RuleARN": "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default",
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 1.0,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
"""Everything is sampled: traces of a local cloud are few, and cost nothing."""
INTERVAL_SECONDS = 10


def rules(_body: bytes = b"") -> dict[str, Any]:
    """GetSamplingRules' answer, times in seconds since the epoch."""
    return {"SamplingRuleRecords": [{"SamplingRule": dict(DEFAULT_RULE), "CreatedAt": 0.0, "ModifiedAt": 0.0}]}


def targets(given: Mapping[str, Any]) -> dict[str, Any]:
    """GetSamplingTargets' answer: for each rule that an SDK reports on, go on as before."""
    documents = given.get("SamplingStatisticsDocuments") or []
    found = [
        {"RuleName": each["RuleName"], "FixedRate": DEFAULT_RULE["FixedRate"], "Interval": INTERVAL_SECONDS}
        for each in documents
        if isinstance(each, Mapping) and isinstance(each.get("RuleName"), str)
    ]
    return {"SamplingTargetDocuments": found, "LastRuleModification": 0.0, "UnprocessedStatistics": []}


def _targets_of(body: bytes) -> dict[str, Any]:
    try:
        return targets(msgspec.json.decode(body, type=dict[str, Any]))
    except (msgspec.DecodeError, RecursionError):
        return targets({})


ANSWERS: Mapping[str, Callable[[bytes], dict[str, Any]]] = {
    "/GetSamplingRules": rules,
    "/SamplingTargets": _targets_of,
}
