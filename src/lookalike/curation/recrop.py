"""The same face at another size, or with more or less around it. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import FacesetError
from lookalike.faceset import FaceRecord, crop_lanczos
from lookalike.faceset.make import sharpness
from lookalike.faceset.masks import placed_mask, stored_mask
from lookalike.geometry import align_matrix, between, crop_corners, rescale, transform
from lookalike.landmarks import oval_mask
from lookalike.options import FaceType, Geometry

Made = tuple[NDArray[np.uint8], FaceRecord]
_SLACK = 1.0
"""Pixels that a new crop may reach beyond the old one, whose border is repeated there."""


def resized(crop: NDArray[np.uint8], record: FaceRecord, size: int) -> Made:
    """The face at another size in pixels, by Pillow's Lanczos; everything in the record fits the new crop."""
    picture = Image.fromarray(crop).resize((size, size), Image.Resampling.LANCZOS)
    return _with_record(np.asarray(picture), record, rescale(record.matrix_array(), size / record.size))


def new_matrix(record: FaceRecord, size: int, face_type: FaceType, geometry: Geometry) -> NDArray[np.float64]:
    """(2, 3) frame-to-crop matrix of another crop of the same landmarks.

    Raises:
        FacesetError: the landmarks coincide.
    """
    try:
        return align_matrix(record.landmarks_array(), size, face_type, geometry)
    except ValueError as exc:
        raise FacesetError(f"frame {record.frame + 1}, face {record.number}: {exc}; put it aside") from exc


def fits_inside(record: FaceRecord, matrix: NDArray[np.float64], size: int) -> bool:
    """Whether a crop by `matrix` shows nothing that the stored crop of the face lacks."""
    corners = transform(record.matrix_array(), crop_corners(matrix, size))
    return bool((corners > -0.5 - _SLACK).all() and (corners < record.size - 0.5 + _SLACK).all())


def narrowed(crop: NDArray[np.uint8], record: FaceRecord, size: int, face_type: FaceType, geometry: Geometry) -> Made:
    """Another crop of the face, taken out of its crop by one warp; `fits_inside` says whether it is all there."""
    matrix = new_matrix(record, size, face_type, geometry)
    return _with_record(
        crop_lanczos(crop, between(record.matrix_array(), matrix), size),
        record,
        matrix,
        face_type=face_type,
        geometry=geometry,
    )


def recropped(rgb: NDArray[np.uint8], record: FaceRecord, size: int, face_type: FaceType, geometry: Geometry) -> Made:
    """Another crop of the face, from the (H, W, 3) uint8 frame it was found in."""
    matrix = new_matrix(record, size, face_type, geometry)
    return _with_record(crop_lanczos(rgb, matrix, size), record, matrix, face_type=face_type, geometry=geometry)


def _with_record(crop: NDArray[np.uint8], record: FaceRecord, matrix: NDArray[np.float64], **changes: Any) -> Made:
    size, rows = len(crop), matrix.tolist()
    inside = oval_mask(transform(matrix, record.mesh_array()), (size, size))
    placed = placed_mask(record)
    if placed is not None:
        changes["mask"] = stored_mask(placed.in_crop(matrix, size), placed.stored.source)
    changes |= {"matrix": tuple(tuple(row) for row in rows), "size": size}
    return crop, record.model_copy(update={**changes, "sharpness": round(sharpness(crop, inside), 3)})
