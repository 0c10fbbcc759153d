"""Taking the tremble out of what is measured in every frame, without lag and without smearing what really moves.

A video is known to its end, so a value is judged by those before and after it alike. Around each frame a straight line
is fitted to the values nearby; a neighbour counts the less the further it is in time, and the less the more its value
differs beyond the noise. So noise is averaged away, a steady motion stays (it is a line), and a blink or a jerk, whose
neighbours differ, is kept as it is.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.geometry import align_matrix, invert, transform

REACH: Final = 5
"""Frames to each side that have a say."""
_WIDTH: Final = 2.0
"""Standard deviation, in frames, of how much a neighbour counts; with the next it halves the tremble of landmarks."""
_NOISES: Final = 16.0
"""How many standard deviations of the noise a value may differ by before it hardly counts."""
_FIRM: Final = 1e-6


def steadied(
    offsets: NDArray[np.number], values: NDArray[np.floating], noise: NDArray[np.floating] | float
) -> NDArray[np.float64]:
    """The value at offset 0 of a line fitted to its neighbourhood.

    Args:
        offsets: (N,) frames from the one asked for, which is among them as 0.
        values: (N, D).
        noise: (D,) or one number, the standard deviation of the noise in a value; see `noise_of`.

    Returns:
        (D,).

    Source: local linear regression (Cleveland, JASA 74, 1979) with the range weights of the bilateral filter (Tomasi &
    Manduchi, ICCV 1998).
    """
    x = np.asarray(offsets, np.float64)[:, None]
    values = np.asarray(values, np.float64)
    here = values[int(np.flatnonzero(x[:, 0] == 0)[0])]
    unlike = (values - here) / (_NOISES * np.maximum(noise, _FIRM))
    weight = np.exp(-0.5 * ((x / _WIDTH) ** 2 + unlike**2))
    s0, s1, s2 = weight.sum(0), (weight * x).sum(0), (weight * x * x).sum(0)
    t0, t1 = (weight * values).sum(0), (weight * x * values).sum(0)
    spread = s0 * s2 - s1 * s1
    alone = spread < 1e-6 * s0 * s0
    line = (s2 * t0 - s1 * t1) / np.where(alone, 1, spread)
    return np.asarray(np.where(alone, t0 / s0, line), np.float64)


def noise_of(values: NDArray[np.floating], pooled: bool = False) -> NDArray[np.float64]:
    """(D,) standard deviation of the noise in (N, D) following values, from their second differences; 0 for N < 3.

    Args:
        pooled: all D are equally noisy; then theirs together, (1,).
    """
    if len(values) < 3:
        return np.zeros(1 if pooled else values.shape[1])
    bends = np.abs(np.diff(values, 2, axis=0))
    middle = np.median(bends) if pooled else np.median(bends, axis=0)
    return np.atleast_1d(1.4826 * middle / np.sqrt(6.0))


def pose_and_shape(points: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a face is, and what it looks like there.

    Args:
        points: (68 + M, 2) in frame pixels, the landmarks first.

    Returns:
        (4,) logarithm of the size in pixels, turn in radians, x and y of the centre; and (68 + M, 2) points in the unit
        square that the face is aligned to.
    """
    matrix = align_matrix(points[:68], 1)
    back = invert(matrix)
    size, turn = np.hypot(back[0, 0], back[1, 0]), np.arctan2(back[1, 0], back[0, 0])
    return np.array([np.log(size), turn, *transform(back, np.array([0.5, 0.5]))]), transform(matrix, points)


def steady_points(
    offsets: NDArray[np.number], poses: NDArray[np.float64], shapes: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The points of one frame, steadied by those around it: where the face is and what it does, each by itself.

    Args:
        offsets: (N,) frames from the one asked for, among them 0.
        poses: (N, 4), see pose_and_shape.
        shapes: (N, P, 2) likewise.

    Returns:
        (P, 2) frame pixels.
    """
    poses = poses.copy()
    poses[:, 1] = np.unwrap(poses[:, 1])
    log_size, turn, x, y = steadied(offsets, poses, noise_of(poses))
    flat = shapes.reshape(len(shapes), -1)
    shape = steadied(offsets, flat, noise_of(flat, pooled=True)).reshape(-1, 2)
    linear = np.exp(log_size) * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((shape - 0.5) @ linear.T + [x, y], np.float32)
