"""Faces through time, and whose they are. Pure: boxes and embeddings in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.identity import SAME_PERSON
from lookalike.geometry import intersection_over_union

_LINK = 0.3
"""Overlap with the last box from which a face is taken to be the same one a frame later."""
_SAME_CLUSTER = 0.5
"""Tracks nearer than this are one person; stricter than SAME_PERSON, as a track's mean is steadier than one face."""


class Tracker:
    """Links faces of following frames by overlap."""

    def __init__(self) -> None:
        self._boxes: dict[int, NDArray[np.float32]] = {}
        self._next = 0

    def link(self, boxes: Sequence[NDArray[np.float32]], cut: bool) -> list[int]:
        """Track number of each (4,) box of the next frame; after a cut nothing is linked."""
        free = {} if cut else dict(self._boxes)
        numbers = []
        for box in boxes:
            best = max(free, key=lambda t: intersection_over_union(free[t], box), default=None)
            if best is None or intersection_over_union(free[best], box) < _LINK:
                best, self._next = self._next, self._next + 1
            free.pop(best, None)
            numbers.append(best)
        self._boxes = dict(zip(numbers, boxes, strict=True))
        return numbers

    def restore(self, boxes: dict[int, NDArray[np.float32]], next_number: int) -> None:
        """Go on after a frame that was linked in an earlier run."""
        self._boxes, self._next = boxes, next_number


@dataclass(slots=True)
class Track:
    """What a track adds up to."""

    number: int
    weight: float = 0.0
    """Sum of the face's side over its frames, in pixels: long and near counts."""
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def mean(self) -> NDArray[np.float32]:
        """(128,) mean embedding."""
        return np.asarray(np.mean(self.embeddings, 0), np.float32)


@dataclass(slots=True)
class Person:
    """Tracks that show one person."""

    tracks: list[Track]

    @property
    def weight(self) -> float:
        """How much of the video the person fills."""
        return sum(track.weight for track in self.tracks)

    @property
    def mean(self) -> NDArray[np.float32]:
        """(128,) embedding, tracks weighted by how much they show."""
        return np.average([t.mean for t in self.tracks], 0, [t.weight for t in self.tracks]).astype(np.float32)

    def distance(self, embedding: NDArray[np.float32]) -> float:
        """Distance of an embedding to this person."""
        return float(np.linalg.norm(self.mean - embedding))


def group_people(tracks: Sequence[Track]) -> list[Person]:
    """Put the tracks of each person together; the person who fills most of the video comes first.

    Heavy tracks are placed first, each with the nearest person so far if near enough, else as a new person.
    """
    people: list[Person] = []
    for track in sorted(tracks, key=lambda t: (-t.weight, t.number)):
        nearest = min(people, key=lambda p: p.distance(track.mean), default=None)
        if nearest is not None and nearest.distance(track.mean) < _SAME_CLUSTER:
            nearest.tracks.append(track)
        else:
            people.append(Person([track]))
    return sorted(people, key=lambda p: -p.weight)


def choose_person(people: Sequence[Person], wanted: NDArray[np.float32] | None) -> tuple[Person | None, float]:
    """The person nearest to the embedding `wanted`, or the first of all without one; and the distance.

    The person is None when even the nearest is too far to be the one wanted.
    """
    if wanted is None:
        return people[0], 0.0
    nearest = min(people, key=lambda p: p.distance(wanted))
    distance = nearest.distance(wanted)
    return (nearest if distance < SAME_PERSON else None), distance
