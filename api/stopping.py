"""How long a cloud's processes may take to stop, for who stops them and for who waits."""

DRAIN_SECONDS = 10
"""How long a stopping worker waits for requests that are running."""
CLOSE_SECONDS = 10
"""How long its cloud may take to close after that."""
STOP_SECONDS = DRAIN_SECONDS + CLOSE_SECONDS + 2
"""When the master kills what is left."""
