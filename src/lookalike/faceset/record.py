"""What is known of one aligned face, as it is stored inside the image."""

import base64
import json
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError

from lookalike.errors import RecordError
from lookalike.faceset.plausible import FARTHEST, check_face
from lookalike.geometry import transform
from lookalike.options import FaceType, Geometry, Options, first_problem, format_of

FORMAT = 4
_LONGEST_RECORD = 1 << 20
"""Characters; sixty-four polygons of 512 corners take two thirds of it."""
LONGEST_TEXT = 1024
"""Characters of a source or a reason."""

_MOST = 1e9
"""What no honest number of a face reaches, and float32 holds."""

Point = tuple[float, float]
Row = tuple[float, float, float]


class Polygon(Options):
    """A part of a face's mask that its owner drew."""

    model_config = ConfigDict(allow_inf_nan=False)

    kind: Literal["include", "exclude"]
    """What it does to the mask inside of it."""
    points: Annotated[list[Point], Field(min_length=3, max_length=512)]
    """Corners in frame pixels."""
    carried: bool = False
    """Brought here from other frames by `mask carry`, which may do it anew; False for one that was drawn here."""


class StoredMask(Options):
    """What of a face is seen, as a network or a file said."""

    source: Annotated[str, Field(max_length=LONGEST_TEXT)]
    """Whose it is: a network's name, or a file's."""
    png: Annotated[str, Field(max_length=64_000)]
    """Base64 of a grey PNG that covers the whole crop, white where the face is seen; see masks.py."""


class FaceRecord(Options):
    """Everything that later steps need to know of an aligned face."""

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no such numbers: a record with one could not be read back

    format: int = FORMAT
    source: Annotated[str, Field(max_length=LONGEST_TEXT)]
    """File name of the video, without its folder."""
    frame: Annotated[int, Field(ge=0, le=10**8)]
    """Number of the frame in presentation order, from 0."""
    time_seconds: float
    """Presentation time."""
    number: Annotated[int, Field(ge=0, le=10**6)] = 0
    """Which face of the frame, largest first."""
    detector: Annotated[str, Field(max_length=LONGEST_TEXT)] = "yunet"
    landmarker: Annotated[str, Field(max_length=LONGEST_TEXT)] = "mesh"
    score: float
    box_xyxy: tuple[float, float, float, float]
    """Frame pixels."""
    landmarks: Annotated[list[Point], Field(min_length=68, max_length=68)]
    """iBUG order, frame pixels."""
    mesh: Annotated[str, Field(max_length=LONGEST_TEXT * 5)]
    """(478, 2) float32 frame pixels, base64."""
    matrix: tuple[Row, Row]
    """Frame to crop, 2x3."""
    size: Annotated[int, Field(ge=16, le=4096)]
    """Side of the crop in pixels."""
    face_type: FaceType = "full"
    geometry: Geometry = "2019"
    pitch_yaw_roll: tuple[float, float, float]
    """About -1..1 each: up, toward the picture's left, clockwise; as DeepFaceLab signed them."""
    sharpness: float
    """Variance of the Laplacian of the crop's luma inside the face."""
    outside: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the face's oval that the frame's border cuts off."""
    recovered: bool = False
    """Found by a closer look at where its track was going, not by the detector at its usual score."""
    track: Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)] = 0
    """Faces that follow each other in time share a track."""
    identity: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    """(128,) float16 embedding of the person in its track, base64."""
    person: Annotated[int, Field(ge=0, le=10**6)] | None = None
    """Who of the video's people, from 0, who fills most of it; none before people were told apart."""
    edited: bool = False
    """Landmarks were set by hand."""
    polygons: Annotated[list[Polygon], Field(max_length=64)] = Field(default_factory=list)
    """Drawn upon the mask, the later over the earlier."""
    mask: StoredMask | None = None
    """None before `mask apply`."""
    reason: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    """Why the face was put aside; none for a face in use."""

    def landmarks_array(self) -> NDArray[np.float32]:
        """(68, 2) float32 in frame pixels."""
        return np.array(self.landmarks, np.float32)

    def mesh_array(self) -> NDArray[np.float32]:
        """(478, 2) float32 in frame pixels."""
        return np.frombuffer(base64.b64decode(self.mesh), np.float32).reshape(478, 2)

    def matrix_array(self) -> NDArray[np.float64]:
        """(2, 3) float64, frame to crop."""
        return np.array(self.matrix)

    def identity_array(self) -> NDArray[np.float32] | None:
        """(128,) float32, or none when the face was not embedded."""
        if self.identity is None:
            return None
        return np.frombuffer(base64.b64decode(self.identity), np.float16).astype(np.float32)

    def crop_landmarks(self) -> NDArray[np.float64]:
        """(68, 2) in crop pixels."""
        return transform(self.matrix_array(), self.landmarks_array())

    def crop_mesh(self) -> NDArray[np.float64]:
        """(478, 2) in crop pixels."""
        return transform(self.matrix_array(), self.mesh_array())


def encode_array(array: NDArray[np.generic], dtype: type[np.generic]) -> str:
    """Base64 of an array's bytes in `dtype`, row by row."""
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()


def parse_record(text: str, origin: str) -> FaceRecord:
    """Read a record from its JSON.

    Raises:
        RecordError: not a record, damaged, or of a newer format; `origin` names the file.
    """
    try:
        if len(text) > _LONGEST_RECORD:
            raise ValueError(f"{len(text)} characters, more than any face needs")
        value = json.loads(text)
        if format_of(value) > FORMAT:
            raise RecordError(f"{origin} has a face record of format {format_of(value)}; update Lookalike to read it")
        record = FaceRecord.model_validate_json(text)
        _check_arrays(record)
    except ValidationError as exc:
        raise RecordError(
            f"{origin}: unreadable face record ({first_problem(exc)}); delete it or extract again"
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise RecordError(f"{origin}: unreadable face record ({exc}); delete it or extract again") from exc
    return record


def _check_arrays(record: FaceRecord) -> None:
    """What numbers alone do not tell.

    Raises:
        ValueError: an array has another shape than it must, or no face can have it.
    """
    identity = record.identity_array()
    if identity is not None and (identity.shape != (128,) or not np.isfinite(identity).all()):
        raise ValueError(f"identity: {identity.size} numbers, not 128 finite ones")
    if max(map(abs, (record.score, record.sharpness, *record.box_xyxy, *record.pitch_yaw_roll))) > _MOST:
        raise ValueError(f"score, sharpness, box or pose: beyond {_MOST:g}")
    check_face(record.landmarks, record.mesh_array(), record.matrix_array(), record.size)
    if any(abs(value) > FARTHEST for polygon in record.polygons for point in polygon.points for value in point):
        raise ValueError(f"polygons: a corner is farther than {FARTHEST:g} pixels away")
