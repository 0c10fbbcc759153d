"""Videos cut into runs of frames that different processes read, and reading such runs one after the other."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.cluster.files import Files
from lookalike.pipeline.footage import Footage, footage_frames
from lookalike.types import Frame
from lookalike.video import is_images, keyframes, read_frames

_SHORTEST, _LONGEST, _PARTS = 16, 64, 16
"""Frames of a run: a sixteenth of what is left within these bounds, so that all workers end at about the same time."""
_END: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Run:
    """Frames that follow one another."""

    start: int
    stop: int | None
    """Number of the first frame after it; None for all that is left, as a video may hold more than its packets say."""

    def __str__(self) -> str:
        return f"frames {self.start} to {'the end' if self.stop is None else self.stop - 1}"

    def holds(self, number: int) -> bool:
        """Whether a frame is in it."""
        return self.start <= number < (_END if self.stop is None else self.stop)


def why_not_cut(path: Path) -> str | None:
    """Why frames of a video cannot be read in runs without reading all before them, or None if they can."""
    if is_images(path) or keyframes(path):
        return None
    return f"the frames of {path.name} can only be counted from its beginning"


def cut_into_runs(path: Path, count: int, first: int = 0, beside: int = 0) -> list[Run]:
    """The frames of a video from `first` on as runs.

    Args:
        path: a video for which `why_not_cut` has nothing to say.
        count: frames of the whole video.
        first: where the first run starts.
        beside: frames before a run that are read with it.
    """
    return runs_between([key + beside for key in keyframes(path)], first, count)


def runs_between(keys: Sequence[int], first: int, count: int) -> list[Run]:
    """Runs, shorter towards the end; each starts after a key frame where one is near, as decoding to there costs least.

    Args:
        keys: numbers of the key frames, rising. A reader starts decoding at the last one before a run.
        first: where the first run starts.
        count: frames of the whole video.
    """
    starts = [first]
    while True:
        left = count - starts[-1]
        length = min(max(left // _PARTS, _SHORTEST), _LONGEST)
        if left <= length * 3 // 2:
            break
        middle = starts[-1] + length
        place = bisect_left(keys, middle - 1)
        near = [key + 1 for key in keys[max(place - 1, 0) : place + 1] if abs(key + 1 - middle) <= length // 2]
        starts.append(min(near, key=lambda start: abs(start - middle), default=middle))
    return [Run(start, stop) for start, stop in zip(starts, [*starts[1:], None], strict=True)]


def run_reader(footage: Footage, files: Files) -> Callable[[Run], Iterator[Frame]]:
    """What reads runs of a video in a worker, whether it sees the file or is sent parts of it.

    Raises:
        ClusterError: see Files.
    """
    if not footage.images and files.sees(footage.file):
        return RunReader(footage.file.path).read
    return lambda run: footage_frames(footage, files, run.start, run.stop)


class RunReader:
    """Reads runs of a video; where the next one is near, decoding goes on instead of starting anew at a key frame."""

    def __init__(self, path: Path) -> None:
        """The video is opened when the first run is read."""
        self._path, self._keys = path, keyframes(path)
        self._frames: Iterator[Frame] = iter(())
        self._at = _END
        """Number of the next frame that `_frames` can give; beyond all while there is none."""
        self._left: Frame | None = None
        """Read already, and after the last run."""

    def read(self, run: Run) -> Iterator[Frame]:
        """The frames of a run, those that cannot be read left out.

        Raises:
            VideoOpenError, NoVideoStreamError: as `read_frames`.
        """
        if not self._is_near(run.start):
            self._open(run.start)
        for frame in self._following():
            if frame.index < run.start:
                continue
            if not run.holds(frame.index):
                self._left, self._at = frame, frame.index
                return
            yield frame
            if frame.index + 1 == run.stop:
                return

    def _is_near(self, start: int) -> bool:
        """Whether fewer frames lie between here and there than between the key frame before it and it."""
        if self._at >= start - 1:
            return self._at <= start
        return bisect_right(self._keys, start - 1) == bisect_right(self._keys, self._at)

    def _open(self, start: int) -> None:
        if isinstance(self._frames, Generator):
            self._frames.close()
        self._frames, self._at, self._left = iter(read_frames(self._path, start)), start, None

    def _following(self) -> Iterator[Frame]:
        if self._left is not None:
            frame, self._left = self._left, None
            self._at = frame.index + 1
            yield frame
        while True:
            self._at = _END  # after an error or the end, the video is opened anew
            following = next(self._frames, None)
            if following is None:
                return
            self._at = following.index + 1
            yield following
