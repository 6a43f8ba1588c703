"""What the options say of functions' containers."""

from relambda.actors.engine_container import ContainerOptions
from relambda.api.settings import Settings


def container_options(settings: Settings) -> ContainerOptions:
    """As the engine takes it."""
    return ContainerOptions(
        networks=settings.docker_networks,
        dns=settings.docker_dns,
        flags=settings.docker_flags,
        keep=not settings.remove_containers,
        whole_cpus=settings.cpu_limit,
    )
