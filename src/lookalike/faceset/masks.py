"""Masks as they are kept in a face record: small grey PNGs of the whole crop."""

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import RecordError
from lookalike.faceset.polygons import Mask, with_polygons
from lookalike.faceset.record import FaceRecord, StoredMask
from lookalike.geometry import between, rescale
from lookalike.untrusted import opened_picture

_SIDE = 256
"""Larger masks are made smaller; what networks say is not finer."""
_LARGEST = 1024
"""Side up to which a stored mask is read."""
_LEVELS = 16
"""Steps between covered and seen; they make the PNG a third as long as 256 do, and are below what blending shows."""


def stored_mask(mask: Mask, source: str) -> StoredMask:
    """Keep an (S, S) float32 mask in [0, 1]."""
    side = min(len(mask), _SIDE)
    small = mask if side == len(mask) else np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA))
    grey = np.round(np.round(np.clip(small, 0, 1) * (_LEVELS - 1)) * (255 / (_LEVELS - 1))).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "png", compress_level=9)
    return StoredMask(source=source, png=base64.b64encode(file.getvalue()).decode())


def read_mask(stored: StoredMask, side: int, origin: str = "a face") -> Mask:
    """(side, side) float32 in [0, 1] of a kept mask.

    Raises:
        RecordError: it is no such PNG; `origin` names the file.
    """
    try:
        with opened_picture(base64.b64decode(stored.png, validate=True), ("PNG",), most_pixels=_LARGEST**2) as picture:
            width, height = picture.size
            if picture.mode != "L" or width != height or width > _LARGEST:
                raise RecordError(f"{origin}: its mask is {picture.mode} {width}x{height}; run mask apply again")
            grey: NDArray[np.uint8] = np.asarray(picture)
    except ValueError as exc:
        raise RecordError(f"{origin}: its mask cannot be read ({exc}); run mask apply again") from exc
    mask = grey.astype(np.float32) / np.float32(255)
    if len(mask) == side:
        return mask
    method = cv2.INTER_AREA if side < len(mask) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, (side, side), interpolation=method), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PlacedMask:
    """A kept mask with its place in the frame."""

    stored: StoredMask
    matrix: NDArray[np.float64]
    """(2, 3) from the frame to the crop that the mask covers."""
    size: int
    """Side of that crop."""

    def in_crop(self, matrix: NDArray[np.floating], side: int) -> Mask:
        """(side, side) float32 in [0, 1] in the crop of another frame-to-crop matrix; 0 where the mask does not reach.

        Raises:
            RecordError: the mask cannot be read.
        """
        return moved_mask(read_mask(self.stored, self.size), self.matrix, matrix, side)


def placed_mask(record: FaceRecord) -> PlacedMask | None:
    """The mask of a record where it lies in the frame; None if it has none."""
    if record.mask is None:
        return None
    size = min(record.size, _SIDE)
    return PlacedMask(record.mask, rescale(record.matrix_array(), size / record.size), size)


def moved_mask(mask: Mask, start: NDArray[np.floating], end: NDArray[np.floating], side: int) -> Mask:
    """A mask in the crop of one frame-to-crop matrix as it lies in that of another, of `side` pixels; 0 outside."""
    flags = cv2.INTER_LINEAR
    moved = cv2.warpAffine(mask, between(start, end), (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(moved, np.float32)


def known_mask(record: FaceRecord, side: int, origin: str = "a face") -> Mask | None:
    """(side, side) what of a face is seen, by its mask and its polygons, on its whole crop; None if neither says.

    Polygons that only exclude, on a face without a mask, say nothing of where the face is: None as well.

    Raises:
        RecordError: its mask cannot be read.
    """
    mask = read_mask(record.mask, side, origin) if record.mask is not None else None
    if mask is None and all(one.kind == "exclude" for one in record.polygons):
        return None
    return with_polygons(mask, record.polygons, rescale(record.matrix_array(), side / record.size), side)
