"""Pictures of the report: dst beside the result. Pure."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.faceset import FaceRecord, crop_face

_SIDE = 256
_TILE = 128
_GAP = 4
_AROUND = 1.7
"""Side of the picture over the longer side of the face's box."""


def pair_picture(dst: NDArray[np.uint8], result: NDArray[np.uint8], box_xyxy: Sequence[float]) -> bytes:
    """JPEG, 256 pixels high: the surroundings of a face in two (H, W, 3) RGB pictures, dst on the left."""
    gap = np.full((_SIDE, _GAP, 3), 128, np.uint8)
    return encode_jpeg(np.hstack([_around(dst, box_xyxy, _SIDE), gap, _around(result, box_xyxy, _SIDE)]))


def pair_tile(dst: NDArray[np.uint8], result: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.uint8]:
    """One column of the strip: dst's face above the result's."""
    return np.vstack([_around(dst, record.box_xyxy, _TILE), _around(result, record.box_xyxy, _TILE)])


def strip_picture(tiles: Sequence[NDArray[np.uint8]]) -> bytes:
    """JPEG of tiles of one size side by side."""
    return encode_jpeg(np.hstack(list(tiles)))


def encode_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """JPEG of quality 90 of an (H, W, 3) RGB picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _around(rgb: NDArray[np.uint8], box_xyxy: Sequence[float], side: int) -> NDArray[np.uint8]:
    """An upright square about the face's box, which is moved rather than cut at the frame's edge."""
    left, top, right, bottom = box_xyxy
    height, width = rgb.shape[:2]
    span = max(min(max(right - left, bottom - top) * _AROUND, width, height), 8.0)
    x, y = (
        float(np.clip((low + high) / 2 - span / 2, 0, size - span))
        for low, high, size in ((left, right, width), (top, bottom, height))
    )
    scale = side / span
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    matrix[:, 2] += (scale - 1) / 2
    return crop_face(rgb, matrix, side, cv2.BORDER_CONSTANT)
