"""Whose the faces of a video are. Pure: embeddings in, people out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.identity import SAME_PERSON

_SAME_CLUSTER = 0.5
"""Tracks nearer than this are one person; stricter than SAME_PERSON, as a track's mean is steadier than one face."""


@dataclass(slots=True)
class Track:
    """What a track adds up to."""

    number: int
    weight: float = 0.0
    """Sum of the face's side over its frames, in pixels: long and near counts."""
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    frames: set[int] = field(default_factory=set)
    """Where it is seen."""

    @property
    def mean(self) -> NDArray[np.float32]:
        """(128,) mean embedding."""
        return np.asarray(np.mean(self.embeddings, 0), np.float32)


@dataclass(slots=True)
class Person:
    """Tracks that show one person."""

    tracks: list[Track]

    def beside(self, track: Track) -> bool:
        """Whether a track shows somebody in a frame that shows this person, who then is somebody else."""
        return any(not track.frames.isdisjoint(own.frames) for own in self.tracks)

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

    Heavy tracks are placed first, each with the nearest person so far if near enough, else as a new person. Nobody is
    in a frame twice, so tracks of one frame never come together, however alike they are.
    """
    people: list[Person] = []
    centres = np.empty((len(tracks), 128))
    weights = np.zeros(len(tracks))
    for track in sorted(tracks, key=lambda t: (-t.weight, t.number)):
        mean, count = track.mean, len(people)
        apart = np.linalg.norm(centres[:count] - mean, axis=1)
        near = (int(i) for i in np.argsort(apart, kind="stable") if apart[i] < _SAME_CLUSTER)
        place = next((i for i in near if not people[i].beside(track)), count)
        if place == count:
            people.append(Person([]))
            centres[place] = 0
        people[place].tracks.append(track)
        share = track.weight / max(weights[place] + track.weight, 1e-9)
        centres[place] += (mean - centres[place]) * share
        weights[place] += track.weight
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
