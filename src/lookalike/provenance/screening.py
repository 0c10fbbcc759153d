"""Which files from elsewhere the library may read: it is at the mercy of their sizes and counts, and we are not.

Tried with c2pa 0.91: a JPEG of 200 MB in segments of four bytes takes it 4 GB, a PNG of zeros any time, and a box of
credentials in MP4 twice the size that it claims; 40,000 boxes within another take it a quarter of a minute.
"""

import io
import mmap
import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

_MOST_STORE: Final = 64 << 20
"""Bytes of credentials; with thumbnails and a history they are a few hundred thousand."""
_MOST_AT_ONCE: Final = 256 << 20
"""Bytes of a file of a kind that the library takes into memory whole."""
_MOST_OF_OTHERS: Final = 64 << 20
_MOST_PARTS: Final = 100_000
"""Boxes or chunks side by side."""
_MOST_MARKERS: Final = 20_000
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Of a JPEG, but for those within coded pictures."""
_MOST_CALLS: Final = 500_000
_MOST_CALLS_OF_BOXES: Final = 100_000
"""Of an MP4, where every further box takes longer than the one before; ten for a box, and an MP4 has a hundred."""
_BOX_OF_STORE: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_NO_MEDIA: Final = (b"PK", b"%PDF", b"<")

Part = tuple[bytes, int, int]
"""Kind, where its content begins, and its size."""


def may_be_read(file: BinaryIO) -> bool:
    """Whether the library can look into a file with the memory and the time that we give it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[4:8] == b"ftyp":
        return _few(boxes(file), lambda part: part[0] == b"uuid" and _at(file, part[1], 16) == _BOX_OF_STORE)
    if head.startswith(b"\x89PNG"):
        return _few(_chunks(file), lambda part: part[0] == b"caBX")
    if head.startswith(b"\xff\xd8"):
        return size <= _MOST_AT_ONCE and _few_markers(file)
    if head.startswith(b"\x1aE\xdf\xa3"):  # Matroska, of which it knows nothing
        return True
    return size <= (_MOST_AT_ONCE if head.startswith(b"RIFF") else _MOST_OF_OTHERS) and not head.startswith(_NO_MEDIA)


def boxes(file: BinaryIO) -> Iterator[Part]:
    """The boxes of an MP4 or MOV that are in no other; ends where one is not whole.

    The last one yielded ends with the file, unless it is damaged.
    """
    size, at = file.seek(0, io.SEEK_END), 0
    while at + 8 <= size:
        head = _at(file, at, 16)
        length, start = struct.unpack_from(">I", head)[0], 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack_from(">Q", head, 8)[0], 16
        if length < start or at + length > size:
            return
        yield head[4:8], at + start, length - start
        at += length


class Metered:
    """A file as the library reads it, which fails when it is asked too often: a file of nothing but tiny parts."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(4)
        self._left = _MOST_CALLS_OF_BOXES if file.read(4) == b"ftyp" else _MOST_CALLS
        file.seek(0)
        self._file = file
        self.read, self.write, self.tell, self.flush = file.read, file.write, file.tell, file.flush

    def readinto(self, buffer: Any) -> int:
        """As of a file."""
        self._count()
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file."""
        self._count()
        return self._file.seek(offset, whence)

    @property
    def exhausted(self) -> bool:
        """Whether it failed for that."""
        return self._left < 0

    def _count(self) -> None:
        self._left -= 1
        if self.exhausted:
            raise OSError("too many parts")


def _few(parts: Iterator[Part], is_store: Callable[[Part], bool]) -> bool:
    number = 0
    for number, part in enumerate(islice(parts, _MOST_PARTS + 1), 1):  # noqa: B007
        if part[2] > _MOST_STORE and is_store(part):
            return False
    return number <= _MOST_PARTS


def _chunks(file: BinaryIO) -> Iterator[Part]:
    size, at = file.seek(0, io.SEEK_END), 8
    while at + 8 <= size:
        head = _at(file, at, 8)
        length = struct.unpack_from(">I", head)[0]
        yield head[4:8], at + 8, length
        at += 12 + length


def _few_markers(file: BinaryIO) -> bool:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(1 for _ in islice(_MARKER.finditer(data), _MOST_MARKERS + 1)) <= _MOST_MARKERS


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
