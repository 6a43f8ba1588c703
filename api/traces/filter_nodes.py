"""What a filter expression says, as a tree; `str` of a node is an expression that says the same."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Value: TypeAlias = bool | float | str
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "CONTAINS", "BEGINSWITH", "ENDSWITH"]
Kind: TypeAlias = Literal["fault", "error"]
Level: TypeAlias = Literal["service", "entity", "exception"]


@dataclass(frozen=True, slots=True)
class Keyword:
    """A field to look at, in lower case; an annotation's has the annotation's key too."""

    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.name}[{self.key}]" if self.key else self.name


@dataclass(frozen=True, slots=True)
class Holds:
    """A keyword by itself: it is set, and true if it is one of those that are true or false."""

    keyword: Keyword

    def __str__(self) -> str:
        return str(self.keyword)


@dataclass(frozen=True, slots=True)
class Compares:
    """A keyword, an operator and a value."""

    keyword: Keyword
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.keyword} {self.operator} {_written(self.value)}"


@dataclass(frozen=True, slots=True)
class ServiceId:
    """Which services are meant; a part that is "" means any."""

    name: str = ""
    type: str = ""
    account: str = ""

    def __str__(self) -> str:
        named = (("name", self.name), ("type", self.type), ("account.id", self.account))
        return f"id({', '.join(f'{label}: {_written(value)}' for label, value in named if value)})"


@dataclass(frozen=True, slots=True)
class OnService:
    """A service of the trace; what it served must fit the filter."""

    id: ServiceId | None
    filter: "Node | None" = None

    def __str__(self) -> str:
        return f"service({self.id or ''}){_braced(self.filter)}"


@dataclass(frozen=True, slots=True)
class OnEdge:
    """A service that called another; what that served then must fit the filter."""

    source: ServiceId
    destination: ServiceId
    filter: "Node | None" = None

    def __str__(self) -> str:
        return f"edge({self.source}, {self.destination}){_braced(self.filter)}"


@dataclass(frozen=True, slots=True)
class OnCause:
    """A service, an entity or an exception on the way to the root of a fault or an error."""

    kind: Kind
    level: Level
    filter: "Node | None" = None

    def __str__(self) -> str:
        return f"rootcause.{self.kind}.{self.level}{_braced(self.filter)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: "Node"
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + depth(self.inner))

    def __str__(self) -> str:
        return f"!({self.inner})"


@dataclass(frozen=True, slots=True)
class Joined:
    """Two nodes or more, of which all must hold, or one."""

    word: Literal["AND", "OR"]
    parts: tuple["Node", ...]
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max(map(depth, self.parts)))

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({each})" for each in self.parts)


Node: TypeAlias = Holds | Compares | OnService | OnEdge | OnCause | Not | Joined


def depth(node: Node) -> int:
    """How many nodes are within each other."""
    match node:
        case Not() | Joined():
            return node.depth
        case OnService() | OnEdge() | OnCause() if node.filter is not None:
            return 1 + depth(node.filter)
        case _:
            return 1


def _braced(inner: Node | None) -> str:
    return "" if inner is None else f" {{ {inner} }}"


def _written(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case _:
            return repr(value)
