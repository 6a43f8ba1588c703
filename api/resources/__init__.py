"""One module per group of operations: each translates a parsed request to a command or a view read."""

import importlib
import pkgutil


def load() -> None:
    """Import every module here, so that each registers the operations it answers."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
