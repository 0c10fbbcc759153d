"""Pictures as the bytes of image files."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb
from lookalike.types import Picture

_QUALITY = 95


def image_bytes(picture: Picture, kind: Literal["png", "jpg"] = "png") -> bytes:
    """A picture as PNG, of 16 bits if it has more than 8, or as JPEG of quality 95 with whole chroma."""
    deep = picture.color.bits > 8 and kind == "png"
    scaled = np.rint(picture_to_rgb(picture) * (65535 if deep else 255))
    rgb: NDArray[np.uint16] | NDArray[np.uint8] = scaled.astype(np.uint16) if deep else scaled.astype(np.uint8)
    settings = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if kind == "jpg":
        settings = [
            cv2.IMWRITE_JPEG_QUALITY,
            _QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
    ok, data = cv2.imencode(f".{kind}", rgb[:, :, ::-1], settings)
    if not ok:
        raise RuntimeError(f"{kind} encoder failed")
    return bytes(data)
