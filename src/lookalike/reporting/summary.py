"""From the figures of each frame to those of the result. Pure."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from lookalike.reporting.figures import (
    PSNR_CAP,
    Correlation,
    FrameCounts,
    IdentityFigures,
    InsideFigures,
    LandmarkFigures,
    MotionFigures,
    OutsideFigures,
)
from lookalike.reporting.measure import REGIONS, FaceFigures, FoundFigures, FrameFigures

_SAME_TIME_MS = 1.0
_STILL_OPENING = 0.003
"""Standard deviation of an opening below which dst's movement is no more than the landmarks' noise."""
_STILL_GAZE = 0.005
"""The same for gaze, in eye widths; irises are less certain."""

Item = TypeVar("Item")


def found(frames: Sequence[FrameFigures]) -> list[tuple[FrameFigures, FoundFigures]]:
    """The frames in which the result has a face where dst has one."""
    return [(f, f.face.found) for f in frames if f.face is not None and f.face.found is not None]


def count_frames(frames: Sequence[FrameFigures], dst: int, result: int, with_face: int) -> FrameCounts:
    """Counts, given how many frames each video has and in how many of dst's a face was extracted."""
    worst = max((abs(f.time_difference_seconds) for f in frames), default=0.0) * 1000
    return FrameCounts(
        dst=dst,
        result=result,
        lost=dst - result,
        times_agree=worst < _SAME_TIME_MS,
        max_time_difference_ms=round(worst, 3),
        with_face=with_face,
        face_found=len(found(frames)),
    )


def summarise_identity(frames: Sequence[FrameFigures], means_apart: float | None) -> IdentityFigures:
    """Mean distances, and the share of faces nearer to src; `means_apart` is the distance of the two people."""
    result = [f.face.identity for f in frames if f.face is not None and f.face.identity is not None]
    dst = [f.face.dst_identity for f in frames if f.face is not None and f.face.dst_identity is not None]
    return IdentityFigures(
        measured=len(result),
        nearer_to_src=_mean([float(i.to_src < i.to_dst) for i in result]),
        result_to_src=_mean([i.to_src for i in result]),
        result_to_dst=_mean([i.to_dst for i in result]),
        means_apart=None if means_apart is None else round(means_apart, 4),
        dst_measured=len(dst),
        dst_to_src=_mean([i.to_src for i in dst]),
        dst_to_dst=_mean([i.to_dst for i in dst]),
    )


def summarise_landmarks(frames: Sequence[FrameFigures]) -> LandmarkFigures:
    """Mean, 95th percentile and mean by region of the landmark error."""
    figures = [figure for _, figure in found(frames)]
    errors = [figure.landmark_error for figure in figures]
    return LandmarkFigures(
        measured=len(figures),
        mean=_mean(errors),
        p95=round(float(np.percentile(errors, 95)), 4) if errors else None,
        **{name: _mean([figure.regions[name] for figure in figures]) for name in REGIONS},
    )


def summarise_motion(frames: Sequence[FrameFigures]) -> MotionFigures:
    """How alike mouth, eyes and gaze move."""
    figures = [figure for _, figure in found(frames)]
    gazes = [(f.dst.gaze, f.result.gaze) for f in figures]
    seen = [(a, b) for a, b in gazes if a is not None and b is not None]
    return MotionFigures(
        mouth=correlate([f.dst.mouth for f in figures], [f.result.mouth for f in figures], "mouth", _STILL_OPENING),
        eyes=correlate([f.dst.eyes for f in figures], [f.result.eyes for f in figures], "eyes", _STILL_OPENING),
        gaze=correlate([a for a, _ in seen], [b for _, b in seen], "gaze", _STILL_GAZE),
    )


def correlate(dst: Sequence[float], result: Sequence[float], what: str, still: float) -> Correlation:
    """Pearson correlation of two equally long series.

    Args:
        what: name to use in the note.
        still: standard deviation of `dst` below which it does not move.
    """
    if len(dst) < 3:
        return Correlation(measured=len(dst), note=f"Too few faces were found to compare the {what}.")
    a, b = np.asarray(dst, np.float64), np.asarray(result, np.float64)
    deviation = round(float(a.std()), 5)
    if a.std() < still:
        note = f"dst's {what} hardly moves (deviation {deviation:g}, {still:g} needed), so there is nothing to compare."
        return Correlation(measured=len(a), dst_deviation=deviation, note=note)
    value = float(np.corrcoef(a, b)[0, 1]) if b.std() > 1e-9 else 0.0
    return Correlation(measured=len(a), value=round(value, 4), dst_deviation=deviation)


