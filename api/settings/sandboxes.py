"""What the options say of functions' containers."""

from relambda.actors.engine.container import NO_OPTIONS, ContainerOptions
from relambda.api.settings.settings import Settings


def container_options(settings: Settings, name_server: str = "") -> ContainerOptions:
    """As the engine takes it; `name_server` is the cloud's own, for containers that are told of no other."""
    others = settings.docker_dns or settings.docker_flags.dns
    return ContainerOptions(
        networks=settings.docker_networks,
        dns=settings.docker_dns if others or not name_server else (name_server,),
        flags=settings.docker_flags,
        keep=not settings.remove_containers,
        user=settings.init_user or NO_OPTIONS.user,
        whole_cpus=settings.cpu_limit,
    )
