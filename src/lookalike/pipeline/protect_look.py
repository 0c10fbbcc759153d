"""Every frame of dst and of the result, searched for faces of the person by an eager detector, and measured."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import local
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike import shots
from lookalike.color import picture_to_rgb8
from lookalike.faces import Embedder, FaceFinder
from lookalike.faceset import crop_face, load_record
from lookalike.geometry import align_matrix, intersection_over_union, transform
from lookalike.landmarks import GUIDE_MIRROR, oval_mask
from lookalike.parallel import ordered_map
from lookalike.pipeline.protect_people import Witness
from lookalike.pipeline.report_frames import Counter, paired
from lookalike.pipeline.report_survey import face_of
from lookalike.reporting.protection import FLAT, UNCHANGED, Expected, FaceLook, FrameLook
from lookalike.types import Face
from lookalike.video import read_frames

_EAGER: Final = 0.4
"""Score from which something is looked at; extraction trusts 0.7."""
_WORKERS: Final = 2
_REACH: Final = 30
"""Frames around one in which the person's place is looked up."""
_SAME_PLACE: Final = 0.3
"""Overlap of boxes from which two are of one face."""
_CROP: Final = 128
_NOISE: Final = 1.5
"""Deviation of the Gaussian that takes an encoder's noise out of a crop before the change is measured, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The same frame of both videos, as a screen shows it."""

    frame: int
    seconds: float
    dst: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    result: NDArray[np.uint8]
    cut: bool


@dataclass(slots=True)
class _Tools:
    """The networks of one thread."""

    finder: FaceFinder
    embedders: dict[str, Embedder]
    """By the name of the recogniser."""


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What is looked for: the faceset's faces, and the people to recognisers. May be used on several threads."""

    faces: Mapping[int, Sequence[Path]]
    """Of dst's faceset, by frame."""
    witnesses: Sequence[Witness]
    _frames: list[int] = field(default_factory=list)
    _local: local = field(default_factory=local)

    def look(self, shown: _Shown) -> FrameLook:
        """Find the faces of a frame and measure each."""
        tools = self._tools()
        known = [face_of(load_record(path)) for path in self.faces.get(shown.frame, ())]
        places = [] if known else self._places(shown.frame)
        found = tools.finder.find(shown.dst, thorough=not known)
        missed = [face for face in found if not any(_is_same(face, other) for other in known)]
        if not known and not any(_overlap(face.box_xyxy, box) for face in missed for _, box in places):
            missed += _closer(tools.finder, shown.dst, [box for _, box in places])
        drawn = tools.finder.find(shown.result)
        originals = [*known, *missed]
        made = [face for face in drawn if not any(_is_same(face, other) for other in originals)]
        looks = [self._of_original(shown, face, drawn, None) for face in known]
        looks += [self._of_original(shown, face, drawn, places) for face in missed]
        looks += [self._of_made(shown, face) for face in made]
        empty = not known and not any(face.beside for face in looks)
        return FrameLook(
            frame=shown.frame,
            seconds=shown.seconds,
            cut=shown.cut,
            faces=tuple(looks),
            expected=tuple(_expectation(shown, near, box) for near, box in places) if empty else (),
        )

    def _of_original(
        self, shown: _Shown, face: Face, drawn: Sequence[Face], places: Sequence[tuple[int, NDArray[np.float32]]] | None
    ) -> FaceLook:
        """A face of dst; `places` of the person nearby if the faceset lacks it."""
        tools, changed, flat = self._tools(), *_change(shown, face)
        at = max(drawn, key=lambda other: intersection_over_union(other.box_xyxy, face.box_xyxy), default=face)
        at = at if _overlap(at.box_xyxy, face.box_xyxy) else face
        own = {name: one.embed(shown.dst, face) for name, one in tools.embedders.items()}
        result, original = {}, {}
        for witness in self.witnesses:
            name = witness.kind.name
            replaced = not flat and changed >= UNCHANGED
            seen = tools.embedders[name].embed(shown.result, at) if replaced else own[name]
            if not flat:
                result[name] = witness.distance(seen, own[name])
            if places is not None:
                turned = tools.embedders[name].embed(*_mirrored(shown.dst, face))
                original[name] = round(min(witness.nearest(own[name]), witness.nearest(turned)), 4)
        return FaceLook(
            kind="faceset" if places is None else "missed",
            box_xyxy=_box(face.box_xyxy),
            score=float(face.score),
            changed=changed,
            flat=flat,
            beside=tuple(near for near, box in places or () if _overlap(face.box_xyxy, box)),
            original=original,
            result=result,
        )

    def _of_made(self, shown: _Shown, face: Face) -> FaceLook:
        """A face of the result where dst shows none."""
        embedders = self._tools().embedders
        result = {
            w.kind.name: w.distance(embedders[w.kind.name].embed(shown.result, face), None) for w in self.witnesses
        }
        changed, flat = _change(shown, face)
        return FaceLook("made", _box(face.box_xyxy), float(face.score), changed, flat, result=result)

    def _places(self, frame: int) -> list[tuple[int, NDArray[np.float32]]]:
        """Frames nearby that show the person, one before and one after, each with the boxes of its faces."""
        at = bisect_left(self._frames, frame)
        near = [n for n in self._frames[max(at - 1, 0) : at + 1] if abs(n - frame) <= _REACH]
        return [(n, np.array(load_record(path).box_xyxy, np.float32)) for n in near for path in self.faces[n]]

    def _tools(self) -> _Tools:
        """Those of the thread that asks, built when it first does."""
        if not hasattr(self._local, "tools"):
            self._local.tools = _Tools(FaceFinder(_EAGER), {w.kind.name: w.kind.build() for w in self.witnesses})
        tools: _Tools = self._local.tools
        return tools


