"""Options of the steps that have no stage of their own to hold them. Imports no numpy."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lookalike.options import DetectorName, FaceType, Geometry, LandmarkerName, Options, geometry_of
from lookalike.pipeline.time_points import parse_point
from lookalike.site_config import ContentCheck
from lookalike.video.options import CodecName, EncodeOptions


class ExtractConfig(Options):
    """Which faces are taken from a video, and how they are kept."""

    detector: DetectorName = "yunet"
    """What finds faces."""
    landmarks: LandmarkerName = "mesh"
    """What places the landmarks."""
    boxes: Path | None = None
    """JSON or CSV file of boxes or landmarks, for the detector file."""
    face_type: FaceType = "full"
    """How much around the face is in the crop."""
    geometry: Geometry | None = None
    """Whose formula places the crop; if left out, the first that has the face type."""
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    """Side of a face on disk, in pixels."""
    png: bool = False
    """Keep faces as PNG instead of JPEG."""
    quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Quality of the JPEGs."""
    min_score: Annotated[float | None, Field(gt=0, lt=1)] = None
    """Score that a face reaches at least once while it is followed; if left out, what suits the detector."""
    min_size: Annotated[int, Field(ge=8)] = 32
    """Smallest side of a face's box, in frame pixels; smaller ones are not looked at."""
    max_faces: Annotated[int, Field(ge=0)] = 0
    """Largest faces of a frame that are looked at; 0 for all."""
    thorough: bool = True
    """Search a frame that shows no face again at a larger scale and turned by 90, 180 and 270 degrees."""
    person: str | None = None
    """Who is wanted: a picture of the person, or a number, 0 for who fills most of the video."""
    all_people: bool = False
    """Keep everybody."""
    identity: Literal["track", "face"] = "track"
    """Embed every face by itself, or a few of each track; a face costs 80 ms."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        geometry_of(self.face_type, self.geometry)
        if (self.detector == "file") != (self.boxes is not None):
            raise ValueError("the detector file needs --boxes FILE, and no other detector takes it")
        return self


class FramesOptions(Options):
    """Which frames of a video become images, and how."""

    fps: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0
    """Images a second: the frame nearest to each moment; 0 keeps every frame."""
    format: Literal["png", "jpg"] = "png"
    """png loses nothing, and has 16 bits if the video has more than 8; jpg is of quality 95 with whole chroma."""


class CutOptions(Options):
    """Which part of a video is kept."""

    begin: str | None = None
    """Where it starts, such as 1:02:03.250, 2:03.5, 123.5 or 120f (a frame, from 1); empty for the start."""
    end: str | None = None
    """Where it ends: a time, or the last frame kept; empty for the end."""
    audio_track: Annotated[int | None, Field(ge=0)] = None
    """The only audio track kept, from 0; empty for all."""

    @field_validator("begin", "end")
    @classmethod
    def _is_point(cls, text: str | None) -> str | None:
        if text is not None:
            parse_point(text)
        return text


class CutEncodeOptions(EncodeOptions):
    """How a part of a video is encoded, which will be encoded again after the swap."""

    codec: CodecName = "h264"
    """h264 plays everywhere, ffv1 loses nothing; if this is left out, a .webm has vp9, or av1 where it has 10 bits."""

    crf: int | None = Field(default=None, ge=0)
    """Quality, lower is better; empty for one without a visible trace (h264 12, h265 14, av1 20, vp9 20)."""


class DenoiseOptions(Options):
    """How much noise is taken out of a video."""

    factor: Annotated[int, Field(ge=1, le=20)] = 5
    """Strength: a quarter is taken off differences of so many steps of 255."""


class WipeOptions(Options):
    """What of a workspace stays when it is wiped."""

    keep_result: bool = False
    """Leave results that lie in the workspace."""
    consents: bool = False
    """Remove the records of consent, too, which are the evidence that people agreed."""
    all: bool = False
    """Remove also what no step made, and videos that were taken from a file in the workspace itself."""


class TrustOptions(Options):
    """What is asked before a merge, and what its result says of itself."""

    credentials: bool = True
    """Sign the result with content credentials (C2PA), and say in its metadata that its face was replaced."""
    show_face: bool = False
    """Put a picture of a face of src into the credentials; without it they hold its hash and a count."""
    require_consent: bool = False
    """Refuse to merge without valid records of consent (`lookalike consent add`)."""
    content_check: ContentCheck = "open-nsfw"
    """Who looks at dst for explicit pictures, which are refused; off is written into the credentials and the report."""
    protect: bool = False
    """Hide who dst shows: nothing of dst's metadata goes along, times start at 0, and the disguise is measured in every
    frame; while the person could be recognised in one, the command fails."""
    cover: bool = False
    """As protect, and cover the faces of frames in which the person could still be recognised, and look again."""
    sound: Literal["keep", "drop"] = "keep"
    """Whether dst's sound goes along. No voice is disguised."""

    @property
    def disguise(self) -> bool:
        """Whether dst's person is to be hidden."""
        return self.protect or self.cover
