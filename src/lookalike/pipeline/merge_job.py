"""The stages of a merge: cut out, draw, paint, steady, lay in. Each looks at one frame, or at a few that follow."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, groupby

import cv2
import numpy as np

from lookalike.faceset.masks import moved_mask
from lookalike.geometry import align_matrix, between, transform
from lookalike.masks.segmenter import Segmenter
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.merge import Merged, Upscale, merge_frame
from lookalike.merging.paint import Painted, paint
from lookalike.merging.predict import Prediction, Predictor
from lookalike.merging.regions import Mask, needs_dst_mask, needs_seg_dst, needs_seg_prd
from lookalike.merging.steady_paint import steady_painted
from lookalike.merging.target import Target, cut_out, find_target
from lookalike.merging.track import Spot, Tracks
from lookalike.parallel import ahead, ordered_map
from lookalike.pipeline.merge_settings import Settings
from lookalike.stopwatch import Stopwatch
from lookalike.types import Frame

BATCH_FRAMES = 8
"""Frames whose faces are drawn in one call; a batch starts at a multiple, so that it is the same in every run."""
_WINDOW = 4
"""Frames to each side that steady a frame's colours; less than a batch."""
_WORKERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """One face of a frame on its way through the stages."""

    model: str
    target: Target
    seg_dst: Mask | None = None
    prediction: Prediction | None = None
    painted: Painted | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A frame on its way through the stages."""

    frame: Frame
    config: MergeConfig
    faces: list[_Face]

    @property
    def targets(self) -> list[Target]:
        """Where its faces are."""
        return [face.target for face in self.faces]


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """A frame between those around it."""

    before: list[Work]
    """In order."""
    work: Work
    after: list[Work]


@dataclass(frozen=True, slots=True, eq=False)
class MergeJob:
    """All that the stages need."""

    tracks: Tracks
    settings: Settings
    run: MergeRun
    predictors: dict[str, Predictor]
    model_of: Callable[[Spot], str | None]
    """The name of the model that draws a face; none to leave it as it is."""
    network: Segmenter | None = None
    upscale: Upscale | None = None
    white: float = 1.0
    """Code in [0, 1] of white in a label or a halo."""
    clock: Stopwatch = field(default_factory=Stopwatch)

    def merged(self, frames: Iterator[Frame], start: int) -> Iterator[tuple[Frame, Merged, int]]:
        """Every frame from number `start` on with its faces replaced, and how many they were.

        Args:
            frames: from `first_needed(start)` on; the first ones are looked at and not given out.

        What comes out for a frame does not depend on `start`.
        """
        decoded = ahead(self.clock.each("decode", frames), BATCH_FRAMES)
        cut = ordered_map(self._cut_out, decoded, _WORKERS)
        drawn = ahead(self._drawn(cut), BATCH_FRAMES)
        painted: Iterator[Work] = ordered_map(self._painted, drawn, _WORKERS)
        wanted = (seen for seen in _windows(painted) if seen.work.frame.index >= start)
        yield from ordered_map(self._laid, wanted, _WORKERS)

    def drawn_alone(self, frame: Frame) -> Work:
        """A frame's faces cut out and drawn, for `laid_alone`; of its options they depend on `drawn_by` only."""
        work = self._cut_out(frame)
        return replace(work, faces=self._draw([(work.config, face) for face in work.faces]))

    def laid_alone(self, drawn: Work) -> Merged:
        """A frame with its drawn faces laid in by the settings there are now.

        As `merged` gives it, but what the frames around would steady is not steadied, and faces are drawn in another
        batch, which may change the last digit.
        """
        work = self._painted(replace(drawn, config=self.settings.of(drawn.frame.index)))
        faces = [(face.target, _painted_of(face)) for face in work.faces]
        return merge_frame(work.frame.picture, faces, work.config, self.run, self.upscale, self.white)

    def _cut_out(self, frame: Frame) -> Work:
        with self.clock.measure("cut out"):
            config = self.settings.of(frame.index)
            named = [(self.model_of(spot), spot) for spot in self.tracks.spots(frame.index)]
            faces = [self._face(frame, config, name, spot) for name, spot in named if name is not None]
        return Work(frame, config, faces)

    def _face(self, frame: Frame, config: MergeConfig, model: str, spot: Spot) -> _Face:
        target = find_target(frame.picture, spot, self.predictors[model].config)
        seg = self._seg_of_dst(frame, target) if needs_seg_dst(config.mask) else None
        return _Face(model, target, seg)

    def _seg_of_dst(self, frame: Frame, target: Target) -> Mask | None:
        """What of dst's face is seen, in the target's crop: as its record says, else the mask network."""
        spot, side = target.spot, len(target.crop)
        if spot.mask is not None:
            return spot.mask.in_crop(target.matrix, side)
        if self.network is None:
            return None
        network = self.network
        crop, matrix, _ = cut_out(frame.picture, spot, network.side, network.face_type, network.geometry)
        seen = network.mask(crop, transform(matrix, spot.landmarks))
        return moved_mask(seen, matrix, target.matrix, side)

    def _drawn(self, cut: Iterator[Work]) -> Iterator[Work]:
        for _, group in groupby(cut, key=lambda work: work.frame.index // BATCH_FRAMES):
            works = list(group)
            with self.clock.measure("draw"):
                drawn = self._draw([(work.config, face) for work in works for face in work.faces])
            at = 0
            for work in works:
                yield replace(work, faces=drawn[at : at + len(work.faces)])
                at += len(work.faces)

    def _draw(self, faces: list[tuple[MergeConfig, _Face]]) -> list[_Face]:
        """The faces with what their models drew, one call for each model and kind of drawing."""
        kinds = [(face.model, config.morph_factor, needs_dst_mask(config.mask)) for config, face in faces]
        drawn: list[_Face] = [face for _, face in faces]
        for kind in dict.fromkeys(kinds):
            places = [place for place, other in enumerate(kinds) if other == kind]
            crops, points = zip(*((faces[p][1].target.crop, faces[p][1].target.points) for p in places), strict=True)
            name, morph, dst_mask = kind
            found = self.predictors[name].swap(np.stack(crops), np.stack(points), morph=morph, dst_mask=dst_mask)
            for place, prediction in zip(places, found, strict=True):
                drawn[place] = replace(drawn[place], prediction=prediction)
        return drawn

    def _painted(self, work: Work) -> Work:
        with self.clock.measure("blend"):
            return replace(work, faces=[self._paint(work.config, face) for face in work.faces])

    def _paint(self, config: MergeConfig, face: _Face) -> _Face:
        assert face.prediction is not None
        seg = None
        if self.network is not None and needs_seg_prd(config.mask):
            seg = self._seg_of_drawn(face.target, face.prediction, self.network)
        return replace(face, painted=paint(face.target, face.prediction, config, seg, face.seg_dst))

    def _seg_of_drawn(self, target: Target, prediction: Prediction, network: Segmenter) -> Mask:
        """What the mask network says of the drawn face, aligned as it wants it, in the target's crop."""
        there = align_matrix(target.spot.landmarks, network.side, network.face_type, network.geometry)
        size_wh = (network.side, network.side)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = between(there, target.matrix)
        picture = cv2.warpAffine(prediction.picture, back, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        seen = network.mask(np.asarray(picture, np.float32), transform(there, target.spot.landmarks))
        return moved_mask(seen, there, target.matrix, len(target.crop))

    def _laid(self, seen: _Window) -> tuple[Frame, Merged, int]:
        work = seen.work
        with self.clock.measure("blend"):
            steady = self.run.stabilize and not work.config.mode.startswith("raw")
            faces = [(face.target, _steadied(seen, face) if steady else _painted_of(face)) for face in work.faces]
            merged = merge_frame(work.frame.picture, faces, work.config, self.run, self.upscale, self.white)
        return replace(work.frame, picture=merged.picture), merged, len(faces)


def first_needed(start: int) -> int:
    """The frame from which to decode, so that frame `start` comes out as in a merge from the beginning."""
    return max(0, (start // BATCH_FRAMES - 1) * BATCH_FRAMES)


def last_needed(last: int) -> int:
    """The frame before which to end decoding, so that frame `last` comes out as in a merge to the end."""
    return ((last + _WINDOW) // BATCH_FRAMES + 1) * BATCH_FRAMES


def drawn_by(config: MergeConfig) -> tuple[bool, float, bool]:
    """What cutting out and drawing depend on; everything else is done to what was drawn."""
    return needs_seg_dst(config.mask), config.morph_factor, needs_dst_mask(config.mask)


def _windows(works: Iterator[Work]) -> Iterator[_Window]:
    """Every frame with those around it."""
    window: deque[Work] = deque()
    before: deque[Work] = deque(maxlen=_WINDOW)
    for work in chain(works, [None] * _WINDOW):
        if work is not None:
            window.append(work)
        if len(window) > _WINDOW or (work is None and window):
            here = window.popleft()
            yield _Window(list(before), here, list(window))
            before.append(here)


def _steadied(seen: _Window, face: _Face) -> Painted:
    """A face, steadied by itself in the frames around, as far as these follow each other with the same options."""
    work, found = seen.work, {0: face}
    for step, others in ((-1, seen.before[::-1]), (1, seen.after)):
        last = face
        for number, other in enumerate(others, 1):
            same = _same_face(last, other) if other.config == work.config else None
            if same is None or other.frame.index != work.frame.index + step * number:
                break
            found[step * number] = last = same
    faces = [found[offset] for offset in sorted(found)]
    return steady_painted(sorted(found), [_painted_of(one) for one in faces], [one.target.crop for one in faces])


def _painted_of(face: _Face) -> Painted:
    assert face.painted is not None
    return face.painted


def _same_face(face: _Face, work: Work) -> _Face | None:
    """The face of another frame that continues one."""
    spot = face.target.spot
    centre = spot.landmarks.mean(0)
    others = [f for f in work.faces if f.model == face.model and f.target.spot.track == spot.track]
    near = min(others, key=lambda f: float(np.hypot(*(f.target.spot.landmarks.mean(0) - centre))), default=None)
    if near is None:
        return None
    apart = float(np.hypot(*(near.target.spot.landmarks.mean(0) - centre)))
    return near if apart < 0.5 * face.target.natural else None
