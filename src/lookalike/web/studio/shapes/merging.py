"""Answers about merging."""

from typing import Any

from lookalike.options import Options
from lookalike.pipeline.merge_settings import Shot


class VideoSeen(Options):
    """When a video shows which frame."""

    frames: int
    rate: float
    start: float
    """Seconds in a player's time at which the first frame is shown."""
    size: tuple[int, int]
    """Width and height."""
    sound: bool
    times: list[float] | None
    """Seconds of every frame, where they do not come evenly."""


class VideoMade(VideoSeen):
    """A video that was made."""

    stamp: str
    """Changes with the file."""
    name: str
    first: int
    """Number in dst of its first frame, from 1."""
    path: str


class WorstSeen(Options):
    """A frame that needs a look."""

    frame: int
    """From 1."""
    seconds: float
    score: float
    bad: bool
    reasons: list[str]


class Worst(Options):
    """The worst frames of the report."""

    of: str
    """The video that was measured."""
    current: bool
    """Whether that is the result that is there."""
    frames: list[WorstSeen]


class MergeLook(Options):
    """What can be merged, and what was; `problem` and `look` alone if there is no video."""

    look: list[str]
    """Names of the options that change the picture of a frame."""
    problem: str | None = None
    video: VideoSeen | None = None
    models: list[str] | None = None
    missing: str | None = None
    """Why nothing can be merged yet."""
    result: VideoMade | None = None
    piece: VideoMade | None = None
    worst: Worst | None = None


class MergeSettings(Options):
    """What `merge.toml` says."""

    revision: str
    """To be named by a change."""
    undo: bool
    redo: bool
    defaults: dict[str, Any]
    """Options of merging for all frames."""
    shots: list[Shot]


class Stretches(Options):
    """Where dst shows a face."""

    stretches: list[tuple[int, int]]
    """First and last frames, from 1."""
