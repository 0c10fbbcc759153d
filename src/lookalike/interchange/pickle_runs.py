"""Runs of numbers in pickles, read at once: landmarks, thumbnails and histories are little else."""

import re
import struct
from typing import Final

_INTS: Final = re.compile(rb"(?:K[\x00-\xff]){4,65536}")
_FLOATS: Final = re.compile(rb"(?:G[\x00-\xff]{8}){4,65536}")
_PAIRS: Final = re.compile(rb"(?:\]\x94\(G[\x00-\xff]{8}G[\x00-\xff]{8}e){1,65536}")
_PAIR_BYTES: Final = 22


def small_ints(data: object, at: int) -> bytes:
    """The numbers of BININT1 opcodes, of which the first is at `at`; none if they are few."""
    if type(data) is not bytes or data[at + 2 : at + 8 : 2] != b"KKK":
        return b""
    found = _INTS.match(data, at)
    return data[at + 1 : found.end() : 2] if found else b""


def floats(data: object, at: int) -> tuple[float, ...]:
    """The numbers of BINFLOAT opcodes, of which the first is at `at`; none if they are few."""
    if type(data) is not bytes or data[at + 9 : at + 36 : 9] != b"GGG":
        return ()
    found = _FLOATS.match(data, at)
    return struct.unpack_from(">" + "xd" * ((found.end() - at) // 9), data, at) if found else ()


def pairs(data: object, at: int) -> list[list[float]]:
    """Remembered lists of two numbers each, as protocols 4 and 5 write them, of which the first is at `at`."""
    if type(data) is not bytes or data[at + 1 : at + 4] != b"\x94(G":
        return []
    found = _PAIRS.match(data, at)
    count = (found.end() - at) // _PAIR_BYTES if found else 0
    numbers = struct.unpack_from(">" + "4xd1xd1x" * count, data, at)
    return [[x, y] for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def pair_bytes(count: int) -> int:
    """How many bytes so many pairs take."""
    return count * _PAIR_BYTES
