"""Small pictures of faces, quickly: a small file as it is, a large one reduced while it is decoded, and remembered."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lookalike.faceset.store import FORMATS, MOST_BYTES, MOST_PIXELS
from lookalike.untrusted import UnreadableError, opened_picture, read_bytes

_AS_IT_IS: Final = 56_000
"""Bytes of a file that may be sent as it is: about 300 pixels square."""
_TINY: Final = 8_000
_SMALL_SIDE: Final = 192
"""Up to here so many pictures are seen at once that all but tiny files are reduced: they take longest to decode."""
_KEPT_BYTES: Final = 64_000_000
_QUALITY: Final = 88
_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
"""How to decode at a part of the size."""

Key = tuple[str, int, int]


class Pictures:
    """Reduced pictures of large faces, the latest kept. Safe in threads."""

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._most, self._bytes = kept_bytes, 0
        self._lock = threading.Lock()

    def of(self, path: Path, side: int) -> bytes:
        """A picture as JPEG or PNG, about `side` pixels or more on a side; nothing if it cannot be had."""
        try:
            stat = path.stat()
            key = (str(path), stat.st_mtime_ns, side)
            if stat.st_size <= (_AS_IT_IS if side > _SMALL_SIDE else _TINY):
                return path.read_bytes()
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            data = _reduced(_checked(path), side)
        except (OSError, UnreadableError):
            return b""
        self._keep(key, data)
        return data

    def _keep(self, key: Key, data: bytes) -> None:
        with self._lock:
            self._bytes += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1])


def _checked(path: Path) -> bytes:
    """A file whose head claims no more than a face has."""
    data = read_bytes(path, MOST_BYTES)
    with opened_picture(data, FORMATS, most_pixels=MOST_PIXELS):
        return data


def _reduced(data: bytes, side: int) -> bytes:
    """A picture decoded no larger than is needed, and encoded again; nothing if it cannot be decoded."""
    divisor = max((one for one in _REDUCED if _least_side(data) >= side * one), default=1)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[divisor])
        if image is None:
            return b""
        if (larger := min(image.shape[:2]) / side) > 1:
            size = (round(image.shape[1] / larger), round(image.shape[0] / larger))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    except cv2.error:
        return b""


def _least_side(data: bytes) -> int:
    """Width or height of a JPEG, whichever is less, from its frame header; 0 for other files. Source: ITU-T T.81, B."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return min(int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big"))
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
