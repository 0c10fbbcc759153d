"""A place in bytes that are read from first to last."""

from typing import Final

from lookalike.interchange.file_bytes import Data

_LONGEST_LINE: Final = 256
TOO_LONG: Final = "a text or number longer than any that is kept"


class Cursor:
    """Where reading has come to."""

    def __init__(self, data: Data) -> None:
        """At the first byte."""
        self._data, self._size, self._at = data, len(data), 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start, self._at = self._at, self._at + count
        if self._at > self._size:
            raise IndexError
        return self._data[start : self._at]

    def number(self, count: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def line(self, most: int = _LONGEST_LINE) -> bytes:
        """What comes before the next line end."""
        end = self._data.find(b"\n", self._at, min(self._at + most + 1, self._size))
        if end < 0:
            raise ValueError(TOO_LONG)
        start, self._at = self._at, end + 1
        return self._data[start:end]
