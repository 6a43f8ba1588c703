"""The walk leaves no command out."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def test_every_command_is_walked(make_cli: Callable[[str], Any]) -> None:
    """Given the commands and waiters that the installed CLI names itself, then each is one of the walk's words."""
    cli = make_cli("181818181800")
    commands = choices(cli.usage("no-such-command")) - {"help", "wait"}
    waiters = choices(cli.usage("wait", "no-such-waiter")) - {"help"}
    assert len(commands) >= 84
    assert len(waiters) >= 6
    words = {
        node.value
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert commands | waiters <= words


def choices(usage: str) -> set[str]:
    """The words that a usage error offers."""
    return set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", usage.partition("valid choices are:")[2]))
