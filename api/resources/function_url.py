"""Function URLs: create, update, get, list, delete."""

import secrets
import threading
from typing import Any

from relambda.actors import codec
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.function_url import (
    SETTINGS,
    CreateFunctionUrl,
    DeleteFunctionUrl,
    UpdateFunctionUrl,
    no_url,
    url_id,
)
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import Refusal, conflict, not_found
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.function_url_host import function_url
from relambda.api.paging import page

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_in_a_row = threading.Lock()
"""Ids are unique in a region: they are checked and taken one after the other."""
WAIT_SECONDS = 30.0


def _qualified(call: Call) -> tuple[ResourceName, str]:
    function, qualifier = call.function()
    return function, qualifier or LATEST


def _settings(call: Call) -> dict[str, Any]:
    return {member: call.given[member] for member in SETTINGS if call.given.get(member) is not None}


def _shown(call: Call, function: ResourceName, config: Json) -> dict[str, Any]:
    qualifier = None if config["Qualifier"] == LATEST else config["Qualifier"]
    shown = {member: value for member, value in config.items() if member not in {"Qualifier", "UrlId"}}
    url = function_url(call.base_url, config["UrlId"], function.region)
    return {"FunctionUrl": url, "FunctionArn": function.arn(qualifier), **shown}


@operation("CreateFunctionUrlConfig")
def create_function_url_config(call: Call) -> Output:
    """Answers InvokeMode only when it was given, and no LastModifiedTime (TRAPS.md row 14)."""
    function, qualifier = _qualified(call)
    if not _in_a_row.acquire(timeout=WAIT_SECONDS):
        raise Refusal("ServiceException", f"Other new URLs took more than {WAIT_SECONDS:.0f} s; try again.")
    try:
        command = CreateFunctionUrl(
            resource=function,
            at_ms=call.now_ms(),
            qualifier=qualifier,
            url_id=_free_id(call, function, qualifier),
            settings=_settings(call),
        )
        state: FunctionState = call.cloud.ask(command)
    finally:
        _in_a_row.release()
    shown = _shown(call, function, state.urls[qualifier])
    return _as_given(call, {member: value for member, value in shown.items() if member != "LastModifiedTime"})


def _free_id(call: Call, function: ResourceName, qualifier: str) -> str:
    """The id to use, which nobody else has. Raises Refusal."""
    head = call.cloud.views.head(function)
    if head is None:
        raise not_found("Function does not exist")
    chosen = url_id(head, qualifier, "".join(secrets.choice(_ALPHABET) for _ in range(32)))
    owner = call.cloud.views.document("url_ids", f"{function.region}/{chosen}")
    if owner is not None and owner != {"Function": function.stream, "Qualifier": qualifier}:
        raise conflict(f"The function URL id '{chosen}' is in use in this region already; choose another _custom_id_.")
    return chosen


def _as_given(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    """Create and Update tell the invoke mode only to those who gave it."""
    if call.given.get("InvokeMode") is None:
        del shown["InvokeMode"]
    return shown


@operation("UpdateFunctionUrlConfig")
def update_function_url_config(call: Call) -> Output:
    """Members that are given; the others stay."""
    function, qualifier = _qualified(call)
    command = UpdateFunctionUrl(resource=function, at_ms=call.now_ms(), qualifier=qualifier, settings=_settings(call))
    state: FunctionState = call.cloud.ask(command)
    return _as_given(call, _shown(call, function, state.urls[qualifier]))


@operation("GetFunctionUrlConfig")
def get_function_url_config(call: Call) -> Output:
    """The URL of the function, or of an alias."""
    function, qualifier = _qualified(call)
    config = call.cloud.views.document("urls", function.row_key(qualifier))
    if config is None:
        raise no_url()
    return _shown(call, function, config)


@operation("ListFunctionUrlConfigs")
def list_function_url_configs(call: Call) -> Output:
    """All URLs of a function: its own, then its aliases'."""
    function, _ = call.function()
    if call.cloud.views.head(function) is None:
        raise not_found("Function does not exist")
    configs, marker = page(call.cloud.store, "urls", function.row_key(""), call.given, codec.document)
    return {"FunctionUrlConfigs": [_shown(call, function, config) for config in configs], "NextMarker": marker}


@operation("DeleteFunctionUrlConfig")
def delete_function_url_config(call: Call) -> Output:
    """One URL; those of other qualifiers stay."""
    function, qualifier = _qualified(call)
    call.cloud.ask(DeleteFunctionUrl(resource=function, at_ms=call.now_ms(), qualifier=qualifier))
    return None
