"""Alignment sanity: a smooth track has nothing odd, and what was spoilt is named."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import drawn_record, model_landmarks
from lookalike.curation.facts import PITCH_DEGREES, YAW_DEGREES, Facts, face_side
from lookalike.curation.sanity import check_faces, shape_error, suspects
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import GUIDE_MIRROR, head_pose
from lookalike.mean_face import SOLID

Points = NDArray[np.floating[Any]]
COUNT = 40
BAD = (5, 17, 18, 33)


def with_landmarks(face: Facts, landmarks: NDArray[np.floating]) -> Facts:
    """The face with other landmarks and what follows from them; the detector's box stays."""
    pose = head_pose(transform(align_matrix(landmarks, 256, "full", "2019"), landmarks))
    return dataclasses.replace(
        face,
        landmarks=np.asarray(landmarks, np.float32),
        side=face_side(landmarks),
        pitch_degrees=pose[0] * PITCH_DEGREES,
        yaw_degrees=pose[1] * YAW_DEGREES,
    )


def track(noise: float = 0.002) -> list[Facts]:
    """A head that moves and turns slowly, its landmarks a little restless."""
    blank = Facts.of("", drawn_record()[1])
    faces, rng = [], np.random.default_rng(0)
    for frame in range(COUNT):
        turn = 0.35 * np.sin(frame / 9)
        around = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        points = (SOLID @ around.T)[:, :2] * 2 + [320 + 2 * frame, 260 + 20 * np.sin(frame / 5)]
        points += rng.normal(0, noise * face_side(points), (68, 2))
        low, high = points.min(0), points.max(0)
        box = np.array([low[0] + 8, low[1] - 90, high[0] - 8, high[1] + 4])
        face = dataclasses.replace(blank, name=f"{frame + 1:05d}_0.jpg", frame=frame, box_xyxy=box, score=0.9)
        faces.append(with_landmarks(face, points))
    return faces


def moved(points: Points) -> Points:
    return np.asarray(points + np.array([0.1, 0.05]) * face_side(points))


def scaled(points: Points) -> Points:
    return np.asarray((points - points.mean(0)) * 1.5 + points.mean(0))


def shrunk(points: Points) -> Points:
    return np.asarray((points - points.mean(0)) / 1.5 + points.mean(0))


def mirrored(points: Points) -> Points:
    return np.asarray((points - points.mean(0)) * [-1, 1] + points.mean(0))


def upside_down(points: Points) -> Points:
    return np.asarray((points - points.mean(0)) * -1 + points.mean(0))


def jittered(points: Points) -> Points:
    return np.asarray(points + np.random.default_rng(1).normal(0, 0.05 * face_side(points), (68, 2)))


def test_a_smooth_track_has_nothing_odd() -> None:
    for noise in (0.0, 0.002, 0.005):
        assert [one.text for one in check_faces(track(noise))] == [""] * COUNT


@pytest.mark.parametrize(
    ("spoil", "kinds"),
    [
        (moved, {"jump"}),
        (scaled, {"scale"}),
        (shrunk, {"scale", "box"}),
        (mirrored, {"mirrored"}),
        (upside_down, {"jump", "hull", "shape", "box"}),
        (jittered, {"jump"}),
    ],
)
def test_the_spoilt_faces_are_the_suspects(spoil: Callable[[Points], Points], kinds: set[str]) -> None:
    faces = track()
    for place in BAD:
        faces[place] = with_landmarks(faces[place], spoil(faces[place].landmarks))
    judged = check_faces(faces)
    found = suspects(judged, 0.8)
    assert {one.name for one in found} == {faces[place].name for place in BAD}
    for one in found:
        assert {reason.kind for reason in one.reasons} & kinds
        assert [r.severity for r in one.reasons] == sorted((r.severity for r in one.reasons), reverse=True)
        assert 0 <= one.score < 0.8
    assert found == sorted(found, key=lambda one: (one.score, one.name))


