"""CloudWatch Logs: a live tail of log groups, whose answer goes on for as long as the client stays."""

from collections.abc import Mapping

from relambda.api.call import Call, Output
from relambda.api.event_stream import CONTENT_TYPE
from relambda.api.logs.call import identified, invalid, logs_operation, without_nones
from relambda.api.logs.live_tail import MOST_SESSIONS, TooManyTailsError, Wanted
from relambda.api.logs.pattern import parse
from relambda.api.wire.errors import ServiceError
from relambda.api.wire.response import Response
from relambda.store.logs.records import GroupName


@logs_operation("StartLiveTail")
def start_live_tail(call: Call) -> Output:
    """Tell what is added to groups from now on, once a second; a refusal before that is an ordinary one."""
    given = call.given
    groups = _groups(call)
    names, prefixes = given.get("logStreamNames", ()), given.get("logStreamNamePrefixes", ())
    if names and prefixes:
        raise invalid("logStreamNames and logStreamNamePrefixes cannot both be specified.")
    if (names or prefixes) and len(groups) > 1:
        raise invalid("logStreamNames and logStreamNamePrefixes can be specified for one log group only.")
    pattern = given.get("logEventFilterPattern")
    wanted = Wanted(groups, frozenset(names), tuple(prefixes), parse(pattern or ""))
    start = {
        "requestId": call.request_id,
        "sessionId": call.cloud.new_id(),
        "logGroupIdentifiers": list(groups.values()),
        "logStreamNames": names or None,
        "logStreamNamePrefixes": prefixes or None,
        "logEventFilterPattern": pattern,
    }
    try:
        tail = call.cloud.live_tails.open(wanted, without_nones(start))
    except TooManyTailsError:
        message = f"There are {MOST_SESSIONS} Live Tail sessions already; end one of them."
        raise ServiceError("LimitExceededException", message) from None
    return Response(200, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": call.request_id}, stream=tail)


def _groups(call: Call) -> Mapping[GroupName, str]:
    """The groups, and what was said for each. Raises ServiceError, LogGroupNotFoundError."""
    groups = {identified(call, identifier): identifier for identifier in call.given["logGroupIdentifiers"]}
    call.cloud.logs.store.read(lambda tables, _: [tables.group(name) for name in groups])
    return groups
