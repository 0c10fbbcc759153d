"""Where a face is in a frame, looked up with the frames around it."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, load_record
from lookalike.faceset.record import Polygon
from lookalike.merging.steady import REACH, steady_points

_JUMP = 0.7
"""Face sizes that a face moves by between two frames if it is the same one."""
_REMEMBERED = 4096
"""Records kept in memory, some 10 kB each; a window needs a few."""


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A face in a frame."""

    landmarks: NDArray[np.float32]
    """(68, 2) frame pixels."""
    mesh: NDArray[np.float32]
    """(478, 2) frame pixels."""
    move: NDArray[np.float64]
    """(2,) frame pixels that its centre moves in a frame; 0 if unknown."""
    polygons: tuple[Polygon, ...]
    """What its owner drew of the mask, in frame pixels."""
    track: int
    person: int | None


def spot_of(record: FaceRecord) -> Spot:
    """What a record alone says of a face."""
    points = record.landmarks_array(), record.mesh_array()
    return Spot(*points, np.zeros(2), tuple(record.polygons), record.track, record.person)


class Tracks:
    """The faces of a video by frame; any number of threads may ask."""

    def __init__(self, faces: dict[int, list[Path]], steady: bool) -> None:
        """Nothing is read yet.

        Args:
            faces: the files of each frame.
            steady: smooth points by the frames around; never over a gap, a cut, or to another face.
        """
        self._faces, self._steady = faces, steady
        self._load = functools.lru_cache(maxsize=_REMEMBERED)(load_record)

    def spots(self, frame: int) -> list[Spot]:
        """The faces of a frame in name order."""
        return [self._spot(self._load(path)) for path in self._faces.get(frame, [])]

    def _spot(self, record: FaceRecord) -> Spot:
        chain = self._around(record)
        offsets = np.array([one.frame - record.frame for one in chain])
        landmarks, mesh = record.landmarks_array(), record.mesh_array()
        if self._steady and len(chain) > 2:
            points = np.stack([one.landmarks_array() for one in chain]), np.stack([one.mesh_array() for one in chain])
            landmarks, mesh = steady_points(offsets, *points)
        near = [k for k, offset in enumerate(offsets) if abs(offset) <= 1]
        first, last = chain[near[0]], chain[near[-1]]
        move = (_centre(last) - _centre(first)) / max(last.frame - first.frame, 1)
        return replace(spot_of(record), landmarks=landmarks, mesh=mesh, move=move)

    def _around(self, record: FaceRecord) -> list[FaceRecord]:
        """The same face in the frames around, in order, itself included, as far as it is seen without a gap."""
        sides: list[list[FaceRecord]] = []
        for step in (-1, 1):
            side: list[FaceRecord] = []
            for number in range(1, REACH + 1):
                last = side[-1] if side else record
                found = self._same(last, record.frame + step * number)
                if found is None:
                    break
                side.append(found)
            sides.append(side)
        return [*reversed(sides[0]), record, *sides[1]]

    def _same(self, record: FaceRecord, frame: int) -> FaceRecord | None:
        """The face of another frame that continues one; none if there is none."""
        others = [self._load(path) for path in self._faces.get(frame, [])]
        others = [one for one in others if (one.source, one.track) == (record.source, record.track)]
        near = min(others, key=lambda one: _apart(one, record), default=None)
        return near if near is not None and _apart(near, record) < _JUMP * _width(record) else None


def _centre(record: FaceRecord) -> NDArray[np.float64]:
    return np.asarray(record.landmarks_array().mean(0), np.float64)


def _apart(one: FaceRecord, other: FaceRecord) -> float:
    return float(np.hypot(*(_centre(one) - _centre(other))))


def _width(record: FaceRecord) -> float:
    return float(np.ptp(np.asarray(record.landmarks, np.float64)[:, 0]))
