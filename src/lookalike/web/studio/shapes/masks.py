"""Answers about masks."""

from lookalike.faceset.record import StoredMask
from lookalike.options import Options

Row = tuple[str, int | None, int, int, int, str | None, bool, bool]


class Network(Options):
    """The workspace's own mask network."""

    iterations: int | None
    """That it was trained for; null without one."""


class Limits(Options):
    """Of what a face holds."""

    corners: int
    polygons: int


class MaskList(Options):
    """All faces of a side."""

    side: str
    workspace: str
    limits: Limits
    problem: str | None
    """Why there are none."""
    unread: int
    """Ask again while there are any."""
    faces: list[Row]
    """Name, frame, number, polygons that include and exclude, what is wrong, all carried, masked."""


class CropPolygon(Options):
    """A polygon on the aligned face."""

    kind: str
    points: list[tuple[float, float]]
    """Crop pixels."""


class MaskFace(Options):
    """One face and its mask."""

    name: str
    frame: int
    number: int
    time_seconds: float
    size: int
    revision: str
    """To be named by a change."""
    polygons: list[CropPolygon]
    mask: StoredMask | None


class Revision(Options):
    """The state after a change."""

    revision: str


class Copied(Options):
    """Polygons as they lie on another face."""

    polygons: list[CropPolygon]
