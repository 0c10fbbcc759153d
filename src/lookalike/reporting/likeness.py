"""Whether the result's head is turned as dst's, and does what dst's does. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import head_rotation
from lookalike.types import Face

_SIDE = 256
"""Of the crop in which poses are read, and the focal length, in pixels."""

EXPRESSION_PARTS: Final = ("brows", "eyes", "mouth", "jaw")
_PREFIXES: Final = {"brows": "brow", "eyes": "eye", "mouth": "mouth", "jaw": "jaw"}


@dataclass(frozen=True, slots=True)
class PoseError:
    """How far the result's head is turned away from dst's."""

    angle: float
    """Degrees of the one rotation that brings one head onto the other, 0..180."""
    pitch: float
    """Degrees, result minus dst; positive looks further up."""
    yaw: float
    """Positive has the nose further toward the picture's left."""
    roll: float
    """Positive is turned clockwise."""


@dataclass(frozen=True, slots=True)
class ExpressionError:
    """Mean absolute difference of blendshape coefficients, each of which is about 0..1."""

    mean: float
    """Over all but the neutral one."""
    brows: float
    eyes: float
    mouth: float
    jaw: float


def compare_pose(record: FaceRecord, face: Face) -> PoseError:
    """The head of a face found in the result beside dst's; both seen through the square of dst's face."""
    matrix = align_matrix(record.landmarks_array(), _SIDE, "full", "2019")
    dst, result = (head_rotation(transform(matrix, points)) for points in (record.landmarks_array(), face.landmarks))
    angle = np.degrees(np.arccos(np.clip((np.trace(dst.T @ result) - 1) / 2, -1, 1)))
    pitch, yaw, roll = (np.degrees(_angles(result) - _angles(dst)) + 180) % 360 - 180
    return PoseError(float(angle), float(pitch), float(yaw), float(roll))


def compare_expression(
    names: Sequence[str], dst: NDArray[np.floating], result: NDArray[np.floating]
) -> ExpressionError:
    """Two faces' (N,) coefficients; `names` says what each stands for, as `faces.EXPRESSIONS` does."""
    apart = np.abs(np.asarray(dst, np.float64) - result)
    parts = {
        part: float(apart[[name.startswith(prefix) for name in names]].mean()) for part, prefix in _PREFIXES.items()
    }
    return ExpressionError(mean=float(apart[[name != "_neutral" for name in names]].mean()), **parts)


def _angles(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pitch, yaw and roll in radians, signed as those of `landmarks.head_pose`."""
    r = rotation
    pitch, yaw = -np.arctan2(r[2, 1], r[2, 2]), np.arctan2(-r[2, 0], np.hypot(r[0, 0], r[1, 0]))
    return np.array([pitch, yaw, np.arctan2(r[1, 0], r[0, 0])])
