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
"""Standard deviation in frames of how much a neighbour counts. With the next: landmarks tremble less than half as much."""
_NOISES: Final = 16.0
"""How many standard deviations of the noise a value may differ by before it hardly counts."""
_FIRM: Final = 1e-6


def steadied(
    offsets: NDArray[np.floating], values: NDArray[np.floating], noise: NDArray[np.floating] | float
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


def steady_points(
    offsets: NDArray[np.floating], landmarks: NDArray[np.floating], others: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The landmarks of one frame, steadied by those around it: where the face is and what it does, each by itself.

    Args:
        offsets: (N,) frames from the one asked for, among them 0.
        landmarks: (N, 68, 2) in frame pixels.
        others: (N, M, 2) points that move along, such as the mesh.

    Returns:
        (68, 2) and (M, 2) of the frame at offset 0.
    """
    matrices = np.stack([align_matrix(points, 1) for points in landmarks])
    backs = np.stack([invert(matrix) for matrix in matrices])
    points = np.concatenate([landmarks, others], 1)
    shapes = np.stack([transform(m, p) for m, p in zip(matrices, points, strict=True)]).reshape(len(points), -1)
    pose = _steady_pose(offsets, backs)
    shape = steadied(offsets, shapes, noise_of(shapes, pooled=True)).reshape(-1, 2)
    placed = transform(pose, shape).astype(np.float32)
    return placed[:68], placed[68:]


def _steady_pose(offsets: NDArray[np.floating], backs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) from a unit square to the frame, of (N, 2, 3) of the frames around: size, turn and centre steadied."""
    size = np.hypot(backs[:, 0, 0], backs[:, 1, 0])
    turn = np.unwrap(np.arctan2(backs[:, 1, 0], backs[:, 0, 0]))
    middle = np.median(size)
    centre = np.stack([transform(back, np.array([0.5, 0.5])) for back in backs]) / middle
    values = np.column_stack([np.log(size), turn, centre])
    log_size, angle, x, y = steadied(offsets, values, noise_of(values))
    linear = np.exp(log_size) * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, np.array([x, y]) * middle - linear @ [0.5, 0.5]])
