"""A folder of images, or one image, read as a video: sorted by name, silent; 25 a second unless `frames.json` says."""

import logging
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from lookalike.color import rgb_to_picture
from lookalike.errors import VideoOpenError
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo
from lookalike.untrusted import UnreadableError, opened_picture
from lookalike.video.sidecar import load_times

_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of what is read, whatever a file is named."""
_RATE: Final = Fraction(25)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Timing:
    rate: Fraction
    time_base: Fraction
    pts: list[int]


def is_images(path: Path) -> bool:
    """True for a folder, and for a file named like an image."""
    return path.is_dir() or (path.is_file() and path.suffix.lower() in _SUFFIXES)


def probe(path: Path) -> VideoInfo:
    """What a folder of images is as a video; size, depth and colour are those of its first image.

    Raises:
        VideoOpenError: no image in it, or the first cannot be read.
    """
    files = list_images(path)
    rgb = _read(files[0])
    if rgb is None:
        raise VideoOpenError(f"{files[0]} is no image that can be read; remove it or save it again")
    height, width = rgb.shape[:2]
    deep = rgb.dtype == np.uint16
    color = ColorSpace("rgb", full_range=True, bits=16 if deep else 8)
    timing = _timing(path, files)
    return VideoInfo(
        path=path,
        size_wh=(width, height),
        pixel_format="rgb48le" if deep else "rgb24",
        color=color,
        tags=ColorTags(primaries=1, transfer=1, matrix=0, range=2),
        frame_count=len(files),
        rate=timing.rate,
        time_base=timing.time_base,
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=float((timing.pts[-1] - timing.pts[0]) * timing.time_base + 1 / timing.rate),
        audio_tracks=0,
    )


def read_frames(path: Path, start: int, stop: int | None) -> Iterator[Frame]:
    """Images as R, G, B frames, upright by their EXIF; one that cannot be read is skipped and keeps its number."""
    count = len(list_images(path))
    return read_numbered(path, range(start, count if stop is None else min(stop, count)))


def read_numbered(path: Path, numbers: Iterable[int]) -> Iterator[Frame]:
    """As `read_frames`, those of these numbers."""
    skipped = 0
    color = probe(path).color
    files = list_images(path)
    timing = _timing(path, files)
    for index in numbers:
        rgb = _read(files[index])
        if rgb is None:
            skipped += 1
            continue
        yield Frame(rgb_to_picture(rgb, color), index, timing.pts[index], timing.time_base)
    if skipped:
        _log.warning("%s: skipped %d images that cannot be read", path, skipped)


@dataclass(frozen=True, slots=True)
class ImagesPiece:
    """Some images of a folder, for a machine that does not have it."""

    start: int
    """Number of the first."""
    files: tuple[tuple[str, bytes], ...]
    """Names and contents."""
    pts: tuple[int, ...]
    time_base: Fraction

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(len(data) for _, data in self.files)


def cut_images(path: Path, start: int, stop: int) -> ImagesPiece:
    """The images `start` to before `stop` of a folder; fewer, or none, where it ends before.

    Raises:
        VideoOpenError: there is no image in it.
    """
    files = list_images(path)
    timing = _timing(path, files)
    kept = tuple((file.name, file.read_bytes()) for file in files[start:stop])
    return ImagesPiece(start, kept, tuple(timing.pts[start:stop]), timing.time_base)


def images_of(piece: ImagesPiece, info: VideoInfo) -> Iterator[Frame]:
    """As `read_frames` of the whole folder gives them, of which `info` tells."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, data) in enumerate(piece.files):
            file = Path(folder) / name
            file.write_bytes(data)
            rgb = _read(file)
            file.unlink()
            if rgb is not None:
                picture = rgb_to_picture(rgb, info.color)
                yield Frame(picture, piece.start + number, piece.pts[number], piece.time_base)


def frame_times(path: Path) -> list[int]:
    """Ticks of all images, rising."""
    return _timing(path, list_images(path)).pts


def list_images(path: Path) -> list[Path]:
    """The images that a folder holds as a video, frame2 before frame10; a file stands for itself.

    Raises:
        VideoOpenError: there is none.
    """
    if path.is_file():
        return [path]
    with os.scandir(path) as entries:  # which knows what is a file; a pipe or a device would never end
        names = [entry.name for entry in entries if entry.name[0] != "." and _is_image(entry)]
    files = [path / name for name in names]
    if not files:
        raise VideoOpenError(f"{path} is a folder without images; pass a video or a folder of png or jpg")
    return sorted(files, key=_by_number)


def _is_image(entry: "os.DirEntry[str]") -> bool:
    try:
        return Path(entry.name).suffix.lower() in _SUFFIXES and entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def _timing(path: Path, files: list[Path]) -> _Timing:
    """From `frames.json` where it knows all images, else even."""
    known = load_times(path) if path.is_dir() else None
    if known is None:
        return _Timing(_RATE, 1 / _RATE, list(range(len(files))))
    rate = Fraction(known.rate)
    pts = [known.pts[file.name] for file in files if file.name in known.pts]
    if len(pts) == len(files) and all(a < b for a, b in pairwise(pts)):
        return _Timing(rate, Fraction(known.time_base), pts)
    return _Timing(rate, 1 / rate, list(range(len(files))))


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Sort key: frame2 before frame10."""
    parts = re.findall(r"\d+|\D+", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _read(file: Path) -> NDArray[np.uint8] | NDArray[np.uint16] | None:
    """(H, W, 3) RGB, uint16 for an image of 16 bits; alpha is left out. None if it cannot be read."""
    try:
        with opened_picture(file, FORMATS) as opened:
            if ";16" in str(getattr(opened, "tile", "")):  # Pillow would drop the lower bits of R, G, B
                return _read_deep(file)
            return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except (UnreadableError, OSError):
        return None


def _read_deep(file: Path) -> NDArray[np.uint16] | None:
    bgr = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if bgr is None or bgr.dtype != np.uint16:
        return None
    return np.ascontiguousarray(bgr[:, :, ::-1], np.uint16)
