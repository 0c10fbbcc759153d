"""Which frames of a video need a look, the worst first: no face, or faces whose alignment is odd."""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from lookalike.curation.motion import Oddity
from lookalike.curation.sanity import check_faces
from lookalike.landmarks import eye_distance
from lookalike.pipeline.align_faces import FaceFile

Faces = Mapping[int, list[FaceFile]]
"""By frame."""

GROUPS: Final[dict[str, str]] = {
    **dict.fromkeys(("no face",), "none"),
    **dict.fromkeys(("low score", "recovered"), "score"),
    **dict.fromkeys(("jump", "size jump", "turn"), "jump"),
    **dict.fromkeys(("mesh", "mask"), "mask"),
}
"""What a page lists together, by kind of oddity; the rest is about the shape."""
SHAPE: Final = "shape"

_MISSED_FRAMES: Final = 12
"""A face that is gone for no more frames than that was most likely missed."""
_WINDOW: Final = 40
"""Frames about a changed one whose faces are looked at to judge it anew."""
_BESIDE: Final = 4
"""Frames about a changed one that are judged anew."""
_ANYWAY: Final = 12
"""Faces that move most are listed even if none of them is odd."""
_MESH_FINE, _MESH_BAD = 0.12, 0.30
_COVERED_FINE, _COVERED_BAD = 0.60, 0.20
_BEYOND_FINE, _BEYOND_BAD = 0.15, 0.50


@dataclass(frozen=True, slots=True)
class Suspect:
    """Frames that follow each other and have the same thing about them."""

    frame: int
    last: int
    severity: float
    """1 surely wrong, 0 nothing odd."""
    group: str
    """none, score, jump, mask or shape: what is gravest."""
    text: str


class Judge:
    """What is odd about the faces of a video; after a change only those about it are judged again."""

    def __init__(self) -> None:
        self._odd: dict[int, list[Oddity]] = {}
        self._moves: dict[int, float] = {}

    def judge(self, faces: Faces, changed: Iterable[int] | None = None) -> None:
        """Judge all faces, or those about the frames that changed."""
        if changed is None:
            self._odd, self._moves = _oddities(faces), {}
            frames, found = sorted(faces), self._odd
        else:
            frames = sorted({n for frame in changed for n in range(frame - _BESIDE, frame + _BESIDE + 1)})
            near = {n for frame in frames for n in range(frame - _WINDOW, frame + _WINDOW + 1)}
            found = _oddities({n: faces[n] for n in near if n in faces})
        for frame in frames:
            _put(self._odd, frame, found.get(frame))
            _put(self._moves, frame, _move(faces, frame))

    def suspects(self, faces: Faces, count: int, told: Collection[int], others: Container[int] = ()) -> list[Suspect]:
        """Worst first.

        Args:
            faces: of the video.
            count: frames of the video.
            told: frames whose faces were set by hand, which may be none.
            others: frames that show other people.
        """
        found = [_suspect(frame, reasons) for frame, reasons in self._odd.items() if frame < count]
        listed = self._odd.keys() | set(told)
        most = sorted(
            ((move, frame) for frame, move in self._moves.items() if frame < count and frame not in listed),
            reverse=True,
        )
        found += [_moving(frame, move) for move, frame in most[:_ANYWAY]]
        return sorted([*found, *_without_face(faces, count, told, others)], key=lambda one: (-one.severity, one.frame))


def _oddities(faces: Faces) -> dict[int, list[Oddity]]:
    files = [face for frame in sorted(faces) for face in faces[frame]]
    found: dict[int, list[Oddity]] = {}
    for face, judged in zip(files, check_faces([f.facts for f in files]), strict=True):
        reasons = [*judged.reasons, *(() if face.facts.edited else _disagreements(face))]
        if reasons:
            found.setdefault(face.facts.frame, []).extend(reasons)
    return found


