"""What the store says of a pod's content, in the words of a refusal."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from relambda.snapshots.errors import NewerPodError, PodDamagedError, PodTooLargeError
from relambda.store.errors import CorruptStoreError, StoreFullError, UnknownEventTypeError


@contextmanager
def told_as_refusals() -> Iterator[None]:
    """Raise the PodRefusedError that fits for what the store and a full disk raise; other errors pass through."""
    try:
        yield
    except CorruptStoreError as error:
        raise PodDamagedError(f"the pod's events are no log: {error}; export it again") from error
    except UnknownEventTypeError as error:
        raise NewerPodError(f"the pod comes from another release: {error}") from error
    except StoreFullError as error:
        raise PodTooLargeError(f"the disk has no room for the pod: {error}") from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise PodTooLargeError(f"the disk has no room for the pod: {error}; free some space") from error
