"""Resource policies: statements and documents, their revisions and sizes, and what AWS refuses."""

from typing import Any

import pytest

from relambda.actors.domain.aliases import CreateAlias, DeleteAlias
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.policies import (
    AddPermission,
    DeleteResourcePolicy,
    PermissionAdded,
    PermissionRemoved,
    PutResourcePolicy,
    RemovePermission,
    ResourcePolicyDeleted,
    ResourcePolicyPut,
    written,
)
from relambda.actors.domain.publishing import VersionDeleted

STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the latest Revision Id"
)
ARN = "arn:aws:lambda:us-east-1:111111111111:function:orders"
TAKEN = (
    "The statement id (s3) provided already exists. "
    "Please provide a new statement id, or remove the existing statement."
)
INVALID_PRINCIPAL = "The provided principal was invalid. Please check the principal and try again."


def add(stream: Any, sid: str = "s3", qualifier: str | None = None, expected: str | None = None, **given: Any) -> Any:
    request = {"StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", **given}
    return AddPermission(
        resource=stream.name,
        at_ms=5_000,
        qualifier=qualifier,
        request=request,
        revision_id=f"p-{sid}",
        expected_revision_id=expected,
    )


def remove(stream: Any, sid: str = "s3", qualifier: str | None = None, expected: str | None = None) -> RemovePermission:
    return RemovePermission(
        resource=stream.name,
        at_ms=6_000,
        qualifier=qualifier,
        statement_id=sid,
        revision_id="p-removed",
        expected_revision_id=expected,
    )


def put(stream: Any, document: Any, qualifier: str | None = None, expected: str | None = None) -> PutResourcePolicy:
    return PutResourcePolicy(
        resource=stream.name,
        at_ms=7_000,
        qualifier=qualifier,
        document=document,
        revision_id="p-put",
        expected_revision_id=expected,
    )


def delete(stream: Any, qualifier: str | None = None, expected: str | None = None) -> DeleteResourcePolicy:
    return DeleteResourcePolicy(resource=stream.name, at_ms=8_000, qualifier=qualifier, expected_revision_id=expected)


def statement(**given: Any) -> dict[str, Any]:
    ordinary = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction"}
    return {**ordinary, "Resource": ARN, **given}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_a_policy_begins_with_its_first_statement(orders: Any) -> None:
    """Given a function, when a permission is added, then its policy has AWS's members in AWS's order."""
    (event,) = orders.when(add(orders, SourceArn="arn:aws:s3:::b", SourceAccount="222222222222"))
    assert type(event) is PermissionAdded
    assert written(orders.state.policies[LATEST]["Policy"]) == (
        '{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3","Effect":"Allow",'
        '"Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{ARN}",'
        '"Condition":{"StringEquals":{"AWS:SourceAccount":"222222222222"},'
        '"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}]}'
    )


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ({"PrincipalOrgID": "o-1234567890"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
        ({"EventSourceToken": "t"}, {"StringEquals": {"lambda:EventSourceToken": "t"}}),
        (
            {"FunctionUrlAuthType": "NONE", "Action": "lambda:InvokeFunctionUrl"},
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
        ({"InvokedViaFunctionUrl": True}, {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
        ({"InvokedViaFunctionUrl": False}, None),
    ],
)
def test_conditions(orders: Any, given: dict[str, Any], condition: dict[str, Any] | None) -> None:
    """Given a function, when a permission is added with a condition, then the statement has it."""
    (event,) = orders.when(add(orders, Principal="*", **given))
    assert event.statement.get("Condition") == condition
    assert event.statement["Principal"] == "*"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"FunctionUrlAuthType": "NONE"}, "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"),
        (
            {"InvokedViaFunctionUrl": True, "Action": "lambda:InvokeFunctionUrl"},
            "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action",
        ),
        ({"Principal": "invalid"}, INVALID_PRINCIPAL),
    ],
)
def test_statements_that_mean_nothing(orders: Any, given: dict[str, Any], message: str) -> None:
    """Given a function, when a permission contradicts itself, then it is refused."""
    refusal = orders.refuses(add(orders, **given))
    assert (refusal.code, refusal.message) == ("InvalidParameterValueException", message)


def test_each_qualifier_has_its_own(orders: Any) -> None:
    """Given a version and an alias, when each gets a permission, then there are two policies of qualified ARNs."""
    orders.published()
    orders.when(CreateAlias(resource=orders.name, at_ms=4_000, name="live", version="1", revision_id="a1"))
    for qualifier in ("1", "live"):
        (event,) = orders.when(add(orders, qualifier=qualifier))
        assert event.statement["Resource"] == f"{ARN}:{qualifier}"
    assert orders.state.policies.keys() == {"1", "live"}
    orders.when(DeleteAlias(resource=orders.name, at_ms=5_000, name="live"))
    orders.given(VersionDeleted(at_ms=5_000, version="1"))
    assert orders.state.policies == {}


@pytest.mark.parametrize(
    ("qualifier", "code", "message"),
    [
        (LATEST, "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."),
        ("42", "ResourceNotFoundException", f"Function not found: {ARN}:42"),
        ("gone", "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:gone"),
        ("with-$", "ResourceNotFoundException", f"Function not found: {ARN}:with-$"),
    ],
)
def test_what_has_no_policy(orders: Any, qualifier: str, code: str, message: str) -> None:
    """Given a function, when something that is not there, or $LATEST, is to have a policy, then AWS's words."""
    for command in (add(orders, qualifier=qualifier), put(orders, document(statement()), qualifier)):
        refusal = orders.refuses(command)
        assert (refusal.code, refusal.message) == (code, message)


