"""When to stop a training, read off the faces that are held out. Imports no torch and no numpy."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

SAME_PERSON: Final = 0.6
"""Largest distance at which the face recogniser takes two faces for one person."""

_FEWEST: Final = 8
"""Measurements below which nothing is said of a trend."""
_LEAST_FALL: Final = 0.005
"""A smaller share of the best loss is no progress."""
_LEAST_RISE: Final = 0.02
"""A smaller share above the best loss is not over-training yet."""
_LEAST_STEP: Final = 0.01
"""A smaller change of a distance between faces is none."""
_LEAST_HOURS: Final = 0.25
"""A fall over a shorter time says nothing of an hour."""
_PAUSE: Final = 10
"""A gap so many times longer than the usual one is a pause between two runs, and no training."""

Row = Mapping[str, Any]


def advice(validation: Sequence[Row]) -> str:
    """When to stop, in one sentence.

    The best loss of the last quarter is compared with the best before. What counts as a change depends on how much
    the loss wavers from one measurement to the next. The distances of the swap to src and dst are compared alike.

    Args:
        validation: rows of validation.jsonl, in order; those without both losses are passed over.
    """
    rows = [row for row in validation if not math.isnan(_loss(row))]
    if not rows:
        return "Judge by the preview: nothing has been measured yet on held-out faces."
    if len(rows) < _FEWEST:
        return f"Train on: too early to say more, with {len(rows)} of {_FEWEST} measurements on held-out faces."
    losses = [_loss(row) for row in rows]
    split = len(rows) - len(rows) // 4
    best = min(range(split), key=losses.__getitem__)
    late = min(range(split, len(rows)), key=losses.__getitem__)
    scale = max(losses[best], 1e-9)
    wavering = statistics.median(abs(b - a) for a, b in pairwise(losses)) / scale
    fall = (losses[best] - losses[late]) / scale
    since = rows[best].get("iteration", "?")
    likeness = _likeness(rows, split)
    also = f", and {likeness.text}" if likeness else ""
    if fall > max(_LEAST_FALL, wavering):
        return f"Train on: the loss on held-out faces still falls, by {_pace(fall, _hours(rows, best, late))}{also}."
    if -fall > max(_LEAST_RISE, 2 * wavering):
        return (
            f"Stop, and go back to a backup from about iteration {since}: the loss on held-out faces has risen by "
            f"{_percent(-fall)} since then (over-trained){also}."
        )
    flat = f"the loss on held-out faces has been flat since iteration {since}"
    if likeness and likeness.nearing:
        return f"Train on: {flat}, but the swap still comes nearer to src{also}."
    if likeness and not likeness.like_src:
        return f"More of the same will change little: {flat}{also}; try more varied src faces, or other options."
    return f"You can stop: {flat}{also}."


@dataclass(frozen=True, slots=True)
class _Likeness:
    """Whom the swap looks like in the last quarter."""

    text: str
    like_src: bool
    """Nearer to src than to dst."""
    nearing: bool
    """Nearer to src than at any time before."""


def _likeness(rows: Sequence[Row], split: int) -> _Likeness | None:
    distances = [(_number(row.get("identity_src")), _number(row.get("identity_dst"))) for row in rows]
    late = [pair for pair in distances[split:] if not math.isnan(sum(pair))]
    if not late:
        return None
    src, dst = (statistics.median(side) for side in zip(*late, strict=True))
    before = [pair[0] for pair in distances[:split] if not math.isnan(pair[0])]
    nearing = bool(before) and min(before) - min(pair[0] for pair in late) > _LEAST_STEP
    verdict = "the same person" if src < SAME_PERSON else "not the same person yet"
    than = "nearer" if src < dst else "not nearer"
    return _Likeness(f"the swap is {than} to src ({src:.2f}, {verdict}) than to dst ({dst:.2f})", src < dst, nearing)


def _hours(rows: Sequence[Row], first: int, last: int) -> float:
    """Hours of training from one row to another; a pause counts as the usual gap."""
    times = [_number(row.get("time")) for row in rows]
    gaps = [b - a for a, b in pairwise(times)]
    usual = statistics.median([gap for gap in gaps if gap >= 0] or [0.0])
    return sum(gap if 0 <= gap <= _PAUSE * usual else usual for gap in gaps[first:last]) / 3600


def _pace(fall: float, hours: float) -> str:
    """A fall as that of an hour, if there was enough of one to say so."""
    if hours < _LEAST_HOURS:
        return f"{_percent(fall)} in {max(round(60 * hours), 1)} min"
    return f"{_percent(1 - (1 - min(fall, 1)) ** (1 / hours))} an hour"


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def _loss(row: Row) -> float:
    """Mean of both sides' losses; NaN where one is missing."""
    return (_number(row.get("loss_src")) + _number(row.get("loss_dst"))) / 2


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan
