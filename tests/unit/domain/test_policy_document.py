"""Policy documents: principals, what a whole document must be, and what makes it public."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.policy_document import LIMIT, checked_document, grants_public_access, principal_of
from relambda.actors.domain.refusals import Refusal

ARN = "arn:aws:lambda:us-east-1:111111111111:function:orders"
INVALID_PRINCIPAL = "The provided principal was invalid. Please check the principal and try again."


def statement(**given: Any) -> dict[str, Any]:
    ordinary = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction"}
    return {**ordinary, "Resource": ARN, **given}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("text", "region", "principal"),
    [
        ("*", "us-east-1", "*"),
        ("222222222222", "us-east-1", {"AWS": "arn:aws:iam::222222222222:root"}),
        ("222222222222", "cn-north-1", {"AWS": "arn:aws-cn:iam::222222222222:root"}),
        (
            "arn:aws:iam::222222222222:role/path/r",
            "us-east-1",
            {"AWS": "arn:aws:iam::222222222222:role/path/r"},
        ),
        ("events.amazonaws.com", "us-east-1", {"Service": "events.amazonaws.com"}),
        ("alexa-appkit.amazon.com", "us-east-1", {"Service": "alexa-appkit.amazon.com"}),
        ("logs.us-east-1.amazonaws.com", "us-east-1", {"Service": "logs.us-east-1.amazonaws.com"}),
    ],
)
def test_principals(text: str, region: str, principal: Any) -> None:
    """For each kind of principal, the form that AWS writes it in."""
    assert principal_of(text, region) == principal


@pytest.mark.parametrize(
    "text", ["", "s3", "amazonaws.com", "s3.amazonaws.com.evil.org", "2222", "arn:aws:s3:::b", "**"]
)
def test_what_is_no_principal(text: str) -> None:
    """For what is neither a service, an account, an identity nor everyone: AWS's refusal."""
    with pytest.raises(Refusal, match=INVALID_PRINCIPAL):
        principal_of(text, "us-east-1")


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "text",
        {},
        {"Statement": []},
        {"Statement": [statement()], "Other": 1},
        {"Version": "2020-01-01", "Statement": [statement()]},
        {"Id": 1, "Statement": [statement()]},
        document("text"),
        document(statement(Other=1)),
        document(statement(Effect="Maybe")),
        document(statement(Sid="")),
        document(statement(Sid=1)),
        document(statement(Sid="a"), statement(Sid="a")),
        document(statement(Principal={})),
        document(statement(Principal="s3.amazonaws.com")),
        document(statement(Principal={"Service": "s3"})),
        document(statement(Principal={"AWS": 1})),
        document(statement(NotPrincipal="*")),
        document(statement(Action="s3:GetObject")),
        document(statement(Action=[])),
        document(statement(Resource="*:other")),
        document(statement(Resource=f"{ARN}:1")),
        document(statement(Condition=[])),
        document(statement(Condition={"StringEquals": "x"})),
        document(statement(Condition={"StringEquals": {"k": {}}})),
        document(statement(Condition={"NumericEquals": {"k": 1 << 60}})),
    ],
)
def test_what_is_no_policy(broken: Any) -> None:
    """For every document that IAM's grammar does not know: it is refused."""
    with pytest.raises(Refusal) as refused:
        checked_document(broken, ARN)
    assert refused.value.code == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("given", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["222222222222", "*"]}}, True),
        ({"Principal": "*", "Effect": "Deny"}, False),
        ({"Principal": {"AWS": "222222222222"}}, False),
        ({}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}, False),
        ({"Principal": "*", "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::*"}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:username}"}}}, True),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceAccount": "222222222222"}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}, True),
    ],
)
def test_documents_that_let_everyone_in(given: dict[str, Any], public: bool) -> None:
    """For each statement: it grants public access, unless a condition narrows everyone to fixed values."""
    checked = checked_document(document(statement(**given)), ARN)
    assert grants_public_access(checked["Statement"]) is public


def test_everyone_but_is_public() -> None:
    """Given a statement that allows everyone but some, then it grants public access."""
    everyone_but = {key: value for key, value in statement().items() if key != "Principal"}
    assert grants_public_access([{**everyone_but, "NotPrincipal": {"AWS": "222222222222"}}])


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Principal", "Action", "Resource", "Condition", "x"]), children
        )
    ),
    max_leaves=12,
)


@given(tree=TREES, member=st.sampled_from(["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]))
def test_any_json_is_a_policy_or_refused(tree: Any, member: str) -> None:
    """For every JSON document, whole or in a statement's member: it is checked or refused, and nothing else."""
    for whole in (tree, document(statement(**{member: tree}))):
        with suppress(Refusal):
            assert json.loads(json.dumps(checked_document(whole, ARN)))["Statement"]


@given(
    pattern=st.text("ab*?", max_size=8),
    text=st.text("ab", max_size=8),
)
def test_patterns_match_as_wildcards_do(pattern: str, text: str) -> None:
    """For every pattern: it matches a resource exactly when the same pattern with regular wildcards does."""
    expected = re.fullmatch(pattern.replace("*", ".*").replace("?", "."), text) is not None
    resource = f"{ARN}{text}"
    try:
        checked_document(document(statement(Resource=f"{ARN}{pattern}")), resource)
    except Refusal:
        assert not expected
    else:
        assert expected


def test_the_limit_is_awss() -> None:
    """The limit of a policy is 20 KB, the largest document that PutResourcePolicy takes."""
    assert LIMIT == 20 * 1024
