"""The codec between the domain and the store."""

import json
import subprocess
import sys

from relambda.actors.codec import event_types
from relambda.actors.domain import load

ASKED_FIRST = """
import json
from relambda.actors.codec import event_types
print(json.dumps(dict(event_types().versions)))
"""


def test_every_event_type_is_known_from_the_first() -> None:
    """Given a process that has loaded nothing else, when asked for the event types, then it has the whole domain's."""
    command = [sys.executable, "-P", "-c", ASKED_FIRST]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    load()
    known = json.loads(asked.stdout)
    assert known == dict(event_types().versions)
    assert {"FunctionCreated", "CapacityProviderCreated", "DurableOperationChanged"} <= known.keys()
