"""Answers about frames and landmarks."""

from lookalike.options import Options
from lookalike.pipeline.edits import Pixels

Xy = tuple[float, float]


class Reading(Options):
    """Faces read so far, and to be read."""

    done: int
    total: int


class Frames(Options):
    """All frames of a side at a glance; the version alone if that is the one that was named."""

    version: int
    reading: Reading | None = None
    frames: int | None = None
    width: int | None = None
    height: int | None = None
    rate: float | None = None
    problem: str | None = None
    """Why `edits.json` cannot be used."""
    extracted: bool | None = None
    state: str | None = None
    """What goes on, or is waited for."""
    waiting: list[int] | None = None
    """Frames whose faces are not yet what is set by hand."""
    failed: dict[int, str] | None = None
    undo: str | None = None
    redo: str | None = None
    hand: list[int] | None = None
    """Frames set by hand."""
    empty: list[int] | None = None
    """Frames that were said to show no face."""
    between: list[tuple[int, int]] | None = None
    worst: list[tuple[int, int, float, str, str]] | None = None
    """First and last frame, how odd (0 to 1), kind and words."""
    strip: str | None = None
    """A letter a frame: . fine, 1..9 how odd, x no face, h set by hand, b between two that are."""


class FrameFace(Options):
    """A face of a frame; points in frame pixels."""

    name: str | None
    """Of its file; null if it is not made yet."""
    box: tuple[Pixels, Pixels, Pixels, Pixels]
    landmarks: list[Xy] | None
    corners: list[Xy] | None
    """Of the aligned square."""
    score: float | None
    track: int | None = None
    person: int | None = None
    hand: bool


class FrameSeen(Options):
    """One frame with its faces."""

    frame: int
    seconds: float
    revision: str
    """To be named by a change."""
    hand: bool
    between: tuple[int, int] | None
    waits: bool
    failed: str | None
    faces: list[FrameFace]
    others: list[FrameFace]
    """People who are not wanted."""


class FrameStepped(FrameSeen):
    """The frame that a change was about, as it is now."""

    label: str
    """What undoing it is called."""
    frames: list[int]
    """That the change makes anew."""


class Landmarks(Options):
    """What was found in a square."""

    landmarks: list[Xy]
    corners: list[Xy] | None
