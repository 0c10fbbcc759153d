"""Faces followed from frame to frame: whose track each is, where one went missing, which of them are embedded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.faces import Sighting, Tracker, trusted_score
from lookalike.faceset import FaceRecord
from lookalike.geometry import intersection_over_union
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.scan_log import Line
from lookalike.types import Face

_EMBED_EVERY, _LATER = 15, 60
"""Sure faces of a track between two embeddings, and so after the first `_LATER`; one costs as much as two frames."""
_SAME = 0.5
"""Overlap from which two boxes of a frame are one face."""


class CutFace(Protocol):
    """A face that was found and cut out, here or elsewhere."""

    @property
    def face(self) -> Face:
        """Where it was found."""
        ...

    @property
    def record(self) -> FaceRecord:
        """What its file says of it."""
        ...

    def changed(self, **facts: object) -> Self:
        """The same face with other facts in its record."""
        ...

    def sighting(self) -> Sighting:
        """What the tracker sees of it."""
        ...

    def write(self, path: Path, quality: int) -> None:
        """Write its file; JPEG of that quality, or PNG by the suffix."""
        ...


F = TypeVar("F", bound=CutFace)


@dataclass(frozen=True, slots=True, eq=False)
class Followed(Generic[F]):
    """A face whose track is told."""

    made: F
    sighting: Sighting
    due: bool
    """It is to be embedded."""


class Follower:
    """Links the faces of following frames, and looks closer where one went missing. Knows nothing of disks."""

    def __init__(self, config: ExtractConfig, tracker: Tracker, lines: Iterable[Line] = ()) -> None:
        """`lines` are all frames before, and `tracker` as it was after them."""
        self._config, self._tracker = config, tracker
        self._trusted = trusted_score(config.detector, config.min_score)
        self.count = 0
        """Faces so far."""
        self._sure: dict[int, int] = {}
        for face in (face for line in lines for face in line.faces):
            self._note(face.track, face.score, face.recovered)

    def take(
        self, index: int, faces: Sequence[F], cut: bool, closer: Callable[[NDArray[np.float32]], F | None]
    ) -> list[Followed[F]]:
        """Link the faces of the next frame, and those that a closer look finds.

        Args:
            index: of the frame.
            faces: found by the detector, in their order; tracks not yet told.
            cut: the frame begins a shot.
            closer: looks about a (4,) box in the frame for a face that was there a moment ago.
        """
        sightings = [made.sighting() for made in faces]
        tracks = self._tracker.link(sightings, index, cut)
        seen = [
            self._followed(made.changed(track=track), sighting)
            for made, track, sighting in zip(faces, tracks, sightings, strict=True)
        ]
        for track, box in self._tracker.lost(index).items():
            if track not in self._sure or self._is_full(seen):
                continue
            found = closer(box)
            if found is None or _is_among(found, seen):
                continue
            sighting = found.sighting()
            if self._tracker.alike(track, sighting, index):
                self._tracker.follow(track, sighting, index)
                seen.append(self._followed(found.changed(track=track, number=len(seen)), sighting))
        return seen

    def _followed(self, made: F, sighting: Sighting) -> Followed[F]:
        record = made.record
        sure = self._note(record.track, made.face.score, record.recovered)
        due = self._config.identity == "face" or (sure and _is_due(self._sure[record.track] - 1))
        return Followed(made, sighting, due)

    def _note(self, track: int, score: float, recovered: bool) -> bool:
        """Count a face; whether the detector is sure of it."""
        self.count += 1
        sure = not recovered and score >= self._trusted
        if sure:
            self._sure[track] = self._sure.get(track, 0) + 1
        return sure

    def _is_full(self, seen: Sequence[Followed[F]]) -> bool:
        """Whether a frame has as many sure faces as are wanted."""
        sure = sum(one.made.record.recovered or one.made.face.score >= self._trusted for one in seen)
        return self._config.max_faces > 0 and sure >= self._config.max_faces


def _is_among(made: F, seen: Sequence[Followed[F]]) -> bool:
    """Whether a face is one that the detector found as well."""
    box = made.face.box_xyxy
    return any(intersection_over_union(box, one.made.face.box_xyxy) > _SAME for one in seen)


def _is_due(place: int) -> bool:
    """Whether the so-manieth sure face of a track, from 0, is embedded."""
    return place % (_EMBED_EVERY if place < _LATER else _LATER) == 0
