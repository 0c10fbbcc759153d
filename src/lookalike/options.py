"""The base of every options class and of everything written to disk as JSON or TOML. Imports no numpy."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

FaceType = Literal["half", "mid-full", "full", "full-no-align", "whole", "head", "head-no-align", "avatar"]
"""How much of a head is in an aligned face, from brows to mouth up to the whole head.

`no-align` squares are as large but stay upright; `avatar` is a loose upright square about the landmarks.
"""

Geometry = Literal["2019", "dfl2"]
"""Whose formula places the square: DeepFaceLab's of 2019, or that of its second version."""

DetectorName = Literal["yunet", "retinaface", "mtcnn", "dlib-hog", "dlib-cnn", "s3fd", "vote", "file", "manual"]
"""What finds faces. `vote` takes what several agree on, `file` reads boxes, `manual` leaves all to edits."""

LandmarkerName = Literal["mesh", "fan", "dlib"]
"""What places the 68 landmarks."""

_FACE_TYPES: dict[Geometry, tuple[FaceType, ...]] = {
    "2019": ("half", "full", "head", "avatar"),
    "dfl2": ("half", "mid-full", "full", "full-no-align", "whole", "head", "head-no-align"),
}


def geometry_of(face_type: FaceType, geometry: Geometry | None = None) -> Geometry:
    """The geometry asked for, or without one the first that knows the face type.

    Raises:
        ValueError: the geometry asked for does not have the face type.
    """
    if geometry is None:
        return next(name for name, types in _FACE_TYPES.items() if face_type in types)
    if face_type not in _FACE_TYPES[geometry]:
        raise ValueError(
            f"geometry {geometry} has no face type {face_type} (it has {', '.join(_FACE_TYPES[geometry])}); "
            f"use geometry {geometry_of(face_type)}, or leave it out"
        )
    return geometry


class Options(BaseModel):
    """Frozen, checked, and strict: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def format_of(value: object) -> int:
    """The format number of parsed JSON or TOML, 0 without one; looked at first, as a newer format has unknown keys."""
    number = value.get("format") if isinstance(value, dict) else None
    return number if isinstance(number, int) else 0


def first_problem(exc: ValidationError) -> str:
    """The first thing wrong, in one line: where, and what."""
    first = exc.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{shown(where)}: {shown(what, 1000)}" if where else shown(what, 1000)


def shown(words: object, longest: int = 200) -> str:
    """Words that may be a file's own, as they can be shown: one line of printable letters, cut short."""
    line = "".join(letter if letter.isprintable() else "?" for letter in str(words)[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "..."


def covers(have: FaceType, want: FaceType) -> bool:
    """Whether crops of one face type show all that another needs.

    An upright square and a turned one of a face differ in their corners, so only `head` is wide enough for both.
    """
    order = ("half", "mid-full", "full", "whole", "head")
    one, other = have.removesuffix("-no-align"), want.removesuffix("-no-align")
    if have == want or one not in order or other not in order:
        return have == want
    same_turn = (one == have) == (other == want)
    return order.index(one) >= order.index(other) if same_turn else one == "head" and order.index(other) <= 2
