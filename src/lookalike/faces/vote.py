"""Faces that several detectors agree on."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection, Detector
from lookalike.geometry import intersection_over_union

_SAME_FACE = 0.35
"""Two boxes that overlap by more are of one face; low, as detectors draw their boxes differently."""


class Vote:
    """Gives out a face when enough detectors have a box there; those with most votes first.

    The box is the mean of theirs, weighted by score; the points are those of the first voter that has any, as scores
    of two detectors cannot be compared; the score is the share of detectors that agree.
    """

    def __init__(self, voters: Sequence[Detector], min_score: float) -> None:
        """`min_score` is the share of voters that must agree, and two always must.

        Raises:
            ValueError: fewer than two voters.
        """
        if len(voters) < 2:
            raise ValueError(f"a vote needs two detectors or more, got {len(voters)}")
        self._voters = list(voters)
        self._needed = max(2, math.ceil(min_score * len(voters) - 1e-6))

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces in an (H, W, 3) uint8 RGB picture."""
        ballots = [voter.detect(rgb, frame) for voter in self._voters]
        agreed = [face for face in _of_one_face(ballots) if len(face) >= self._needed]
        found = [_mean(face, len(face) / len(self._voters)) for face in agreed]
        return sorted(found, key=lambda d: -d.score)


def _of_one_face(ballots: list[list[Detection]]) -> list[dict[int, Detection]]:
    """Detections sorted into faces, each of which has one of a voter at most, by the voter's number.

    The strongest that is left begins a face, and takes from every other voter the box that overlaps it most.
    """
    left = [list(ballot) for ballot in ballots]
    faces: list[dict[int, Detection]] = []
    while any(left):
        best = max((d.score, -voter, -place) for voter, ballot in enumerate(left) for place, d in enumerate(ballot))
        voter, place = -int(best[1]), -int(best[2])
        first = left[voter].pop(place)
        faces.append({voter: first})
        for number, ballot in enumerate(left):
            overlaps = [intersection_over_union(first.box_xyxy, d.box_xyxy) for d in ballot]
            if number != voter and overlaps and max(overlaps) > _SAME_FACE:
                faces[-1][number] = ballot.pop(int(np.argmax(overlaps)))
    return faces


def _mean(face: dict[int, Detection], score: float) -> Detection:
    found = [face[voter] for voter in sorted(face)]
    weights = np.array([max(d.score, 1e-6) for d in found])
    box = np.average([d.box_xyxy for d in found], axis=0, weights=weights).astype(np.float32)
    return Detection(box, score, next((d.points for d in found if d.points is not None), None))
