"""Which frame of a video a face of another tool belongs to, and which faces follow each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.geometry import intersection_over_union
from lookalike.interchange.dfl_convert import Place
from lookalike.interchange.frame_names import frame_number, stem
from lookalike.options import shown
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.video import frame_times, is_images, list_images, probe

_RATE = 25.0
"""Frames a second where there is no video to tell."""
_OVERLAP = 0.3
"""From which a face is taken for the one of a frame before."""
_MOST_GAP = 2
"""Frames that a face may be missing from its track."""
_LAST = 10**8
"""The highest number of a frame."""


@dataclass(frozen=True, slots=True)
class Video:
    """The frames that faces are from."""

    source: str
    """What records call it."""
    path: Path | None = None
    """Of the video, if there is one."""
    frame_wh: tuple[int, int] | None = None
    seconds: Sequence[float] = ()
    """Time of every frame."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Of the images, by their names without suffix, if it is a folder of images."""

    def frame(self, name: str, first: int) -> int | None:
        """The frame, from 0, that a name means where they are counted from `first`; None if it names none."""
        known = self.numbers.get(stem(name))
        number = frame_number(name) if known is None else known + first
        return None if number is None or not first <= number <= _LAST else number - first

    def place(self, frame: int, number: int, track: int) -> Place:
        """Where a face of a frame belongs."""
        inside = frame < len(self.seconds)
        seconds = self.seconds[frame] if inside else frame / _RATE
        size = self.frame_wh if inside else None
        return Place(self.source, frame, round(seconds, 6), number, track, size)


def video_of(workspace: Workspace, side: Side, given: Path | None, origin: Path) -> Video:
    """The video that was named, the side's own, or what only has the origin's name.

    Raises:
        VideoError, WorkspaceError: it cannot be read, or is gone.
    """
    own = getattr(workspace.record, side) is not None
    if given is None and not own:
        return Video(shown(origin.stem or origin.name, 200) or "faces")
    path = workspace.video(side) if given is None else given
    info = probe(path)
    times = [float(time * info.time_base) for time in frame_times(info)]
    numbers = {one.stem: number for number, one in enumerate(list_images(path))} if is_images(path) else {}
    name = workspace.source_names(side)[0] if given is None else given.name
    return Video(shown(name, 1000), path, info.size_wh, times, numbers)


def first_number(names: Iterable[str]) -> int:
    """From which number frames are counted: 1, as DeepFaceLab and faceswap do, or 0 if one has it."""
    return 0 if any(frame_number(name) == 0 for name in names) else 1


def tracks(places: Sequence[tuple[int, NDArray[np.floating]] | None]) -> list[int]:
    """The track of every face: those that overlap from frame to frame share one.

    Args:
        places: frame and (4,) box of each face; None for one that has no place.

    Returns:
        A number from 0 for each; 0 where there is none.
    """
    found, live, free = [0] * len(places), dict[int, tuple[int, NDArray[np.floating]]](), 0
    by_frame: dict[int, list[int]] = {}
    for index, place in enumerate(places):
        if place is not None:
            by_frame.setdefault(place[0], []).append(index)
    for frame in sorted(by_frame):
        boxes = {index: known[1] for index in by_frame[frame] if (known := places[index]) is not None}
        live = {track: last for track, last in live.items() if frame - last[0] <= _MOST_GAP + 1}
        pairs = sorted(
            (-overlap, track, index)
            for index, box in boxes.items()
            for track, (_, last) in live.items()
            if (overlap := intersection_over_union(box, last)) >= _OVERLAP
        )
        given: dict[int, int] = {}
        for _, track, index in pairs:
            if index not in given and track not in given.values():
                given[index] = track
        for index, box in boxes.items():
            if index not in given:
                given[index], free = free, free + 1
            found[index] = given[index]
            live[given[index]] = frame, box
    return found
