"""Where a face is in a frame, looked up with the frames around it."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord, load_record
from lookalike.faceset.masks import PlacedMask, placed_mask
from lookalike.faceset.record import Polygon
from lookalike.merging.steady import REACH, pose_and_shape, steady_points

_JUMP = 0.7
"""Face sizes that a face moves by between two frames if it is the same one."""
_REMEMBERED = 128
"""Faces kept in memory, some 20 kB each; the windows of the frames under way need a few."""


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
    mask: PlacedMask | None = None
    """What `mask apply` found."""


def spot_of(record: FaceRecord) -> Spot:
    """What a record alone says of a face."""
    points = record.landmarks_array(), record.mesh_array()
    return Spot(*points, np.zeros(2), tuple(record.polygons), record.track, record.person, placed_mask(record))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A face as it was found."""

    record: FaceRecord
    spot: Spot
    centre: NDArray[np.float32]
    """(2,) of its landmarks."""
    pose: NDArray[np.float64]
    shape: NDArray[np.float64]
    """See pose_and_shape."""


class Tracks:
    """The faces of a video by frame; any number of threads may ask."""

    def __init__(self, faces: dict[int, list[Path]], steady: bool) -> None:
        """Nothing is read yet.

        Args:
            faces: the files of each frame.
            steady: smooth points by the frames around; never over a gap, a cut, or to another face.
        """
        self._faces, self._steady = faces, steady
        self._load = functools.lru_cache(maxsize=_REMEMBERED)(_seen)

    def spots(self, frame: int) -> list[Spot]:
        """The faces of a frame in name order."""
        return [self._spot(self._load(path)) for path in self._faces.get(frame, [])]

    def _spot(self, seen: _Seen) -> Spot:
        chain = self._around(seen)
        offsets = np.array([one.record.frame - seen.record.frame for one in chain])
        spot = seen.spot
        if self._steady and len(chain) > 2:
            points = steady_points(
                offsets, np.stack([one.pose for one in chain]), np.stack([one.shape for one in chain])
            )
            spot = replace(spot, landmarks=points[:68], mesh=points[68:])
        near = np.flatnonzero(np.abs(offsets) <= 1)
        way = chain[near[-1]].centre - chain[near[0]].centre
        return replace(spot, move=np.asarray(way / max(len(near) - 1, 1), np.float64))

    def _around(self, seen: _Seen) -> list[_Seen]:
        """The same face in the frames around, in order, itself included, as far as it is seen without a gap."""
        sides: list[list[_Seen]] = []
        for step in (-1, 1):
            side: list[_Seen] = []
            for number in range(1, REACH + 1):
                found = self._same(side[-1] if side else seen, seen.record.frame + step * number)
                if found is None:
                    break
                side.append(found)
            sides.append(side)
        return [*reversed(sides[0]), seen, *sides[1]]

    def _same(self, seen: _Seen, frame: int) -> _Seen | None:
        """The face of another frame that continues one; none if there is none."""
        others = [self._load(path) for path in self._faces.get(frame, [])]
        others = [one for one in others if _line(one) == _line(seen)]
        near = min(others, key=lambda one: _apart(one, seen), default=None)
        width = float(np.ptp(seen.spot.landmarks[:, 0]))
        return near if near is not None and _apart(near, seen) < _JUMP * width else None


def _seen(path: Path) -> _Seen:
    record = load_record(path)
    spot = spot_of(record)
    return _Seen(record, spot, spot.landmarks.mean(0), *pose_and_shape(np.concatenate([spot.landmarks, spot.mesh])))


def _line(seen: _Seen) -> tuple[str, int]:
    """What two faces share that follow each other."""
    return seen.record.source, seen.record.track


def _apart(one: _Seen, other: _Seen) -> float:
    return float(np.hypot(*(one.centre - other.centre)))
