"""Python pickles, written byte by byte: what other tools read. Python's `pickle` is imported nowhere.

Source of the opcodes: the documentation of Python's `pickletools`. Arrays are written as numpy 1 wrote them, which
numpy 2 reads too, so that DeepFaceLab on Python 3.6 can load them.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

_BATCH: Final = 1000
"""Items that are appended at once, as Python does."""
_DEEPEST: Final = 40
_MOST: Final = 2**32 - 1
"""Bytes of one text or array in protocol 3."""
_PLAIN_TYPES: Final = "biuf"
_MARK: Final = b"("

Put = Callable[[bytes | memoryview], object]


class Sink(Protocol):
    """Where bytes go: an open file, or a hash."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enumeration of another tool, which is called with its number when it is loaded."""

    module: str
    name: str
    number: int


def dumps(value: object, protocol: int = 3) -> bytes:
    """The pickle of a value.

    Args:
        value: of None, bool, int, float, str, bytes, list, tuple, dict, numpy arrays and numbers, and `Member`.
        protocol: 3, or 4, in which texts and arrays may be longer than 4 GiB.

    Raises:
        TypeError: it holds anything else.
        ValueError: it is nested deeper than 40, too large for protocol 3, or the protocol is not written.
    """
    parts: list[bytes | memoryview] = []
    _Writer(parts.append, protocol).run(value)
    return b"".join(parts)


def write_to(file: Sink, value: object, protocol: int = 4) -> None:
    """Write the pickle of a value; arrays go to the file without a copy of all of them in memory.

    Raises:
        TypeError: as `dumps`.
        ValueError: as `dumps`.
    """
    _Writer(file.write, protocol).run(value)


class _Writer:
    """Writes one pickle to `put`."""

    def __init__(self, put: Put, protocol: int) -> None:
        if protocol not in (3, 4):
            raise ValueError(f"protocol {protocol} is not written, only 3 and 4")
        self._put, self._protocol = put, protocol

    def run(self, value: object) -> None:
        self._put(b"\x80" + bytes([self._protocol]))
        self._value(value, 0)
        self._put(b".")

    def _value(self, value: object, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"values nested deeper than {_DEEPEST}")
        match value:
            case None:
                self._put(b"N")
            case bool():
                self._put(b"\x88" if value else b"\x89")
            case np.ndarray():
                self._array(value)
            case np.generic():
                self._number(value)
            case int():
                self._put(_whole(value))
            case float():
                self._put(b"G" + struct.pack(">d", value))
            case str():
                self._put(self._sized(value.encode("utf-8", "surrogatepass"), b"X", b"\x8d"))
            case bytes():
                self._bytes(memoryview(value))
            case list():
                self._put(b"]")
                self._batches(value, depth, b"e")
            case tuple():
                self._tuple(value, depth)
            case dict():
                self._dict(value, depth)
            case Member():
                self._name(value.module, value.name)
                self._put(_whole(value.number) + b"\x85R")
            case _:
                raise TypeError(f"a {type(value).__name__} is not written into pickles")

    def _batches(self, items: list[object], depth: int, end: bytes) -> None:
        for start in range(0, len(items), _BATCH):
            self._put(_MARK)
            for item in items[start : start + _BATCH]:
                self._value(item, depth + 1)
            self._put(end)

    def _tuple(self, items: tuple[object, ...], depth: int) -> None:
        if not items:
            self._put(b")")
            return
        self._put(_MARK)
        for item in items:
            self._value(item, depth + 1)
        self._put(b"t")

    def _dict(self, held: Mapping[object, object], depth: int) -> None:
        self._put(b"}")
        flat = [part for pair in held.items() for part in pair]
        self._batches(flat, depth, b"u")

    def _name(self, module: str, name: str) -> None:
        self._put(b"c" + module.encode() + b"\n" + name.encode() + b"\n")

    def _bytes(self, data: memoryview) -> None:
        if data.nbytes < 256:
            self._put(b"C" + bytes([data.nbytes]))
        else:
            self._put(self._length(data.nbytes, b"B", b"\x8e"))
        self._put(data)

    def _sized(self, data: bytes, short: bytes, long: bytes) -> bytes:
        return self._length(len(data), short, long) + data

    def _length(self, length: int, short: bytes, long: bytes) -> bytes:
        if length <= _MOST:
            return short + struct.pack("<I", length)
        if self._protocol < 4:
            raise ValueError(f"{length} bytes in one piece, which only protocol 4 can hold")
        return long + struct.pack("<Q", length)

    def _array(self, array: NDArray[np.generic]) -> None:
        """numpy's `_reconstruct(ndarray, (0,), b"b")`, then its state: version, shape, type, order, numbers."""
        self._name("numpy.core.multiarray", "_reconstruct")
        self._name("numpy", "ndarray")
        self._put(b"K\x00\x85C\x01b\x87R" + _MARK + b"K\x01")
        self._tuple(array.shape, 0)
        plain = self._type(array.dtype)
        self._put(b"\x89")
        flat = np.ascontiguousarray(array, plain).reshape(-1)
        self._bytes(flat.view(np.uint8).data)
        self._put(b"tb")

    def _number(self, number: np.generic) -> None:
        self._name("numpy.core.multiarray", "scalar")
        plain = self._type(number.dtype)
        self._bytes(memoryview(np.asarray(number, plain).tobytes()))
        self._put(b"\x86R")

    def _type(self, kind: np.dtype[np.generic]) -> np.dtype[np.generic]:
        """Write numpy's `dtype`; the type that its numbers must be brought to, the lowest byte first."""
        if kind.kind not in _PLAIN_TYPES or kind.itemsize > 8:
            raise TypeError(f"numbers of type {kind} are not written into pickles")
        plain = kind.newbyteorder("<")
        self._name("numpy", "dtype")
        code = f"{kind.kind}{kind.itemsize}".encode()
        self._put(_MARK + self._sized(code, b"X", b"\x8d") + b"K\x00K\x01tR" + _MARK + b"K\x03")
        order = b"|" if kind.itemsize == 1 else b"<"
        self._put(self._sized(order, b"X", b"\x8d") + b"NNN" + _whole(-1) * 2 + b"K\x00tb")
        return plain


def _whole(number: int) -> bytes:
    if 0 <= number < 256:
        return b"K" + bytes([number])
    if 0 <= number < 65536:
        return b"M" + struct.pack("<H", number)
    if -(2**31) <= number < 2**31:
        return b"J" + struct.pack("<i", number)
    length = math.ceil((number.bit_length() + 1) / 8)
    if length > 255:
        raise ValueError(f"a whole number of {length} bytes")
    return b"\x8a" + bytes([length]) + number.to_bytes(length, "little", signed=True)
