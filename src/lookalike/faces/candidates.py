"""What detectors that slide over a picture have in common: reducing it, and dropping boxes that say the same."""

import cv2
import numpy as np
from numpy.typing import NDArray


def reduced(rgb: NDArray[np.uint8], long_side: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture whose long side is at most `long_side`, averaged over areas, and (2,) x, y factors back."""
    height, width = rgb.shape[:2]
    scale = min(1.0, long_side / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rgb = np.asarray(cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA), np.uint8)
    return rgb, np.array([width / rgb.shape[1], height / rgb.shape[0]], np.float32)


def strongest(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], overlap: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Which boxes to keep, strongest first, so that no two overlap by more than `overlap`.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,).
        overlap: 0..1, the intersection as a share of the union.
        of_smaller: as a share of the smaller box instead, so that a box inside another goes.

    Returns:
        (K,) indices; equal scores keep their order.
    """
    left, top, right, bottom = boxes.T
    areas = (right - left) * (bottom - top)
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        width = np.minimum(right[best], right[waiting]) - np.maximum(left[best], left[waiting])
        height = np.minimum(bottom[best], bottom[waiting]) - np.maximum(top[best], top[waiting])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        whole = np.minimum(areas[best], areas[waiting]) if of_smaller else areas[best] + areas[waiting] - common
        waiting = waiting[common <= overlap * whole]
    return np.array(kept, np.intp)
