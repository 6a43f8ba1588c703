"""The pure domain: commands in, events out, state folded from events; no clock, randomness or I/O."""
