"""One module per group of operations: each translates a parsed request to a command or a view read."""
