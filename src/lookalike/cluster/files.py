"""Files that workers read: known by path and content, found in place or sent."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeVar

Answer = TypeVar("Answer")

_SAMPLE: Final = 1 << 16
"""Bytes of the beginning and of the end of a file that stand for all of it, with its size and time."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file, or a folder with the files in it, as the machine that gives out work sees it."""

    path: Path
    """Absolute."""
    size: int
    """Bytes, or files in a folder."""
    modified: int
    """Time stamp in nanoseconds."""
    sample: str
    """Hash of its beginning and its end; of a folder, of the names, sizes and times in it."""

    def is_at(self, path: Path) -> bool:
        """Whether `path` is this file, as far as size, time, beginning and end tell."""
        try:
            found = _looked(path)
        except OSError:
            return False
        return found == (self.size, self.modified, self.sample)


def file_ref(path: Path) -> FileRef:
    """What another machine must know of a file to tell whether it sees the same one."""
    path = path.absolute()
    return FileRef(path, *_looked(path))


class Files(Protocol):
    """How a worker comes by files that whoever gives out the work knows; asked in a worker."""

    def sees(self, file: FileRef) -> bool:
        """Whether this process can read the same file, or folder, under its own path.

        Raises:
            ClusterError: it does not, and nothing is to be sent.
        """
        ...

    def here(self, files: Sequence[FileRef]) -> list[Path]:
        """Where each file can be read: all under their own paths, or, where one is not seen, all sent.

        Those of one folder are sent into one folder, under their names.

        Raises:
            ClusterError: one is neither seen nor sent, or is gone.
        """
        ...

    def asked(self, function: Callable[..., Answer], *values: object) -> Answer:
        """What a function of a module gives on the machine that gives out the work; for what a file need not be sent.

        Raises:
            ClusterError: nothing is to be sent. Whatever the function raises.
        """
        ...


class LocalFiles:
    """Files are where they are."""

    def sees(self, file: FileRef) -> bool:
        """See Files."""
        return True

    def here(self, files: Sequence[FileRef]) -> list[Path]:
        """See Files."""
        return [file.path for file in files]

    def asked(self, function: Callable[..., Answer], *values: object) -> Answer:
        """See Files."""
        return function(*values)


def _looked(path: Path) -> tuple[int, int, str]:
    """Size, time and sample; see FileRef."""
    if path.is_dir():
        with os.scandir(path) as entries:
            listing = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in entries)
        return len(listing), 0, _hashed(repr(listing).encode(errors="surrogateescape"))
    stat = path.stat()
    with path.open("rb") as file:
        return stat.st_size, stat.st_mtime_ns, _hashed(_ends(file))


def _hashed(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _ends(file: BinaryIO) -> bytes:
    first = file.read(_SAMPLE)
    size = file.seek(0, 2)
    file.seek(max(size - _SAMPLE, 0))
    return first + file.read(_SAMPLE)
