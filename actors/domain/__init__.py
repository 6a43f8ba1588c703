"""The pure domain: commands in, events out, state folded from events; no clock, randomness or I/O."""

import importlib
import pkgutil


def load() -> None:
    """Import every module here, so that each registers its events, and what it decides and evolves."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
