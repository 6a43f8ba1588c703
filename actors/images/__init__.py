"""Images of runtimes: which one runs what, and how they are built from packages alone."""
