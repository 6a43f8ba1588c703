"""Callers and the function names they give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.names import function_arn, partition_of, resolve_function, split_function_name
from relambda.api.wire.signature import Caller, caller_of

CALLER = Caller(account="111111111111", region="eu-west-1")
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-_]{0,63}", fullmatch=True).filter(lambda name: name != "function")
QUALIFIERS = st.none() | st.just("$LATEST") | st.from_regex(r"[a-zA-Z0-9-_]{1,20}", fullmatch=True)


@given(name=NAMES, qualifier=QUALIFIERS)
def test_each_form_of_a_name_means_the_same_function(name: str, qualifier: str | None) -> None:
    """A bare name, a partial ARN and a whole ARN resolve alike."""
    suffix = f":{qualifier}" if qualifier else ""
    forms = [name + suffix, f"111111111111:function:{name}{suffix}", f"function:{name}{suffix}"]
    forms.append(function_arn("eu-west-1", "111111111111", name, qualifier))

    references = {resolve_function(form, CALLER) for form in forms}

    assert len(references) == 1
    reference = references.pop()
    assert (reference.name, reference.qualifier) == (name, qualifier)
    assert reference.arn(qualifier) == forms[-1]


def test_another_region_is_out_of_reach() -> None:
    """AWS answers 404 and names both regions."""
    with pytest.raises(ServiceError) as refused:
        resolve_function("arn:aws:lambda:us-east-1:111111111111:function:f", CALLER)

    assert refused.value.code == "ResourceNotFoundException"
    assert refused.value.message == "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"


def test_another_account_is_denied() -> None:
    """AWS answers 403 without a word."""
    with pytest.raises(ServiceError) as refused:
        resolve_function("222222222222:function:f", CALLER)

    assert (refused.value.code, refused.value.message) == ("AccessDeniedException", None)


def test_two_qualifiers_must_agree() -> None:
    """The same qualifier twice is fine, two are not."""
    assert resolve_function("f:1", CALLER, "1").qualifier == "1"
    assert resolve_function("f", CALLER, "1").qualifier == "1"
    with pytest.raises(ServiceError) as refused:
        resolve_function("f:1", CALLER, "2")

    assert refused.value.message == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


@pytest.mark.parametrize("text", ["", "a b", "arn:aws:s3:::bucket", "f:1:2", "f\n"])
def test_what_is_no_name_is_refused(text: str) -> None:
    """A text in none of the forms has no parts."""
    assert split_function_name(text) is None
    with pytest.raises(ServiceError):
        resolve_function(text, CALLER)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partitions_follow_from_regions(region: str, partition: str) -> None:
    """Each region's ARNs carry its partition."""
    assert partition_of(region) == partition


def test_a_signature_names_account_and_region() -> None:
    """Twelve digits as an access key are the account."""
    caller = caller_of(
        "AWS4-HMAC-SHA256 Credential=111111111111/20260102/eu-west-1/lambda/aws4_request, SignedHeaders=host", {}
    )

    assert caller == Caller("111111111111", "eu-west-1", "lambda", "111111111111")


def test_a_presigned_url_names_them_in_its_query() -> None:
    """X-Amz-Credential is as good as the header; another access key is the default account."""
    caller = caller_of(None, {"X-Amz-Credential": ["AKIAX/20260102/eu-west-1/logs/aws4_request"]})

    assert caller == Caller("000000000000", "eu-west-1", "logs", "AKIAX")


@pytest.mark.parametrize("header", [None, "", "Bearer x", "Credential=", "AWS4 Credential=a/b", "Credential=/////"])
def test_no_signature_is_the_default_caller(header: str | None) -> None:
    """A request without a usable scope is the default account's in us-east-1."""
    caller = caller_of(header, {})

    assert (caller.account, caller.region) == ("000000000000", "us-east-1")


@given(header=st.text(), field=st.text())
def test_any_header_gives_some_caller(header: str, field: str) -> None:
    """No header is an error here, and nothing but a plausible region gets through."""
    caller = caller_of("Credential=" + header, {"X-Amz-Credential": [field]})

    assert len(caller.account) == 12
    assert caller.region.replace("-", "").isalnum()
