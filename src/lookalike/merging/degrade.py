"""Making a whole frame as poor as the face drawn into it. These touch every pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.color import chroma_shifts, eight_bit, picture_to_rgb, rgb_to_picture
from lookalike.merging.config import MergeConfig
from lookalike.types import Picture

_COLORS = 256


def poorer_frame(picture: Picture, config: MergeConfig) -> Picture:
    """A frame smoothed and coarsened before faces are laid in; the frame itself where neither is asked for."""
    if not config.denoise and not config.degrade_bicubic:
        return picture
    rgb = picture_to_rgb(picture)
    if config.denoise:
        rgb = denoised(rgb, config.denoise)
    if config.degrade_bicubic:
        rgb = coarser(rgb, config.degrade_bicubic)
    return rgb_to_picture(rgb, picture.color, *chroma_shifts(picture))


def poorer_colors(picture: Picture, config: MergeConfig) -> Picture:
    """A frame with fewer colours after faces are laid in; the frame itself where that is not asked for."""
    if not config.degrade_color:
        return picture
    rgb = fewer_colors(picture_to_rgb(picture), config.degrade_color)
    return rgb_to_picture(rgb, picture.color, *chroma_shifts(picture))


def denoised(rgb: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    """Medians of 5x5 pixels, one for each 100 of `power`; what is left over is mixed in by its share."""
    left = power / 100
    while left > 0:
        median = np.asarray(cv2.merge([cv2.medianBlur(c, 5) for c in cv2.split(rgb)]), np.float32)
        rgb = rgb + (median - rgb) * np.float32(min(left, 1))
        left -= 1
    return rgb


def coarser(rgb: NDArray[np.float32], percent: float) -> NDArray[np.float32]:
    """The picture made smaller by `percent`, and enlarged again, both by bicubic interpolation."""
    height, width = rgb.shape[:2]
    share = 1 - percent / 101  # as in DeepFaceLab 2: a pixel is left at 100
    small = cv2.resize(rgb, (max(1, int(width * share)), max(1, int(height * share))), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1), np.float32)


def fewer_colors(rgb: NDArray[np.float32], percent: float) -> NDArray[np.float32]:
    """The picture mixed with one of 256 colours of its own (median cut, no dithering), as in DeepFaceLab (2019)."""
    image = Image.fromarray(eight_bit(rgb))
    palette = image.quantize(_COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    poor = np.asarray(palette, np.float32) / np.float32(255)
    return np.asarray(rgb + (poor - rgb) * np.float32(percent / 100), np.float32)
