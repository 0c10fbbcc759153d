"""Which frames need a look, and what is wrong with them. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lookalike.reporting.figures import VISIBLE_STEP, Reason
from lookalike.reporting.measure import FaceFigures, FoundFigures, FrameFigures

_LOST = 4.0
"""Severity of a face that is found no more."""
_REGION_ERROR: Final = {"jaw": 0.12, "brows": 0.10, "nose": 0.08, "eyes": 0.06, "mouth": 0.10}
"""Landmark errors, in eye distances, from which a region is off."""
_MOUTH_OPENING = 0.08
"""Difference of the mouth's opening, in eye distances."""
_EYE_OPENING = 0.10
"""Difference of the eyes' height over width."""
_EXPRESSION: Final = {"brows": 0.25, "eyes": 0.15, "mouth": 0.08, "jaw": 0.12}
"""Mean differences of blendshape coefficients."""
_POSE = 6.0
"""Degrees."""
_WARPING = 1.5
"""Codes by which the result changes more than dst along dst's flow."""
_OUTSIDE_MSE = 255**2 / 10**3.8
"""Mean squared error of luma outside the face: 38 dB."""
_UNUSUAL = 3.5
"""Robust standard deviations from the clip's median from which a frame stands out."""
_OTHERS = 0.2
"""What each further reason adds to the score, for each unit of its severity beyond 1."""
_MOST_REASONS = 4
_MOST_APART = 25
"""Frames that need not lie further apart to show different moments."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A frame and what is wrong with it."""

    frame: int
    seconds: float
    score: float
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class _Usual:
    """What the clip's frames are like, to tell those that are not."""

    sharpness: float
    sharpness_spread: float


def worst_frames(frames: Sequence[FrameFigures], count: int) -> list[Scored]:
    """The frames with a face that are worst, worst first; of a bad stretch only its worst, as neighbours look alike.

    A measure is bad from a severity of 1 on; a frame's score is the severity of its worst, and a fifth of what the
    others exceed 1 by.
    """
    usual = _usual(frames)
    scored = [_score(frame, frame.face, usual) for frame in frames if frame.face is not None]
    if not scored:
        return []
    apart = min(max(2, (scored[-1].frame - scored[0].frame) // (2 * count)), _MOST_APART)
    chosen: list[Scored] = []
    for candidate in sorted(scored, key=lambda s: (-s.score, s.frame)):
        if all(abs(candidate.frame - other.frame) >= apart for other in chosen):
            chosen.append(candidate)
        if len(chosen) == count:
            break
    return chosen


def _score(frame: FrameFigures, face: FaceFigures, usual: _Usual) -> Scored:
    reasons = sorted(_reasons(frame, face, usual), key=lambda r: -r.severity)
    bad = [reason for reason in reasons if reason.severity >= 1]
    score = reasons[0].severity + _OTHERS * sum(reason.severity - 1 for reason in bad[1:]) if reasons else 0.0
    return Scored(frame.frame, frame.seconds, round(score, 3), bad[:_MOST_REASONS] or reasons[:1])


def _reasons(frame: FrameFigures, face: FaceFigures, usual: _Usual) -> Iterator[Reason]:
    """Every measure of a frame, however small."""
    if face.found is None:
        yield _reason("found", "no face found", _LOST)
    else:
        yield from _likeness(face.found)
    for name, identity in face.identity.items():
        ratio = identity.to_src / max(identity.to_dst, 1e-6)
        text = "looks like dst" if ratio >= 1 else "looks half like dst"
        yield _reason("identity", f"{text} ({name})", ratio)
    if face.warping is not None:
        excess = face.warping[1] - face.warping[0]
        yield _reason("temporal", f"flickers ({excess:+.1f})", excess / _WARPING)
    yield _reason("seam", f"edge visible ({face.seam.step:.1f})", face.seam.step / VISIBLE_STEP)
    if face.sharpness is not None:
        softer = (usual.sharpness - face.sharpness) / (_UNUSUAL * usual.sharpness_spread)
        yield _reason("sharpness", f"softer than the rest ({face.sharpness:.0%})", softer)
    if frame.outside.luma_count:
        error = frame.outside.luma_sum / frame.outside.luma_count
        yield _reason("outside", "changed outside the face", math.sqrt(error / _OUTSIDE_MSE))


def _likeness(found: FoundFigures) -> Iterator[Reason]:
    """Landmarks, openings, expression and pose."""
    for region, limit in _REGION_ERROR.items():
        error = found.regions[region]
        yield _reason("landmarks", f"{region} {error:.2f} off", error / limit)
    mouth, eyes = found.result.mouth - found.dst.mouth, found.result.eyes - found.dst.eyes
    yield _reason("mouth", f"mouth {abs(mouth):.2f} too {_way(mouth)}", abs(mouth) / _MOUTH_OPENING)
    yield _reason("eyes", f"eyes {abs(eyes):.2f} too {_way(eyes)}", abs(eyes) / _EYE_OPENING)
    for part, limit in _EXPRESSION.items():
        error = getattr(found.expression, part)
        yield _reason("expression", f"expression of the {part} {error:.2f} off", error / limit)
    yield _reason("pose", f"turned {found.pose.angle:.0f} degrees away", found.pose.angle / _POSE)


def _way(difference: float) -> str:
    return "open" if difference > 0 else "shut"


def _reason(measure: str, text: str, severity: float) -> Reason:
    return Reason(measure=measure, text=text, severity=round(max(severity, 0.0), 3))


def _usual(frames: Sequence[FrameFigures]) -> _Usual:
    faces = [f.face for f in frames if f.face is not None]
    sharpness, spread = _robust([f.sharpness for f in faces if f.sharpness is not None])
    return _Usual(sharpness, max(spread, 0.05 * sharpness, 1e-3))


def _robust(values: Sequence[float]) -> tuple[float, float]:
    """Median, and standard deviation by the median absolute deviation; 0, 0 of nothing."""
    if not values:
        return 0.0, 0.0
    median = float(np.median(values))
    return median, 1.4826 * float(np.median(np.abs(np.asarray(values) - median)))
