"""What is odd about the alignment of each face, judged beside the faces around it in time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import PITCH_DEGREES, YAW_DEGREES, Facts
from lookalike.curation.motion import Oddity, time_oddities
from lookalike.geometry import intersection_over_union, similarity, transform
from lookalike.mean_face import TEMPLATE

_OUTLINE = (*range(0, 17), *range(26, 16, -1))
"""Jaw from the picture's left to right, then the brows back."""
_INNER = range(36, 68)
_WRONG = 0.5
"""A face scored lower by itself is no measure for its neighbours."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """How sound the alignment of a face looks."""

    name: str
    """File name."""
    score: float
    """1 nothing odd, 0 surely wrong: the product over the reasons of what each leaves."""
    reasons: tuple[Oddity, ...]
    """Gravest first."""

    @property
    def text(self) -> str:
        """The reasons in one line."""
        return "; ".join(reason.text for reason in self.reasons)


def check_faces(faces: Sequence[Facts]) -> list[Sanity]:
    """Judge every face of a faceset, in the order given.

    Faces are compared along their track; a face whose landmarks were set by hand is taken at its word.
    """
    odd: list[list[Oddity]] = [[] for _ in faces]
    usual = _usual_fit(faces)
    for place, face in enumerate(faces):
        if not face.edited:
            odd[place] += face_oddities(face, usual.get((face.source, face.track)))
    wrong = {place for place, reasons in enumerate(odd) if _left(reasons) < _WRONG}
    for place, oddity in time_oddities(faces, wrong):
        if not faces[place].edited:
            odd[place].append(oddity)
    return [_judged(face.name, reasons) for face, reasons in zip(faces, odd, strict=True)]


def suspects(judged: Sequence[Sanity], below: float = 1.0) -> list[Sanity]:
    """Those scored below `below`, worst first."""
    return sorted((s for s in judged if s.score < below), key=lambda s: (s.score, s.name))


def _judged(name: str, reasons: list[Oddity]) -> Sanity:
    reasons.sort(key=lambda reason: -reason.severity)
    return Sanity(name, round(_left(reasons), 4), tuple(reasons))


def _left(reasons: Sequence[Oddity]) -> float:
    return float(np.prod([1 - reason.severity for reason in reasons]))


def face_oddities(face: Facts, usual: NDArray[np.float64] | None = None) -> list[Oddity]:
    """What is odd about a face by itself.

    Args:
        usual: `box_fit` as it usually is in the face's track.
    """
    if face.side <= 0 or not np.isfinite(face.box_xyxy).all():
        return [Oddity("no face", 1.0, "the landmarks make no face")]
    found = [*_against_box(face, usual), *_outline(face), *_shape(face), *_pose(face), *_seen(face)]
    return [oddity for oddity in found if oddity is not None]


def box_fit(face: Facts) -> NDArray[np.float64]:
    """(3,): where the centre of the landmarks lies in the box, x and y in box sides, and the log of size over size."""
    low, high = face.landmarks.min(0), face.landmarks.max(0)
    left, top, right, bottom = face.box_xyxy
    box_side = np.sqrt(max(right - left, 1e-3) * max(bottom - top, 1e-3))
    offset = ((low + high) / 2 - [(left + right) / 2, (top + bottom) / 2]) / box_side
    return np.array([*offset, np.log(max(float(np.hypot(*(high - low))), 1e-3) / box_side)])


def _usual_fit(faces: Sequence[Facts]) -> dict[tuple[str, int], NDArray[np.float64]]:
    """Median `box_fit` of each track that is long enough to have one."""
    tracks: dict[tuple[str, int], list[NDArray[np.float64]]] = {}
    for face in faces:
        if face.side > 0 and np.isfinite(face.box_xyxy).all():
            tracks.setdefault((face.source, face.track), []).append(box_fit(face))
    return {key: np.median(fits, axis=0) for key, fits in tracks.items() if len(fits) >= 8}


def _against_box(face: Facts, usual: NDArray[np.float64] | None) -> list[Oddity | None]:
    left, top, right, bottom = face.box_xyxy
    area = face.side**2 / max((right - left) * (bottom - top), 1e-6)
    if area > 4:
        return [Oddity("scale", 1.0, f"the aligned square is {area:.1f} times the detector's box")]
    low, high = face.landmarks.min(0), face.landmarks.max(0)
    overlap = intersection_over_union(np.concatenate([low, high]), face.box_xyxy)
    fit = box_fit(face)
    apart = float(np.hypot(*fit[:2]))
    found = [
        _graded("box", 0.45 - overlap, 0.0, 0.3, f"landmarks and detector's box share only {overlap:.0%}"),
        _graded("box", apart, 0.3, 0.6, f"landmarks lie {apart:.2f} box sides off the detector's box"),
    ]
    if usual is not None:
        moved, grown = float(np.hypot(*(fit - usual)[:2])), float(np.exp(abs(fit[2] - usual[2])))
        found += [
            _graded("box", moved, 0.12, 0.3, f"landmarks lie {moved:.2f} box sides off their usual place in the box"),
            _graded("scale", grown, 1.25, 1.5, f"landmarks are {grown:.2f} times off their usual size in the box"),
        ]
    return [max((f for f in found if f), key=lambda f: f.severity, default=None)]


def _outline(face: Facts) -> list[Oddity | None]:
    outline = face.landmarks[list(_OUTLINE)].astype(np.float64)
    x, y = outline.T
    turned = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) > 0
    crossings = _crossings(outline)
    away = _distance_outside(outline, face.landmarks[list(_INNER)]) / face.side
    return [
        Oddity("mirrored", 1.0, "the outline runs the wrong way round: the face is mirrored") if turned else None,
        _graded("hull", crossings, 1, 6, f"the outline crosses itself {crossings} times"),
        _graded("hull", away, 0.04, 0.12, f"eyes, nose or mouth lie {away:.2f} face sides outside the outline"),
    ]


def _crossings(outline: NDArray[np.float64]) -> int:
    """How many pairs of sides of a closed (N, 2) polygon cross."""
    start, end = outline, np.roll(outline, -1, axis=0)

    def side_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(sides, points): on which side of each line a point lies."""
        along = (end - start)[:, None]
        there = points[None] - start[:, None]
        return np.asarray(along[..., 0] * there[..., 1] - along[..., 1] * there[..., 0])

    apart = side_of(start) * side_of(end) < 0
    crossing = apart & apart.T
    return int(np.triu(crossing, 2).sum())


