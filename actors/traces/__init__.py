"""Traces of invocations: segments made, taken in, kept and passed on."""
