"""Faces through time, on boxes and looks made up here."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.faces import MAX_GAP, Sighting, Tracker, look_of
from lookalike.faces.tracker import likeness


def look(person: int) -> NDArray[np.uint8]:
    return np.random.default_rng(person).integers(0, 256, (16, 16), dtype=np.uint8)


def at(left: float, person: int = 0, side: float = 100) -> Sighting:
    return Sighting(np.array([left, 0, left + side, side], np.float32), look(person))


def link(tracker: Tracker, frames: list[list[Sighting]], cuts: tuple[int, ...] = (), first: int = 0) -> list[list[int]]:
    return [tracker.link(faces, frame, frame in cuts) for frame, faces in enumerate(frames, first)]


def test_a_face_that_moves_a_little_stays_the_same() -> None:
    assert link(Tracker(), [[at(0)], [at(20)], [at(45)], [at(60)]]) == [[0], [0], [0], [0]]


def test_a_face_that_jumps_is_another() -> None:
    assert link(Tracker(), [[at(0)], [at(80)], [at(90)]]) == [[0], [1], [1]]


def test_another_face_in_the_same_place_is_another() -> None:
    assert link(Tracker(), [[at(0, 1)], [at(2, 2)], [at(4, 1)]]) == [[0], [1], [0]]


def test_people_who_change_places_keep_their_numbers() -> None:
    tracker = Tracker()
    assert link(tracker, [[at(0, 1), at(60, 2)], [at(50, 1), at(10, 2)]]) == [[0, 1], [0, 1]]


def test_faces_keep_their_numbers_in_any_order() -> None:
    frames = [[at(0), at(300), at(600)], [at(610), at(10), at(310)]]
    assert link(Tracker(), frames) == [[0, 1, 2], [2, 0, 1]]


def test_the_nearer_of_two_faces_goes_on() -> None:
    assert link(Tracker(), [[at(0)], [at(10), at(2)]]) == [[0], [1, 0]]


def test_nothing_is_linked_across_a_cut() -> None:
    frames = [[at(0), at(300)], [at(0), at(300)], [at(0)]]
    assert link(Tracker(), frames, cuts=(1,)) == [[0, 1], [2, 3], [2]]


@pytest.mark.parametrize(("gap", "number"), [(MAX_GAP, 0), (MAX_GAP + 1, 1)])
def test_a_face_may_be_gone_for_some_frames(gap: int, number: int) -> None:
    tracker = Tracker()
    tracker.link([at(0)], 0, False)
    for frame in range(1, gap):
        assert tracker.link([], frame, False) == []
    assert tracker.link([at(5)], gap, False) == [number]


def test_a_lost_face_is_asked_for_where_it_was() -> None:
    tracker = Tracker()
    tracker.link([at(0), at(300, 1)], 0, False)
    tracker.link([at(310, 1)], 1, False)
    (number, box), *rest = tracker.lost(1).items()
    assert (number, box.tolist(), rest) == (0, [0, 0, 100, 100], [])
    assert tracker.alike(0, at(12), 1)
    assert not tracker.alike(0, at(12, person=7), 1)
    tracker.follow(0, at(12), 1)
    assert tracker.lost(1) == {}


def test_closer_looks_do_not_keep_a_track_for_ever() -> None:
    tracker = Tracker()
    tracker.link([at(0)], 0, False)
    for frame in range(1, MAX_GAP + 1):
        tracker.link([], frame, False)
        assert list(tracker.lost(frame)) == [0]
        tracker.follow(0, at(0), frame)
    tracker.link([], MAX_GAP + 1, False)
    assert tracker.lost(MAX_GAP + 1) == {}


def test_a_look_is_told_from_another() -> None:
    assert likeness(look(1), look(1)) == pytest.approx(1)
    assert abs(likeness(look(1), look(2))) < 0.3
    dimmed = (look(1) // 2 + 20).astype(np.uint8)
    assert likeness(look(1), dimmed) > 0.99
    flat = np.full((16, 16), 9, np.uint8)
    assert likeness(flat, flat) == 0
    assert look_of(np.full((64, 64, 3), 200, np.uint8)).tolist() == np.full((16, 16), 200).tolist()
