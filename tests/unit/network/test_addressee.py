"""One port answers all services: which one a request is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.network.addressee import LAMBDA, addressee
from relambda.api.network.aws_hosts import is_aws_host, service_of_host

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260102/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
HERE = "127.0.0.1:4566"


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("lambda.us-east-1.amazonaws.com", "lambda"),
        ("lambda-fips.us-gov-west-1.amazonaws.com", "lambda"),
        ("lambda.eu-west-1.api.aws", "lambda"),
        ("lambda.cn-north-1.amazonaws.com.cn", "lambda"),
        ("vpce-0a1b-xyz.lambda.us-east-1.vpce.amazonaws.com", "lambda"),
        ("abc.lambda-url.us-east-1.on.aws", "lambda-url"),
        ("sts.amazonaws.com", "sts"),
        ("us-east-1.queue.amazonaws.com", "queue"),
        ("s3.amazonaws.com", "s3"),
        ("my.bucket.s3.eu-central-1.amazonaws.com", "s3"),
        ("bucket.s3-us-west-2.amazonaws.com", "s3"),
        ("bucket.s3.dualstack.us-west-2.amazonaws.com", "s3"),
        ("abc.execute-api.us-east-1.amazonaws.com", "execute-api"),
        ("amazonaws.com", ""),
    ],
)
def test_the_service_in_a_host_name(host: str, service: str) -> None:
    """Given a host of AWS's, then its service is found beside region, bucket and id."""
    assert is_aws_host(host)
    assert service_of_host(host) == service


@pytest.mark.parametrize("host", ["example.com", "notamazonaws.com", "amazonaws.com.example.org", "localhost", ""])
def test_other_hosts_are_nobodys(host: str) -> None:
    """Given a name outside AWS's domains, however alike, then it is no AWS host."""
    assert not is_aws_host(host)
    assert service_of_host(host) == ""


@pytest.mark.parametrize(
    ("authorization", "query", "host", "target", "service"),
    [
        ("", "", HERE, "", LAMBDA),
        (SIGNED.format("lambda"), "", HERE, "", LAMBDA),
        (SIGNED.format("sqs"), "", HERE, "", "sqs"),
        (SIGNED.format("sqs"), "", "lambda.us-east-1.amazonaws.com", "", "sqs"),
        (SIGNED.format("lambda"), "", "abc.lambda-url.us-east-1.on.aws", "", "lambda-url"),
        ("", "X-Amz-Credential=AKIA%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X=1", HERE, "", "s3"),
        ("", "", "bucket.s3.amazonaws.com:443", "", "s3"),
        ("", "", "LAMBDA.us-east-1.amazonaws.com", "", LAMBDA),
        ("", "", HERE, "AWSCognitoIdentityProviderService.InitiateAuth", "AWSCognitoIdentityProviderService"),
        ("", "", HERE, "Logs_20140328.DescribeLogGroups", "logs"),
        ("", "", "stream-localhost:4566", "Logs_20140328.StartLiveTail", "logs"),
        (SIGNED.format("logs"), "", "stream-logs.us-east-1.amazonaws.com", "Logs_20140328.StartLiveTail", "logs"),
        ("Bearer x", "", "[::1]:4566", "", LAMBDA),
    ],
)
def test_whom_a_request_is_for(authorization: str, query: str, host: str, target: str, service: str) -> None:
    """Given a request, then its signature tells, else AWS's host, else its target; Lambda when nothing does."""
    assert addressee(authorization, query, host, target) == service


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_that_is_sent_makes_it_fail(authorization: str, query: str, host: str, target: str) -> None:
    """Given any texts at all, then there is a service."""
    assert addressee(authorization, query, host, target)
