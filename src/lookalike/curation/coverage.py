"""Where the heads of a faceset look, and where dst looks that src does not. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import Facts

YAW_EDGES = (-90.0, -45.0, -15.0, 15.0, 45.0, 90.0)
PITCH_EDGES = (-90.0, -15.0, 15.0, 90.0)
"""Degrees at which the directions change their name."""
_SIDEWAYS = ("far left", "left", "", "right", "far right")
"""As seen on the picture: left is the picture's left, whichever side of the person that is."""
_UPWARD = ("down", "", "up")

NEAR_DEGREES = 10.0
"""A src face that looks this near to where a dst face looks has taught the model that view."""
_FEW = 10
_SHARE = 20
_LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Hole:
    """A direction in which dst looks and src hardly does."""

    direction: str
    dst: int
    """dst frames with a face that looks there."""
    src: int
    """src faces that look there."""
    mirrored: int
    """src faces that look there when mirrored, as training may do."""
    alone: int
    """dst frames with a face there and no src face within 10 degrees of it."""

    @property
    def text(self) -> str:
        """The hole in one sentence."""
        faces = "no such face" if not self.src else f"{self.src} such face{'s' if self.src > 1 else ''}"
        text = f"dst looks {self.direction} in {self.dst} frame{'s' if self.dst > 1 else ''}, src has {faces}"
        if self.src >= _FEW and self.alone:
            text += f", none within {NEAR_DEGREES:.0f} degrees of {self.alone} of those frames"
        return text + (f" ({self.mirrored} in the mirror)" if self.mirrored > self.src else "")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well src shows what dst does."""

    covered: float
    """Share of the dst faces with a src face within 10 degrees."""
    covered_mirrored: float
    """The same, with src also in the mirror."""
    holes: tuple[Hole, ...]
    """Most dst frames first."""


def directions(faces: Sequence[Facts]) -> NDArray[np.float64]:
    """(N, 2) yaw and pitch in degrees."""
    return np.array([(face.yaw_degrees, face.pitch_degrees) for face in faces]).reshape(-1, 2)


def direction_name(yaw_degrees: float, pitch_degrees: float) -> str:
    """Where a head looks, in words: `straight ahead`, `down-left`, `up and far right`."""
    column = int(np.clip(np.searchsorted(YAW_EDGES, yaw_degrees, "right") - 1, 0, len(_SIDEWAYS) - 1))
    row = int(np.clip(np.searchsorted(PITCH_EDGES, pitch_degrees, "right") - 1, 0, len(_UPWARD) - 1))
    return _name(row, column)


def _name(row: int, column: int) -> str:
    up, side = _UPWARD[row], _SIDEWAYS[column]
    if up and side:
        return f"{up} and {side}" if side.startswith("far") else f"{up}-{side}"
    return up or side or "straight ahead"


def cells() -> list[tuple[str, float, float]]:
    """Name and centre (yaw, pitch in degrees) of every direction, row by row from down."""
    return [
        (_name(row, column), (left + right) / 2, (low + high) / 2)
        for row, (low, high) in enumerate(pairwise(PITCH_EDGES))
        for column, (left, right) in enumerate(pairwise(YAW_EDGES))
    ]


def counts(views: NDArray[np.float64]) -> dict[str, int]:
    """How many of (N, 2) yaw and pitch look in each direction."""
    return _named(_places(views))


def _frame_counts(views: NDArray[np.float64], frames: NDArray[np.int64]) -> dict[str, int]:
    """How many frames have a face that looks in each direction."""
    pairs = np.stack([_places(views), frames.astype(np.intp)], 1).reshape(-1, 2)
    return _named(np.unique(pairs, axis=0)[:, 0])


def _places(views: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N,) numbers of the directions of (N, 2) views, as `cells` has them."""
    columns = np.clip(np.searchsorted(YAW_EDGES, views[:, 0], "right") - 1, 0, len(_SIDEWAYS) - 1)
    rows = np.clip(np.searchsorted(PITCH_EDGES, views[:, 1], "right") - 1, 0, len(_UPWARD) - 1)
    return rows * len(_SIDEWAYS) + columns


def _named(places: NDArray[np.intp]) -> dict[str, int]:
    names = [name for name, _, _ in cells()]
    return dict(zip(names, np.bincount(places, minlength=len(names)).tolist(), strict=True))


def compare(
    src: NDArray[np.float64], dst: NDArray[np.float64], dst_frames: Sequence[Hashable] | None = None
) -> Coverage:
    """What of dst's views src has.

    A direction is a hole when dst looks there in at least a hundredth of its frames and src has fewer than ten such
    faces, fewer than a twentieth of those frames, or none within 10 degrees in most of them.

    Args:
        src, dst: (N, 2) yaw and pitch in degrees, at least one each.
        dst_frames: what tells the frame of each dst face from others; None where each has a frame of its own.
    """
    mirror = src * [-1, 1]
    away = distances(src, dst) > NEAR_DEGREES
    away_mirrored = away & (distances(mirror, dst) > NEAR_DEGREES)
    numbers: dict[Hashable, int] = {}
    frames = np.array([numbers.setdefault(frame, len(numbers)) for frame in dst_frames or range(len(dst))])
    src_counts, dst_counts, mirror_counts = counts(src), _frame_counts(dst, frames), counts(mirror)
    alone = _frame_counts(dst[away], frames[away])
    holes = []
    for name, _, _ in cells():
        number = dst_counts[name]
        few = src_counts[name] < max(_FEW, number / _SHARE)
        if number >= max(1, _LEAST * len(numbers)) and (few or alone[name] > number / 2):
            holes.append(Hole(name, number, src_counts[name], mirror_counts[name], alone[name]))
    holes.sort(key=lambda hole: -hole.dst)
    return Coverage(float(1 - away.mean()), float(1 - away_mirrored.mean()), tuple(holes))


def distances(known: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M,) degrees from each of (M, 2) views to the nearest of (N, 2), to within a degree."""
    empty = np.ones((181, 181), np.uint8)
    row, column = _cell(known)
    empty[row, column] = 0
    away = cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away[_cell(asked)], np.float64)


def _cell(views: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cell = np.clip(np.rint(views) + 90, 0, 180).astype(np.int64)
    return cell[:, 1], cell[:, 0]