def watch(faces: Mapping[int, Sequence[Path]], witnesses: Sequence[Witness]) -> Watch:
    """Prepare to look for people."""
    return Watch(faces, witnesses, sorted(faces))


def looked_frames(dst: Path, result: Path, watched: Watch, counter: Counter) -> Iterator[FrameLook]:
    """Every frame that both videos have, in order; `counter` is filled on the way."""
    yield from ordered_map(watched.look, _shown(dst, result, counter), _WORKERS)


def _shown(dst: Path, result: Path, counter: Counter) -> Iterator[_Shown]:
    before: NDArray[np.uint8] | None = None
    for pair in paired(read_frames(dst), read_frames(result), counter):
        rgb = picture_to_rgb8(pair.dst.picture)
        small = shots.thumbnail(rgb)
        cut = before is not None and shots.is_cut(before, small)
        before = small
        yield _Shown(pair.dst.index, pair.dst.seconds, rgb, picture_to_rgb8(pair.result.picture), cut)


def _closer(finder: FaceFinder, rgb: NDArray[np.uint8], boxes: Sequence[NDArray[np.float32]]) -> list[Face]:
    """Faces found by a search of the places alone."""
    found = [one for box in boxes if (one := finder.close_look(rgb, box)) is not None]
    apart = [
        one
        for number, one in enumerate(found)
        if not any(_overlap(one.box_xyxy, other.box_xyxy) for other in found[:number])
    ]
    return finder.place(rgb, apart)


def _change(shown: _Shown, face: Face) -> tuple[float, bool]:
    """How much of a face changed, in codes of smoothed luma, and whether the result is flat there."""
    matrix = align_matrix(face.landmarks, _CROP, "full", "2019")
    oval = oval_mask(transform(matrix, face.mesh), (_CROP, _CROP)) > 0.5
    dst, result = (_smooth(crop_face(rgb, matrix, _CROP)) for rgb in (shown.dst, shown.result))
    return _compared(dst, result, oval if oval.any() else np.ones_like(oval))


def _expectation(shown: _Shown, near: int, box: NDArray[np.float32]) -> Expected:
    height, width = shown.dst.shape[:2]
    left, top = (max(int(v), 0) for v in box[:2])
    part = (
        slice(min(top, height - 1), max(int(box[3]), top + 1)),
        slice(min(left, width - 1), max(int(box[2]), left + 1)),
    )
    dst, result = (_smooth(rgb[part]) for rgb in (shown.dst, shown.result))
    changed, flat = _compared(dst, result, np.ones(dst.shape, np.bool_))
    return Expected(near, _box(box), changed, flat)


def _smooth(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    luma = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(luma.astype(np.float32), (0, 0), _NOISE), np.float32)


def _compared(dst: NDArray[np.float32], result: NDArray[np.float32], inside: NDArray[np.bool_]) -> tuple[float, bool]:
    return float(np.abs(dst - result)[inside].mean()), bool(result[inside].std() < FLAT)


def _mirrored(rgb: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """A picture and its face in a mirror."""
    last = rgb.shape[1] - 1
    left, top, right, bottom = face.box_xyxy
    box = np.array([last - right, top, last - left, bottom], np.float32)
    landmarks = (face.landmarks * [-1, 1] + [last, 0]).astype(np.float32)[list(GUIDE_MIRROR[:68])]
    mesh = (face.mesh * [-1, 1] + [last, 0]).astype(np.float32)
    return np.ascontiguousarray(rgb[:, ::-1]), Face(box, face.score, landmarks, mesh)


def _is_same(face: Face, other: Face) -> bool:
    """Whether a face found is one that is known: they overlap, or its middle lies in the other's box."""
    x, y = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
    left, top, right, bottom = other.box_xyxy
    return _overlap(face.box_xyxy, other.box_xyxy) or bool(left <= x <= right and top <= y <= bottom)


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return intersection_over_union(a, b) >= _SAME_PLACE


def _box(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(v), 1) for v in box)
    return left, top, right, bottom
