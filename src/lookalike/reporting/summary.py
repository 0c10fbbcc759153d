"""From the figures of each frame to those of the result. Pure."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from lookalike.reporting.figures import (
    PSNR_CAP,
    Correlation,
    ExpressionFigures,
    FrameCounts,
    IdentityFigures,
    InsideFigures,
    LandmarkFigures,
    MotionFigures,
    OutsideFigures,
    PoseFigures,
    SeamFigures,
    TemporalFigures,
)
from lookalike.reporting.likeness import EXPRESSION_PARTS
from lookalike.reporting.measure import REGIONS, FoundFigures, FrameFigures

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


def summarise_identity(
    frames: Sequence[FrameFigures], recogniser: str, same_person: float, means_apart: float | None
) -> IdentityFigures:
    """Mean distances by a recogniser, and the share of faces nearer to src.

    Args:
        same_person: distance below which it takes two faces for one person.
        means_apart: distance of the two people.
    """
    faces = [f.face for f in frames if f.face is not None]
    result = [f.identity[recogniser] for f in faces if recogniser in f.identity]
    dst = [f.dst_identity[recogniser] for f in faces if recogniser in f.dst_identity]
    return IdentityFigures(
        recogniser=recogniser,
        same_person=same_person,
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
        p95=_p95(errors),
        **{name: _mean([figure.regions[name] for figure in figures]) for name in REGIONS},
    )


def summarise_pose(frames: Sequence[FrameFigures]) -> PoseFigures:
    """Mean and 95th percentile of the angle, and the mean by axis."""
    poses = [figure.pose for _, figure in found(frames)]
    angles = [pose.angle for pose in poses]
    return PoseFigures(
        measured=len(poses),
        mean=_mean(angles),
        p95=_p95(angles),
        pitch=_mean([abs(pose.pitch) for pose in poses]),
        yaw=_mean([abs(pose.yaw) for pose in poses]),
        roll=_mean([abs(pose.roll) for pose in poses]),
    )


def summarise_expression(frames: Sequence[FrameFigures]) -> ExpressionFigures:
    """Mean, 95th percentile and mean by part of the face."""
    errors = [figure.expression for _, figure in found(frames)]
    means = [error.mean for error in errors]
    return ExpressionFigures(
        measured=len(errors),
        mean=_mean(means),
        p95=_p95(means),
        **{part: _mean([getattr(error, part) for error in errors]) for part in EXPRESSION_PARTS},
    )


def summarise_temporal(frames: Sequence[FrameFigures]) -> TemporalFigures:
    """The two errors, and the result's over dst's."""
    pairs = [f.face.warping for f in frames if f.face is not None and f.face.warping is not None]
    dst, result = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    return TemporalFigures(
        measured=len(pairs),
        ratio=round(result / dst, 4) if dst > 0 else None,
        median_ratio=_median([after / before for before, after in pairs if before > 0]),
        dst=_mean([pair[0] for pair in pairs]),
        result=_mean([pair[1] for pair in pairs]),
    )


def summarise_seam(frames: Sequence[FrameFigures]) -> SeamFigures:
    """Mean and 95th percentile of the step, and the share of the border that shows."""
    seams = [f.face.seam for f in frames if f.face is not None]
    steps = [seam.step for seam in seams]
    return SeamFigures(
        measured=len(seams), step=_mean(steps), p95=_p95(steps), share=_mean([seam.share for seam in seams])
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


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of the items, evenly spread, each from the middle of its share."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 4) if known else None


def _p95(values: Sequence[float]) -> float | None:
    return round(float(np.percentile(values, 95)), 4) if values else None
