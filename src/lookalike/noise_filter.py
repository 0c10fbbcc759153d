"""Taking noise out of a film: each sample leans on its neighbours before it, across, down and in time."""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.types import Picture

Planes = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

_FINE: Final = 16
"""Entries of the table for one step of 8-bit samples."""
_TOP: Final = 255 * _FINE


class Denoiser:
    """A recursive filter over the pictures of one video, in order.

    A sample is drawn towards the one filtered before it by a share of their difference: the whole of a difference of
    0, a quarter of one as large as the strength, next to nothing of a large one, so that edges and cuts stay. Applied
    from left to right, from top to bottom, and from picture to picture. It does what FFmpeg's hqdn3d is known for,
    and takes the same strengths; that filter is missing from the media library's usual builds.
    """

    def __init__(self, spatial: float, temporal: float = 5.0, before: Planes | None = None) -> None:
        """Start at the first picture, or after another.

        Args:
            spatial: difference in 8-bit steps of which a quarter is taken off within a picture, luma and chroma alike.
            temporal: the same between pictures.
            before: `state` after the picture before.
        """
        self._spatial, self._temporal = _pull_table(spatial), _pull_table(temporal)
        self._before = before

    @property
    def state(self) -> Planes | None:
        """What the next picture leans on: the planes of the last one, in 8-bit steps, unrounded."""
        return self._before

    def denoised(self, picture: Picture) -> Picture:
        """The next picture, filtered; same size, depth and range."""
        unit = np.float32(1 << (picture.color.bits - 8))
        y, u, v = (
            self._filtered(plane.astype(np.float32) / unit, None if self._before is None else self._before[number])
            for number, plane in enumerate(picture.planes)
        )
        self._before = (y, u, v)
        kind = picture.planes[0].dtype
        planes = tuple(np.rint(plane * unit).astype(kind) for plane in (y, u, v))
        return Picture((planes[0], planes[1], planes[2]), picture.color)

    def _filtered(self, plane: NDArray[np.float32], before: NDArray[np.float32] | None) -> NDArray[np.float32]:
        plane = _along_first_axis(np.ascontiguousarray(plane.T), self._spatial).T
        plane = _along_first_axis(np.ascontiguousarray(plane), self._spatial)
        if before is not None and before.shape == plane.shape:
            plane += _pull(before - plane, self._temporal)
        return plane


def _along_first_axis(lines: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each line drawn towards the filtered line before it; in place."""
    for number in range(1, len(lines)):
        lines[number] += _pull(lines[number - 1] - lines[number], table)
    return lines


def _pull(difference: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far a sample moves towards one that differs by so much."""
    difference *= np.float32(_FINE)
    difference += np.float32(_TOP + 0.5)
    return table.take(difference.astype(np.int32), mode="clip")


@functools.cache
def _pull_table(strength: float) -> NDArray[np.float32]:
    """d (1 - |d| / 255)^g for differences d of -255 to 255 in steps of 1/16; g is such that `strength` loses 1/4."""
    power = np.log(0.25) / np.log(1 - min(strength, 252.0) / 255)
    difference = np.arange(-_TOP, _TOP + 1) / _FINE
    return np.asarray(difference * (1 - np.abs(difference) / 255) ** power, np.float32)
