"""Answers about the faces of a side."""

from lookalike.options import Options
from lookalike.pipeline.gallery import ShelfName


class Order(Options):
    """A way of sorting."""

    name: str
    help: str
    made: float | None
    """Unix seconds; 0 if it is made when asked for; null if it was not made yet."""


class Orders(Options):
    """All ways of sorting; without `by`."""

    orders: list[Order]


class Sorted(Options):
    """Faces in an order; with `by`."""

    names: list[str]
    rejects: dict[str, str] | None
    """By name why the order would take faces out; null if nobody knows any more."""


class Hole(Options):
    """Where dst looks and src does not."""

    direction: str
    text: str
    yaw: tuple[float, float]
    """Ends, in degrees."""
    pitch: tuple[float, float]


class Coverage(Options):
    """Where both sides look, counted in square cells of yaw and pitch, row by row from down, columns from left."""

    cell: int
    """Degrees of a cell's side; the first cells begin at -90."""
    src: list[list[int]]
    dst: list[list[int]]
    alone: list[list[int]]
    """dst faces without a src face near them."""
    covered: float | None
    """Share of dst's faces, 0..1, that src has something near to; null if a side has no faces."""
    covered_mirrored: float | None
    """The same if src's faces are mirrored, too."""
    holes: list[Hole]
    unread: int
    """Faces nothing is known of yet; ask again."""


class Points(Options):
    """The landmarks of faces."""

    points: dict[str, list[float]]
    """By name x and y of the 68 points in turn, in shares of the crop's side."""


class FaceFacts(Options):
    """What is known of a face."""

    name: str
    source: str
    frame: int
    number: int
    seconds: float
    score: float
    yaw: float
    pitch: float
    """Degrees."""
    side: float
    """Of the face, in frame pixels."""
    size: int
    face_type: str
    sharpness: float
    outside: float
    person: int | None
    track: int
    detector: str
    landmarker: str
    edited: bool
    recovered: bool
    polygons: int
    mask: str | None
    reason: str | None
    points: list[float]


class Acted(Options):
    """What was moved, and what stayed."""

    act: int
    """Its number, to go on with it or to undo it."""
    origin: ShelfName
    to: ShelfName
    names: list[str]
    failed: dict[str, str]
    """By name why faces stayed where they were."""
    left: int | None = None
    """Only of undoing: faces of the act that are left to be brought back."""
