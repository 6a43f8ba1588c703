"""Pods: a cloud's whole state as one file, written, verified and loaded."""
