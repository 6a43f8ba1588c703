"""Function logs on their way from an execution environment to the store."""
