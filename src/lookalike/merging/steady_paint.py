"""Colours and masks of a face, steadied by those of the frames around it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lookalike.merging.paint import Painted, recolored
from lookalike.merging.steady import noise_of, steadied

_MASK_NOISE = 0.01
"""Standard deviation of the noise of a learned mask."""


def steady_painted(offsets: Sequence[int], painted: Sequence[Painted]) -> Painted:
    """The face at offset 0, its change of colours and its mask steadied by the same face in the frames around.

    Args:
        offsets: frames from the one asked for, among them 0.
        painted: the face in each of these frames.
    """
    here = painted[list(offsets).index(0)]
    if len(painted) < 3:
        return here
    places = np.array(offsets)
    changes = np.stack([one.change for one in painted]).reshape(len(painted), -1)
    change = steadied(places, changes, noise_of(changes)).reshape(4, 3)
    steady = replace(here, face=recolored(here, change), change=change)
    regions = [one.region for one in painted]
    if here.region is None or any(region is None for region in regions):
        return steady
    flat = np.stack([region.ravel() for region in regions if region is not None])
    region = steadied(places, flat, _MASK_NOISE).clip(0, 1).astype(np.float32)
    return replace(steady, region=region.reshape(here.region.shape))
