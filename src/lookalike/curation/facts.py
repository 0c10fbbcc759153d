"""The small part of a face's record that is kept in memory for a whole faceset."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord
from lookalike.geometry import align_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What checks, statistics and filters look at: about 1 kB a face, where a record takes 20."""

    name: str
    """File name."""
    source: str
    frame: int
    number: int
    track: int
    person: int | None
    score: float
    box_xyxy: NDArray[np.float64]
    """(4,) frame pixels."""
    landmarks: NDArray[np.float32]
    """(68, 2) frame pixels."""
    side: float
    """Side of the face's full-face square of 2019 in frame pixels, whatever type the crop is of; 0 where the
    landmarks coincide.
    """
    pitch_degrees: float
    """Up is positive."""
    yaw_degrees: float
    """Toward the picture's right is positive."""
    sharpness: float
    outside: float
    recovered: bool
    edited: bool

    @classmethod
    def of(cls, name: str, record: FaceRecord) -> Self:
        """The facts of a record."""
        pitch, yaw = degrees(record)
        return cls(
            name=name,
            source=record.source,
            frame=record.frame,
            number=record.number,
            track=record.track,
            person=record.person,
            score=record.score,
            box_xyxy=np.array(record.box_xyxy),
            landmarks=record.landmarks_array(),
            side=face_side(record.landmarks_array()),
            pitch_degrees=pitch,
            yaw_degrees=yaw,
            sharpness=record.sharpness,
            outside=record.outside,
            recovered=record.recovered,
            edited=record.edited,
        )


PITCH_DEGREES = float(np.degrees(1.30))
YAW_DEGREES = float(np.degrees(1.11))
"""Degrees at which the pose of a record reads 1, where it ends. Source: DeepFaceLab (2019)."""


def degrees(record: FaceRecord) -> tuple[float, float]:
    """Pitch (up is positive) and yaw (toward the picture's right is positive, unlike in the record) of a face."""
    pitch, yaw, _ = record.pitch_yaw_roll
    return pitch * PITCH_DEGREES, -yaw * YAW_DEGREES


def face_side(landmarks: NDArray[np.floating]) -> float:
    """Side in frame pixels of the full-face square (2019) of (68, 2) landmarks; 0 where they make no face."""
    if not np.isfinite(landmarks).all():
        return 0.0
    try:
        matrix = align_matrix(landmarks, 1, "full", "2019")
    except ValueError:
        return 0.0
    return float(1 / max(np.hypot(matrix[0, 0], matrix[1, 0]), 1e-9))
