"""The blur of something that moves while the shutter is open. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

_LONGEST = 99


def blur_along(picture: NDArray[np.float32], way: NDArray[np.floating]) -> NDArray[np.float32]:
    """Blur an (H, W, C) picture evenly along a straight way of (2,) pixels through each point."""
    length = min(float(np.hypot(*way)), _LONGEST)
    if length < 1:
        return picture
    kernel = line_kernel(np.asarray(way, np.float64) * (length / np.hypot(*way)))
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def line_kernel(way: NDArray[np.floating]) -> NDArray[np.float32]:
    """(K, K) float32 that sums to 1: a line of (2,) pixels about the centre, K odd."""
    reach = int(np.ceil(np.abs(way).max() / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float64)
    for share in np.linspace(-0.5, 0.5, 8 * reach + 1):
        x, y = np.asarray(way) * share + reach
        left, top = int(x), int(y)
        fx, fy = x - left, y - top
        kernel[top, left] += (1 - fx) * (1 - fy)
        kernel[top, left + 1] += fx * (1 - fy)
        kernel[top + 1, left] += (1 - fx) * fy
        kernel[top + 1, left + 1] += fx * fy
    return np.asarray(kernel / kernel.sum(), np.float32)