def _distance_outside(outline: NDArray[np.float64], points: NDArray[np.floating]) -> float:
    """How far the farthest of (M, 2) points lies outside a convex hull, in pixels; 0 when all are inside."""
    hull = cv2.convexHull(outline.astype(np.float32))
    return max(0.0, *(-float(cv2.pointPolygonTest(hull, (float(px), float(py)), True)) for px, py in points))


def shape_error(landmarks: NDArray[np.floating]) -> float:
    """Root mean square distance of (68, 2) landmarks, aligned, from the mean face, in sides of the template."""
    inner = np.asarray(landmarks, np.float64)[17:]
    aligned = transform(similarity(inner, TEMPLATE), inner)
    return float(np.sqrt(((aligned - TEMPLATE) ** 2).sum(1).mean()))


def _shape(face: Facts) -> list[Oddity | None]:
    error = shape_error(face.landmarks)
    return [_graded("shape", error, 0.11, 0.2, f"points are {error:.2f} off a face's shape")]


def _pose(face: Facts) -> list[Oddity | None]:
    ends = (("pitch", face.pitch_degrees, PITCH_DEGREES), ("yaw", face.yaw_degrees, YAW_DEGREES))
    return [
        Oddity("pose", 0.6, f"{name} of {value:.0f} degrees or more") if abs(value) >= end - 1e-6 else None
        for name, value, end in ends
    ]


def _seen(face: Facts) -> list[Oddity | None]:
    return [
        _graded("outside", face.outside, 0.02, 0.5, f"{face.outside:.0%} of the face lies outside the frame"),
        _graded("low score", 0.75 - face.score, 0.0, 0.5, f"the detector's score is only {face.score:.2f}", 0.5),
        Oddity("recovered", 0.15, "found only where its track was going") if face.recovered else None,
    ]


def _graded(kind: str, value: float, fine: float, bad: float, text: str, most: float = 0.95) -> Oddity | None:
    """An oddity that grows from nothing at `fine` to `most` at `bad`."""
    share = (value - fine) / (bad - fine)
    return None if share <= 0 else Oddity(kind, round(min(share, 1.0) * most, 4), text)
