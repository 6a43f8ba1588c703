"""Lists whose rows are answers already: they are put together, not read and written again."""

from typing import Any

import msgspec

from relambda.api.call import Call
from relambda.api.paging import page
from relambda.api.wire.response import Response


def list_documents(call: Call, table: str, prefix: str, member: str) -> Response:
    """A page of a view's JSON documents, under the output's `member`, with NextMarker when there are more."""
    items, marker = page(call.cloud.store, table, prefix, call.given, msgspec.Raw)
    body: dict[str, Any] = {member: items}
    if marker:
        body["NextMarker"] = marker
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": call.request_id}
    return Response(200, headers, msgspec.json.encode(body))
