"""Outline, pose, openings and masks of faces whose points are known (appendix B.2 and B.3 of the specification)."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import mesh_around, model_landmarks, symmetric
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import (
    GUIDE_MIRROR,
    GUIDE_POINTS,
    MESH_OVAL,
    eye_distance,
    eye_opening,
    feature_mask,
    guide_points,
    head_pose,
    hull_mask,
    mouth_opening,
    oval_mask,
)
from lookalike.mean_face import SOLID


def aligned() -> NDArray[np.float64]:
    return transform(align_matrix(model_landmarks(), 256), model_landmarks())


def seen_from_in_front(axis: str, radians: float) -> NDArray[np.float64]:
    """The solid face turned about one axis, through the camera of the pose estimate at a distance of 300."""
    vector = np.zeros(3)
    vector["xyz".index(axis)] = radians
    turned = SOLID @ np.asarray(cv2.Rodrigues(vector)[0]).T + [0, 0, 300]
    return turned[:, :2] / turned[:, 2:] * 256 + 128


def test_hull_of_the_specification() -> None:
    mask = hull_mask(model_landmarks(), (640, 520))
    ys, xs = np.nonzero(mask)
    assert mask.shape == (520, 640)
    assert (int(mask.sum()), xs.min(), xs.max(), ys.min(), ys.max()) == (66830, 173, 462, 134, 414)
    assert int(hull_mask(aligned(), (256, 256)).sum()) == 30676


def test_pose_of_the_specification() -> None:
    assert head_pose(aligned()) == pytest.approx((0.07495, -0.01127, 0.00225), abs=2e-5)


@pytest.mark.parametrize(
    ("axis", "radians", "pose"),
    [
        ("x", 0.0, (0, 0, 0)),
        ("y", 0.5, (0, 0.45045, 0)),
        ("y", -0.5, (0, -0.45045, 0)),
        ("x", 0.3, (-0.23077, 0, 0)),
        ("x", -0.3, (0.23077, 0, 0)),
        ("z", 0.4, (0, 0, 0.12698)),
    ],
)
def test_pose_of_turned_heads(axis: str, radians: float, pose: tuple[float, float, float]) -> None:
    assert head_pose(seen_from_in_front(axis, radians)) == pytest.approx(pose, abs=1e-4)


def test_pose_does_not_leave_its_range() -> None:
    assert all(-1 <= value <= 1 for value in head_pose(seen_from_in_front("y", 1.5)))


@pytest.mark.parametrize("gap", [0, 5, 20])
def test_mouth_opening_is_the_gap_over_the_eye_distance(gap: float) -> None:
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = (100, 100), (150, 100)
    landmarks[[67, 66, 65]] = landmarks[[61, 62, 63]] + [0, gap]
    assert eye_distance(landmarks) == pytest.approx(50)
    assert mouth_opening(landmarks) == pytest.approx(gap / 50)


@pytest.mark.parametrize("height", [0, 4, 10])
def test_eye_opening_is_height_over_width(height: float) -> None:
    eye = np.array([(0, 0), (10, -1), (20, -1), (30, 0), (20, 1), (10, 1)]) * [1, height / 2]
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = eye + np.array((100, 100)), eye + np.array((150, 100))
    assert eye_opening(landmarks) == pytest.approx(height / 30)


def test_openings_do_not_change_with_size_and_tilt() -> None:
    turned = transform(np.array([[1.2, -0.9, 40], [0.9, 1.2, -7]]), model_landmarks())
    assert mouth_opening(turned) == pytest.approx(mouth_opening(model_landmarks()))
    assert eye_opening(turned) == pytest.approx(eye_opening(model_landmarks()))


def test_mirror_twice_is_no_mirror() -> None:
    assert len(GUIDE_MIRROR) == GUIDE_POINTS == 78
    assert [GUIDE_MIRROR[i] for i in GUIDE_MIRROR] == list(range(GUIDE_POINTS))


def test_mirror_takes_a_symmetric_face_onto_itself() -> None:
    landmarks = symmetric(SOLID[:, :2], GUIDE_MIRROR[:68])
    assert np.abs(landmarks - SOLID[:, :2]).max() < 3  # it is nearly symmetric: the pairs are the right ones
    guide = guide_points(landmarks + 127.5, mesh_around(landmarks) + np.float32(127.5), 256)
    np.testing.assert_allclose(guide[list(GUIDE_MIRROR)] * [-1, 1], guide, atol=1e-6)


def test_guide_points_are_minus_one_to_one_from_edge_to_edge() -> None:
    landmarks = np.zeros((68, 2))
    landmarks[:2] = [(-0.5, -0.5), (63.5, 31.5)]
    guide = guide_points(landmarks, np.zeros((478, 2)), 64)
    assert guide.dtype == np.float32
    np.testing.assert_allclose(guide[:2], [(-1, -1), (1, 0)])


def test_oval_is_the_ellipse_that_its_vertices_lie_on() -> None:
    mesh = np.zeros((478, 2))
    turn = np.linspace(0, 2 * np.pi, len(MESH_OVAL), endpoint=False)
    mesh[list(MESH_OVAL)] = np.stack([50 + 30 * np.sin(turn), 60 - 40 * np.cos(turn)], 1)
    mask = oval_mask(mesh, (100, 120))
    y, x = np.mgrid[:120, :100]
    distance = np.hypot((x - 50) / 30, (y - 60) / 40)
    assert mask.shape == (120, 100)
    assert mask.dtype == np.float32
    assert mask[distance < 0.95].min() == 1
    assert mask[distance > 1.06].max() == 0
    assert set(np.unique(mask)) - {0, 1}  # the edge is soft
    assert mask.sum() == pytest.approx(np.pi * 30 * 40, rel=0.05)  # OpenCV lets the edge count, too


def test_features_are_both_eyes_and_the_mouth() -> None:
    landmarks = aligned()
    mask = feature_mask(landmarks, 256)
    assert set(np.unique(mask)) == {0, 1}
    for part in (range(36, 42), range(42, 48), range(48, 60)):
        for x, y in np.round(landmarks[list(part)]).astype(int):
            assert mask[y, x] == 1
    assert cv2.connectedComponents(mask)[0] == 4  # the background and three parts
    nose, chin = np.round(landmarks[[30, 8]]).astype(int)
    assert mask[nose[1], nose[0]] == mask[chin[1], chin[0]] == 0


def test_features_outside_the_crop_are_nothing() -> None:
    assert not feature_mask(aligned() + 1000, 64).any()
