"""Execution environments: the life of each, from its start through its invocations to its end."""
