"""Files as the C2PA library reads and writes them: piece by piece, however large."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

_ENVIRONMENT: Final = threading.Lock()
_FOLDER: Final = "TMPDIR"


class WithTail(io.RawIOBase):
    """A file, read as if some bytes followed its end; the file stays as it is."""

    def __init__(self, file: BinaryIO, tail: bytes) -> None:
        self._file, self._tail, self._at = file, tail, 0
        self._size = file.seek(0, io.SEEK_END)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As of a file."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size + len(self._tail)}[whence]
        if start + offset < 0:
            raise ValueError("before the start")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """As of a file; no more than up to the tail at once."""
        view = memoryview(buffer).cast("B")
        if self._at < self._size:
            self._file.seek(self._at)
            data = self._file.read(min(len(view), self._size - self._at))
        else:
            start = self._at - self._size
            data = self._tail[start : start + len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class Nowhere(io.RawIOBase):
    """Takes the copy of a file that nobody needs."""

    _at = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Forgets the data."""
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As of a file."""
        self._at = offset if whence == io.SEEK_SET else self._at + offset
        return self._at

    def tell(self) -> int:
        """As of a file."""
        return self._at


class _Target:
    """A file to write to that remembers what went wrong: the library reports only that something did."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.problem: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as exc:
            self.problem = exc
            raise


@contextmanager
def target(path: Path) -> Iterator[Any]:
    """A new file for the library to write.

    Raises:
        OSError: the disk is full or fails; in place of what the library says then.
    """
    with path.open("w+b") as file:
        given = _Target(file)
        try:
            yield given
        except Exception:
            if given.problem is not None:
                raise given.problem from None
            raise


@contextmanager
def room_beside(path: Path) -> Iterator[None]:
    """Let the library put its temporary copy of a video beside it, where there is room: `/tmp` may be memory."""
    with _ENVIRONMENT:
        before = os.environ.get(_FOLDER)
        os.environ[_FOLDER] = str(path.parent)
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FOLDER]
            else:
                os.environ[_FOLDER] = before
