"""Why a pod, or an import of one, is refused; whenever one of these is raised, the state is what it was before."""

from relambda.store.errors import StoreError


class PodRefusedError(StoreError):
    """The root of all refusals here; the message says what is wrong and what to do, and nothing was changed."""


class PodDamagedError(PodRefusedError):
    """Raised when a file is no pod, was cut off, was changed since it was written, or contradicts itself."""


class HostilePodError(PodRefusedError):
    """Raised when a file holds what no export writes: links, devices, other paths, members too many."""


class NewerPodError(PodRefusedError):
    """Raised when a pod is in a newer format, or holds event types that this release does not know."""


class PodTooLargeError(PodRefusedError):
    """Raised when the disk, or a limit, does not take what a pod declares or a state holds."""


class StateNotEmptyError(PodRefusedError):
    """Raised when a state directory already holds a state and nobody asked to replace it."""


class NoStateError(PodRefusedError):
    """Raised when there is no state to export."""