def summarise_outside(frames: Sequence[FrameFigures]) -> OutsideFigures:
    """PSNR outside the faces, of all frames together and of the worst."""
    luma = [(f.outside.luma_sum, f.outside.luma_count, f.frame) for f in frames if f.outside.luma_count]
    chroma = [(f.outside.chroma_sum, f.outside.chroma_count) for f in frames if f.outside.chroma_count]
    worst = max(luma, key=lambda e: e[0] / e[1], default=None)
    return OutsideFigures(
        luma_psnr=psnr(sum(e[0] for e in luma), sum(e[1] for e in luma)),
        luma_psnr_worst=psnr(worst[0], worst[1]) if worst else None,
        luma_worst_frame=worst[2] if worst else None,
        chroma_psnr=psnr(sum(e[0] for e in chroma), sum(e[1] for e in chroma)),
        chroma_psnr_worst=min((psnr(total, count) or PSNR_CAP for total, count in chroma), default=None),
    )


def psnr(squares: float, count: int) -> float | None:
    """Decibels of a sum of squared 8-bit differences over `count` samples, at most PSNR_CAP; None without samples."""
    if not count:
        return None
    if squares <= 0:
        return PSNR_CAP
    return round(min(10 * math.log10(255**2 * count / squares), PSNR_CAP), 2)


def summarise_inside(frames: Sequence[FrameFigures], crop_size: int) -> InsideFigures:
    """Medians over frames."""
    faces = [f.face for f in frames if f.face is not None]
    return InsideFigures(
        crop_size=crop_size,
        sharpness=_median([f.sharpness for f in faces]),
        flicker=_median([f.flicker for f in faces]),
        border=_median([f.border for f in faces]),
    )


def worst_landmarks(frames: Sequence[FrameFigures], count: int) -> list[int]:
    """Numbers of the frames whose face was lost or has the largest landmark error, worst first, not side by side."""
    return _spread([f for f in frames if f.face is not None], lambda f: -_landmark_error(f), count)


def worst_identity(frames: Sequence[FrameFigures], count: int) -> list[int]:
    """Numbers of the frames that look most like dst, worst first, not side by side."""
    return _spread([f for f in frames if f.face is not None and f.face.identity is not None], _margin, count)


def best_frames(frames: Sequence[FrameFigures], count: int) -> list[int]:
    """Numbers of the frames that rank highest by landmark error and identity together, not side by side."""
    both = [f for f, _ in found(frames) if f.face is not None and f.face.identity is not None]
    candidates = both or [f for f, _ in found(frames)]
    ranks = dict.fromkeys((f.frame for f in candidates), 0)
    for key in (_landmark_error, lambda f: -_margin(f) if both else 0.0):
        for rank, frame in enumerate(sorted(candidates, key=key)):
            ranks[frame.frame] += rank
    return _spread(candidates, lambda f: ranks[f.frame], count)


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of the items, evenly spread, each from the middle of its share."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]


def _spread(frames: Sequence[FrameFigures], key: Callable[[FrameFigures], float], count: int) -> list[int]:
    """The frames with the lowest keys that keep a distance, so that they show different moments."""
    if not frames:
        return []
    apart = max(1, (frames[-1].frame - frames[0].frame) // (4 * count))
    chosen: list[int] = []
    for frame in sorted(frames, key=key):
        if all(abs(frame.frame - other) >= apart for other in chosen):
            chosen.append(frame.frame)
        if len(chosen) == count:
            break
    return chosen


def _landmark_error(frame: FrameFigures) -> float:
    face: FaceFigures | None = frame.face
    return face.found.landmark_error if face is not None and face.found is not None else math.inf


def _margin(frame: FrameFigures) -> float:
    """How much nearer to src than to dst."""
    identity = frame.face.identity if frame.face is not None else None
    return identity.to_dst - identity.to_src if identity is not None else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 4) if known else None
