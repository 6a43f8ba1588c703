"""How long the phases of an execution environment may take, in seconds."""

from typing import Final

INIT_SECONDS: Final = 10.0
"""How long the init phase may take (limits.tsv, "init phase"); then it is done again inside the first invocation."""
SNAPSHOT_SECONDS: Final = 130.0
"""How long it may take before a snapshot, or the function's timeout when that is more (AWS: "Lambda SnapStart")."""
MARK_SECONDS: Final = 2.0
"""How long an answer waits for the end of its log at most."""
ANSWER_SECONDS: Final = 5.0
"""How long a container may take to answer a command; one that hangs is given up then."""
KILL_SECONDS: Final = 5.0
"""How long the kernel may take to end all processes of a container; one that hangs is given up then."""
FLUSH_SECONDS: Final = 0.5
"""How long a shutdown waits for what extensions have subscribed to, before they hear of it."""
EXIT_SECONDS: Final = 0.5
"""How long an extension that has reported an error may take to exit."""
RESTORE_SECONDS: Final = 10.0
"""How long a restore may take with its hooks (limits.tsv, "restore phase")."""
