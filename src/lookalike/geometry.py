"""Alignment of a face onto the mean face, and moving points between frame and crop. Pure."""

import numpy as np
from numpy.typing import NDArray

from lookalike.mean_face import TEMPLATE
from lookalike.options import FaceType, Geometry, geometry_of

_PADDING_2019 = {"half": 0.0, "full": 12 / 64, "head": 24 / 64}
"""Room on each side of the template, as a share of the crop's side."""
_PADDING_DFL2 = {"half": 0.0, "mid-full": 0.0675, "full": 0.2109375, "whole": 0.40, "head": 0.70}
"""How much half the square's diagonal is longer than half the template's, in template diagonals over root two."""
RIGID = (*range(17, 49), 54)
"""The landmarks that DeepFaceLab 2 aligns by: brows, nose, eyes and the corners of the mouth."""


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Least-squares rotation, uniform scale and translation that brings `source` onto `target`.

    Args:
        source, target: (N, 2) points.

    Returns:
        (2, 3) matrix; no reflection.

    Raises:
        ValueError: all source points coincide.

    Source: Umeyama, PAMI 13(4), 1991.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    mean_source, mean_target = source.mean(0), target.mean(0)
    centred_source, centred_target = source - mean_source, target - mean_target
    variance = (centred_source**2).sum() / len(source)
    if variance < 1e-12:
        raise ValueError(f"cannot align {len(source)} points that coincide at {mean_source.round(2).tolist()}")
    u, singular, vt = np.linalg.svd(centred_target.T @ centred_source / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    linear = (u * sign) @ vt * ((singular * sign).sum() / variance)
    return np.hstack([linear, (mean_target - linear @ mean_source)[:, None]])


def align_matrix(
    landmarks: NDArray[np.floating],
    size: int,
    face_type: FaceType = "full",
    geometry: Geometry | None = None,
    zoom: float = 1.0,
) -> NDArray[np.float64]:
    """Matrix that warps a frame onto a square crop of the mean face.

    Args:
        landmarks: (68, 2) in frame pixels, x right, y down; the jaw (0..16) counts for `avatar` and dfl2's `head` only.
        size: side of the crop in pixels.
        face_type: how much around the face is in the crop.
        geometry: whose formula; without one the first that knows the face type.
        zoom: above 1 shows a larger area about the crop's centre, so a face pasted back comes out larger.

    Returns:
        (2, 3) float64, so that crop_xy = matrix @ [x, y, 1].

    Raises:
        ValueError: the landmarks coincide or are not (68, 2), or the geometry does not have the face type.

    Source: the alignments of DeepFaceLab, 2019 and 2; Umeyama 1991 onto dlib's face-chip template.
    """
    if np.shape(landmarks) != (68, 2):
        raise ValueError(f"landmarks must be (68, 2), got {np.shape(landmarks)}")
    points = np.asarray(landmarks, np.float64)
    if geometry_of(face_type, geometry) == "2019":
        matrix = _matrix_2019(points, size, face_type)
    else:
        matrix = _matrix_dfl2(points, size, face_type)
    matrix = matrix / zoom
    matrix[:, 2] -= size * (1 / zoom - 1) / 2
    return matrix


def _matrix_2019(landmarks: NDArray[np.float64], size: int, face_type: FaceType) -> NDArray[np.float64]:
    unit = similarity(landmarks[17:], TEMPLATE)
    if face_type == "avatar":
        scale = np.hypot(unit[0, 0], unit[1, 0]) * size / 3
        return np.hstack([np.eye(2) * scale, (size / 2 - scale * landmarks.mean(0))[:, None]])
    padding = size * _PADDING_2019[face_type]
    matrix = unit * (size - 2 * padding)
    matrix[:, 2] += padding
    return matrix


def _matrix_dfl2(landmarks: NDArray[np.float64], size: int, face_type: FaceType) -> NDArray[np.float64]:
    """The square is laid out in the frame: its centre moves up for `whole` and `head`, and sideways for a turned head.

    DeepFaceLab 2 expects 3-D landmarks for `head`; with ours in 2-D the sideways move is measured from the same points.
    """
    unit = similarity(landmarks[list(RIGID)], TEMPLATE[[i - 17 for i in RIGID]])
    back = invert(unit)
    right, down = back[:, 0], back[:, 1]
    centre = transform(back, np.array([0.5, 0.5]))
    kind = face_type.removesuffix("-no-align")
    if kind == "whole":
        centre = centre - 0.07 * down
    elif kind == "head":
        yaw = _side_by_side(transform(unit, landmarks))
        centre = centre + right * yaw * abs(np.tanh(2 * yaw)) / 2 - 0.5 * down
    side = float(np.hypot(*right)) * (1 + 2 * np.sqrt(2) * _PADDING_DFL2[kind])
    turn = np.eye(2) if face_type != kind else unit[:, :2] * float(np.hypot(*right))
    linear = turn * (size / side)
    return np.hstack([linear, (size / 2 - linear @ centre)[:, None]])


def _side_by_side(aligned: NDArray[np.float64]) -> float:
    """How far the bridge of the nose lies from the middle between the edges of the jaw, in sides of the template."""
    bridge, jaw_left, jaw_right = aligned[27:30, 0], aligned[0:3, 0], aligned[[16, 15, 14], 0]
    return float((jaw_right - bridge).mean() - (bridge - jaw_left).mean())


def transform(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Apply a (2, 3) matrix to (..., 2) points."""
    return np.asarray(points, np.float64) @ np.asarray(matrix, np.float64)[:, :2].T + np.asarray(matrix)[:, 2]


def invert(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """The (2, 3) matrix that undoes a (2, 3) matrix."""
    return np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]


def between(start: NDArray[np.floating], end: NDArray[np.floating]) -> NDArray[np.float64]:
    """The (2, 3) matrix from the crop of one frame-to-crop matrix to that of another."""
    whole = np.vstack([end, [0, 0, 1]]) @ np.vstack([invert(start), [0, 0, 1]])
    return np.asarray(whole[:2])


def rescale(matrix: NDArray[np.floating], factor: float) -> NDArray[np.float64]:
    """The same crop at `factor` times the side, with pixel centres kept in place.

    Warping by the result and warping by `matrix` followed by a resize show the same area: pixel k of the small crop
    lies at (k + 0.5) * factor - 0.5 of the large one.
    """
    scaled = np.asarray(matrix, np.float64) * factor
    scaled[:, 2] += (factor - 1) / 2
    return scaled


def crop_corners(matrix: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """(4, 2) corners of a crop in frame pixels: top left, top right, bottom right, bottom left."""
    edge = size - 0.5
    return transform(invert(matrix), np.array([[-0.5, -0.5], [edge, -0.5], [edge, edge], [-0.5, edge]]))


def intersection_over_union(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Overlap of two x1 y1 x2 y2 boxes, 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))