def test_a_head_that_turns_for_one_frame_is_odd() -> None:
    faces = track()
    turned = mirrored(faces[12].landmarks)[list(GUIDE_MIRROR[:68])]  # looks the other way
    faces[12] = with_landmarks(faces[12], turned)
    assert [one.name for one in suspects(check_faces(faces), 0.8)] == [faces[12].name]
    assert {"turn", "jump"} & {reason.kind for reason in check_faces(faces)[12].reasons}


def test_a_wrong_end_of_a_track_is_told_from_its_neighbour() -> None:
    for bad in (0, 1, COUNT - 2, COUNT - 1):
        faces = track()
        faces[bad] = with_landmarks(faces[bad], moved(faces[bad].landmarks))
        assert [one.name for one in suspects(check_faces(faces), 0.8)] == [faces[bad].name]


def test_a_face_set_by_hand_is_taken_at_its_word() -> None:
    faces = track()
    faces[9] = dataclasses.replace(with_landmarks(faces[9], mirrored(faces[9].landmarks)), edited=True)
    assert check_faces(faces)[9].score == 1


def test_frames_far_apart_are_not_compared() -> None:
    faces = track()[::4]  # three missing between any two
    faces[4] = with_landmarks(faces[4], moved(faces[4].landmarks))
    assert not any(r.kind in ("jump", "size jump", "turn") for one in check_faces(faces) for r in one.reasons)
    faces = track()[::3]
    faces[4] = with_landmarks(faces[4], moved(faces[4].landmarks))
    assert [one.name for one in suspects(check_faces(faces), 0.8)] == [faces[4].name]


def test_tracks_and_videos_are_kept_apart() -> None:
    faces = track()
    other = [dataclasses.replace(face, landmarks=face.landmarks + 50, box_xyxy=face.box_xyxy + 50) for face in faces]
    for apart in ({"track": 1}, {"source": "other.mp4"}):
        both = faces + [dataclasses.replace(face, **apart) for face in other]
        assert all(one.score == 1 for one in check_faces(both))


ONE = dict[str, object]


@pytest.mark.parametrize(
    ("changes", "kind", "score"),
    [
        ({"box_xyxy": np.array([300.0, 240, 330, 270])}, "scale", 0.0),
        ({"outside": 0.5}, "outside", 0.05),
        ({"recovered": True}, "recovered", 0.85),
        ({"score": 0.5}, "low score", 0.75),
        ({"yaw_degrees": YAW_DEGREES}, "pose", 0.4),
        ({"landmarks": np.full((68, 2), 7, np.float32), "side": 0.0}, "no face", 0.0),
        ({"landmarks": np.full((68, 2), np.nan, np.float32), "side": 0.0}, "no face", 0.0),
        ({"box_xyxy": np.full(4, np.nan)}, "no face", 0.0),
    ],
)
def test_each_reason_by_itself(changes: ONE, kind: str, score: float) -> None:
    face = dataclasses.replace(track()[0], **changes)  # type: ignore[arg-type]
    judged = check_faces([face])[0]
    assert [reason.kind for reason in judged.reasons] == [kind]
    assert judged.score == pytest.approx(score, abs=0.01)
    assert judged.text


def test_the_reference_rule_of_four_times_the_box() -> None:
    face = track(0)[0]
    centre = np.tile((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2, 2)
    for factor, wrong in ((3.9, False), (4.1, True)):
        half = face.side / np.sqrt(factor) / 2
        small = dataclasses.replace(face, box_xyxy=centre + np.array([-half, -half, half, half]))
        assert (check_faces([small])[0].score == 0) is wrong


def test_shape_error_knows_a_face() -> None:
    face = model_landmarks()
    assert shape_error(face) < 0.1
    assert shape_error(face * [1, 0.3]) > 0.12
    assert face_side(np.ones((68, 2))) == 0


def test_two_faces_of_a_track_in_one_frame_do_not_stumble() -> None:
    faces = track()
    assert len(check_faces(faces + [dataclasses.replace(face, number=1) for face in faces])) == 2 * COUNT