def test_no_function(stream: Any) -> None:
    """Given no function, then adding names the function, removing its policy, deleting nothing."""
    assert stream.refuses(add(stream)).message == f"Function not found: {ARN}"
    assert stream.refuses(remove(stream)).message == f"No policy found for: {ARN}"
    assert stream.refuses(delete(stream)).message == "The resource you requested does not exist."


def test_a_statement_id_is_used_once(orders: Any) -> None:
    """Given a statement, when another of the same id is added, then the conflict names it."""
    orders.when(add(orders))
    refusal = orders.refuses(add(orders))
    assert (refusal.code, refusal.message) == (
        "ResourceConflictException",
        TAKEN,
    )


def test_changes_may_be_bound_to_a_revision(orders: Any) -> None:
    """Given a policy, when changed by another revision, then 412 names the operation to call; by its own, changed."""
    refusal = orders.refuses(add(orders, expected="any"))
    assert (refusal.code, refusal.message) == ("PreconditionFailedException", STALE.format("GetPolicy"))
    orders.when(add(orders))
    for command, operation in (
        (add(orders, "other", expected="x"), "GetPolicy"),
        (remove(orders, expected="x"), "GetPolicy"),
        (put(orders, document(statement()), expected="x"), "GetResourcePolicy"),
        (delete(orders, expected="x"), "GetResourcePolicy"),
    ):
        assert orders.refuses(command).message == STALE.format(operation)
    orders.when(add(orders, "other", expected="p-s3"))
    orders.when(remove(orders, expected="p-other"))
    orders.when(put(orders, document(statement()), expected="p-removed"))
    orders.when(delete(orders, expected="p-put"))


def test_without_its_last_statement_a_policy_is_gone(orders: Any) -> None:
    """Given two statements, when they are removed, then the revision changes, and then there is no policy."""
    orders.when(add(orders))
    orders.when(add(orders, "sns"))
    assert orders.when(remove(orders)) == (
        PermissionRemoved(at_ms=6_000, qualifier=LATEST, statement_id="s3", revision_id="p-removed"),
    )
    assert orders.state.policies[LATEST]["RevisionId"] == "p-removed"
    orders.when(remove(orders, "sns"))
    assert orders.state.policies == {}
    assert orders.refuses(remove(orders)).message == "No policy is associated with the given resource."


def test_what_is_not_there_to_remove(orders: Any) -> None:
    """Given a policy, when an unknown statement is removed, or one of $LATEST, then AWS's words."""
    orders.when(add(orders))
    assert orders.refuses(remove(orders, "non-existent")).message == (
        "Statement non-existent is not found in resource policy."
    )
    assert orders.refuses(remove(orders, qualifier=LATEST)).message == (
        "No policy is associated with the given resource."
    )


def test_a_policy_has_a_limit(orders: Any) -> None:
    """Given a policy just below the limit, when a statement takes it above, then the refusal tells both sizes."""
    arn = "arn:aws:s3:::" + "b" * 4_700
    for number in range(4):
        orders.when(add(orders, f"s{number}", SourceArn=arn))
    size = len(written(orders.state.policies[LATEST]["Policy"]))
    refusal = orders.refuses(add(orders, "last", SourceArn=arn))
    one = len(written(orders.state.policies[LATEST]["Policy"]["Statement"][0])) + len("last") - len("s0") + 1
    assert (refusal.code, refusal.message) == (
        "PolicyLengthExceededException",
        f"The final policy size ({size + one}) is bigger than the limit (20480).",
    )


def test_a_document_replaces_all(orders: Any) -> None:
    """Given a statement, when a document is put, then it is the policy; when deleted, then there is none."""
    orders.when(add(orders))
    given = document(statement(Sid="mine"))
    assert orders.when(put(orders, given)) == (
        ResourcePolicyPut(at_ms=7_000, qualifier=LATEST, document=given, revision_id="p-put"),
    )
    orders.when(add(orders, "more"))
    sids = [each["Sid"] for each in orders.state.policies[LATEST]["Policy"]["Statement"]]
    assert sids == ["mine", "more"]
    assert orders.when(delete(orders)) == (ResourcePolicyDeleted(at_ms=8_000, qualifier=LATEST),)
    assert orders.refuses(delete(orders)).message == "The resource you requested does not exist."


def test_a_single_statement_becomes_a_list(orders: Any) -> None:
    """Given a document whose Statement is one object, when it is put, then statements can be added to it."""
    orders.when(put(orders, {"Statement": statement(Sid="mine")}))
    orders.when(add(orders, "more"))
    assert len(orders.state.policies[LATEST]["Policy"]["Statement"]) == 2


def test_public_documents_are_refused(orders: Any) -> None:
    """Given a function, when a document lets everyone in, then it is refused; AddPermission takes the statement."""
    assert orders.refuses(put(orders, document(statement(Principal="*")))).code == "PublicPolicyException"
    orders.when(add(orders, Principal="*"))


def test_what_is_no_policy(orders: Any) -> None:
    """Given a function, when a document is put that is no policy, then it is refused."""
    assert orders.refuses(put(orders, {})).code == "InvalidParameterValueException"
