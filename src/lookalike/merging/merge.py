"""Laying drawn faces into frames. Only a face's rectangle is touched."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import Box, align_box, paste_rgb, picture_to_rgb
from lookalike.color_transfer import reinhard
from lookalike.faceset import FaceRecord, crop_face
from lookalike.geometry import align_matrix, crop_corners, transform
from lookalike.landmarks import guide_points, oval_mask
from lookalike.merging.config import MergeConfig
from lookalike.merging.mask import finish_mask
from lookalike.merging.predict import Prediction
from lookalike.models.config import ModelConfig
from lookalike.types import Picture

_LARGEST = 1024
"""Side in pixels of the largest crop that is worked in; larger faces are enlarged from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One face of a frame, ready for the network and for being replaced."""

    crop: NDArray[np.float32]
    """(S, S, 3) RGB in [0, 1], S near the face's size in the frame."""
    matrix: NDArray[np.float64]
    """(2, 3) frame to crop."""
    mesh: NDArray[np.float64]
    """(478, 2) in crop pixels."""
    small: NDArray[np.uint8]
    """(R, R, 3) what the network sees."""
    points: NDArray[np.float32]
    """(P, 2) what else it sees."""


def find_target(picture: Picture, record: FaceRecord, model: ModelConfig) -> Target:
    """Cut the face of `record` out of its frame."""
    landmarks, mesh = record.landmarks_array(), record.mesh_array()
    unit = align_matrix(landmarks, 1, model.face_type, model.geometry)
    natural = 1 / float(np.hypot(unit[0, 0], unit[1, 0]))
    side = int(np.clip(round(natural), model.resolution, _LARGEST))
    matrix = align_matrix(landmarks, side, model.face_type, model.geometry)
    box = _around(matrix, side, picture, room=2)
    rgb = picture_to_rgb(picture, box)
    local = _shift(matrix, box)
    pixels = (rgb * 255).round().astype(np.uint8)
    crop = crop_face(pixels, local, side)
    small = _reduce(crop, model.resolution)
    crop_points = guide_points(transform(matrix, landmarks), transform(matrix, mesh).astype(np.float32), side)
    return Target(crop.astype(np.float32) / np.float32(255), matrix, transform(matrix, mesh), small, crop_points)


def merge_face(picture: Picture, target: Target, prediction: Prediction, config: MergeConfig) -> Picture:
    """Lay one drawn face into a frame; samples where the mask is 0 keep their decoded values."""
    side = len(target.crop)
    drawn = cv2.resize(prediction.picture, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    mask = face_mask(target, prediction, config)
    if not mask.any():
        return picture
    if config.sharpen:
        drawn = _sharpen(drawn, config.sharpen / 100, side / len(prediction.picture))
    if config.color_transfer == "rct":
        drawn = reinhard(drawn, target.crop, mask)
    box = _around(target.matrix, side, picture)
    size = (box[2] - box[0], box[3] - box[1])
    if min(size) <= 0:
        return picture
    back = _shift(target.matrix, box)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    pasted = cv2.warpAffine(drawn, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE).clip(0, 1)
    pasted_mask = cv2.warpAffine(mask, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return paste_rgb(picture, pasted, np.asarray(pasted_mask, np.float32), box)


def face_mask(target: Target, prediction: Prediction, config: MergeConfig) -> NDArray[np.float32]:
    """(S, S) float32 in [0, 1]: the final mask in the target's crop; never outside dst's outline unless asked for."""
    side = len(target.crop)
    hull = oval_mask(target.mesh, (side, side))
    if config.mask == "hull" or prediction.mask is None:
        return finish_mask(hull, hull, config.erode, config.blur)
    learned = cv2.resize(prediction.mask, (side, side), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    if config.mask == "learned":
        return finish_mask(learned, np.ones_like(learned), config.erode, config.blur)
    return finish_mask(np.minimum(learned, hull), hull, config.erode, config.blur)


def _around(matrix: NDArray[np.float64], side: int, picture: Picture, room: int = 0) -> Box:
    """The rectangle of a frame that holds a crop and `room` pixels more on each side."""
    corners = crop_corners(matrix, side)
    left, top = (np.floor(corners.min(0)) - room).astype(int)
    right, bottom = (np.ceil(corners.max(0)) + 1 + room).astype(int)
    return align_box((int(left), int(top), int(right), int(bottom)), picture)


def _shift(matrix: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """A frame-to-crop matrix as one from the rectangle `box` of the frame."""
    shifted = matrix.copy()
    shifted[:, 2] = transform(matrix, np.array([box[0], box[1]], np.float64))
    return shifted


def _reduce(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _sharpen(picture: NDArray[np.float32], amount: float, scale: float) -> NDArray[np.float32]:
    """Unsharp mask whose radius follows the enlargement from the network's side."""
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.8, 0.8 * scale))
    return np.asarray((picture + (picture - soft) * amount).clip(0, 1), np.float32)
