"""The edge of a mask. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

_LARGEST_FACE = 4096
"""Pixels from which on a larger face has its mask eroded no differently; the formula was made for smaller ones."""


def erode_radius(face_size: float, percent: float) -> int:
    """Pixels to erode (dilate, if negative) a mask of a face of `face_size` pixels. Source: DeepFaceLab, 2019."""
    face_size = min(face_size, _LARGEST_FACE)
    return int(face_size * (0.126 - 0.00004551365 * face_size) * 0.01 * percent)


def blur_side(face_size: float, percent: float) -> int:
    """Side of the box that blurs the mask of a face of `face_size` pixels. Source: DeepFaceLab, 2019."""
    return int(face_size * 0.10 * 0.01 * percent)


def mask_size(mask: NDArray[np.float32]) -> float:
    """Mean side in pixels of what a mask covers; 0 if it covers nothing."""
    ys, xs = np.nonzero(mask > 0.5)
    if not len(xs):
        return 0.0
    return float((np.ptp(xs) + np.ptp(ys)) / 2 + 1)


def finish_mask(
    mask: NDArray[np.float32],
    limit: NDArray[np.float32],
    erode: float,
    blur: float,
    *,
    clip_sides: float = 0,
    pixel: float = 1,
) -> NDArray[np.float32]:
    """Erode and soften a mask without letting it grow past `limit`.

    The blur runs inward: the mask is first shrunk by half the blur, so that its soft edge ends where the hard one was.

    Args:
        mask: (S, S) float32 in [0, 1].
        limit: (S, S) float32 in [0, 1]; the result is 0 where this is 0, unless a negative `erode` asks to grow it.
        erode, blur, clip_sides: percent, see MergeConfig.
        pixel: frame pixels a pixel of the mask; `erode` is not quite proportional to the size of the face in the frame.
    """
    size = mask_size(mask) * pixel
    grow = max(0, round(-erode_radius(size, erode) / pixel))
    side = round(blur_side(size, blur) / pixel)
    shrink = round(erode_radius(size, erode) / pixel) + side // 2
    border = max(2, side // 2 + 1)
    shaped = _clear_sides(_clear_border(mask, border), clip_sides)
    if shrink > 0:
        shaped = np.asarray(cv2.erode(shaped, _disc(shrink), borderType=cv2.BORDER_CONSTANT, borderValue=0), np.float32)
    elif shrink < 0:
        shaped = _clear_border(np.asarray(cv2.dilate(shaped, _disc(-shrink)), np.float32), border)
    if side > 0:
        odd = side // 4 * 2 + 1
        for _ in range(2):  # two boxes of half the side make one smooth ramp
            shaped = np.asarray(cv2.blur(shaped, (odd, odd), borderType=cv2.BORDER_CONSTANT), np.float32)
    inside = np.minimum(shaped, cv2.dilate(limit, _disc(grow)) if grow else limit)
    return np.where(inside < 1 / 255, 0, inside).astype(np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _clear_border(mask: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """A mask that is 0 in a frame of `width`, so that the crop's own edge can never show."""
    cleared = np.zeros_like(mask)
    cleared[width:-width, width:-width] = mask[width:-width, width:-width]
    return cleared


def _clear_sides(mask: NDArray[np.float32], percent: float) -> NDArray[np.float32]:
    """A mask that fades to 0 within `percent` of its width at the left and the right."""
    width = int(mask.shape[1] * percent / 100)
    if not width:
        return mask
    bar = np.zeros_like(mask)
    bar[:, width:-width] = 1
    return np.asarray(mask * cv2.blur(bar, (width, width), borderType=cv2.BORDER_CONSTANT), np.float32)
