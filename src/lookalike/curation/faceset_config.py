"""Options of the faceset commands. Imports no numpy."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lookalike.errors import ConfigError
from lookalike.options import FaceType, Geometry, Options, geometry_of

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)?:(-?\d+(?:\.\d+)?)?")


def parse_range(text: str) -> tuple[float, float]:
    """Both ends of `A:B`; an end that is left out is open.

    Raises:
        ConfigError: no range, or its ends are in the wrong order.
    """
    match = _RANGE.fullmatch(text.replace(" ", ""))
    if match is None or text.strip() == ":":
        raise ConfigError(f"{text!r} is no range; write A:B, A: or :B, e.g. -30:30")
    low, high = (float(part) if part else edge for part, edge in zip(match.groups(), (-1e12, 1e12), strict=True))
    if low > high:
        raise ConfigError(f"the range {text} ends before it begins; write {high:g}:{low:g}")
    return low, high


Range = str
"""A:B, both ends included; A: and :B are open at the other end. Read by `parse_range`, whose error is one line."""


class CheckConfig(Options):
    """What is done with faces whose alignment looks wrong."""

    limit: Annotated[int, Field(ge=0)] = 20
    """How many suspects are listed, worst first; all are counted."""
    below: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Faces scored lower are suspects; 1 is a face with nothing odd, 0 one that is surely wrong."""
    move: bool = False
    """Put the suspects into aligned_trash, the reason in their record."""


class FilterConfig(Options):
    """Which faces stay; those that fail any of these go to aligned_trash."""

    person: Annotated[int, Field(ge=0)] | None = None
    """Number of the person, as extraction told people apart."""
    track: Annotated[int, Field(ge=0)] | None = None
    """Number of the track: faces that follow each other in time."""
    frames: Range | None = None
    """Frames A:B, counted from 1 as in the file names."""
    yaw: Range | None = None
    """Degrees A:B that the head is turned; the picture's left is negative."""
    pitch: Range | None = None
    """Degrees A:B that the head is tilted; down is negative."""
    min_size: Annotated[float, Field(ge=0)] | None = None
    """Smallest side of the face in the frame, in frame pixels."""
    min_sharpness: Annotated[float, Field(ge=0)] | None = None
    """Lowest sharpness; `faceset stats` shows which there are."""
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Lowest score of the detector."""
    max_outside: Annotated[float, Field(ge=0, le=1)] | None = None
    """Largest share of the face that the frame's border cuts off."""
    recovered: bool | None = None
    """Only faces that were, or were not, found by their track alone."""
    invert: bool = False
    """Put aside those that would stay."""
    dry_run: bool = False
    """Say what would be put aside, move nothing."""


class ResizeConfig(Options):
    """How large the faces of a faceset become."""

    size: Annotated[int, Field(ge=64, le=2048)]
    """New side in pixels."""
    enlarge: bool = False
    """Also enlarge smaller faces; that adds no detail, `retype --from-video --size` does."""


class RetypeConfig(Options):
    """How much around the face is in the crops from now on."""

    face_type: FaceType
    """How much around the face is in the crop."""
    geometry: Geometry | None = None
    """Whose formula places the square; by default the first that knows the face type."""
    size: Annotated[int, Field(ge=64, le=2048)] | None = None
    """New side in pixels; as it is by default."""
    from_video: bool = False
    """Crop anew from the video by the stored landmarks; needed for wider types, and sharper for larger sizes."""


class ImportConfig(Options):
    """How faces of other tools are taken in."""

    meta: Path | None = None
    """A meta.dat of DeepFaceLab, whose records are put in the place of those in the pictures."""
    video: Path | None = None
    """The video, or folder of images, that the faces are from; the side's own if left out."""
    face_type: FaceType = "full"
    """How much around the face is in a crop that is made here, of alignments and faces of faceswap."""
    geometry: Geometry | None = None
    """Whose formula places such a crop; if left out, the first that has the face type."""
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    """Side of such a crop, in pixels."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        geometry_of(self.face_type, self.geometry)
        return self


FaceFormat = Literal["dfl", "dfl-pak", "dfl-png", "dfl-meta", "fsa", "fsa-png"]
"""JPEGs of DeepFaceLab 2, its faceset.pak, PNGs of 2019, meta.dat; alignments and PNGs of faceswap."""


class ExportConfig(Options):
    """For which other tool faces are written."""

    format: FaceFormat | None = None
    """The other tool's; if left out, dfl-pak or fsa by the suffix .pak or .fsa, else Lookalike's own files."""
    meta: bool = False
    """Write a meta.dat beside the JPEGs of the format dfl."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.meta and self.format != "dfl":
            raise ValueError("meta belongs to the format dfl; for the file alone there is dfl-meta")
        return self
