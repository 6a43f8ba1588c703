"""Fetches code from S3, at the endpoint that the user names."""

from typing import Any

from relambda.actors.domain.refusals import Refusal, invalid
from relambda.api.wire.signature import Caller

_CHUNK = 1024 * 1024
_TIMEOUT = 30


def fetch(endpoint_url: str, caller: Caller, given: dict[str, Any], limit: int) -> bytes:
    """The object that S3Bucket, S3Key and S3ObjectVersion name, `limit` bytes at most. Raises Refusal.

    The errors are AWS's own words (error_messages_observed.tsv, "Error occurred while GetObject").
    """
    import boto3  # noqa: PLC0415 - costs 30 MB, and few clouds need it
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    if not endpoint_url:
        raise invalid("Code in S3 needs an S3 endpoint: set AWS_ENDPOINT_URL_S3 and start the cloud again.")
    client = boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=caller.region,
        aws_access_key_id=caller.access_key or caller.account,
        aws_secret_access_key="relambda",  # noqa: S106 - the endpoint is a local one
        config=Config(connect_timeout=5, read_timeout=_TIMEOUT, s3={"addressing_style": "path"}),
    )
    which = {"Bucket": given["S3Bucket"], "Key": given["S3Key"]}
    if given.get("S3ObjectVersion"):
        which["VersionId"] = given["S3ObjectVersion"]
    try:
        answer = client.get_object(**which)
        return _read(answer["Body"], limit)
    except ClientError as error:
        said = error.response["Error"]
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {said['Code']}. S3 Error Message: {said['Message']}"
        ) from None
    except BotoCoreError as error:
        raise Refusal("ServiceException", f"S3 at {endpoint_url} does not answer: {error}") from None
    finally:
        client.close()


def _read(body: Any, limit: int) -> bytes:
    data: bytes = body.read(limit + 1)
    if len(data) > limit:
        raise invalid(f"Unzipped size must be smaller than {limit} bytes")
    return data
