"""The options of a cloud, and what they say of its parts."""
