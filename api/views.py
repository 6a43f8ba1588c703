"""Reads: rows of views as the domain's own types. Reads never ask an actor, and see all that was acknowledged."""

from collections.abc import Iterator
from typing import TypeVar

from relambda.actors import codec
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.layers import LayerVersion
from relambda.actors.domain.names import LATEST, ResourceName, Scope
from relambda.actors.domain.refusals import not_found
from relambda.actors.domain.state import Head, version_key
from relambda.actors.domain.version import Version
from relambda.store.interface import Store

T = TypeVar("T")


class Views:
    """Reads of one cloud's views. Any thread."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def head(self, function: ResourceName) -> Head | None:
        """What belongs to the function as a whole, None when there is no such function."""
        return self.row(Head, "functions", function.key)

    def version(self, function: ResourceName, number: str) -> Version | None:
        """$LATEST or a published version."""
        return self.row(Version, "versions", function.row_key(version_key(number)))

    def alias(self, function: ResourceName, name: str) -> Json | None:
        """An alias."""
        return self.document("aliases", function.row_key(name))

    def qualified(self, function: ResourceName, qualifier: str | None) -> Version:
        """The version that a qualifier means, an alias being followed. Raises Refusal."""
        number = qualifier or LATEST
        version = self.version(function, number)
        if version is None and (alias := self.alias(function, number)) is not None:
            version = self.version(function, alias["FunctionVersion"])
        if version is None:
            raise not_found(f"Function not found: {function.arn(qualifier)}")
        return version

    def row(self, cls: type[T], table: str, key: str) -> T | None:
        """One row that holds a dataclass."""
        value = self.store.row(table, key)
        return None if value is None else codec.from_row(cls, value)

    def document(self, table: str, key: str) -> Json | None:
        """One row that holds a document."""
        value = self.store.row(table, key)
        return None if value is None else codec.document(value)

    def usage(self, scope: Scope) -> tuple[int, int]:
        """Reserved concurrency of a scope, and bytes of its code and layers."""
        heads = (codec.from_row(Head, value) for _, value in self.scan("functions", scope.prefix))
        versions = (codec.from_row(Version, value) for _, value in self.scan("versions", scope.prefix))
        layers = (codec.from_row(LayerVersion, value) for _, value in self.scan("layer_versions", scope.prefix))
        size = sum(each.code.size for each in versions) + sum(each.size for each in layers)
        return sum(head.reserved_concurrency or 0 for head in heads), size

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        """All rows under a prefix, in order, some at a time."""
        after = ""
        while rows := self.store.rows(table, prefix, after, 1000):
            yield from rows
            after = rows[-1][0]

    def count(self, table: str, scope: Scope) -> int:
        """How many rows of a table a scope has."""
        return self.store.count(table, scope.prefix)
