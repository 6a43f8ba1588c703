"""Getting a version ready to run: its image present, its package unpacked."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from relambda.actors.domain.configuration import Layer
from relambda.actors.domain.version import Code, Status, Version
from relambda.actors.engine import sandbox_user
from relambda.actors.engine.contract import Engine, EngineError, ImageAccessDeniedError, ImageNotFoundError, Mount
from relambda.actors.environments.trust import Trust
from relambda.actors.hot_reload.folder import HotFolderError, Roots
from relambda.actors.images.recent import RecentImages
from relambda.actors.packages.packages import Packages
from relambda.actors.packages.trees import needed_trees, parts_of
from relambda.store.blobs import Blobs

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a preparation ended: the state Failed with AWS's reason code, or None; an image's digest in its registry."""

    failure: Status | None = None
    resolved_image_uri: str = ""


Expect: TypeAlias = Callable[[str, str, list[Mount], int], None]


class Preparation:
    """A few threads that prepare versions, so that no actor waits for a pull. Any thread may ask."""

    def __init__(
        self,
        engine: Engine,
        candidates: Callable[[str], list[str]],
        packages: Packages,
        blobs: Blobs,
        roots: Roots,
        trust: Trust | None = None,
        expect: Expect = lambda _image, _architecture, _mounts, _memory_mb: None,
        *,
        ignore_architecture: bool = False,
        prebuild: bool = False,
        workers: int = 4,
    ) -> None:
        """All sandboxes see `trust`.

        `expect` hears of images that were made ready: their architecture, what their sandboxes see, memory in MB.
        When `prebuild`, an image is made per code and layers, and these are not mounted.
        """
        self._expect, self._ignore_architecture, self._prebuild = expect, ignore_architecture, prebuild
        self._engine, self._candidates, self._packages, self._blobs = engine, candidates, packages, blobs
        self._roots, self._recent = roots, RecentImages()
        passwd = Mount(packages.file("passwd", sandbox_user.PASSWD), "/etc/passwd")
        self._common = [passwd, trust.mount()] if trust else [passwd]
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="preparation")

    def begin(self, version: Version, done: Callable[[Outcome], None]) -> None:
        """Prepare a version in the background; `done` is called on a thread of the preparation."""
        self._workers.submit(lambda: done(self._prepare_held(version)))

    def stop(self) -> None:
        """Begin nothing more; what runs goes on to its own bound, and nobody waits for it."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _prepare_held(self, version: Version) -> Outcome:
        """Nobody removes what is unpacked here before it is whole, should the version have gone by then."""
        with self._packages.hold(needed_trees([version])):
            return self._prepare(version)

    def _prepare(self, version: Version) -> Outcome:
        try:
            image, mounts = self._recent_image(version), self.mounts(version)
            self._check_folders(version, image, mounts)
            if any(mount.fixed for mount in mounts):
                self._expect(image, self.architecture(version), mounts, version.config["MemorySize"])
            return Outcome(None, self._engine.resolved_image(image) if version.code.image_uri else "")
        except EngineError as error:
            _log.warning("a function cannot run: %s", error)
            return Outcome(_failed(error, version.code.image_uri))
        except HotFolderError as error:
            return Outcome(Status("Failed", str(error), "InvalidConfiguration"))
        except Exception as error:  # noqa: BLE001 - whatever it was, the function must not stay Pending
            _log.exception("preparing %s failed", version.code)
            return Outcome(Status("Failed", f"{type(error).__name__}: {error}", "InternalError"))

    def _check_folders(self, version: Version, image: str, mounts: Sequence[Mount]) -> None:
        """An engine elsewhere, or beside the container that the cloud is, need not see the folders that it sees."""
        try:
            if version.folders:
                self._engine.check_mounts(image, mounts)
        except EngineError as error:
            raise HotFolderError(f"The engine does not see {' and '.join(version.folders)}: {error}") from error

    def image(self, version: Version) -> str:
        """The image that runs a version, present from now on: one that was resolved stays. Raises EngineError."""
        code = version.code
        own = code.resolved_image_uri or code.image_uri
        candidates = [own] if own else self._candidates(version.config["Runtime"])
        mounts = self._own(version)
        image = self._engine.ensure_image(candidates, _log.info, self.architecture(version))
        return self._engine.bake(image, mounts) if self._bakes(mounts) else image

    def _recent_image(self, version: Version) -> str:
        """As `image`; a runtime's own that was there a moment ago need not be looked for again."""
        if version.code.image_uri or self._prebuild:
            return self.image(version)
        architecture = self.architecture(version)
        return self._recent.image(version.config["Runtime"], architecture, lambda: self.image(version))

    def architecture(self, version: Version) -> str:
        """What a version's image and container are for; "" for the engine's own machine."""
        return "" if self._ignore_architecture else str(version.config["Architectures"][0])

    def mounts(self, version: Version) -> list[Mount]:
        """What a runtime sees of the host: its user's name, certificates, code and layers, unpacked by now.

        Raises BlobNotFoundError, PackageError, HotFolderError, OSError.
        """
        own = self._own(version)
        return self._common if self._bakes(own) else [*self._common, *own]

    def _own(self, version: Version) -> list[Mount]:
        """The version's code and layers; none for an image's."""
        if version.code.image_uri:
            return []
        code = Mount(self._code(version.code), "/var/task", fixed=not version.code.mount)
        return [code, *self._layers(version.layers)]

    def _bakes(self, mounts: Sequence[Mount]) -> bool:
        return self._prebuild and bool(mounts) and all(mount.fixed for mount in mounts)

    def _code(self, code: Code) -> Path:
        return self._roots.admit(code.mount) if code.mount else self._unpacked(code.sha256)

    def _layers(self, layers: Sequence[Layer]) -> list[Mount]:
        """One layer's own folder, or one that holds them all, in order (FACTS.md section 4)."""
        fixed = not any(layer.mount for layer in layers)
        return [Mount(self._merged(layers), "/opt", fixed=fixed)] if layers else []

    def _merged(self, layers: Sequence[Layer]) -> Path:
        hot = {layer.mount: self._roots.admit(layer.mount) for layer in layers if layer.mount}
        if not hot and len(layers) > 1:
            return self._packages.merged([layer.sha256 for layer in layers], self._blobs.path)
        folders = [hot[layer.mount] if layer.mount else self._unpacked(layer.sha256) for layer in layers]
        return folders[0] if len(folders) == 1 else self._packages.live(parts_of(layers), folders, list(hot.values()))

    def _unpacked(self, sha256: str) -> Path:
        return self._packages.unpack(sha256, self._blobs.path(sha256))


def _failed(error: EngineError, image_uri: str) -> Status:
    """AWS's own words and codes where there are some (the developer guide's page on container image errors)."""
    match error:
        case ImageAccessDeniedError():
            reason = "Lambda does not have permission to access the ECR image. Check the ECR permissions."
            return Status("Failed", reason, "ImageAccessDenied")
        case ImageNotFoundError() if image_uri:
            reason = f"Source image {image_uri} does not exist. Provide a valid source image."
            return Status("Failed", reason, "InvalidImage")
    return Status("Failed", str(error), "InvalidImage" if image_uri else "InternalError")
