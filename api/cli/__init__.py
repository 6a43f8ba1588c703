"""The command line, and what it needs of a running cloud."""
