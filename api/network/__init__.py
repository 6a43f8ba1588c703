"""The network: which addresses the cloud listens on, and whose names lead to it."""
