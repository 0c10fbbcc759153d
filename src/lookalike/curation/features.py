"""What sorting looks at: numbers of each face, out of its pixels or its record, kept in the faceset's index."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import face_side
from lookalike.curation.sharpness import cpbd, directional_sharpness
from lookalike.faceset import FaceRecord
from lookalike.faceset.index import Feature
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import hull_mask

SIGNATURE_SIDE = 16
IDENTITY_SIZE = 128
_HUE_TURN = 2 * np.pi / 180
"""Radians of one step of OpenCV's 8-bit hue."""


def color_histogram(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(768,): square roots of the shares of 256 values, of red, green and blue; their products are Bhattacharyya's."""
    counts = [np.bincount(crop[..., channel].reshape(-1), minlength=256) for channel in range(3)]
    return np.sqrt(np.concatenate(counts) / crop[..., 0].size).astype(np.float32)


def gray_histogram(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(256,): square roots of the shares of gray values inside the outline of the landmarks; the old one counted the
    masked background as black."""
    values = _gray(crop)[_inside(record) > 0]
    return np.sqrt(np.bincount(values, minlength=256) / max(1, values.size)).astype(np.float32)


def brightness(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(1,): mean over the crop of the largest of red, green and blue, 0..255."""
    return np.array([crop.max(2).mean()], np.float32)


def hue(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(2,): cosine and sine of hue, averaged with saturation times value as weight; near 0 for a gray picture."""
    hsv = cv2.cvtColor(crop, cv2.COLOR_RGB2HSV)
    weight = hsv[..., 1].astype(np.float64) * hsv[..., 2]
    angle = hsv[..., 0] * _HUE_TURN
    total = max(float(weight.sum()), 1.0)
    return np.array([(weight * np.cos(angle)).sum() / total, (weight * np.sin(angle)).sum() / total], np.float32)


def black(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(1,): share of samples that are 0, plus the share of the face that the frame's border cuts off.

    Crops repeat the border's pixels where the frame ends, so a face cut off is not black as it was in DeepFaceLab.
    """
    return np.array([(crop == 0).mean() + record.outside], np.float32)


def signature(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(256,): mean gray of 16x16 cells, 0..255; those with no face in them are 0 for every picture alike."""
    size = (SIGNATURE_SIDE, SIGNATURE_SIDE)
    inside = _inside(record).astype(np.float32)
    weight = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
    gray = cv2.resize(_gray(crop).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.where(weight > 0.5, gray, 0).reshape(-1).astype(np.float32)


def blur(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(1,): sharpness by CPBD, 0..1."""
    return np.array([cpbd(_gray(crop))], np.float32)


def motion_blur(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(1,): sharpness inside the face in the direction where it is least."""
    return np.array([directional_sharpness(_gray(crop), _inside(record))], np.float32)


def points(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(136,): x and y of the 68 landmarks, aligned as a full face, in sides of that square; any crop gives the same."""
    return transform(_upright(record), record.landmarks_array()).astype(np.float32).reshape(-1)


def pose(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(3,): pitch and yaw as in the record, and the head's turn in the frame in degrees, clockwise positive.

    The record's own roll is of the aligned face, hence always near 0.
    """
    pitch, yaw, _ = record.pitch_yaw_roll
    matrix = _upright(record)
    return np.array([pitch, yaw, np.degrees(np.arctan2(-matrix[1, 0], matrix[0, 0]))], np.float32)


def side(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(1,): side in frame pixels of the square that a full face takes, whatever the crop is of."""
    return np.array([face_side(record.landmarks_array())], np.float32)


def identity(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(128,): the person's embedding; not-a-number throughout for a face without one."""
    embedding = record.identity_array()
    return np.full(IDENTITY_SIZE, np.nan, np.float32) if embedding is None else embedding


FEATURES = {
    feature.kind.split("/")[0]: feature
    for feature in (
        Feature("color/1", color_histogram),
        Feature("gray/1", gray_histogram),
        Feature("brightness/1", brightness),
        Feature("hue/1", hue),
        Feature("black/1", black),
        Feature("signature/1", signature),
        Feature("blur/1", blur),
        Feature("motion/1", motion_blur),
        Feature("points/1", points, pixels=False),
        Feature("pose/1", pose, pixels=False),
        Feature("side/1", side, pixels=False),
        Feature("identity/1", identity, pixels=False),
    )
}
"""By the name that methods ask for; the number in the kind grows with the formula. Expressions are the caller's."""


def _upright(record: FaceRecord) -> NDArray[np.float64]:
    """(2, 3) frame to a full-face square of side 1; nothing is turned or scaled where the landmarks make no face."""
    try:
        return align_matrix(record.landmarks_array(), 1, "full", "2019")
    except ValueError:
        return np.eye(2, 3)


def _gray(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def _inside(record: FaceRecord) -> NDArray[np.uint8]:
    """(S, S) uint8, 1 inside the outline of the landmarks."""
    return hull_mask(record.crop_landmarks(), (record.size, record.size))
