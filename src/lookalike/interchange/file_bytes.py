"""Bytes of a file without reading it whole, and whole files up to a limit."""

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, overload

from lookalike.errors import ForeignFileError
from lookalike.interchange.refusals import shown_path
from lookalike.untrusted import UnreadableError, read_bytes

_WINDOW = 1 << 16
_QUICK = 1 << 28


class FileBytes:
    """A file that is indexed and sliced as bytes are; a window of it is kept.

    Unlike a memory map, a file that is cut while it is read costs an error here and not the process.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ForeignFileError: it cannot be opened.
        """
        self._handle, self._size = opened(path)
        self._start, self._window = 0, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.close()

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> bytes: ...

    def __getitem__(self, place: int | slice) -> int | bytes:
        """A byte, or the bytes from one place to another; places count from 0 up, and only steps of 1 are known."""
        if isinstance(place, int):
            return self._read(place, 1)[0]
        start, stop = place.start or 0, self._size if place.stop is None else min(place.stop, self._size)
        return self._read(start, max(stop - start, 0))

    def find(self, what: bytes, start: int, stop: int) -> int:
        """Where `what` is first found between two places; -1 if it is not."""
        found = self[start:stop].find(what)
        return found if found < 0 else start + found

    def _read(self, start: int, count: int) -> bytes:
        if count > _WINDOW:
            self._handle.seek(start)
            return self._handle.read(count)
        offset = start - self._start
        if offset < 0 or offset + count > len(self._window):
            self._handle.seek(start)
            self._start, self._window = start, self._handle.read(_WINDOW)
            offset = 0
        return self._window[offset : offset + count]


Data = bytes | FileBytes


def as_data(file: FileBytes) -> Data:
    """A file's bytes in memory, which are quicker to read, unless they are many."""
    return file[0 : len(file)] if len(file) <= _QUICK else file


def read_whole(path: Path, most: int) -> bytes:
    """All bytes of a file of at most `most` bytes.

    Raises:
        ForeignFileError: it is larger, or cannot be read.
    """
    try:
        return read_bytes(path, most)
    except (OSError, UnreadableError) as exc:
        raise _unreadable(path, exc) from exc


def opened(path: Path) -> tuple[BinaryIO, int]:
    """A file to be read in parts, and its size.

    Raises:
        ForeignFileError: it is no plain file, or cannot be opened.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep whoever opens it waiting
            raise UnreadableError("it is no file but a folder, a pipe or a device")
        handle = path.open("rb")
        return handle, os.fstat(handle.fileno()).st_size
    except (OSError, UnreadableError) as exc:
        raise _unreadable(path, exc) from exc


def _unreadable(path: Path, exc: OSError | UnreadableError) -> ForeignFileError:
    reason = exc.strerror if isinstance(exc, OSError) else exc
    return ForeignFileError(f"{shown_path(path)} cannot be read ({reason}); name another file")
