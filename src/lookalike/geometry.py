"""Alignment of a face onto the mean face, and moving points between frame and crop. Pure."""

import numpy as np
from numpy.typing import NDArray

from lookalike.mean_face import TEMPLATE
from lookalike.options import FaceType

_PADDING = {"half": 0.0, "full": 12 / 64, "head": 24 / 64}
"""Room on each side of the template, as a share of the crop's side."""


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
    landmarks: NDArray[np.floating], size: int, face_type: FaceType = "full", zoom: float = 1.0
) -> NDArray[np.float64]:
    """Matrix that warps a frame onto a square crop of the mean face.

    Args:
        landmarks: (68, 2) in frame pixels, x right, y down; the jaw (0..16) does not count.
        size: side of the crop in pixels.
        face_type: how much around the face is in the crop.
        zoom: above 1 shows a larger area about the crop's centre, so a face pasted back comes out larger.

    Returns:
        (2, 3) float64, so that crop_xy = matrix @ [x, y, 1].

    Raises:
        ValueError: the landmarks coincide or are not (68, 2).

    Source: the alignment of DeepFaceLab, 2019; Umeyama 1991 onto dlib's face-chip template.
    """
    if np.shape(landmarks) != (68, 2):
        raise ValueError(f"landmarks must be (68, 2), got {np.shape(landmarks)}")
    unit = similarity(landmarks[17:], TEMPLATE)
    if face_type == "avatar":
        scale = np.hypot(unit[0, 0], unit[1, 0]) * size / 3
        centre = np.asarray(landmarks, np.float64).mean(0)
        matrix = np.hstack([np.eye(2) * scale, (size / 2 - scale * centre)[:, None]])
    else:
        padding = size * _PADDING[face_type]
        matrix = unit * (size - 2 * padding)
        matrix[:, 2] += padding
    matrix = matrix / zoom
    matrix[:, 2] -= size * (1 / zoom - 1) / 2
    return matrix


def transform(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Apply a (2, 3) matrix to (..., 2) points."""
    return np.asarray(points, np.float64) @ np.asarray(matrix, np.float64)[:, :2].T + np.asarray(matrix)[:, 2]


def invert(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """The (2, 3) matrix that undoes a (2, 3) matrix."""
    return np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]


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
