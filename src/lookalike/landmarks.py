"""What the 68 landmarks and the 478 mesh points say of a face: outline, pose, openings. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.mean_face import SOLID

MESH_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The 36 mesh vertices around the face, hairline to chin. Source: MediaPipe's face-oval connections."""

_IRISES = tuple(range(468, 478))
GUIDE_POINTS = 68 + len(_IRISES)
"""Points that say where a face looks and what it does: the landmarks and the irises."""

_PAIRS = (
    *((i, 16 - i) for i in range(8)), *((17 + i, 26 - i) for i in range(5)), (31, 35), (32, 34),
    (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
    (48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67),
    (68, 73), (69, 76), (70, 75), (71, 74), (72, 77),
)  # fmt: skip
"""Guide points that change places in a mirror; an iris is its centre, then its right, top, left, bottom."""

GUIDE_MIRROR = tuple({**dict(_PAIRS), **{b: a for a, b in _PAIRS}}.get(i, i) for i in range(GUIDE_POINTS))
"""Which guide point takes the place of each in a mirrored face."""

_HULL_PARTS = (
    (*range(0, 9), 17),
    (*range(8, 17), 26),
    (17, 18, 19, 8),
    (24, 25, 26, 8),
    (19, 20, 21, 22, 23, 24, 8),
    (17, 18, 19, 20, 21, 27, 31, 32, 33, 34, 35, 8),
    (22, 23, 24, 25, 26, 27, 31, 32, 33, 34, 35, 8),
    tuple(range(27, 36)),
)
_FOREHEAD = 0.35
"""Height of a forehead above the brows, in heights of the face below them."""
_MOUTH = range(48, 60)
_EYES = (range(36, 42), range(42, 48))


def hull_mask(landmarks: NDArray[np.floating], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Filled outline of a face from jaw to brows.

    Args:
        landmarks: (68, 2) in pixels of the canvas.
        size_wh: width and height of the canvas.

    Returns:
        (H, W) uint8, 1 inside. The union of eight convex hulls, as DeepFaceLab (2019) drew it.
    """
    mask = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    points = np.asarray(landmarks, np.float64).astype(np.int32)
    for part in _HULL_PARTS:
        cv2.fillConvexPoly(mask, cv2.convexHull(points[list(part)]), 1)
    return mask


def oval_mask(mesh: NDArray[np.floating], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Filled face oval, forehead included, with anti-aliased edge.

    Args:
        mesh: (478, 2) in pixels of the canvas.
        size_wh: width and height of the canvas.

    Returns:
        (H, W) float32 in [0, 1].
    """
    canvas = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    points = np.round(np.asarray(mesh, np.float64)[list(MESH_OVAL)] * 16).astype(np.int32)
    cv2.fillPoly(canvas, [points], 255, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)


def guide_points(landmarks: NDArray[np.floating], mesh: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    """(GUIDE_POINTS, 2) float32: landmarks, then irises, as crop coordinates in [-1, 1].

    Args:
        landmarks: (68, 2) in pixels of a square crop of `size`.
        mesh: (478, 2) in the same pixels.
        size: side of the crop.
    """
    points = np.concatenate([landmarks, mesh[list(_IRISES)]])
    return ((points + 0.5) * (2 / size) - 1).astype(np.float32)


def feature_mask(landmarks: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    """Eyes and mouth, each grown by a quarter of its width: where expression is read.

    Args:
        landmarks: (68, 2) in pixels of a square crop of `size`.

    Returns:
        (size, size) uint8, 1 inside.
    """
    mask = np.zeros((size, size), np.uint8)
    for part in (_MOUTH, *_EYES):
        points = np.asarray(landmarks, np.float64)[list(part)]
        one = np.zeros_like(mask)
        cv2.fillConvexPoly(one, cv2.convexHull(np.round(points).astype(np.int32)), 1)
        grow = max(1, min(round(np.ptp(points[:, 0]) * 0.25), size // 6))  # no more for what makes no face
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
        mask |= np.asarray(cv2.dilate(one, disc), np.uint8)
    return mask


def box_about(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """(4,) left, top, right, bottom about a face with its forehead, from (68, 2) landmarks; a pixel wide at least."""
    low, high = landmarks.min(0), landmarks.max(0)
    height = max(float(high[1] - low[1]), 1.0)
    return np.array([low[0], low[1] - _FOREHEAD * height, max(high[0], low[0] + 1), low[1] + height], np.float32)


def head_rotation(aligned: NDArray[np.floating]) -> NDArray[np.float64]:
    """(3, 3) rotation from the solid face to (68, 2) landmarks in a 256-pixel full-face crop.

    The search begins with a face that looks into the camera; without that it now and then ends with one behind it.

    Source: perspective-n-point (OpenCV iterative) with focal length 256.
    """
    camera = np.array([[256.0, 0, 128], [0, 256, 128], [0, 0, 1]])
    points = np.ascontiguousarray(aligned, np.float64).reshape(-1, 1, 2)
    away = 256 * float(np.ptp(SOLID[:, 0])) / max(float(np.ptp(aligned[:, 0])), 1.0)
    start = np.zeros((3, 1)), np.array([[0.0], [0.0], [away]])
    _, turn, _ = cv2.solvePnP(SOLID, points, camera, np.zeros((4, 1)), *start, useExtrinsicGuess=True)
    return np.asarray(cv2.Rodrigues(turn)[0], np.float64)


def head_pose(aligned: NDArray[np.floating]) -> tuple[float, float, float]:
    """Pitch, yaw and roll of a head, each about -1..1.

    Positive pitch looks up, positive yaw has the nose toward the picture's left, positive roll is clockwise.

    Args:
        aligned: (68, 2) landmarks in a 256-pixel full-face crop.

    Source: scaled as DeepFaceLab (2019) did.
    """
    r = head_rotation(aligned)
    root = np.hypot(r[0, 0], r[1, 0])
    if root < 1e-6:
        x, y, z = np.arctan2(-r[1, 2], r[1, 1]), np.arctan2(-r[2, 0], root), 0.0
    else:
        x, y, z = np.arctan2(r[2, 1], r[2, 2]), np.arctan2(-r[2, 0], root), np.arctan2(r[1, 0], r[0, 0])
    pitch, yaw, roll = (float(np.clip(v, -1, 1)) for v in (-x / 1.30, y / 1.11, z / 3.15))
    return pitch, yaw, roll


def eye_distance(landmarks: NDArray[np.floating]) -> float:
    """Pixels between the centres of the two eyes of (68, 2) landmarks."""
    return float(np.linalg.norm(landmarks[36:42].mean(0) - landmarks[42:48].mean(0)))


def mouth_opening(landmarks: NDArray[np.floating]) -> float:
    """Height of the gap between the lips over the eye distance, of (68, 2) landmarks."""
    gap = np.linalg.norm(landmarks[[61, 62, 63]] - landmarks[[67, 66, 65]], axis=1).mean()
    return float(gap / eye_distance(landmarks))


def eye_opening(landmarks: NDArray[np.floating]) -> float:
    """Mean height over width of both eyes, of (68, 2) landmarks. Source: Soukupova and Cech, CVWW 2016."""
    ratios = []
    for first in (36, 42):
        p = landmarks[first : first + 6]
        height = float(np.linalg.norm(p[1] - p[5]) + np.linalg.norm(p[2] - p[4]))
        ratios.append(height / max(2 * float(np.linalg.norm(p[0] - p[3])), 1e-6))
    return float(np.mean(ratios))
