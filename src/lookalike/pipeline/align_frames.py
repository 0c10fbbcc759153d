"""Single frames of a video, for a page that goes through them back and forth."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import chroma_shifts, eight_bit, picture_to_rgb
from lookalike.errors import VideoError
from lookalike.tone_map import tone_mapped
from lookalike.types import Frame, Picture, VideoInfo
from lookalike.video import probe, read_frames

_MOST_BYTES: Final = 192 * 2**20
"""Of decoded pictures that are kept."""
_NEAR: Final = 48
"""Frames that are decoded and dropped rather than sought anew."""
_BACK: Final = 12
"""Frames read before the one asked for when the page goes backward."""
_SHOWN, _ENCODED = 3, 24
"""RGB pictures and JPEGs kept."""
_QUALITY: Final = 85


class FrameStore:
    """Decoded frames of one video; the last ones asked for are kept. Safe in threads."""

    def __init__(self, path: Path) -> None:
        """Open a video.

        Raises:
            VideoError: it cannot be read.
        """
        self.path, self.info = path, probe(path)
        self.stamp = stamp_of(path)
        self._lock = threading.RLock()
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._bytes = 0
        self._frames: Iterator[Frame] | None = None
        self._next = self._last = 0
        self._shown: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._encoded: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._stop_reading()

    def frame(self, number: int) -> Frame:
        """One frame.

        Raises:
            VideoError: the video has no such frame, or its picture was lost to damage.
        """
        with self._lock:
            found = self._kept.get(number)
            if found is None:
                found = self._read(number)
            self._kept.move_to_end(number)
            self._last = number
            return found

    def shown(self, number: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of a frame as a screen shows it; not to be changed.

        Raises:
            VideoError: as `frame`.
        """
        picture = self._shown.get(number)
        if picture is None:
            picture = shown(self.frame(number).picture, self.info)
            with self._lock:
                _keep(self._shown, number, picture, _SHOWN)
        return picture

    def jpeg(self, number: int, width: int = 0) -> bytes:
        """A frame as JPEG, reduced to about `width` pixels if it is wider and that is not 0.

        Raises:
            VideoError: as `frame`.
        """
        known = self._encoded.get((number, width))
        if known is not None:
            return known
        small = 0 < width < self.info.size_wh[0]
        rgb = shown(reduced(self.frame(number).picture, width), self.info) if small else self.shown(number)
        good, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not good:
            raise RuntimeError("jpg encoder failed")
        with self._lock:
            _keep(self._encoded, (number, width), bytes(data), _ENCODED)
        return bytes(data)

    def _read(self, number: int) -> Frame:
        if not 0 <= number < self.info.frame_count:
            raise VideoError(f"{self.path.name} has frames 1 to {self.info.frame_count}, no frame {number + 1}")
        if self._frames is None or not 0 <= number - self._next <= _NEAR:
            backward = 0 < self._last - number <= _NEAR
            self._stop_reading()
            self._next = max(0, number - _BACK) if backward else number
            self._frames = read_frames(self.path, self._next)
        for frame in self._frames:
            self._next = frame.index + 1
            self._keep_frame(frame)
            if frame.index == number:
                return frame
            if frame.index > number:
                break
        self._stop_reading()
        raise VideoError(f"frame {number + 1} of {self.path.name} cannot be decoded; go on to the next one")

    def _keep_frame(self, frame: Frame) -> None:
        self._kept[frame.index] = frame
        self._bytes += _size(frame)
        while self._bytes > _MOST_BYTES and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])

    def _stop_reading(self) -> None:
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
        self._frames = None


def stamp_of(path: Path) -> tuple[int, int]:
    """Changes with a video's file."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def shown(picture: Picture, info: VideoInfo) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a picture as a screen shows it, HDR brought to an ordinary one's range."""
    return eight_bit(tone_mapped(picture_to_rgb(picture), info.tags))


def reduced(picture: Picture, width: int) -> Picture:
    """A picture brought to about `width` pixels across, before its colours are converted; as it is if not wider."""
    if not 0 < width < picture.size_wh[0]:
        return picture
    across, down = chroma_shifts(picture)
    share = width / picture.size_wh[0]
    high, wide = (max(1, round(side * share)) for side in picture.planes[1].shape)
    sizes = ((wide << across, high << down), (wide, high), (wide, high))
    y, u, v = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
        for plane, size in zip(picture.planes, sizes, strict=True)
    )
    return replace(picture, planes=(y, u, v), alpha=None)


def _size(frame: Frame) -> int:
    return sum(plane.nbytes for plane in frame.picture.planes)


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
