"""Functions compiled from shapes, each at its first use and once."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar, cast

from relambda.api.wire.model import Shape

F = TypeVar("F", bound=Callable[..., Any])


class ByShape(Generic[F]):
    """Compiled functions, one a shape. May be called from any thread.

    `build` makes the function of a shape and may ask for the functions of the shapes within it; a shape that holds
    itself meets a forwarding function on its second visit.
    """

    def __init__(self, build: Callable[[Shape], F]) -> None:
        self._build = build
        self._done: dict[Shape, F] = {}
        self._begun: set[Shape] = set()
        self._lock = RLock()

    def __call__(self, shape: Shape) -> F:
        """The function of `shape`."""
        found = self._done.get(shape)
        return found if found is not None else self._compile(shape)

    def _compile(self, shape: Shape) -> F:
        with self._lock:
            if shape in self._done:
                return self._done[shape]
            if shape in self._begun:
                return cast("F", self._later(shape))
            self._begun.add(shape)
            try:
                made = self._done[shape] = self._build(shape)
            finally:
                self._begun.discard(shape)
            return made

    def _later(self, shape: Shape) -> Callable[..., Any]:
        def forward(*given: Any) -> Any:
            return self._done[shape](*given)

        return forward
