"""Images of the Docker engine: which are present, and pulls that callers share."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from docker import APIClient
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import ReadTimeout, RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from relambda.actors.engine.client import FoundEngine
from relambda.actors.engine.contract import (
    EngineError,
    ImageAccessDeniedError,
    ImageNotFoundError,
    ImageUnavailableError,
)
from relambda.actors.engine.platform import LAMBDA_NAMES, image_architecture, platform
from relambda.actors.images.recipe import hash_of
from relambda.actors.images.runtime_images import LOCAL, is_local, runtime_of

_PULL_SECONDS = 1800
_SILENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says of how to run it."""

    id: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    resolved: str
    """Its name with the digest that its registry has for it; "" when none has it."""
    architecture: str = ""
    """As the image tells it; "" when it does not."""


@dataclass(slots=True)
class _Pull:
    """A pull under way, and who wants to hear of it."""

    done: "Future[None]" = field(default_factory=Future)
    listeners: list[Callable[[str], None]] = field(default_factory=list)


class ImageShelf:
    """The engine's images by name. Any thread may ask."""

    def __init__(self, engine: FoundEngine, client: APIClient, *, offline: bool = False) -> None:
        self._engine, self._client, self._offline = engine, client, offline
        self._lock = threading.Lock()
        self._configs: dict[str, ImageConfig] = {}
        self._pulls: dict[tuple[str, str], _Pull] = {}

    def ensure(self, candidates: Sequence[str], on_progress: Callable[[str], None], architecture: str = "") -> str:
        """As `Engine.ensure_image`. Raises ImageUnavailableError."""
        for name in (*candidates, *(_kept(name, architecture) for name in candidates)):
            if _runs(self._look(name), architecture):
                return name
        failures: list[str] = []
        kind = ImageUnavailableError
        for name in candidates:
            if is_local(name) or self._offline:
                why = "is built on this machine only, never pulled" if is_local(name) else "not pulled: offline"
                failures.append(f"{name}: {why}")
                continue
            try:
                self._pull_shared(name, on_progress, architecture)
            except ImageUnavailableError as error:
                failures.append(f"{name}: {error}")
                kind = type(error) if len(candidates) == 1 else kind
            else:
                return name
        raise kind(_unavailable(candidates, failures))

    def present(self, name: str) -> bool:
        """Whether the engine has an image of this name now. Raises EngineError."""
        return self._look(name) is not None

    def config(self, name: str) -> ImageConfig:
        """How to run an image, as of when it was last made sure of. Raises ImageUnavailableError when not present."""
        config = self._configs.get(name) or self._look(name)
        if config is None:
            raise ImageUnavailableError(_unavailable([name], ["it is not present in the engine"]))
        return config

    def _look(self, name: str) -> ImageConfig | None:
        try:
            image = self._client.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            self._configs.pop(name, None)
            return None
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell whether the image {name} is present: {error}") from error
        config = image["Config"] or {}
        entrypoint, command = tuple(config.get("Entrypoint") or ()), tuple(config.get("Cmd") or ())
        resolved, architecture = _resolved(name, image.get("RepoDigests") or ()), image.get("Architecture") or ""
        found = ImageConfig(image["Id"], entrypoint, command, resolved, architecture)
        self._configs[name] = found
        return found

    def _pull_shared(self, name: str, on_progress: Callable[[str], None], architecture: str) -> None:
        """Pull, or wait for the pull that is under way."""
        with self._lock:
            pull = self._pulls.get((name, architecture))
            mine = pull is None
            if pull is None:
                pull = self._pulls[name, architecture] = _Pull()
            pull.listeners.append(on_progress)
        if mine:
            self._lead(name, pull, architecture)
        try:
            pull.done.result(_PULL_SECONDS)
        except TimeoutError:
            raise ImageUnavailableError(f"not pulled after {_PULL_SECONDS} s") from None

    def _lead(self, name: str, pull: _Pull, architecture: str) -> None:
        """Pull on this thread for all that wait; a failure is theirs too.

        Looks again first: a pull that ended since the caller looked has brought it.
        """
        try:
            if not _runs(self._look(name), architecture):
                self._pull(name, lambda line: _report(pull, line), architecture)
            pull.done.set_result(None)
        except (ReadTimeout, ReadTimeoutError):
            silent = f"nothing was heard of the pull for {_SILENCE_SECONDS} s"
            pull.done.set_exception(ImageUnavailableError(silent))
        except (DockerException, RequestException, HTTPError, EngineError) as error:
            pull.done.set_exception(_refusal(str(error)))
        except BaseException as error:
            pull.done.set_exception(ImageUnavailableError(f"the pull was broken off: {error!r}"))
            raise
        finally:
            with self._lock:
                del self._pulls[name, architecture]

    def _pull(self, name: str, report: Callable[[str], None], architecture: str) -> None:
        until = time.monotonic() + _PULL_SECONDS
        report(f"pulling {name}")
        self._keep(name)
        with self._engine.client(_SILENCE_SECONDS, pool=1) as client:
            for line in _progress(client.pull(name, stream=True, decode=True, platform=platform(architecture))):
                report(f"pulling {name}: {line}")
                if time.monotonic() > until:
                    raise ImageUnavailableError(f"not pulled after {_PULL_SECONDS} s")
        if not _runs(self._look(name), architecture):
            raise ImageUnavailableError(f"the engine pulled it, and does not have it for {architecture or 'itself'}")
        report(f"pulled {name}")

    def _keep(self, name: str) -> None:
        """Under an engine's name there is one architecture's image: that of another one gets a name here besides."""
        image = self._look(name)
        if image is not None and image.architecture in LAMBDA_NAMES:
            for lost in {name, image.resolved or name}:
                repository, _, tag = _kept(lost, LAMBDA_NAMES[image.architecture]).partition(":")
                self._client.tag(image.id, repository, tag, force=True)


