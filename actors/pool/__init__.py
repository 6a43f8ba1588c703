"""Spare sandboxes, started ahead of the functions that will use them."""
