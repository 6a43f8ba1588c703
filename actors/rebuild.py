"""Views made anew from the log: after an import, and when a release makes other rows."""

from collections.abc import Iterator

from relambda.actors import codec
from relambda.actors.domain.names import ResourceName
from relambda.actors.kinds import DECIDERS
from relambda.store.interface import Store
from relambda.store.records import Row


def rebuild_views(store: Store) -> bool:
    """Fold every stream and write its rows, unless the views are this release's own; whether it did."""
    tag = codec.views_tag()
    if store.views_tag() == tag:
        return False
    store.replace_views(tag, _rows(store))
    return True


def _rows(store: Store) -> Iterator[Row]:
    for stream in store.streams():
        resource = ResourceName.of_stream(stream)
        decider = DECIDERS[resource.kind]
        events = (codec.from_record(record) for record in store.read_stream(stream))
        state = decider.fold(decider.initial, events)
        yield from codec.to_rows(decider.rows(resource, decider.initial, state))
