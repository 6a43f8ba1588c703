"""Relambda's own routes: health, runtimes, packages, snapshots; the last are not for functions and web pages."""

import hmac
import json
import logging
from datetime import UTC, datetime
from typing import Any

import falcon

from relambda.actors.domain.names import LATEST, Scope, function_name
from relambda.actors.domain.runtimes import deprecated_on, supported_on
from relambda.actors.environments.debugging import DebugTarget
from relambda.api.cloud import Cloud, ImportConflictError
from relambda.api.code_location import CODE_PATH, sign
from relambda.api.launching import description
from relambda.api.network.doorkeeper import Doorkeeper, Visit
from relambda.api.settings.option import Listen
from relambda.snapshots.errors import PodRefusedError
from relambda.store.errors import BlobNotFoundError

_log = logging.getLogger(__name__)


def add_control_routes(app: "falcon.App[Any, Any]", cloud: Cloud, doorkeeper: Doorkeeper) -> None:
    """Put Relambda's own routes before the sink."""
    health, guard = Health(cloud), Guard(doorkeeper, cloud)
    app.add_route("/_relambda/health", health)
    app.add_route("/_localstack/health", health)
    app.add_route("/_aws/lambda/runtimes", Runtimes(cloud))
    app.add_route("/_relambda/snapshot", Snapshot(cloud, guard))
    app.add_route("/_relambda/debugged", Debugged(cloud, guard))
    app.add_route(CODE_PATH + "/{sha256}/{name}", Package(cloud))


class Health:
    """Whether the cloud serves, and what it holds."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with LocalStack's form too: scripts look for `services`."""
        resp.media = self._cloud.health()

    def on_head(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer without a body."""
        resp.status = falcon.HTTP_200


class Runtimes:
    """The runtimes of functions, as LocalStack's users ask for them: `filter` is supported, deprecated or all."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer what AWS supports today, or what is asked for; several filters add up."""
        today = datetime.fromtimestamp(self._cloud.clock.now_ms() / 1000, UTC).date().isoformat()
        by_name = {"supported": supported_on(today), "deprecated": deprecated_on(today)}
        by_name["all"] = by_name["supported"] + by_name["deprecated"]
        asked = req.get_param_as_list("filter") or ["supported"]
        if unknown := sorted(set(asked) - by_name.keys()):
            raise falcon.HTTPBadRequest(description=f"filter is {', '.join(by_name)}, and not {', '.join(unknown)}.")
        resp.media = {"Runtimes": list(dict.fromkeys(name for filter_ in asked for name in by_name[filter_]))}


class Guard:
    """Refuses what the doorkeeper objects to."""

    def __init__(self, doorkeeper: Doorkeeper, cloud: Cloud) -> None:
        self._doorkeeper, self._cloud = doorkeeper, cloud

    def check(self, req: falcon.Request) -> None:
        """Raises HTTPStatus, a 403 with words that tell what to do."""
        local = Listen(*req.env["gunicorn.socket"].getsockname()[:2])
        visit = Visit(
            local,
            req.remote_addr,
            host=req.get_header("Host") or "",
            origin=req.get_header("Origin") or "",
            fetch_site=req.get_header("Sec-Fetch-Site") or "",
        )
        if objection := self._doorkeeper.objection(visit, self._cloud.sandbox_addresses):
            headers = {"Content-Type": falcon.MEDIA_JSON}
            raise falcon.HTTPStatus(falcon.HTTP_403, headers, json.dumps({"message": objection}))


class Debugged:
    """The functions that are debugged, and what an editor needs to attach to each."""

    def __init__(self, cloud: Cloud, guard: Guard) -> None:
        self._cloud, self._guard = cloud, guard

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer those that the configuration names, be they there or not."""
        self._guard.check(req)
        targets = self._cloud.debugging.targets()
        resp.media = [self._describe(arn, target) for arn, target in targets.items()]

    def _describe(self, arn: str, target: DebugTarget) -> dict[str, Any]:
        _, _, _, region, account, _, name, *qualifier = arn.split(":")
        function = function_name(Scope(account, region), name)
        return description(arn, target, self._cloud.views.version(function, qualifier[0] if qualifier else LATEST))


class Package:
    """A stored zip, for who has its signed address."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def on_get(self, req: falcon.Request, resp: falcon.Response, sha256: str, name: str) -> None:
        """Stream the blob."""
        if not hmac.compare_digest(sign(self._cloud.secret, sha256), req.get_param("signature") or ""):
            raise falcon.HTTPForbidden(description="The signature of this address is not valid.")
        try:
            stream, size = self._cloud.blobs.open(sha256), self._cloud.blobs.size(sha256)
        except BlobNotFoundError as error:
            raise falcon.HTTPNotFound(description=str(error)) from None
        resp.content_type = "application/zip"
        resp.downloadable_as = name
        resp.set_stream(stream, size)


class Snapshot:
    """The whole cloud as one file: out and in."""

    def __init__(self, cloud: Cloud, guard: Guard) -> None:
        self._cloud, self._guard = cloud, guard

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Stream a pod."""
        self._guard.check(req)
        plan = self._cloud.export()
        resp.content_type = "application/octet-stream"
        resp.set_stream(plan.chunks(), plan.size)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take a pod in the place of all there is; nothing changes unless all of it is sound."""
        self._guard.check(req)
        try:
            loaded = self._cloud.import_(req.bounded_stream, replace=req.get_param_as_bool("replace") or False)
        except ImportConflictError as error:
            resp.status, resp.media = falcon.HTTP_409, {"message": str(error)}
        except PodRefusedError as error:
            resp.status, resp.media = falcon.HTTP_400, {"message": str(error)}
        else:
            resp.text = json.dumps(loaded)
            resp.content_type = falcon.MEDIA_JSON
