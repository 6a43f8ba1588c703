"""The log of one invocation: its lines as AWS writes them, and the end of them for LogType=Tail."""

import time

TAIL_BYTES = 4096
"""limits.tsv, "LogResult"."""


class Tail:
    """Keeps the last output of an environment's current invocation. One writer thread; read after a mark."""

    def __init__(self) -> None:
        self._output = bytearray()
        self._request_id = ""
        self._started = 0.0

    def begin(self, request_id: str, version: str) -> None:
        """An invocation starts."""
        self._request_id = request_id
        self._started = time.monotonic()
        self._output = bytearray(f"START RequestId: {request_id} Version: {version}\n".encode())

    def write(self, data: bytes) -> None:
        """The runtime wrote."""
        self._output += data
        if len(self._output) > 2 * TAIL_BYTES:
            del self._output[:-TAIL_BYTES]

    def elapsed_ms(self) -> float:
        """Milliseconds since the invocation started."""
        return (time.monotonic() - self._started) * 1000

    def end(self, duration_ms: float, memory_mb: int, peak_bytes: int, init_ms: float) -> bytes:
        """The last 4 KB with END and REPORT (log_formats.tsv); `init_ms` 0 for a warm start."""
        billed = -(-duration_ms // 1)
        used = max(1, -(-peak_bytes // (1024 * 1024)))
        report = (
            f"REPORT RequestId: {self._request_id}\tDuration: {duration_ms:.2f} ms\tBilled Duration: {billed:.0f} ms\t"
            f"Memory Size: {memory_mb} MB\tMax Memory Used: {min(used, memory_mb)} MB\t"
        )
        if init_ms:
            report += f"Init Duration: {init_ms:.2f} ms\t"
        if self._output and not self._output.endswith(b"\n"):
            self._output += b"\n"
        text = bytes(self._output) + f"END RequestId: {self._request_id}\n{report}\n".encode()
        return text[-TAIL_BYTES:]
