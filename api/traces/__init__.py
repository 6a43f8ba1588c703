"""Traces as X-Ray's API tells them: put together from their segments, summed up, filtered, drawn as a graph."""
