"""How sharp a face is: by the width of its edges, and by what is left of fine detail in its blurriest direction."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import canny

Sample = TypeVar("Sample", bound=np.generic)

_BLOCK = 64
_EDGE_SHARE = 0.002
"""Share of a block's pixels above which it counts as an edge block."""
_LONGEST = 101
"""Pixels that an edge is followed to each side."""
_SHARP_BINS = 64
"""Percents of the probability to see blur, from 0, that count as sharp."""
_FINE, _COARSE = 1 / 256, 3 / 256
"""Scales of the two gradients of `directional_sharpness`, as shares of the crop's side.

Of fine 0.7 to 1.5 and coarse 2 to 9 pixels of 256, coarse 2 and 3 ranked blurred crops of real faces best; with 3 the
values of strong blurs lie further apart.
"""


def cpbd(gray: NDArray[np.uint8]) -> float:
    """Share of the edges whose blur nobody would notice: 0 (flat, or blurred) to 1.

    Only edges that run about upright are measured, along the row; see `directional_sharpness` for other directions.

    Args:
        gray: (H, W) uint8; pixels beyond whole 64-pixel blocks do not count, less than one block gives 0.

    Source: Narvekar and Karam, "A no-reference image blur metric based on the cumulative probability of blur
    detection", IEEE TIP 20(9), 2011, as DeepFaceLab (2019) used it.
    """
    image = gray.astype(np.float64)
    rows, columns = (side // _BLOCK for side in image.shape)
    if not rows or not columns:
        return 0.0
    widths = _blocks(_edge_widths(image), rows, columns)
    edgy = _blocks(_canny(image), rows, columns).mean(1) > _EDGE_SHARE
    blocks = _blocks(image, rows, columns)
    contrast = np.floor(blocks.max(1) - blocks.min(1))
    noticeable = np.where(contrast <= 50, 5.0, 3.0)
    measured = (widths > 0) & edgy[:, None]
    if not measured.any():
        return 0.0
    seen = 1 - np.exp(-((widths / noticeable[:, None])[measured] ** 3.6))
    return float((np.rint(seen * 100) < _SHARP_BINS).mean())


def _blocks(image: NDArray[Sample], rows: int, columns: int) -> NDArray[Sample]:
    """(rows * columns, 4096): the whole blocks of a picture."""
    whole = image[: rows * _BLOCK, : columns * _BLOCK]
    return whole.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)


def _canny(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = canny(image)  # type: ignore[no-untyped-call]  # scikit-image has no types
    return found


def _edge_widths(image: NDArray[np.float64]) -> NDArray[np.int32]:
    """Width in pixels of each edge that runs about upright, 0 where there is none. Source: Marziliano, ICIP 2002."""
    edge = _edges(image)
    edge[[0, -1]] = edge[:, [0, -1]] = False
    at = np.nonzero(edge)
    row, column = at
    slope_x = image[row, column + 1] - image[row, column - 1]
    slope_y = image[row + 1, column] - image[row - 1, column]
    angle = 45 * np.round(np.where(slope_x == 0, 0, np.degrees(np.arctan2(slope_y, slope_x))) / 45)
    steps = np.diff(image, axis=1)
    width = np.zeros(image.shape, np.int32)
    for along, towards in ((steps > 0, angle == 0), (steps < 0, np.abs(angle) == 180)):
        width[at] += np.where(towards, _extent_left(along)[at] + _extent_right(along)[at], 0)
    return width


def _edges(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the slope along a row is strong and steeper than beside it, along the row or the column."""
    slope = cv2.Sobel(image, cv2.CV_64F, 1, 0, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REFLECT)
    strength = slope**2
    strength[strength <= 2 * np.sqrt(strength.mean())] = 0
    padded = np.pad(strength, 1)
    middle = padded[1:-1, 1:-1]
    along_row = (middle > padded[1:-1, :-2]) & (middle > padded[1:-1, 2:])
    along_column = (middle > padded[:-2, 1:-1]) & (middle > padded[2:, 1:-1])
    return along_row | along_column


def _extent_left(steps: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(H, W): pixels from the left neighbour of each pixel to the end of the run of `steps` that reaches it, plus one.

    Args:
        steps: (H, W - 1), whether the step from a pixel to its right neighbour goes the edge's way.
    """
    place = np.arange(steps.shape[1], dtype=np.int32)
    last_break = np.maximum.accumulate(np.where(steps, -1, place), axis=1)
    extent = np.ones((steps.shape[0], steps.shape[1] + 1), np.int32)
    extent[:, 2:] += np.minimum(place - last_break, _LONGEST - 1)[:, :-1]
    return extent


def _extent_right(steps: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(H, W): as `_extent_left`, from the right neighbour to the right."""
    return _extent_left(steps[:, ::-1])[:, ::-1]


def directional_sharpness(gray: NDArray[np.uint8], inside: NDArray[np.generic]) -> float:
    """How much finer than coarse the detail of a face is, in the direction where it is least; 0 for a flat face.

    The mean square slope in direction n is n' J n, with J the structure tensor. That of fine slopes over that of
    coarse ones, at its smallest over all n, is the smallest generalised eigenvalue of the two tensors: no direction is
    singled out, contrast falls out, and a linear motion of any angle shows as well as bad focus.

    Args:
        gray: (S, S) uint8 aligned crop.
        inside: (S, S), above 0 where there is face.
    """
    side, picture = len(gray), gray.astype(np.float32)
    weight = (np.asarray(inside) > 0).astype(np.float32)
    fine, coarse = (_tensor(picture, weight, share * side) for share in (_FINE, _COARSE))
    if np.linalg.det(coarse) < 1e-6:
        return 0.0
    return float(np.linalg.eigvals(np.linalg.solve(coarse, fine)).real.min())


def _tensor(picture: NDArray[np.float32], weight: NDArray[np.float32], sigma: float) -> NDArray[np.float64]:
    """(2, 2) mean structure tensor of a picture smoothed by `sigma` pixels."""
    smooth = cv2.GaussianBlur(picture, (0, 0), sigma)
    slopes = np.stack([cv2.Scharr(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1))]).reshape(2, -1)
    return np.asarray((slopes * weight.reshape(-1)) @ slopes.T / max(float(weight.sum()), 1.0) / 1024, np.float64)
