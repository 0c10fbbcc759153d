"""A drawn face, steadied by those of the frames around it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.merging.paint import Painted, recolored
from lookalike.merging.regions import Mask
from lookalike.merging.steady import noise_of, steadied

_WIDTH = 2.0
"""Standard deviation, in frames, of how much a neighbour's mask counts."""
_OTHER_MASK = 0.02
"""Mean difference at which another mask counts for 0.6."""
_FOLLOWED = 2
"""Frames to each side whose drawing is looked at along dst's motion."""
_UNLIKE = 4.0
"""Difference in codes at which what dst shows along its motion counts for 0.6."""
_FINEST = 1
"""Halvings of the crop at which the flow's search ends. On a calm clip 2, 1 and 0 gave 1.40, 1.33 and 1.30 of dst's
warping error, in 2, 4 and 8 ms a face of 128 pixels."""
_AROUND = 1.0
"""Standard deviation in pixels over which that difference is taken."""


def steady_painted(offsets: Sequence[int], painted: Sequence[Painted], crops: Sequence[NDArray[np.uint8]]) -> Painted:
    """The face at offset 0: its change of colours and its mask steadied over time, its drawing along dst's motion.

    Args:
        offsets: frames from the one asked for, among them 0.
        painted: the face in each of these frames.
        crops: (R, R, 3) what the network saw of dst in each.
    """
    at = list(offsets).index(0)
    here = painted[at]
    if len(painted) < 3:
        return here
    places = np.array(offsets)
    changes = np.stack([one.change for one in painted]).reshape(len(painted), -1)
    change = steadied(places, changes, noise_of(changes)).reshape(4, 3)
    near = [k for k, offset in enumerate(offsets) if offset and abs(offset) <= _FOLLOWED]
    others = [(crops[k], recolored(painted[k], change)) for k in near]
    face = along_motion(crops[at], recolored(here, change), others)
    return replace(here, face=face, change=change, region=_steady_region(places, here, painted))


def along_motion(
    crop: NDArray[np.uint8],
    face: NDArray[np.float32],
    others: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """The mean of a drawing and of those of other frames, each brought here along dst's optical flow.

    Another frame counts at a pixel as much as dst, brought here likewise, looks like dst here. So what flickers while
    dst moves on is averaged away, and a blink, or what comes out from behind something, is not smeared.

    Args:
        crop: (R, R, 3) dst here.
        face: (R, R, 3) float32 drawn here.
        others: the same of other frames.

    Returns:
        (R, R, 3) float32.

    Source: flow by dense inverse search (Kroeger et al., ECCV 2016).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(_FINEST)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    y, x = np.indices(grey.shape, np.float32)
    total, weights = face.copy(), np.ones((*grey.shape, 1), np.float32)
    for other_crop, other_face in others:
        other_grey = cv2.cvtColor(other_crop, cv2.COLOR_RGB2GRAY)
        flow = search.calc(grey, other_grey, None)  # type: ignore[call-overload, unused-ignore]
        to_x, to_y = x + flow[..., 0], y + flow[..., 1]
        seen = cv2.remap(other_grey, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        apart = cv2.GaussianBlur(cv2.absdiff(seen, grey).astype(np.float32), (0, 0), _AROUND)
        weight = np.exp(-0.5 * (apart / _UNLIKE) ** 2)[..., None]
        total += weight * cv2.remap(other_face, to_x, to_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        weights += weight
    return np.asarray((total / weights).clip(0, 1), np.float32)


def _steady_region(places: NDArray[np.int_], here: Painted, painted: Sequence[Painted]) -> Mask | None:
    regions = [one.region for one in painted if one.region is not None]
    if here.region is None or len(regions) < len(painted):
        return here.region
    apart = np.array([cv2.norm(region, here.region, cv2.NORM_L1) / region.size for region in regions])
    weights = np.exp(-0.5 * ((places / _WIDTH) ** 2 + (apart / _OTHER_MASK) ** 2))
    steady = np.zeros_like(here.region)
    for region, weight in zip(regions, weights / weights.sum(), strict=True):
        steady += region * np.float32(weight)
    return steady
