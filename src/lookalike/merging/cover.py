"""Laying a colour over what is not to be seen. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lookalike.color import chroma_shifts
from lookalike.types import Picture

_WIDER: Final = 0.3
"""Of a box's sides that is covered beyond each of them, as detectors leave out ears, chin and hair."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in frame pixels."""


def cover(picture: Picture, boxes: Sequence[Box]) -> Picture:
    """The picture with the surroundings of some boxes in middle grey; nothing of what was there is left in it."""
    planes = [plane.copy() for plane in picture.planes]
    shifts = ((0, 0), *(chroma_shifts(picture),) * 2)
    for box in boxes:
        left, top, right, bottom = _wider(box, picture.size_wh)
        for plane, (across, down) in zip(planes, shifts, strict=True):
            part = plane[top >> down : -(-bottom >> down), left >> across : -(-right >> across)]
            part[...] = 1 << (picture.color.bits - 1)
    return replace(picture, planes=(planes[0], planes[1], planes[2]))


def _wider(box: Box, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Whole pixels in the picture, even ones, so that samples of chroma are covered with those of luma."""
    (left, top, right, bottom), (width, height) = box, size_wh
    across, down = _WIDER * max(right - left, 2), _WIDER * max(bottom - top, 2)
    low = [max(0, int(v) // 4 * 4) for v in (left - across, top - down)]
    high = [min(size, int(v) // 4 * 4 + 4) for v, size in ((right + across, width), (bottom + down, height))]
    return low[0], low[1], max(high[0], 0), max(high[1], 0)
