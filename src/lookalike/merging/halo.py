"""A soft bright edge around a replaced face, so that whoever watches sees that it was replaced.

The idea is that of the documentary film "Welcome to Chechnya" (2020), whose disguised witnesses are told by it.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import paste_rgb
from lookalike.geometry import crop_corners
from lookalike.merging.label import opaque
from lookalike.merging.regions import Mask
from lookalike.merging.target import frame_box, in_box
from lookalike.types import Picture

_SHOWN: Final = 0.1
"""Of the mask, from where on the face counts as replaced."""
_WIDTH: Final = 0.06
"""Of the glow, in sides of a square as large as the face."""
_LEAST_WIDTH: Final = 1.5
"""Frame pixels."""
_ROUND: Final = 0.9
"""Blur of the outline, in widths, that takes its corners off."""
_GLOW: Final = (0.1, 1.6, 0.55)
"""Where it is brightest, how far it reaches from there, both in widths outward of the edge, and how strong it is."""
_SHADE: Final = (2.1, 1.6, 0.1)
"""The same of a faint shadow around it, without which it would be lost before a white wall."""

_NOTHING: Final = 1e-3
"""Less cannot be seen, and samples stay as they were."""


def with_halo(picture: Picture, mask: Mask, matrix: NDArray[np.float64], white: float = 1.0) -> Picture:
    """The picture with a halo around one face; beyond its reach samples stay, and alpha is full under it.

    Args:
        picture: with the face laid in.
        mask: (S, S) in [0, 1], where it shows.
        matrix: (2, 3) frame to mask.
        white: code in [0, 1] of the glow.
    """
    face = (mask > _SHOWN).astype(np.uint8)
    if not face.any():
        return picture
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))  # mask pixels a frame pixel
    width = max(_WIDTH * float(np.sqrt(face.sum())), _LEAST_WIDTH * zoom)
    room = int(np.ceil(width * (_SHADE[0] + _SHADE[1]))) + 2
    outward = cv2.GaussianBlur(_outward(np.pad(face, room)), (0, 0), _ROUND * width) / np.float32(width)
    wide = matrix.copy()
    wide[:, 2] += room
    box = frame_box(crop_corners(wide, len(outward)), picture)
    if box[2] <= box[0] or box[3] <= box[1]:
        return picture
    glow, shade = (_placed(_bump(outward, *shape), wide, box) for shape in (_GLOW, _SHADE))
    cover = glow + shade * (1 - glow)
    light = glow / np.maximum(cover, np.float32(1e-6)) * np.float32(white)
    return opaque(paste_rgb(picture, np.repeat(light[..., None], 3, axis=2), cover, box), cover, box)


def _outward(face: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(S, S) pixels from the outline of a mask without its dents, negative inside."""
    points = cv2.findNonZero(face)
    outline = cv2.convexHull(points)
    inside = np.zeros_like(face)
    cv2.fillConvexPoly(inside, outline, 1)
    distances = [cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for part in (1 - inside, inside)]
    return np.asarray(distances[0] - distances[1], np.float32)


def _bump(outward: NDArray[np.float32], middle: float, reach: float, strength: float) -> NDArray[np.float32]:
    """Smooth, `strength` at `middle`, 0 from `reach` on."""
    away = np.minimum(np.abs(outward - np.float32(middle)) / np.float32(reach), 1)
    return np.asarray(strength * (0.5 + 0.5 * np.cos(np.pi * away)), np.float32)


def _placed(
    weight: NDArray[np.float32], matrix: NDArray[np.float64], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    size_wh = (box[2] - box[0], box[3] - box[1])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    placed = np.asarray(cv2.warpAffine(weight, in_box(matrix, box), size_wh, flags=flags), np.float32)
    return np.where(placed < _NOTHING, np.float32(0), placed)
