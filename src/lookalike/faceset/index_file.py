"""The file of an index: told from files of others, thrown away when damaged, its errors in one line."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lookalike.errors import FacesetError, StorageError
from lookalike.files import unused_path

APPLICATION = 0x4C6F6F6B
"""Marks the file as an index of ours ("Look"), in SQLite's own field for that."""


def put_foreign_aside(path: Path) -> None:
    """Rename a file of that name that is no index of ours: it may be dear to somebody."""
    with suppress(FileNotFoundError):
        with path.open("rb") as handle:
            head = handle.read(72)
        ours = head[:16] == b"SQLite format 3\0" and head[68:72] == APPLICATION.to_bytes(4, "big")
        if head and not ours:
            path.rename(unused_path(path))


def discard(path: Path) -> None:
    """Delete a damaged index; all in it can be computed again."""
    for suffix in ("", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class DamagedError(FacesetError):
    """The file is no sound database any more."""


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise refused(exc, path) from exc
    except sqlite3.DatabaseError as exc:
        raise DamagedError(f"{path} is damaged ({exc}); delete it, it is made again from the images") from exc


def refused(exc: sqlite3.OperationalError, path: Path) -> FacesetError | StorageError:
    if "locked" in str(exc):
        return FacesetError(f"{path} is held by another process; wait for it, or end it")
    return StorageError(f"{path} cannot be written ({exc}); free space, or choose another folder")
