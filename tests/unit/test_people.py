"""Whose faces are, on embeddings made up here."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.faces import SAME_PERSON, Person, Track, choose_person, group_people


def embedding(*values: float) -> NDArray[np.float32]:
    return np.array([*values, *[0] * (128 - len(values))], np.float32)


def track(number: int, weight: float, *values: float) -> Track:
    return Track(number, weight, [embedding(*values)])


def numbers(people: list[Person]) -> list[list[int]]:
    return [[t.number for t in person.tracks] for person in people]


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


def test_two_faces_of_one_frame_are_two_people() -> None:
    tracks = [track(0, 30, 0), track(1, 20, 0.1), track(2, 10, 0.02)]
    tracks[0].frames, tracks[1].frames, tracks[2].frames = {1, 2, 3}, {3, 4}, {7, 8}
    assert numbers(group_people(tracks)) == [[0, 2], [1]]


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
