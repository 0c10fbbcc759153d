"""Answers about videos."""

from lookalike.options import Options
from lookalike.pipeline.check_file import Check
from lookalike.pipeline.workspace import Side


class SideVideo(Options):
    """A side's video and how many faces were made of it."""

    video: str | None
    """The name its owner gave it; null without one, and then `faces` and `extracted` alone are given besides."""
    faces: int
    extracted: bool
    gone: str | None = None
    """Why it cannot be read; then nothing of the following is given."""
    file: str | None = None
    images: bool | None = None
    stamp: str | None = None
    """Changes with the video."""
    denoised: bool | None = None


class CheckSeen(Check):
    """What the last check found."""

    old: list[Side]
    """Sides that have another video by now."""


class Videos(Options):
    """Both sides."""

    sides: dict[Side, SideVideo]
    check: CheckSeen | None
    most_bytes: int


class Facts(Options):
    """Facts of a video for people."""

    facts: list[tuple[str, str]]
    """Names and values."""


class FolderName(Options):
    """A folder that can be opened."""

    name: str


class VideoFile(Options):
    """A video that can be chosen."""

    name: str
    bytes: int
    changed: float


class Folder(Options):
    """What can be chosen in a folder of the studio's."""

    folder: str
    """Below the studio's folder, with /."""
    folders: list[FolderName]
    videos: list[VideoFile]
    images: int
    """How many images the folder itself has."""
    left_out: int


class Room(Options):
    """There is room."""


class Taken(Options):
    """A video that was taken in."""

    name: str
    size: tuple[int, int]
    """Width and height."""
    frames: int
