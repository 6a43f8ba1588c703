"""The table of what is answered is as the tests say, and leaves no operation out."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "coverage_table.py"


def test_every_operation_is_proved_and_the_table_is_current() -> None:
    """Every operation of the installed model has a proof, and docs/coverage.md names them all."""
    done = subprocess.run(
        [sys.executable, "-P", SCRIPT, "--check"], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
