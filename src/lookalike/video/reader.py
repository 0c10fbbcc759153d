"""Frames of a video in the order they are shown."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import av
import av.error

from lookalike.types import Frame, VideoInfo
from lookalike.video import images
from lookalike.video.deinterlace import deinterlaced
from lookalike.video.demux import PacketIndex, opened, packet_index, packets, picture_stream
from lookalike.video.planes import to_picture, turned
from lookalike.video.probing import probe

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReadReport:
    """What went wrong while reading."""

    skipped: int = 0
    """Pictures lost to damage."""


def read_frames(
    path: Path, start: int = 0, stop: int | None = None, *, report: ReadReport | None = None
) -> Iterator[Frame]:
    """Decode a video, or a folder of images.

    A frame's index is its place among the packets of the file, so it is the same wherever reading starts; pictures
    lost to damage leave a gap.

    Args:
        start: first index wanted.
        stop: index to end before; None for the end of the file.
        report: filled as reading goes on.

    Yields:
        Upright frames with rising index and pts, planes exactly as decoded; interlaced ones are made whole.

    Raises:
        VideoOpenError, NoVideoStreamError: as `probe`.
    """
    if stop is not None and stop <= start:
        return
    if images.is_images(path):
        yield from images.read_frames(path, start, stop)
        return
    report = report if report is not None else ReadReport()
    info, index = probe(path), packet_index(path)
    try:
        seek_to = keyframe_before(index, start)
        if seek_to is not None:
            frames = numbered(partial(_decoded, path, seek_to), info, index, (start, stop), report, after=seek_to)
            first = next(frames, None)
            if first is not None and first.index == start:
                yield first
                yield from frames
                return
            # The container landed elsewhere: read from the beginning and drop.
            frames.close()
            report.skipped = 0
        yield from numbered(partial(_decoded, path, None), info, index, (start, stop), report)
    finally:
        if report.skipped:
            _log.warning("%s: skipped %d damaged pictures", path, report.skipped)


def keyframe_before(index: PacketIndex, start: int) -> int | None:
    """Time to seek to so that picture `start` and the one before it, which an interlaced picture is drawn from, can be
    decoded; None to read from the beginning.
    """
    if not 0 < start < len(index.pts):
        return None
    place = bisect_right(index.keyframes, index.pts[start - 1]) - 1
    if place < 0 or index.keyframes[place] <= index.pts[0]:
        return None
    return index.keyframes[place]


def numbered(
    decoded: Callable[["DecodeErrors"], Iterator[av.VideoFrame]],
    info: VideoInfo,
    index: PacketIndex,
    part: tuple[int, int | None],
    report: ReadReport,
    *,
    after: int | None = None,
    first: int = 0,
) -> Generator[Frame]:
    """Decoded pictures with their numbers and times.

    Args:
        decoded: pictures as FFmpeg hands them out; counts errors in what it is given.
        info: of the video.
        index: times of its pictures, or of some that follow each other.
        part: first number wanted, and the one to end before.
        report: filled as reading goes on.
        after: time that decoding begins at; None for the beginning of the video.
        first: number of the first picture of the index.
    """
    start, stop = part
    stored_wh = info.size_wh if info.rotation % 180 == 0 else (info.size_wh[1], info.size_wh[0])
    clock = _Clock(index, info, after, first)
    errors = DecodeErrors()
    expected = start
    woven = _Woven(info.path)
    neighbour = after is None
    for frame in deinterlaced(decoded(errors), woven.found):
        place = clock.place(frame)
        if place is None or place[0] < start:
            neighbour |= place is not None
            continue
        if woven.yes and not neighbour:
            return  # an interlaced picture without the one before it would come out another
        neighbour = True
        number, pts = place
        # A decoder may hide damage without a word; a gap in the numbers tells. Without an index, count errors.
        report.skipped += min(number, stop or number) - expected
        expected = number + 1
        if not index.pts:
            report.skipped = errors.count
        if stop is not None and number >= stop:
            return
        picture = to_picture(frame, info.pixel_format, stored_wh, info.color)
        yield Frame(turned(picture, info.rotation), number, pts, info.time_base)
        if number + 1 == stop:
            return
    end = index.count if stop is None else min(stop, index.count)
    report.skipped = errors.count if not index.pts else report.skipped + max(end - expected, 0)


@dataclass(slots=True)
class _Woven:
    """Whether interlaced pictures were met."""

    path: Path
    yes: bool = False

    def found(self) -> None:
        """Note it, and say it once for each file."""
        self.yes = True
        _say_interlaced(self.path)


@cache
def _say_interlaced(path: Path) -> None:
    _log.warning("%s is interlaced; its pictures are deinterlaced (bwdif) as they are read", path)


@dataclass(slots=True)
class DecodeErrors:
    """What went wrong while packets were decoded."""

    count: int = 0


def _decoded(path: Path, seek_to: int | None, errors: DecodeErrors) -> Iterator[av.VideoFrame]:
    """Frames as FFmpeg hands them out; packet by packet, so that one bad packet costs one picture."""

    def damaged() -> None:
        errors.count += 1

    with opened(path) as container:
        stream = picture_stream(container, path)
        stream.thread_type = "AUTO"
        if seek_to is not None:
            try:
                container.seek(seek_to, stream=stream, backward=True, any_frame=False)
            except av.error.FFmpegError:
                return
        for packet in packets(container, stream, damaged):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                damaged()
                continue
            for frame in frames:
                if isinstance(frame, av.VideoFrame):
                    yield frame


class _Clock:
    """Gives each frame its number and time, both rising whatever the file says."""

    def __init__(self, index: PacketIndex, info: VideoInfo, after: int | None, first: int) -> None:
        self._numbers = {pts: number for number, pts in enumerate(index.pts, first)}
        self._first_pts = index.pts[0] if index.pts else None
        self._step = max(round(1 / (info.rate * info.time_base)), 1)
        self._seeking = after is not None
        self._timed = index.timed
        self._number, self._pts = -1, -self._step

    def place(self, frame: av.VideoFrame) -> tuple[int, int] | None:
        """Number and pts; None for a picture that is not part of the video."""
        pts = frame.pts if self._timed else None
        known = self._numbers.get(pts) if pts is not None else None
        if known is None and (self._seeking or (pts is not None and self._before_first(pts))):
            return None
        self._seeking = False
        number = self._number + 1 if known is None or known <= self._number else known
        if pts is None:
            pts = self._pts + (frame.duration or self._step)
        if self._number >= 0 and pts <= self._pts:
            pts = self._pts + 1
        self._number, self._pts = number, pts
        return number, pts

    def _before_first(self, pts: int) -> bool:
        return self._first_pts is not None and pts < self._first_pts
