"""What is seen of a video in some frames spread over it: the raw material of its check."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import local

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import Facts
from lookalike.curation.sharpness import directional_sharpness
from lookalike.faces import Recogniser, trusted_score
from lookalike.faceset import FaceRecord, crop_face
from lookalike.landmarks import eye_opening, hull_mask, mouth_opening, oval_mask
from lookalike.masks.segmenter import Segmenter, open_segmenter, seen_of
from lookalike.models.xseg import generic_weights
from lookalike.parallel import ordered_map
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.scan import Looker, Made
from lookalike.types import VideoInfo
from lookalike.video import keyframes, read_frames

SIZE = 256
"""Side of the crops that are looked at."""
_WORKERS = 2
_MOST_FACES = 5
"""Of a frame; in a crowd the largest say enough."""
_BURNT = 250
"""Codes from which a pixel has no colour left."""
_BRIGHTEST = 98
"""Percentile of the face's luma that tells how it is exposed: a dark skin, too, has bright spots in good light."""
_CHEEKS = [41, 46, 54, 48]
"""Landmarks about what is almost always bare skin."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """One face of one frame."""

    frame: int
    facts: Facts
    crop: NDArray[np.uint8]
    """(256, 256, 3) RGB, as a screen shows it."""
    embedding: NDArray[np.float32]
    """(128,)."""
    sharpness: float
    """By `directional_sharpness`."""
    bright: float
    """Luma of the brightest spots of the face, 0..255."""
    burnt: float
    """Share of the face that is white."""
    evenness: float
    """Luma of the darker half of the face over that of the brighter one, 0..1."""
    hidden: float
    """Share of the face, from jaw to brows, that something is in front of."""
    mouth: float
    eyes: float
    """Openings, as `landmarks` measures them."""
    skin: NDArray[np.float64]
    """(3,) CIE Lab of the cheeks."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A frame that was looked at, and who is in it."""

    frame: int
    faces: tuple[Glimpse, ...]
    """Largest first."""


def look_at(info: VideoInfo, count: int) -> Iterator[Looked]:
    """Look at so many frames, spread evenly over a video.

    Raises:
        VideoError: the video cannot be read.
    """
    looker = _Glimpser(info)
    spots = spread(info.frame_count, count, keyframes(info.path))
    yield from ordered_map(partial(looker.look), spots, _WORKERS)


def spread(frames: int, count: int, keys: Sequence[int] = ()) -> list[int]:
    """Numbers of frames, one from the middle of each of `count` equal parts, rising.

    Args:
        frames: how many there are.
        keys: numbers of frames that decoding can begin at; in long parts the frame after one of them is taken, as it
            comes at once.
    """
    count = min(count, frames)
    chosen = []
    for part in range(count):
        first, end = part * frames // count, (part + 1) * frames // count
        middle = (first + end) // 2
        place = bisect_left(keys, middle)
        near = [key + 1 for key in keys[max(place - 1, 0) : place + 1] if first <= key + 1 < end]
        chosen.append(min(near, key=lambda k: abs(k - middle), default=middle))
    return chosen


class _Glimpser:
    """Networks of each thread, and what is made with them."""

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._looker = Looker(info, info.path.name, ExtractConfig(size=SIZE, max_faces=_MOST_FACES))
        self._segmenter: Segmenter = open_segmenter(generic_weights())
        self._trusted = trusted_score("yunet")
        self._own = local()

    def look(self, number: int) -> Looked:
        """The sure faces of a frame."""
        frame = next(read_frames(self._info.path, number, number + 1), None)
        if frame is None:
            return Looked(number, ())
        looked = self._looker.look(frame)
        sure = [made for made in looked.faces if made.face.score >= self._trusted]
        return Looked(number, tuple(self._glimpse(looked.views.shown, made) for made in sure))

    def _glimpse(self, shown: NDArray[np.uint8], made: Made) -> Glimpse:
        record = made.record
        crop = crop_face(shown, record.matrix_array(), SIZE)
        oval = oval_mask(record.crop_mesh(), (SIZE, SIZE)) > 0.5
        hull = hull_mask(record.crop_landmarks(), (SIZE, SIZE)) > 0
        seen = seen_of(self._segmenter, crop, record) > 0.5
        luma = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
        skin = oval & seen if (oval & seen).any() else oval
        return Glimpse(
            frame=record.frame,
            facts=Facts.of(f"{record.frame}_{record.number}", record),
            crop=crop,
            embedding=self._recogniser.embed(shown, made.face),
            sharpness=directional_sharpness(luma, oval),
            bright=float(np.percentile(luma[skin], _BRIGHTEST)),
            burnt=float((luma[skin] >= _BURNT).mean()),
            evenness=evenness(luma, skin, record.crop_landmarks()),
            hidden=float((hull & ~seen).sum() / max(int(hull.sum()), 1)),
            mouth=mouth_opening(record.landmarks_array()),
            eyes=eye_opening(record.landmarks_array()),
            skin=_skin(crop, record),
        )

    @property
    def _recogniser(self) -> Recogniser:
        if not hasattr(self._own, "recogniser"):
            self._own.recogniser = Recogniser()
        recogniser: Recogniser = self._own.recogniser
        return recogniser


def evenness(luma: NDArray[np.uint8], skin: NDArray[np.bool_], landmarks: NDArray[np.floating]) -> float:
    """Median luma of the darker half of a face over that of the brighter one; 1 where one half is not seen.

    Args:
        luma: (S, S) of an aligned crop.
        skin: (S, S), where there is face.
        landmarks: (68, 2) crop pixels; the halves meet on the line from the bridge of the nose to the chin.
    """
    top, bottom = landmarks[27], landmarks[8]
    y, x = np.indices(luma.shape)
    beside = (x - top[0]) * (bottom[1] - top[1]) - (y - top[1]) * (bottom[0] - top[0])
    halves = [luma[skin & side] for side in (beside < 0, beside > 0)]
    if min(half.size for half in halves) < skin.sum() / 10:
        return 1.0
    low, high = sorted(float(np.median(half)) for half in halves)
    return low / max(high, 1.0)


def _skin(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float64]:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(record.crop_landmarks()[_CHEEKS]).astype(np.int32)), 1)
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(np.median(lab[mask > 0], 0) if mask.any() else np.zeros(3), np.float64)
