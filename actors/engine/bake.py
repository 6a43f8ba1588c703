"""Images that hold the code of a version, made once, in the place of folders that are mounted at each start."""

import tarfile
import tempfile
from collections.abc import Sequence
from typing import Final

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from relambda.actors.engine.container import LABEL as CLOUD
from relambda.actors.engine.contract import EngineError, Mount
from relambda.actors.engine.sandbox import remove_container
from relambda.actors.images.recipe import hash_of
from relambda.actors.images.runtime_images import LOCAL

LABEL: Final = "relambda.prebuilt"
"""Label of such an image; its value is the cloud's id."""


def baked_name(image_id: str, mounts: Sequence[Mount]) -> str:
    """The name of the image that holds these folders, whose content never changes, on top of another image."""
    return f"{LOCAL}/prebuilt:{hash_of(image_id, *((str(mount.source), mount.target) for mount in mounts))}"


def bake(client: APIClient, image: str, mounts: Sequence[Mount], name: str, cloud_id: str) -> None:
    """Make an image of another one and folders. Raises EngineError, OSError."""
    try:
        container = client.create_container(image, command=["-"], labels={CLOUD: cloud_id})["Id"]
        try:
            for mount in mounts:
                _put(client, container, mount)
            repository, _, tag = name.partition(":")
            client.commit(container, repository, tag, changes=f"LABEL {LABEL}={cloud_id}")
        finally:
            remove_container(client, container)
    except (DockerException, RequestException) as error:
        raise EngineError(f"no image of {image} with the function's code could be made: {error}") from error


def _put(client: APIClient, container: str, mount: Mount) -> None:
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(mount.source, arcname=".")
        packed.seek(0)
        client.put_archive(container, mount.target, packed)
