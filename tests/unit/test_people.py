"""Faces through time and whose they are, on boxes and embeddings made up here."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.faces import SAME_PERSON, Person, Track, Tracker, choose_person, group_people


def box(left: float, top: float = 0, side: float = 100) -> NDArray[np.float32]:
    return np.array([left, top, left + side, top + side], np.float32)


def embedding(*values: float) -> NDArray[np.float32]:
    return np.array([*values, *[0] * (128 - len(values))], np.float32)


def track(number: int, weight: float, *values: float) -> Track:
    return Track(number, weight, [embedding(*values)])


def numbers(people: list[Person]) -> list[list[int]]:
    return [[t.number for t in person.tracks] for person in people]


def test_a_face_that_moves_a_little_stays_the_same() -> None:
    tracker = Tracker()
    assert [tracker.link([box(left)], cut=False) for left in (0, 20, 45, 60)] == [[0], [0], [0], [0]]


def test_a_face_that_jumps_is_another() -> None:
    tracker = Tracker()
    assert [tracker.link([box(left)], cut=False) for left in (0, 80, 90)] == [[0], [1], [1]]


def test_faces_keep_their_numbers_in_any_order() -> None:
    tracker = Tracker()
    assert tracker.link([box(0), box(300), box(600)], cut=False) == [0, 1, 2]
    assert tracker.link([box(610), box(10), box(310)], cut=False) == [2, 0, 1]


def test_two_faces_never_share_a_number() -> None:
    tracker = Tracker()
    tracker.link([box(0)], cut=False)
    assert tracker.link([box(2), box(10)], cut=False) == [0, 1]


def test_nothing_is_linked_across_a_cut() -> None:
    tracker = Tracker()
    assert tracker.link([box(0), box(300)], cut=False) == [0, 1]
    assert tracker.link([box(0), box(300)], cut=True) == [2, 3]
    assert tracker.link([box(0)], cut=False) == [2]


def test_a_frame_without_faces_ends_the_tracks() -> None:
    tracker = Tracker()
    assert tracker.link([box(0)], cut=False) == [0]
    assert tracker.link([], cut=False) == []
    assert tracker.link([box(0)], cut=False) == [1]


def test_a_restored_tracker_goes_on_as_if_never_stopped() -> None:
    frames = [[box(0), box(300)], [box(310), box(12)], [box(320), box(700)], [box(24), box(330), box(700)]]
    whole = Tracker()
    expected = [whole.link(boxes, cut=False) for boxes in frames]
    first = Tracker()
    seen = [first.link(boxes, cut=False) for boxes in frames[:2]]
    second = Tracker()
    second.restore(dict(zip(seen[-1], frames[1], strict=True)), max(n for frame in seen for n in frame) + 1)
    assert seen + [second.link(boxes, cut=False) for boxes in frames[2:]] == expected


def test_tracks_of_a_person_come_together() -> None:
    tracks = [track(0, 10, 0), track(1, 50, 1), track(2, 20, 0.1), track(3, 5, 1.2)]
    assert numbers(group_people(tracks)) == [[1, 3], [2, 0]]


def test_who_fills_most_of_the_video_comes_first() -> None:
    # The longest track is of person 1, but the tracks of person 0 add up to more.
    tracks = [track(0, 30, 0), track(1, 40, 2), track(2, 30, 0.05)]
    people = group_people(tracks)
    assert numbers(people) == [[0, 2], [1]]
    assert [person.weight for person in people] == [60, 40]


def test_grouping_does_not_depend_on_the_order_of_the_tracks() -> None:
    tracks = [track(n, 10, n % 3) for n in range(9)]
    assert numbers(group_people(tracks)) == numbers(group_people(tracks[::-1]))


def test_nobody_is_nobody() -> None:
    assert group_people([]) == []


def test_a_person_is_the_weighted_mean_of_the_tracks() -> None:
    person = Person([Track(0, 30, [embedding(0), embedding(0.2)]), track(1, 10, 0.5)])
    np.testing.assert_allclose(person.mean[0], (30 * 0.1 + 10 * 0.5) / 40, rtol=1e-6)
    assert person.distance(embedding(0.2, 0.3)) == pytest.approx(0.3)


def test_without_a_wish_the_first_person_is_chosen() -> None:
    people = group_people([track(0, 10, 0), track(1, 20, 2)])
    assert choose_person(people, None) == (people[0], 0.0)


def test_the_person_wanted_is_the_nearest() -> None:
    people = group_people([track(0, 10, 0), track(1, 20, 2)])
    chosen, distance = choose_person(people, embedding(0.4))
    assert chosen is people[1]
    assert distance == pytest.approx(0.4)


def test_nobody_is_near_enough() -> None:
    people = group_people([track(0, 10, 0), track(1, 20, 2)])
    chosen, distance = choose_person(people, embedding(0, SAME_PERSON + 0.01))
    assert chosen is None
    assert distance == pytest.approx(SAME_PERSON + 0.01)
