"""Versions: publish, list. A version is deleted by DeleteFunction."""

from relambda.actors.domain.description import describe
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.publishing import PublishVersion, publication
from relambda.actors.domain.refusals import not_found
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.listing import list_documents
from relambda.api.references import referring


@operation("PublishVersion")
def publish_version(call: Call) -> Output:
    """Answers the new version, or the last one when nothing has changed since (TRAPS.md row 10)."""
    function, given = call.function()[0], call.given
    command = PublishVersion(
        resource=function,
        at_ms=call.now_ms(),
        revision_id=call.cloud.new_id(),
        code_sha256=given.get("CodeSha256"),
        description=given.get("Description"),
        expected_revision_id=given.get("RevisionId"),
        to_latest_published=given.get("PublishTo") == "LATEST_PUBLISHED",
    )
    latest = call.cloud.views.version(function, LATEST)
    if latest is not None:
        call.cloud.code_storage.admit(call.scope, latest.code.size)
    with referring(call, latest.config if latest else {}):
        state: FunctionState = call.cloud.ask(command)
    version = publication(state, to_latest_published=command.to_latest_published)
    assert version is not None
    return describe(function, version, qualified=True)


@operation("ListVersionsByFunction")
def list_versions_by_function(call: Call) -> Output:
    """$LATEST first, then by number; each with its version in the ARN (TRAPS.md row 9)."""
    function, _ = call.function()
    if call.cloud.views.head(function) is None:
        raise not_found(f"Function not found: {function.arn()}")
    return list_documents(call, "version_listing", function.row_key(""), "Versions")
