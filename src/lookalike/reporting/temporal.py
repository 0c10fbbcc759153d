"""Whether a result moves as dst does: its change along dst's motion beside dst's own. Pure."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.reporting.crops import FaceCrops

_FOLLOWED: Final = (0.01, 0.5)
"""A point is followed when going there and back misses by less than this share of the way, plus these pixels."""
_LEAST_FOLLOWED = 0.25
"""Share of the oval that must be followed; less is a cut, or a movement that no flow follows."""


def warping_error(before: FaceCrops, now: FaceCrops) -> tuple[float, float] | None:
    """Mean |x[t] - warp(x[t + 1])| of luma inside the oval, in 8-bit codes: dst's, the result's.

    The flow is dst's for both, so whatever moves with dst costs nothing; what changes while it moves does. dst's own
    error is what noise, light and the flow's mistakes cost. Points that the flow does not follow there and back are
    left out.

    Args:
        before: frame t.
        now: frame t + 1, cut out by the matrix of frame t, so that the jitter of matrices is not measured, too.

    Returns:
        (dst, result), or None where dst's motion cannot be followed, as at a cut.

    Source: Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, with the absolute difference for the
    squared one; occlusions as Ruder et al., GCPR 2016; flow by dense inverse search (Kroeger et al., ECCV 2016).
    """
    there = _flow(before.dst, now.dst)
    back = _flow(now.dst, before.dst)
    height, width = before.dst.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    to_x, to_y = x + there[..., 0], y + there[..., 1]
    returned = cv2.remap(back, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    missed = ((there + returned) ** 2).sum(2)
    way = (there**2).sum(2) + (returned**2).sum(2)
    within = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    followed = before.inside & within & (missed <= _FOLLOWED[0] * way + _FOLLOWED[1])
    if not before.inside.any() or followed.sum() < _LEAST_FOLLOWED * before.inside.sum():
        return None
    dst, result = (
        float(np.abs(a[followed] - cv2.remap(b, to_x, to_y, cv2.INTER_LINEAR)[followed]).mean())
        for a, b in ((p.astype(np.float32), q.astype(np.float32)) for p, q in _planes(before, now))
    )
    return dst, result


def _planes(before: FaceCrops, now: FaceCrops) -> tuple[tuple[NDArray[np.uint8], NDArray[np.uint8]], ...]:
    return (before.dst, now.dst), (before.result, now.result)


def _flow(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 2) pixels from each point of one picture to the same point in the other."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # one a call: it is not safe to share
    return np.asarray(search.calc(one, other, None), np.float32)  # type: ignore[call-overload, unused-ignore]