def _disagreements(face: FaceFile) -> list[Oddity]:
    """Between the points themselves, and between them and the mask."""
    found = []
    if face.mesh_gap > _MESH_FINE:
        severity = _graded(face.mesh_gap, _MESH_FINE, _MESH_BAD)
        found.append(Oddity("mesh", severity, f"landmarks lie {face.mesh_gap:.2f} eye distances off the mesh"))
    if face.mask_covers is not None and face.mask_covers < _COVERED_FINE:
        severity = 0.6 * _graded(face.mask_covers, _COVERED_FINE, _COVERED_BAD)
        found.append(Oddity("mask", severity, f"the mask calls only {face.mask_covers:.0%} of the outline a face"))
    if face.mask_beyond is not None and face.mask_beyond > _BEYOND_FINE:
        severity = _graded(face.mask_beyond, _BEYOND_FINE, _BEYOND_BAD)
        found.append(Oddity("mask", severity, f"{face.mask_beyond:.0%} of the mask lie outside of the landmarks"))
    return found


def _graded(value: float, fine: float, bad: float) -> float:
    return round(min(1.0, (value - fine) / (bad - fine)) * 0.95, 4)


def _suspect(frame: int, reasons: list[Oddity]) -> Suspect:
    ranked = sorted(reasons, key=lambda reason: -reason.severity)
    left = float(np.prod([1 - reason.severity for reason in ranked]))
    group = GROUPS.get(ranked[0].kind, SHAPE)
    return Suspect(frame, frame, round(1 - left, 4), group, "; ".join(reason.text for reason in ranked))


def _without_face(faces: Faces, count: int, told: Collection[int], others: Container[int]) -> list[Suspect]:
    """Runs of frames that show no face, and that nobody said so of."""
    if not faces:
        return []
    found, begin = list[Suspect](), None
    first, last = min(faces), max(faces)
    for frame in range(count + 1):
        empty = frame < count and frame not in faces and frame not in told
        if empty and begin is None:
            begin = frame
        elif not empty and begin is not None:
            strangers = sum(n in others for n in range(begin, frame)) * 2 > frame - begin
            missed = first < begin and frame < last and frame - begin <= _MISSED_FRAMES
            severity = (0.9 if missed else 0.5) * (0.3 if strangers else 1)
            text = "no face of this person; others are there" if strangers else "no face"
            found.append(Suspect(begin, frame - 1, severity, "none", text))
            begin = None
    return found


def _moving(frame: int, move: float) -> Suspect:
    text = f"moves most: {move:.3f} eye distances and back"
    return Suspect(frame, frame, round(min(0.25, move), 4), "jump", text)


def _move(faces: Faces, frame: int) -> float | None:
    """How far a frame's faces leave the middle between the ones beside them, in eye distances: the farthest."""
    apart = []
    for face in faces.get(frame, []):
        before, after = (_of_track(faces.get(n, []), face.facts.track) for n in (frame - 1, frame + 1))
        if before and after and not face.facts.edited:
            middle = (before.facts.landmarks + after.facts.landmarks) / 2
            length = float(np.sqrt(((face.facts.landmarks - middle) ** 2).sum(1).mean()))
            apart.append(length / max(eye_distance(face.facts.landmarks), 1e-3))
    return max(apart, default=None)


def _put(table: dict[int, Any], frame: int, value: Any) -> None:
    if value is None:
        table.pop(frame, None)
    else:
        table[frame] = value


def _of_track(faces: list[FaceFile], track: int) -> FaceFile | None:
    return next((face for face in faces if face.facts.track == track), None)


def strip(suspects: Iterable[Suspect], count: int, hand: Iterable[int], between: Iterable[int]) -> str:
    """A letter a frame: `.` fine, 1..9 how odd, x no face, h set by hand, b between two that are."""
    letters = ["."] * count
    for one in suspects:
        for frame in range(one.frame, min(one.last + 1, count)):
            letters[frame] = "x" if one.group == "none" else str(max(1, round(one.severity * 9)))
    for letter, frames in (("b", between), ("h", hand)):
        for frame in chain(frames):
            if 0 <= frame < count:
                letters[frame] = letter
    return "".join(letters)
