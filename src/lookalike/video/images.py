"""A folder of images, or one image, read as a video: sorted by name, 25 a second, silent."""

import logging
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from lookalike.color import rgb_to_picture
from lookalike.errors import VideoOpenError
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo

_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
_RATE: Final = Fraction(25)

_log = logging.getLogger(__name__)


def is_images(path: Path) -> bool:
    """True for a folder, and for a file named like an image."""
    return path.is_dir() or (path.is_file() and path.suffix.lower() in _SUFFIXES)


def probe(path: Path) -> VideoInfo:
    """What a folder of images is as a video; size and colour are those of its first image.

    Raises:
        VideoOpenError: no image in it, or the first cannot be read.
    """
    files = _files(path)
    rgb = _read(files[0])
    if rgb is None:
        raise VideoOpenError(f"{files[0]} is no image that can be read; remove it or save it again")
    height, width = rgb.shape[:2]
    color = _color(height)
    return VideoInfo(
        path=path,
        size_wh=(width, height),
        pixel_format="rgb24",
        color=color,
        tags=ColorTags(1, 1, 1 if color.matrix == "bt709" else 6, 1),
        frame_count=len(files),
        rate=_RATE,
        time_base=1 / _RATE,
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=float(len(files) / _RATE),
        audio_tracks=0,
    )


def read_frames(path: Path, start: int, stop: int | None) -> Iterator[Frame]:
    """Images as 4:4:4 frames, upright by their EXIF; one that cannot be read is skipped and keeps its number."""
    skipped = 0
    color = probe(path).color
    for index, file in enumerate(_files(path)[:stop]):
        if index < start:
            continue
        rgb = _read(file)
        if rgb is None:
            skipped += 1
            continue
        yield Frame(rgb_to_picture(rgb, color), index, index, 1 / _RATE)
    if skipped:
        _log.warning("%s: skipped %d images that cannot be read", path, skipped)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")]
    if not files:
        raise VideoOpenError(f"{path} is a folder without images; pass a video or a folder of png or jpg")
    return sorted(files, key=_by_number)


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Sort key: frame2 before frame10."""
    parts = re.findall(r"\d+|\D+", file.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _color(height: int) -> ColorSpace:
    return ColorSpace("bt709" if height >= 720 else "bt601", full_range=False, bits=8)


def _read(file: Path) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8, or None."""
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I;16"):
                return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        return None
