"""CloudWatch Logs: log groups, how long they keep their events, and their tags."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

from relambda.api.call import Call, Output
from relambda.api.logs.call import arn_of, group_of, identified, invalid, logs_operation, settled, without_nones
from relambda.api.logs.pages import name_token, token_name
from relambda.api.wire.errors import ServiceError
from relambda.store.logs.events import EventTable
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.records import GroupName, LogGroup

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What PutRetentionPolicy takes (CloudWatch Logs API, "PutRetentionPolicy")."""
MOST_TAGS = 50


@logs_operation("CreateLogGroup")
def create_log_group(call: Call) -> Output:
    """Make a group; nothing is answered."""
    given, now_ms = call.given, call.now_ms()
    call.cloud.logs.store.create_group(
        group_of(call),
        lambda id_: LogGroup(
            id_,
            given["logGroupName"],
            now_ms,
            log_class=given.get("logGroupClass", "STANDARD"),
            kms_key_id=given.get("kmsKeyId"),
            protected=given.get("deletionProtectionEnabled", False),
            tags=given.get("tags", {}),
        ),
    )
    return None


@logs_operation("DeleteLogGroup")
def delete_log_group(call: Call) -> Output:
    """Remove a group with all that is in it, unless it is protected."""
    store, name = call.cloud.logs.store, group_of(call)
    with settled(call, name):
        if store.read(lambda groups, _: groups.group(name)).protected:
            raise ServiceError("ValidationException", "The specified log group is protected from deletion.")
        store.delete_group(name)
    return None


@logs_operation("DescribeLogGroups")
def describe_log_groups(call: Call) -> Output:
    """A page of groups, by name."""
    given = call.given
    prefix, pattern = given.get("logGroupNamePrefix"), given.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    most, after = given.get("limit", 50), token_name(given.get("nextToken"))
    wanted = _wanted(call)

    def work(groups: GroupTable, _: EventTable) -> list[dict[str, Any]]:
        found = filter(wanted, groups.groups(call.scope.account, call.scope.region, prefix or "", after))
        return [_description(call, group, groups.size(group.id)) for group in islice(found, most + 1)]

    described = call.cloud.logs.store.read(work)
    page = described[:most]
    token = name_token(page[-1]["logGroupName"]) if len(described) > most else None
    return without_nones({"logGroups": page, "nextToken": token})


def _wanted(call: Call) -> Callable[[LogGroup], bool]:
    given = call.given
    named = {identified(call, identifier).name for identifier in given.get("logGroupIdentifiers", ())}
    return lambda group: (
        (not named or group.name in named)
        and given.get("logGroupNamePattern", "") in group.name
        and given.get("logGroupClass", group.log_class) == group.log_class
    )


def _description(call: Call, group: LogGroup, size: int) -> dict[str, Any]:
    arn = arn_of(GroupName(call.scope.account, call.scope.region, group.name))
    return without_nones(
        {
            "logGroupName": group.name,
            "creationTime": group.created_ms,
            "retentionInDays": group.retention_days,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "storedBytes": size,
            "kmsKeyId": group.kms_key_id,
            "logGroupClass": group.log_class,
            "logGroupArn": arn,
            "deletionProtectionEnabled": group.protected,
        }
    )


@logs_operation("PutRetentionPolicy")
def put_retention_policy(call: Call) -> Output:
    """Say for how many days the events of a group are kept."""
    days = call.given["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(map(str, RETENTION_DAYS))
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )
    _change(call, group_of(call), lambda group: replace(group, retention_days=days))
    return None


@logs_operation("DeleteRetentionPolicy")
def delete_retention_policy(call: Call) -> Output:
    """Keep the events of a group for ever."""
    _change(call, group_of(call), lambda group: replace(group, retention_days=None))
    return None


@logs_operation("PutLogGroupDeletionProtection")
def put_log_group_deletion_protection(call: Call) -> Output:
    """Protect a group from being deleted, or no longer."""
    protected = call.given["deletionProtectionEnabled"]
    _change(call, identified(call, call.given["logGroupIdentifier"]), lambda group: replace(group, protected=protected))
    return None


@logs_operation("TagResource")
def tag_resource(call: Call) -> Output:
    """Add tags to a group, or change them."""
    return _tag(call, identified(call, call.given["resourceArn"]))


@logs_operation("TagLogGroup")
def tag_log_group(call: Call) -> Output:
    """As TagResource, by name."""
    return _tag(call, group_of(call))


def _tag(call: Call, name: GroupName) -> Output:
    def change(group: LogGroup) -> LogGroup:
        tags = {**group.tags, **call.given["tags"]}
        if len(tags) > MOST_TAGS:
            raise ServiceError("TooManyTagsException", f"A resource may have {MOST_TAGS} tags.")
        return replace(group, tags=tags)

    _change(call, name, change)
    return None


@logs_operation("UntagResource")
def untag_resource(call: Call) -> Output:
    """Remove tags from a group, whether it has them or not."""
    return _untag(call, identified(call, call.given["resourceArn"]), call.given["tagKeys"])


@logs_operation("UntagLogGroup")
def untag_log_group(call: Call) -> Output:
    """As UntagResource, by name."""
    return _untag(call, group_of(call), call.given["tags"])


def _untag(call: Call, name: GroupName, keys: list[str]) -> Output:
    _change(
        call, name, lambda group: replace(group, tags={key: tag for key, tag in group.tags.items() if key not in keys})
    )
    return None


@logs_operation("ListTagsForResource")
def list_tags_for_resource(call: Call) -> Output:
    """The tags of a group."""
    return _tags(call, identified(call, call.given["resourceArn"]))


@logs_operation("ListTagsLogGroup")
def list_tags_log_group(call: Call) -> Output:
    """As ListTagsForResource, by name."""
    return _tags(call, group_of(call))


def _tags(call: Call, name: GroupName) -> Output:
    return {"tags": dict(call.cloud.logs.store.read(lambda groups, _: groups.group(name)).tags)}


def _change(call: Call, name: GroupName, change: Callable[[LogGroup], LogGroup]) -> None:
    call.cloud.logs.store.change_group(name, change)
