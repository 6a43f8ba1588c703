"""Pages of a list: a marker that names the last item seen, so that it survives change behind and before it."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, TypeVar

from relambda.actors.domain.refusals import invalid
from relambda.store.interface import Store

T = TypeVar("T")


def marker_of(key: str) -> str:
    """The marker behind which the list goes on."""
    return urlsafe_b64encode(key.encode()).decode()


def key_of(marker: str | None) -> str:
    """The key in a marker; "" for none. Raises Refusal: InvalidParameterValueException."""
    if not marker:
        return ""
    try:
        return b64decode(marker, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("The pagination marker is not valid.") from None


def page(
    store: Store,
    table: str,
    prefix: str,
    given: dict[str, Any],
    decode: Callable[[bytes], T | None],
    most: int = 50,
) -> tuple[list[T], str | None]:
    """Up to MaxItems (at most `most`) rows behind the request's Marker, and the next marker when there are more.

    `decode` turns a row into an item, or None to leave it out (it does not count).
    """
    wanted = min(given.get("MaxItems") or most, most)
    after, found = key_of(given.get("Marker")), list[tuple[str, T]]()
    while len(found) <= wanted:
        rows = store.rows(table, prefix, after, wanted + 1)
        found.extend((key, item) for key, value in rows if (item := decode(value)) is not None)
        if len(rows) <= wanted:
            break
        after = rows[-1][0]
    more = len(found) > wanted
    items = found[:wanted]
    return [item for _, item in items], marker_of(items[-1][0]) if more and items else None
