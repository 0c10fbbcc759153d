"""Where on an aligned crop there is face: the outline of the points less the hair that falls over it. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.landmarks import oval_mask

_DARK = 0.55
"""Below this share of the skin's lightness a pixel is taken for hair."""


def face_region(
    crop: NDArray[np.uint8], landmarks: NDArray[np.floating], mesh: NDArray[np.floating]
) -> NDArray[np.float32]:
    """The face oval without dark hair over forehead and temples.

    Hair is what is much darker than the skin of cheeks and nose, lies above the mouth, and hangs together with the
    oval's border; brows and eyes are dark as well, but are left in. Light hair is not told from skin.

    Args:
        crop: (S, S, 3) uint8 RGB, aligned.
        landmarks: (68, 2) crop pixels.
        mesh: (478, 2) crop pixels.

    Returns:
        (S, S) float32 in [0, 1], soft at the edges.
    """
    side = len(crop)
    oval = oval_mask(mesh, (side, side))
    inside = oval > 0.5
    lightness = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)[:, :, 0], (0, 0), side / 128)
    skin = inside & (_cheeks(landmarks, side) > 0)
    if not skin.any():
        return oval
    dark = inside & (lightness < _DARK * np.median(lightness[skin]))
    dark &= _features(landmarks, side) == 0
    dark[int(max(0, landmarks[[48, 54], 1].min())) :] = False
    _, labels = cv2.connectedComponents(dark.astype(np.uint8))
    border = inside & ~cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    hair = np.isin(labels, np.setdiff1d(labels[border], 0)).astype(np.float32)
    grown = cv2.dilate(hair, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side // 64 * 2 + 1, side // 64 * 2 + 1)))
    return np.asarray(oval * (1 - cv2.GaussianBlur(grown, (0, 0), side / 100)), np.float32)


def _cheeks(landmarks: NDArray[np.floating], side: int) -> NDArray[np.uint8]:
    """Between eyes and mouth, 1 inside: almost always bare skin."""
    corners = landmarks[[41, 46, 54, 48]]
    return _filled(corners, side)


def _features(landmarks: NDArray[np.floating], side: int) -> NDArray[np.uint8]:
    """Brows and eyes with a little room, 1 inside."""
    mask = np.zeros((side, side), np.uint8)
    for points in ((17, 18, 19, 20, 21, 39, 40, 41, 36), (22, 23, 24, 25, 26, 45, 46, 47, 42)):
        mask |= _filled(landmarks[list(points)], side)
    grow = max(1, side // 40)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)


def _filled(points: NDArray[np.floating], side: int) -> NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return mask
