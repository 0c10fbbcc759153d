"""What one frame of the result says beside the same frame of dst. Pure: pictures, records and faces in, numbers out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, crop_face
from lookalike.geometry import intersection_over_union, rescale, transform
from lookalike.landmarks import eye_distance, eye_opening, mouth_opening, oval_mask
from lookalike.reporting.crops import plane8, shrunk
from lookalike.reporting.likeness import ExpressionError, PoseError, compare_pose
from lookalike.reporting.seam import NO_SEAM, Seam
from lookalike.types import Face, Picture

REGIONS: Final = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}
"""Parts of the 68 landmarks."""

_GROW = 2
"""Pixels around the face oval that count as inside: the merge's interpolation reaches that far."""
_SAME_FACE = 0.3
"""Lowest overlap of boxes at which a face of the result stands for dst's."""
_OPEN_EYE = 0.12
"""Height over width of the eyes below which where they look cannot be read."""
_RING_CROP = 128
"""Side of the crop in which colours at the edge are compared."""
_IRIS_AND_CORNERS = ((468, 33, 133), (473, 362, 263))
"""Iris centre, corner on the picture's left, corner on its right, by eye; mesh points."""


@dataclass(frozen=True, slots=True)
class OutsideError:
    """Squared differences outside the faces, in 8-bit codes."""

    luma_sum: float
    luma_count: int
    chroma_sum: float
    """Over Cb and Cr."""
    chroma_count: int
    """Samples of Cb and Cr; 0 when the two videos sample chroma differently."""


@dataclass(frozen=True, slots=True)
class MotionValues:
    """What a face does: see `landmarks.mouth_opening`, `landmarks.eye_opening` and `gaze`."""

    mouth: float
    eyes: float
    gaze: float | None
    """None when the eyes are closed."""


@dataclass(frozen=True, slots=True)
class FoundFigures:
    """What the landmarks found anew in the result say."""

    landmark_error: float
    """Mean distance over the 68 landmarks, in eye distances of dst's face."""
    regions: dict[str, float]
    """The same by REGIONS."""
    dst: MotionValues
    result: MotionValues
    pose: PoseError
    expression: ExpressionError


@dataclass(frozen=True, slots=True)
class Identity:
    """Distances of a face's embedding to the means of two people's."""

    to_src: float
    to_dst: float


@dataclass(frozen=True, slots=True)
class FaceFigures:
    """What is measured where dst has a face."""

    sharpness: float | None
    """Result over dst; None when dst has no detail."""
    border: float
    """CIE Lab distance just inside the oval's edge."""
    found: FoundFigures | None
    """None when no face was found in the result where dst has one."""
    seam: Seam = NO_SEAM
    identity: Mapping[str, Identity] = field(default_factory=dict)
    """Of the result's face, by recogniser; empty when not measured in this frame."""
    dst_identity: Mapping[str, Identity] = field(default_factory=dict)
    """Of dst's own face."""
    flicker: float | None = None
    """Result over dst; None at the ends of a run of faces, or when dst is still."""
    warping: tuple[float, float] | None = None
    """dst's and the result's `temporal.warping_error` toward the next frame; None where it cannot be measured."""


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """What is kept of a frame once its pictures are gone."""

    frame: int
    seconds: float
    """dst's presentation time."""
    time_difference_seconds: float
    """Result minus dst."""
    outside: OutsideError
    face: FaceFigures | None
    """None when dst's faceset has no face here."""


def inside_faces(records: Sequence[FaceRecord], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) True in the oval of any face and two pixels around it."""
    inside = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    for record in records:
        inside |= (oval_mask(record.mesh_array(), size_wh) > 0).astype(np.uint8)
    if not records:
        return inside > 0
    return np.asarray(cv2.dilate(inside, _disc(_GROW)) > 0)


def outside_error(dst: Picture, result: Picture, inside: NDArray[np.bool_]) -> OutsideError:
    """How far the result is from dst where `inside`, (H, W), is False. The pictures have the same size."""
    luma = [plane8(p, 0, dst.color.full_range) for p in (dst, result)]
    luma_sum, luma_count = _squares(luma[0], luma[1], inside)
    chroma_sum, chroma_count = 0.0, 0
    shape = dst.planes[1].shape
    if result.planes[1].shape == shape:
        covered = cv2.resize(inside.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0
        for plane in (1, 2):
            first, second = (plane8(p, plane, dst.color.full_range) for p in (dst, result))
            total, count = _squares(first, second, covered)
            chroma_sum, chroma_count = chroma_sum + total, chroma_count + count
    return OutsideError(luma_sum, luma_count, chroma_sum, chroma_count)


def border_difference(dst: NDArray[np.uint8], result: NDArray[np.uint8], record: FaceRecord) -> float:
    """Mean CIE Lab distance (CIE76) between two (H, W, 3) sRGB pictures in a ring just inside the face oval's edge."""
    matrix = rescale(record.matrix_array(), _RING_CROP / record.size)
    oval = oval_mask(transform(matrix, record.mesh_array()), (_RING_CROP, _RING_CROP))
    ring = shrunk(oval, 0.02) & ~shrunk(oval, 0.10)
    if not ring.any():
        return 0.0
    first, second = (
        cv2.cvtColor(crop_face(rgb, matrix, _RING_CROP).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        for rgb in (dst, result)
    )
    return float(np.linalg.norm(first - second, axis=2)[ring].mean())


def same_face(faces: Sequence[Face], record: FaceRecord) -> Face | None:
    """The face of the result that lies where dst's face is, if any."""
    box = np.array(record.box_xyxy)
    best = max(faces, key=lambda f: intersection_over_union(f.box_xyxy, box), default=None)
    return best if best is not None and intersection_over_union(best.box_xyxy, box) >= _SAME_FACE else None


def compare_faces(record: FaceRecord, face: Face, expression: ExpressionError) -> FoundFigures:
    """dst's face beside the one found in the result; of `expression` a network knows, see `likeness`."""
    landmarks = record.landmarks_array()
    errors = np.linalg.norm(landmarks - face.landmarks, axis=1) / max(eye_distance(landmarks), 1e-6)
    return FoundFigures(
        pose=compare_pose(record, face),
        expression=expression,
        landmark_error=float(errors.mean()),
        regions={name: float(errors[part].mean()) for name, part in REGIONS.items()},
        dst=_motion(landmarks, record.mesh_array()),
        result=_motion(face.landmarks, face.mesh),
    )


def gaze(mesh: NDArray[np.floating]) -> float:
    """Where the irises lie between the eye corners, of (478, 2) mesh points: 0 the picture's left, 1 its right."""
    places = []
    for iris, left, right in _IRIS_AND_CORNERS:
        across = mesh[right] - mesh[left]
        places.append(float((mesh[iris] - mesh[left]) @ across / max(float(across @ across), 1e-6)))
    return float(np.mean(places))


def _motion(landmarks: NDArray[np.float32], mesh: NDArray[np.float32]) -> MotionValues:
    eyes = eye_opening(landmarks)
    return MotionValues(mouth_opening(landmarks), eyes, gaze(mesh) if eyes >= _OPEN_EYE else None)


def _squares(a: NDArray[np.float32], b: NDArray[np.float32], inside: NDArray[np.bool_]) -> tuple[float, int]:
    squared = np.where(inside, 0, (a - b) ** 2)
    return float(squared.sum(dtype=np.float64)), int(inside.size - np.count_nonzero(inside))


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
