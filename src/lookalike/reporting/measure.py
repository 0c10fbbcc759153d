"""What one frame of the result says beside the same frame of dst. Pure: pictures, records and faces in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, crop_face
from lookalike.geometry import intersection_over_union, rescale, transform
from lookalike.landmarks import eye_distance, eye_opening, mouth_opening, oval_mask
from lookalike.types import ColorSpace, Face, Picture

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
_FLAT = 0.5
"""Codes of Laplacian below which dst has no detail to compare with."""
_STILL = 0.05
"""Codes of change from frame to frame below which dst is a still picture."""
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


@dataclass(frozen=True, slots=True)
class Identity:
    """Distances of a face's embedding."""

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
    identity: Identity | None = None
    """Of the result's face; None when not measured in this frame."""
    dst_identity: Identity | None = None
    """Of dst's own face."""
    flicker: float | None = None
    """Result over dst; None at the ends of a run of faces, or when dst is still."""


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


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrops:
    """Luma of dst's face and the result's, both cut out by dst's matrix."""

    dst: NDArray[np.uint8]
    """(S, S) codes in 8 bits."""
    result: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    """(S, S), the oval without its edge."""


def measuring_size(sides: Sequence[float]) -> int:
    """Side of the crops to measure in: that of the usual face in frame pixels, so that no detail is lost or made up.

    Args:
        sides: of the faces' crops, in frame pixels.
    """
    return int(np.clip(round(float(np.median(sides))), 64, 512))


def frame_side(record: FaceRecord) -> float:
    """Side of a face's crop in frame pixels."""
    matrix = record.matrix_array()
    return float(record.size / np.hypot(matrix[0, 0], matrix[1, 0]))


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
    luma = [_plane8(p, 0, dst.color.full_range) for p in (dst, result)]
    luma_sum, luma_count = _squares(luma[0], luma[1], inside)
    chroma_sum, chroma_count = 0.0, 0
    shape = dst.planes[1].shape
    if result.planes[1].shape == shape:
        covered = cv2.resize(inside.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0
        for plane in (1, 2):
            first, second = (_plane8(p, plane, dst.color.full_range) for p in (dst, result))
            total, count = _squares(first, second, covered)
            chroma_sum, chroma_count = chroma_sum + total, chroma_count + count
    return OutsideError(luma_sum, luma_count, chroma_sum, chroma_count)


def cut_out(dst: Picture, result: Picture, record: FaceRecord, size: int) -> FaceCrops:
    """The face of `record` in both pictures, `size` pixels wide."""
    matrix = rescale(record.matrix_array(), size / record.size)
    crops = [crop_face(_luma8(p, dst.color), matrix, size) for p in (dst, result)]
    oval = oval_mask(transform(matrix, record.mesh_array()), (size, size))
    return FaceCrops(crops[0], crops[1], _shrunk(oval, 0.06))


def sharpness_ratio(crops: FaceCrops) -> float | None:
    """Standard deviation of the Laplacian inside the oval, result over dst; None when dst has no detail there."""
    if not crops.inside.any():
        return None
    dst, result = (float(cv2.Laplacian(c, cv2.CV_32F)[crops.inside].std()) for c in (crops.dst, crops.result))
    return result / dst if dst >= _FLAT else None


def flicker_ratio(before: FaceCrops, now: FaceCrops, after: FaceCrops) -> float | None:
    """Mean |before - 2 now + after| of luma inside the oval, result over dst; None when dst is still."""
    if not now.inside.any():
        return None

    def energy(a: NDArray[np.uint8], b: NDArray[np.uint8], c: NDArray[np.uint8]) -> float:
        inside = now.inside
        return float(np.abs(a[inside].astype(np.int16) - 2 * b[inside].astype(np.int16) + c[inside]).mean())

    dst = energy(before.dst, now.dst, after.dst)
    return energy(before.result, now.result, after.result) / dst if dst >= _STILL else None


def border_difference(dst: NDArray[np.uint8], result: NDArray[np.uint8], record: FaceRecord) -> float:
    """Mean CIE Lab distance (CIE76) between two (H, W, 3) sRGB pictures in a ring just inside the face oval's edge."""
    matrix = rescale(record.matrix_array(), _RING_CROP / record.size)
    oval = oval_mask(transform(matrix, record.mesh_array()), (_RING_CROP, _RING_CROP))
    ring = _shrunk(oval, 0.02) & ~_shrunk(oval, 0.10)
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


def compare_landmarks(record: FaceRecord, face: Face) -> FoundFigures:
    """dst's landmarks beside those found in the result."""
    landmarks = record.landmarks_array()
    errors = np.linalg.norm(landmarks - face.landmarks, axis=1) / max(eye_distance(landmarks), 1e-6)
    return FoundFigures(
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


def _plane8(picture: Picture, plane: int, full_range: bool) -> NDArray[np.float32]:
    """A plane in 8-bit codes of the range wanted."""
    color: ColorSpace = picture.color
    codes = picture.planes[plane].astype(np.float32)
    if color.bits > 8:
        codes *= np.float32(255 / ((1 << color.bits) - 1) if color.full_range else 2.0 ** (8 - color.bits))
    if color.full_range == full_range:
        return codes
    span, centre = (219, 16) if plane == 0 else (224, 128)
    zero = 0 if plane == 0 else 128
    if full_range:
        return np.asarray((codes - centre) * (255 / span) + zero, np.float32)
    return np.asarray((codes - zero) * (span / 255) + centre, np.float32)


def _luma8(picture: Picture, like: ColorSpace) -> NDArray[np.uint8]:
    plane = picture.planes[0]
    if plane.dtype == np.uint8 and picture.color.full_range == like.full_range:
        return np.asarray(plane, np.uint8)
    codes = np.rint(_plane8(picture, 0, like.full_range).clip(0, 255))
    return np.asarray(codes, np.uint8)


def _squares(a: NDArray[np.float32], b: NDArray[np.float32], inside: NDArray[np.bool_]) -> tuple[float, int]:
    squared = np.where(inside, 0, (a - b) ** 2)
    return float(squared.sum(dtype=np.float64)), int(inside.size - np.count_nonzero(inside))


def _shrunk(oval: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """(S, S) True in the oval further than a share of the crop's side from its edge and the crop's."""
    padded = np.pad((oval > 0.5).astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(depth > max(1.0, share * oval.shape[0]))


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
