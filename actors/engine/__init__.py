"""The container engine: what is asked of one, and how Docker's answers."""
