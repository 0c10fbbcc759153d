"""Whole pictures out of interlaced ones, one for one, so that frame numbers and times stay."""

from collections import deque
from collections.abc import Callable, Iterator

import av
import av.error
from av.filter import Graph

_SETTINGS = "mode=send_frame:parity=auto:deint=interlaced"


def deinterlaced(frames: Iterator[av.VideoFrame], found: Callable[[], None]) -> Iterator[av.VideoFrame]:
    """Each frame that is flagged interlaced drawn anew by bwdif; all others are passed on as they are.

    A picture depends on itself and its two neighbours. So what comes out for a frame is the same wherever decoding
    began, if it began at the frame before or earlier, and ended at the frame after or later.

    Args:
        frames: in the order they are shown.
        found: called at the first interlaced frame.

    Yields:
        As many frames as came in, with their times; from the first interlaced one on, each comes one frame late.
    """
    before: av.VideoFrame | None = None
    weaver: _Bwdif | None = None
    for frame in frames:
        if weaver is not None and not weaver.takes(frame):
            yield from weaver.put(None)
            before, weaver = None, None
        if weaver is None:
            if not frame.interlaced_frame:
                before = frame
                yield frame
                continue
            found()
            weaver = _Bwdif(frame)
            if before is not None and weaver.takes(before):
                list(weaver.put(before, wanted=False))
        yield from weaver.put(frame)
    if weaver is not None:
        yield from weaver.put(None)


class _Bwdif:
    """A filter graph for frames of one size and layout."""

    def __init__(self, template: av.VideoFrame) -> None:
        self._kind = _kind(template)
        self._waiting: deque[tuple[int | None, int, bool]] = deque()
        self._time_base = template.time_base
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=template.width, height=template.height, format=template.format, time_base=template.time_base
        )
        nodes = source, self._graph.add("bwdif", _SETTINGS), self._graph.add("buffersink")
        self._graph.link_nodes(*nodes).configure()

    def takes(self, frame: av.VideoFrame) -> bool:
        """Whether a frame is of the kind that the graph was built for."""
        return _kind(frame) == self._kind

    def put(self, frame: av.VideoFrame | None, wanted: bool = True) -> Iterator[av.VideoFrame]:
        """Put in a frame, or None at the end; what is ready comes out unless it was not wanted."""
        if frame is not None:
            self._waiting.append((frame.pts, frame.duration, wanted))
        self._graph.vpush(frame)
        while True:
            try:
                ready = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            # bwdif counts in half ticks: the times that went in are put back.
            pts, duration, keep = self._waiting.popleft()
            if keep:
                ready.pts, ready.time_base, ready.duration = pts, self._time_base, duration
                yield ready


def _kind(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
