"""A full disk, made real by the kernel's own limit on file sizes, in a process of its own."""

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., list[str]]

LIMIT = """
def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
FREE = resource.RLIM_INFINITY
"""


def test_a_full_disk_refuses_appends_and_takes_them_again_later(run_script: Run, tmp_path: Path) -> None:
    """All that wait get StoreFullError, nothing is half-written, reads go on, and room makes appends work again."""
    lines = run_script(
        LIMIT
        + """
store = LmdbStore.open(DIRECTORY, TYPES)
append(store, "a", 0, {"n": 0}, (Row("t", "k", b"0"),))
room(128 * 1024)
futures = [ask(store, "a", n, {"n": n, "x": bytes(100_000)}, (Row("t", "k", b"%d" % n),)) for n in range(1, 6)]
errors = [type(future.exception(60)).__name__ for future in futures]
print(set(errors) <= {"StoreFullError", "VersionConflictError"}, errors[0])
print(store.head(), store.version("a"), store.row("t", "k"), [e.data["n"] for e in store.read_all()])
room(FREE)
print(append(store, "a", 1, {"n": 1}).position)
store.close()
store = LmdbStore.open(DIRECTORY, TYPES)
print([e.data["n"] for e in store.read_stream("a")])
store.close()
""",
        tmp_path / "log",
    )
    assert lines == ["True StoreFullError", "1 1 b'0' [0]", "2", "[0, 1]"]


def test_all_that_share_a_transaction_are_refused_together(run_script: Run, tmp_path: Path) -> None:
    """Appends to different streams in one batch are all refused when the disk is full, and none is written."""
    lines = run_script(
        LIMIT
        + """
from relambda.store.job import Job
store = LmdbStore.open(DIRECTORY, TYPES)
held, free = threading.Event(), threading.Event()
store._committer.submit(Job(lambda batch: (held.set(), free.wait(60))))
held.wait(60)
room(128 * 1024)
futures = [ask(store, f"s{n}", 0, {"x": bytes(100_000)}) for n in range(4)]
free.set()
print([type(future.exception(60)).__name__ for future in futures])
print(store.head(), list(store.streams()))
room(FREE)
store.close()
""",
        tmp_path / "log",
    )
    assert lines == [str(["StoreFullError"] * 4), "0 []"]


def test_a_map_that_cannot_grow_refuses(run_script: Run, tmp_path: Path) -> None:
    """When the file system refuses a longer data file, the append is refused, and works once it is allowed."""
    lines = run_script(
        LIMIT
        + """
store = LmdbStore.open(DIRECTORY, TYPES, initial_map_bytes=1)
append(store, "a", 0, {})
room(400_000)
print(type(ask(store, "a", 1, {"x": bytes(300_000)}).exception(60)).__name__, store.head())
room(FREE)
print(append(store, "a", 1, {"x": bytes(300_000)}).version)
store.close()
""",
        tmp_path / "log",
    )
    assert lines == ["StoreFullError 1", "2"]


def test_a_blob_that_finds_no_room_leaves_nothing(run_script: Run, tmp_path: Path) -> None:
    """A blob is whole or absent: without room it raises StoreFullError and the half is removed."""
    lines = run_script(
        LIMIT
        + """
from relambda.store.blobs import Blobs
blobs = Blobs(DIRECTORY)
room(50_000)
try:
    blobs.put(bytes(100_000))
except StoreFullError as error:
    print("full", [f.name for f in DIRECTORY.rglob("*") if f.is_file()])
room(FREE)
print(blobs.size(blobs.put(bytes(100_000))))
""",
        tmp_path / "blobs",
    )
    assert lines == ["full []", "100000"]
