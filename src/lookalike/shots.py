"""Where one shot ends and the next begins. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE_WH = (64, 36)
_CUT = 27.0


def thumbnail(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(36, 64, 3) uint8 hue (0..179), saturation and value of an (H, W, 3) RGB picture, to tell shots apart."""
    small = cv2.resize(rgb, _SIDE_WH, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), np.uint8)


def is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two following pictures, given as thumbnails, belong to different shots.

    Source: the content score of PySceneDetect, mean change of hue, saturation and value, with its threshold of 27;
    hue is taken as the circle it is.
    """
    change = np.abs(before.astype(np.float32) - after.astype(np.float32))
    change[..., 0] = np.minimum(change[..., 0], 180 - change[..., 0])
    return float(change.mean()) > _CUT
