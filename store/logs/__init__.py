"""Function logs in an LMDB environment of their own."""
