"""A face of a frame, cut out for the network."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import Box, align_box, eight_bit, picture_to_rgb
from lookalike.faceset import crop_face
from lookalike.geometry import align_matrix, crop_corners, rescale, transform
from lookalike.landmarks import guide_points
from lookalike.merging.track import Spot
from lookalike.models.config import ModelConfig
from lookalike.options import FaceType, Geometry
from lookalike.types import Picture

_LARGEST = 1024
"""Side in pixels of the largest crop that is cut out before it is reduced to the network's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One face of a frame, ready for the network and for being replaced."""

    spot: Spot
    matrix: NDArray[np.float64]
    """(2, 3) frame to the network's crop of side R."""
    crop: NDArray[np.uint8]
    """(R, R, 3) what the network sees."""
    points: NDArray[np.float32]
    """(P, 2) what else it sees."""
    natural: float
    """Side in frame pixels of what the crop shows."""

    def matrix_at(self, side: int) -> NDArray[np.float64]:
        """(2, 3) frame to the same crop with a side of `side` pixels."""
        return rescale(self.matrix, side / len(self.crop))


def find_target(picture: Picture, spot: Spot, model: ModelConfig) -> Target:
    """Cut a face out of its frame as a network wants it."""
    crop, matrix, natural = cut_out(picture, spot, model.resolution, model.face_type, model.geometry)
    landmarks, mesh = (transform(matrix, p).astype(np.float32) for p in (spot.landmarks, spot.mesh))
    return Target(spot, matrix, crop, guide_points(landmarks, mesh, model.resolution), natural)


def cut_out(
    picture: Picture, spot: Spot, side: int, face_type: FaceType, geometry: Geometry | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """(side, side, 3) uint8 RGB crop, the (2, 3) matrix to it, and its side in frame pixels."""
    unit = align_matrix(spot.landmarks, 1, face_type, geometry)
    natural = 1 / float(np.hypot(unit[0, 0], unit[1, 0]))
    whole = max(1, round(float(np.clip(natural, side, _LARGEST)) / side)) * side  # whole pixels a pixel: no aliasing
    matrix = align_matrix(spot.landmarks, whole, face_type, geometry)
    last = np.array(picture.size_wh) - 1  # a face wholly outside of its frame sees the nearest pixels
    box = frame_box(np.clip(crop_corners(matrix, whole), 0, last), picture, room=2)
    pixels = eight_bit(picture_to_rgb(picture, box))
    crop = crop_face(pixels, in_box(matrix, box), whole)
    if whole != side:
        crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    return crop, rescale(matrix, side / whole), natural


def frame_box(corners: NDArray[np.floating], picture: Picture, room: int = 0) -> Box:
    """The rectangle of a frame that holds (N, 2) points and `room` pixels more on each side."""
    left, top = (np.floor(corners.min(0)) - room).astype(int)
    right, bottom = (np.ceil(corners.max(0)) + 1 + room).astype(int)
    return align_box((int(left), int(top), int(right), int(bottom)), picture)


def in_box(matrix: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """A matrix from the frame as one from the rectangle `box` of the frame."""
    shifted = matrix.copy()
    shifted[:, 2] = transform(matrix, np.array([box[0], box[1]], np.float64))
    return shifted
