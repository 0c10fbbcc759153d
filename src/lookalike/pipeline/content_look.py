"""Looking over a whole video for explicit pictures."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import eight_bit, picture_to_rgb
from lookalike.content.checker import Checker
from lookalike.options import Options
from lookalike.parallel import ahead
from lookalike.tone_map import tone_mapped
from lookalike.types import VideoInfo
from lookalike.video import frame_times, small_frames

if TYPE_CHECKING:
    from lookalike.faces import FaceFinder

EVERY_SECONDS: Final = 0.4
"""At most so far are samples apart; with what decoding adds, two of them lie in every second."""
ROUNDING: Final = 1e-6
"""Seconds by which sums of times may be off."""
LEAST_SAMPLES: Final = 24
"""Of a short clip."""
_AHEAD: Final = 4
"""Frames that are decoded while one is looked at."""
_GREY_RGB: Final = (123, 117, 104)


class Sample(Options):
    """A frame that was looked at."""

    frame: int
    """Its number, from 1 as images are named."""
    seconds: float
    """From the first frame on."""
    score: float


def look_over(info: VideoInfo, checker: Checker) -> Iterator[Sample]:
    """Score frames of a whole video, or folder of images: at most 0.4 s apart, of short ones 24 or all.

    Where the checker takes faces for something else, a frame that reaches its threshold is looked at again with its
    faces covered by grey, and has the lower of the two scores.

    Raises:
        VideoError: it cannot be read. ExtraMissingError, WeightsError: as the checker.
    """
    seconds = _seconds(info)
    for frame in ahead(small_frames(info, sampled(seconds), checker.long_side), _AHEAD):
        rgb = eight_bit(tone_mapped(picture_to_rgb(frame.picture), info.tags))
        score = _score(rgb, checker)
        if score >= checker.threshold and checker.mistakes_faces:
            score = min(score, _score(without_faces(rgb), checker))
        at = seconds[min(frame.index, len(seconds) - 1)]
        yield Sample(frame=frame.index + 1, seconds=round(at, 3), score=score)


def without_faces(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An (H, W, 3) picture with its faces covered by grey, from brows to chin."""
    covered = rgb.copy()
    for face in _finder().find(rgb):
        outline = np.rint(cv2.convexHull(face.mesh)).astype(np.int32)
        cv2.fillConvexPoly(covered, outline, _GREY_RGB)
    return covered


def sampled(seconds: Sequence[float]) -> list[int]:
    """Numbers of the frames that are looked at, of frames with these rising times.

    The first and the last are among them. Two that follow each other are at most 0.4 s apart, or neighbours.
    """
    chosen: list[int] = []
    for number, following in enumerate([*seconds[1:], math.inf]):
        if not chosen or following - seconds[chosen[-1]] > EVERY_SECONDS + ROUNDING:
            chosen.append(number)
    if len(chosen) < min(LEAST_SAMPLES, len(seconds)):
        count = min(LEAST_SAMPLES, len(seconds))
        return [round(part * (len(seconds) - 1) / max(count - 1, 1)) for part in range(count)]
    return chosen


def _seconds(info: VideoInfo) -> list[float]:
    """Times of all frames, the first at 0."""
    times = frame_times(info)
    return [float((time - times[0]) * info.time_base) for time in times]


def _score(rgb: NDArray[np.uint8], checker: Checker) -> float:
    return round(float(checker.scores(rgb[None])[0]), 4)


@cache
def _finder() -> "FaceFinder":
    from lookalike.faces import FaceFinder  # a second, which most videos need not cost

    return FaceFinder()
