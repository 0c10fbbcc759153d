"""Frames of a video by number, for those who look at one after another."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lookalike.errors import VideoError
from lookalike.types import Frame
from lookalike.video import read_frames

_AHEAD: Final = 48
"""Frames that are rather read through than jumped over: a jump reads on from a keyframe."""
_BACK: Final = 12
"""Frames before the one asked for that are kept, too, when somebody goes backwards."""
_MOST_BYTES: Final = 192 * 2**20
_LEAST_FRAMES: Final = 2


class FrameShelf:
    """The frames of one video, the last ones at hand. Not safe in threads."""

    def __init__(self, path: Path, stamp: str = "") -> None:
        """Nothing is opened yet; `stamp` is kept for those who must know which state of the file this is."""
        self.path, self.stamp = path, stamp
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._bytes = 0
        self._frames: Iterator[Frame] | None = None
        self._next, self._asked = 0, 0

    def get(self, number: int) -> Frame:
        """The frame of a number, from 0.

        Raises:
            VideoError: there is none, or it cannot be decoded.
        """
        backwards, self._asked = number < self._asked, number
        if number not in self._kept:
            self._read_to(number, backwards)
        if number not in self._kept:
            raise VideoError(f"frame {number + 1} of {self.path.name} cannot be decoded; look at another one")
        self._kept.move_to_end(number)
        return self._kept[number]

    def _read_to(self, number: int, backwards: bool) -> None:
        if self._frames is None or not self._next <= number < self._next + _AHEAD:
            self._next = max(0, number - _BACK) if backwards else number
            self._frames = read_frames(self.path, self._next)
        for frame in self._frames:
            self._next = frame.index + 1
            self._keep(frame)
            if frame.index >= number:
                return
        self._frames = None

    def _keep(self, frame: Frame) -> None:
        if frame.index in self._kept:
            return
        self._kept[frame.index] = frame
        self._bytes += _size(frame)
        while self._bytes > _MOST_BYTES and len(self._kept) > _LEAST_FRAMES:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(frame: Frame) -> int:
    return sum(plane.nbytes for plane in frame.picture.planes)
