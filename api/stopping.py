"""How long a cloud's processes may take to stop, for who stops them and for who waits."""

DRAIN_SECONDS = 10
"""How long a stopping worker waits for requests that are running."""
CLOSE_SECONDS = 10
"""How long its cloud then waits for invocations that nobody waits for."""
END_SECONDS = 10
"""How long it may take after that to remove containers and to write the last of the logs."""
STOP_SECONDS = DRAIN_SECONDS + CLOSE_SECONDS + END_SECONDS + 2
"""When the master kills what is left."""
