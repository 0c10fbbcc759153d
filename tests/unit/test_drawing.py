"""Debug pictures: which colours lie where."""

import numpy as np
import pytest

from drawn_faces import SRC, draw_person, drawn_record
from lookalike.curation.drawing import BOX, LANDMARKS, SQUARE, caption, draw_face, draw_frame
from lookalike.geometry import crop_corners


def pixel(picture: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    return tuple(int(v) for v in picture[round(y), round(x)])


def test_a_frame_shows_box_square_landmarks_and_hull() -> None:
    picture, face = draw_person(SRC, 1)
    record = drawn_record(SRC, 1)[1]
    before = picture.copy()
    drawn = draw_frame(picture, [record])
    np.testing.assert_array_equal(picture, before)
    left, _, right, bottom = record.box_xyxy
    assert pixel(drawn, left, bottom) == BOX == (0, 0, 255)
    assert pixel(drawn, (left + right) / 2, bottom) == BOX
    middle = crop_corners(record.matrix_array(), record.size)[[0, 3]].mean(0)  # of the left side
    assert pixel(drawn, *middle) == SQUARE == (255, 0, 0)
    chin = face.landmarks[8]
    assert pixel(drawn, *chin) == LANDMARKS == (0, 255, 0)
    cheek = (face.landmarks[31] + face.landmarks[4]) / 2
    assert pixel(drawn, *cheek) == tuple(v // 2 for v in pixel(before, *cheek))
    np.testing.assert_array_equal(drawn[-1], before[-1])


def test_nothing_is_drawn_without_faces() -> None:
    picture = draw_person(SRC, 0)[0]
    np.testing.assert_array_equal(draw_frame(picture, []), picture)


def test_the_caption_names_track_and_person() -> None:
    record = drawn_record()[1].model_copy(update={"track": 3, "person": 1, "recovered": True})
    assert caption(record) == "track 3 person 1 0.90 recovered"
    assert caption(drawn_record()[1]) == "track 0 0.90"


def test_a_crop_shows_landmarks_and_hull() -> None:
    crop, record = drawn_record(size=128)
    drawn = draw_face(crop, record)
    assert drawn.shape == crop.shape
    x, y = record.crop_landmarks()[30]
    assert pixel(drawn, x, y) == LANDMARKS
    assert (drawn[0] == crop[0]).all()


@pytest.mark.parametrize("far", [1e9, -1e9, float("nan"), float("inf")])
def test_points_far_away_do_no_harm(far: float) -> None:
    record = drawn_record()[1]
    points = [(far, far), *record.landmarks[1:]]
    record = record.model_copy(update={"landmarks": points, "box_xyxy": (far, far, far, far)})
    picture = draw_person(SRC, 0)[0]
    assert draw_frame(picture, [record]).shape == picture.shape
