"""Policy documents: statements as AddPermission writes them, what a whole document must be, and what makes it public.

A statement's members are in AWS's order (TRAPS.md row 15), which is the order of the text that callers read.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.names import partition
from relambda.actors.domain.refusals import Refusal, invalid

LIMIT = 20_480
"""Bytes of a resource's policy (limits.tsv)."""
VERSIONS = ("2012-10-17", "2008-10-17")
EFFECTS = ("Allow", "Deny")

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_IDENTITY = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:[\w+=,.@/*-]+", re.ASCII)
_SERVICE = re.compile(r"([a-z0-9_-]+\.)+(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII)
_ACTION = re.compile(r"\*|lambda:[a-zA-Z*?]+", re.ASCII)
_SID = re.compile(r"[a-zA-Z0-9-_]{1,100}", re.ASCII)
_MEMBERS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_NARROWING = frozenset(
    {
        *("aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip"),
        *("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid"),
        *("lambda:functionurlauthtype", "lambda:eventsourcetoken", "lambda:invokedviafunctionurl"),
    }
)
_OPEN = re.compile(r"[*?]|\$\{")


def principal_of(text: str, region: str) -> str | dict[str, str]:
    """A statement's Principal for AddPermission's: everyone, an account, a user or role, a service. Raises Refusal."""
    if text == "*":
        return text
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:{partition(region)}:iam::{text}:root"}
    if _IDENTITY.fullmatch(text):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def statement_of(request: Json, resource_arn: str, region: str) -> dict[str, Any]:
    """The statement that a request of AddPermission adds. Raises Refusal.

    The words about the URL's authorization are AWS's as users have published them; those about InvokedViaFunctionUrl
    follow them, the rule being that of AWS's CloudFormation reference.
    """
    principal, action = principal_of(request["Principal"], region), request["Action"]
    if "FunctionUrlAuthType" in request and action != "lambda:InvokeFunctionUrl":
        raise invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    if request.get("InvokedViaFunctionUrl") and action != "lambda:InvokeFunction":
        raise invalid("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action")
    conditions = _conditions(request)
    return {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": resource_arn,
        **({"Condition": conditions} if conditions else {}),
    }


_EQUALS = {
    "SourceAccount": "AWS:SourceAccount",
    "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
    "EventSourceToken": "lambda:EventSourceToken",
    "PrincipalOrgID": "aws:PrincipalOrgID",
}


def _conditions(request: Json) -> dict[str, dict[str, str]]:
    equals = {key: request[member] for member, key in _EQUALS.items() if request.get(member)}
    conditions = {"StringEquals": equals} if equals else {}
    if request.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if request.get("InvokedViaFunctionUrl"):
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    return conditions


def checked_document(document: Any, resource_arn: str) -> dict[str, Any]:
    """A whole policy for a resource, its Statement a list. Raises Refusal.

    What a document must be is the IAM User Guide's ("IAM JSON policy elements"); the words are our own.
    """
    if not isinstance(document, dict) or document.keys() - {"Version", "Id", "Statement"}:
        raise _malformed("it is an object of Version, Id and Statement")
    if document.get("Version", VERSIONS[0]) not in VERSIONS or not isinstance(document.get("Id", ""), str):
        raise _malformed(f"Version is {' or '.join(VERSIONS)}, and Id a string")
    statements = _listed(document.get("Statement"))
    if not statements:
        raise _malformed("Statement has at least one statement")
    for statement in statements:
        _check_statement(statement, resource_arn)
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    if len(sids) != len(set(sids)):
        raise _malformed("each Sid is there once")
    return {**document, "Statement": statements}


def _check_statement(statement: Any, resource_arn: str) -> None:
    if not isinstance(statement, dict) or statement.keys() - _MEMBERS:
        raise _malformed(f"a statement is an object of {', '.join(sorted(_MEMBERS))}")
    for member in ("Principal", "Action", "Resource"):
        if (member in statement) == (f"Not{member}" in statement):
            raise _malformed(f"a statement has either {member} or Not{member}")
    if statement.get("Effect") not in EFFECTS:
        raise _malformed("Effect is Allow or Deny")
    if "Sid" in statement and not (isinstance(statement["Sid"], str) and _SID.fullmatch(statement["Sid"])):
        raise _malformed("a Sid has 1 to 100 letters, digits, - and _")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
    for action in _texts(statement.get("Action", statement.get("NotAction")), "Action"):
        if not _ACTION.fullmatch(action):
            raise _malformed(f"{action[:100]!r} is no action of Lambda")
    _check_resource(statement, resource_arn)
    _check_condition(statement.get("Condition", {}))


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or principal.keys() - {"AWS", "Service", "Federated"}:
        raise _malformed('Principal is "*" or an object of AWS, Service and Federated')
    for kind, value in principal.items():
        for text in _texts(value, "Principal"):
            if not _plausible(kind, text):
                raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _plausible(kind: str, text: str) -> bool:
    if kind == "Service":
        return bool(_SERVICE.fullmatch(text))
    return kind == "Federated" or text == "*" or bool(_ACCOUNT.fullmatch(text) or _IDENTITY.fullmatch(text))


def _check_resource(statement: Mapping[str, Any], resource_arn: str) -> None:
    named = "Resource" in statement
    for pattern in _texts(statement.get("Resource", statement.get("NotResource")), "Resource"):
        if named and not _matches(pattern, resource_arn):
            raise _malformed(f"Resource {pattern[:200]!r} is not {resource_arn}, which the policy is for")


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern of `*` and `?` matches, in time that is bounded by the product of both lengths."""
    reached = {0}
    for sign in pattern:
        if sign == "*":
            reached = set(range(min(reached), len(text) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(text) and sign in {"?", text[at]}}
        if not reached:
            return False
    return len(text) in reached


def _check_condition(condition: Any) -> None:
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise _malformed("Condition is an object of operators, each an object of keys")
    for value in (value for keys in condition.values() for value in keys.values()):
        for each in _listed(value):
            if not isinstance(each, str | bool | int | float) or (isinstance(each, int) and each.bit_length() > 53):
                raise _malformed("a condition's values are strings, numbers and booleans")


def grants_public_access(statements: Iterable[Json]) -> bool:
    """Whether anyone at all may do something by these statements.

    So they do where a statement allows everyone and no condition narrows that to fixed values: values without
    wildcards and policy variables (AWS Config Developer Guide, "lambda-function-public-access-prohibited").
    """
    return any(
        statement["Effect"] == "Allow" and _anyone(statement) and not _narrowed(statement.get("Condition", {}))
        for statement in statements
    )


def _anyone(statement: Json) -> bool:
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return True
    return any("*" in text for text in _listed(principal.get("AWS", [])))


def _narrowed(condition: Json) -> bool:
    return any(
        key.lower() in _NARROWING and not any(_OPEN.search(str(value)) for value in _listed(values))
        for operator, keys in condition.items()
        if not operator.lower().startswith(("stringnot", "arnnot", "notip", "null"))
        and "ifexists" not in operator.lower()
        for key, values in keys.items()
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _texts(value: Any, member: str) -> list[str]:
    texts = _listed(value)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise _malformed(f"{member} is a string or a list of strings")
    return texts


def _malformed(what: str) -> Refusal:
    return invalid(f"The policy is not valid: {what}.")