def _kept(name: str, architecture: str) -> str:
    """What an image is called here while its own name is that of another architecture's."""
    return f"{LOCAL}/kept:{hash_of(name)}-{architecture or 'any'}"


def _runs(image: ImageConfig | None, architecture: str) -> bool:
    """Whether an image is there, and is for an architecture of Lambda's."""
    return image is not None and (not architecture or image.architecture in {"", image_architecture(architecture)})


def _resolved(name: str, digests: Sequence[str]) -> str:
    """Of all names with a digest that an image has, the one of the registry and repository that were asked for."""
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    return next((digest for digest in digests if digest.partition("@")[0] == repository), "")


def _refusal(said: str) -> ImageUnavailableError:
    """Why a registry gave no image: engines tell the registry's own words only (Docker's distribution API)."""
    lower = said.lower()
    if any(word in lower for word in ("denied", "unauthorized", "no basic auth credentials")):
        return ImageAccessDeniedError(said)
    if any(word in lower for word in ("manifest unknown", "name unknown", "not found")):
        return ImageNotFoundError(said)
    return ImageUnavailableError(said)


def _report(pull: _Pull, line: str) -> None:
    for listener in tuple(pull.listeners):
        listener(line)


def _progress(events: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """A line whenever another tenth of all layers known so far is there. Raises ImageUnavailableError."""
    layers: dict[str, tuple[int, int]] = {}
    told = 0
    for event in events:
        if "error" in event:
            raise ImageUnavailableError(str(event["error"]))
        detail = event.get("progressDetail") or {}
        if event.get("status") == "Downloading" and detail.get("total"):
            layers[event["id"]] = (int(detail["current"]), int(detail["total"]))
        total = sum(of for _, of in layers.values())
        tenth = 10 * sum(got for got, _ in layers.values()) // total if total else 0
        if tenth > told:
            told = tenth
            yield f"{10 * tenth} % of {total / 1e6:.0f} MB"


def _unavailable(candidates: Sequence[str], failures: Sequence[str]) -> str:
    runtime = next((known for name in candidates if (known := runtime_of(name))), None)
    mend = f"run `relambda images build {runtime}`, or give" if runtime else "pull or build it, or give"
    return (
        f"no image is present for {' or '.join(candidates)}, and none could be pulled ({'; '.join(failures)}): "
        f"{mend} the engine a network on which the image's registry answers"
    )
