"""Faces turned in depth."""

import numpy as np
import pytest

from drawn_faces import SRC, drawn_record, model_landmarks
from lookalike.geometry import align_matrix, invert, transform
from lookalike.landmarks import oval_mask
from lookalike.masks.labelled import LabelledFace
from lookalike.masks.labels import labelled_by
from lookalike.masks.turning import turned, yaw_of

SIDE = 256


def plain_face() -> LabelledFace:
    """A face that looks into the camera: its left half is red, its right half blue."""
    landmarks = model_landmarks()
    there = align_matrix(landmarks, SIDE, "whole")
    points = transform(there, landmarks)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    middle = round(float(points[30, 0]))
    picture[:, :middle, 0], picture[:, middle:, 2] = 200, 200
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    low, high = points.min(0), points.max(0)
    centre, half = (low + high) / 2, (high - low) / 2
    inside = ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 < 1
    return LabelledFace(picture, (inside * 255).astype(np.uint8), points, np.eye(2, 3))


def seen(face: LabelledFace) -> tuple[np.ndarray, np.ndarray]:
    """Picture and label as the network sees them."""
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture, label = (cv2.warpAffine(a, face.matrix, (SIDE, SIDE), flags=flags) for a in (face.picture, face.label))
    return np.asarray(picture), np.asarray(label)


def test_not_turned_it_stays_as_it_is() -> None:
    face = plain_face()
    same = turned(face, 0.0, SIDE)
    assert np.abs(same.landmarks - face.landmarks).max() < 0.5
    inside = face.label > 0
    assert (np.abs(seen(same)[0].astype(int) - face.picture)[inside] > 40).mean() < 0.03


@pytest.mark.parametrize("degrees", [-45, 45])
def test_the_half_that_is_turned_away_gets_narrow(degrees: float) -> None:
    face = turned(plain_face(), degrees, SIDE)
    picture, label = seen(face)
    red, blue = (((picture[..., channel] > 100) & (label > 127)).sum() for channel in (0, 2))
    assert (red > 2 * blue) or (blue > 2 * red)
    other = seen(turned(plain_face(), -degrees, SIDE))
    again = ((other[0][..., 0] > 100) & (other[1] > 127)).sum()
    assert (again > red) == (red < blue)


def test_yaw_counts_what_was_turned() -> None:
    face = plain_face()
    assert abs(yaw_of(face)) < 2
    assert yaw_of(turned(face, 30, SIDE)) == pytest.approx(30, abs=4)
    assert yaw_of(turned(face, -30, SIDE)) == pytest.approx(-30, abs=4)


def test_no_holes_in_what_is_seen() -> None:
    image, record = drawn_record(SRC, 0, SIDE)
    face = labelled_by(image, record, oval_mask(record.crop_mesh(), (SIDE, SIDE)))
    label = seen(turned(face, 55, SIDE))[1] > 127
    import cv2

    closed = cv2.morphologyEx(label.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    assert 0.04 < label.mean() < 0.5
    assert (closed - label).sum() < 0.02 * label.sum()


def test_the_matrix_aligns_it_anew() -> None:
    face = turned(plain_face(), 40, SIDE)
    again = align_matrix(transform(face.matrix, face.landmarks), SIDE, "whole")
    assert np.allclose(transform(again, transform(invert(again), face.landmarks)), face.landmarks)
    assert np.allclose(transform(face.matrix, face.landmarks), transform(invert(again), face.landmarks), atol=1e-3)
