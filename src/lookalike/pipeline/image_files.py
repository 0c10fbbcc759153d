"""Pictures as the bytes of image files."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb
from lookalike.types import Picture

_QUALITY = 95


def image_bytes(picture: Picture, kind: Literal["png", "jpg"] = "png") -> bytes:
    """A picture as PNG, of 16 bits if it has more than 8, with alpha if it has any, or as JPEG of quality 95, 4:4:4."""
    deep = picture.color.bits > 8 and kind == "png"
    alpha = None
    if picture.alpha is not None and kind == "png":
        alpha = picture.alpha.astype(np.float32) / np.float32((1 << picture.color.bits) - 1)
    return pixel_bytes(picture_to_rgb(picture), alpha, deep=deep, kind=kind)


def pixel_bytes(
    rgb: NDArray[np.float32],
    alpha: NDArray[np.float32] | None = None,
    *,
    deep: bool = False,
    kind: Literal["png", "jpg"] = "png",
) -> bytes:
    """(H, W, 3) RGB in [0, 1], or (H, W) grey, with (H, W) alpha if any, as an image file; `deep` for 16 bits."""
    pixels = rgb if rgb.ndim == 2 else rgb[:, :, ::-1]
    if alpha is not None:
        pixels = np.dstack([pixels, alpha])
    scaled = np.rint(pixels * np.float32(65535 if deep else 255))
    codes: NDArray[np.uint16] | NDArray[np.uint8] = scaled.astype(np.uint16) if deep else scaled.astype(np.uint8)
    settings = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if kind == "jpg":
        settings = [
            cv2.IMWRITE_JPEG_QUALITY,
            _QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
    ok, data = cv2.imencode(f".{kind}", codes, settings)
    if not ok:
        raise RuntimeError(f"{kind} encoder failed")
    return bytes(data)
