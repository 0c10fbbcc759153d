"""Options of the steps that have no stage of their own to hold them. Imports no numpy."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from lookalike.options import FaceType, Options


class ExtractConfig(Options):
    """Which faces are taken from a video, and how they are kept."""

    face_type: FaceType = "full"
    """How much around the face is in the crop."""
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    """Side of a face on disk, in pixels."""
    min_score: Annotated[float, Field(gt=0, lt=1)] = 0.7
    """Lowest detector score of a face."""
    min_size: Annotated[int, Field(ge=8)] = 32
    """Smallest side of a face's box, in frame pixels."""
    person: Path | None = None
    """A picture of the person wanted; without it, the person who fills most of the video."""
    all_people: bool = False
    """Keep everybody."""
    png: bool = False
    """Keep faces as PNG instead of JPEG of quality 95."""
