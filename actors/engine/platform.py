"""Architectures: what the engine's machine is, and which others it can run by emulation."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from relambda.actors.engine.contract import EngineError

_DOCKER: Final = {"x86_64": "amd64", "arm64": "arm64"}
"""Lambda's names of architectures, and those of images (OCI image configuration, `architecture`)."""
LAMBDA_NAMES: Final = {image: architecture for architecture, image in _DOCKER.items()}
_KERNEL: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_EMULATORS: Final = {"x86_64": "qemu-x86_64", "arm64": "qemu-aarch64"}
_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")


def image_architecture(architecture: str) -> str:
    """What images call an architecture of Lambda's."""
    return _DOCKER.get(architecture, architecture)


def platform(architecture: str) -> str | None:
    """As the engine takes it; None leaves the choice to the engine."""
    return f"linux/{image_architecture(architecture)}" if architecture else None


class Machine:
    """The machine that the engine runs on."""

    def __init__(self, client: APIClient) -> None:
        self._client = client

    def check(self, architecture: str) -> None:
        """Raises EngineError when the machine certainly cannot run it; "" is whatever it is itself."""
        own = _KERNEL.get(self._info.get("Architecture", ""), "")
        if not architecture or not own or architecture == own or self._emulates(architecture):
            return
        raise EngineError(
            f"The function is for {architecture}, and this machine runs {own} and has no emulator of {architecture}: "
            f"install one (`docker run --privileged --rm tonistiigi/binfmt --install {_DOCKER[architecture]}`), "
            f"or set LAMBDA_IGNORE_ARCHITECTURE=1 to run functions of both on {own}"
        )

    def _emulates(self, architecture: str) -> bool:
        """An engine in a machine of its own, as desktops have it, brings emulators; this machine's are looked at."""
        if self._info.get("KernelVersion") != os.uname().release:
            return True
        return (_BINFMT / _EMULATORS[architecture]).exists()

    @cached_property
    def _info(self) -> dict[str, Any]:
        try:
            info: dict[str, Any] = self._client.info()
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell what machine it runs on: {error}") from error
        return info
