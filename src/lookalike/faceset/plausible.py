"""Whether points and a matrix can be those of a face, so that no later step draws, warps or inverts what cannot be."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.geometry import RIGID, transform
from lookalike.mean_face import TEMPLATE

FARTHEST: Final = 100_000.0
"""Pixels of a frame that anything of a face is away from its corner; as many as boxes and edits may have."""
_LEAST_SPREAD: Final = 0.1
"""Pixels from one landmark to another; with less they cannot be told apart in float32."""
_LEAST_LIKENESS: Final = 0.01
"""Correlation of the landmarks with the mean face, which is above 0.5 even for a profile; 0 has no size at all."""
_MOST_STRETCH: Final = 100.0
"""A matrix of ours turns, moves and scales; it does not stretch."""
_SCALES: Final = (1e-6, 1e6)
_FARTHEST_IN_CROP: Final = 64
"""Sides of the crop: its own face lies within two of it."""
_FARTHEST_APART: Final = 64
"""Widths of a face that a point of it is away from its middle; those of real ones are within two."""


def check_face(
    landmarks: Sequence[tuple[float, float]], mesh: NDArray[np.floating], matrix: NDArray[np.float64], size: int
) -> None:
    """Refuse what is no face.

    Args:
        landmarks: (68, 2) frame pixels.
        mesh: (478, 2) frame pixels.
        matrix: (2, 3) frame to crop.
        size: side of the crop.

    Raises:
        ValueError: says what is wrong.
    """
    points = np.concatenate([np.asarray(landmarks, np.float64), mesh])
    farthest = np.abs(points).max()
    if not farthest <= FARTHEST:  # true of numbers that are none, too
        name = "landmarks" if not np.abs(points[:68]).max() <= FARTHEST else "mesh"
        raise ValueError(
            f"{name}: farther than {FARTHEST:g} pixels away" if np.isfinite(farthest) else f"{name}: not finite"
        )
    inner = points[17:68]
    low, high = inner.min(0), inner.max(0)
    spread = float((high - low).max())
    if spread < _LEAST_SPREAD or min(_likeness(inner, _ALL), _likeness(inner, _RIGID)) < _LEAST_LIKENESS:
        raise ValueError("landmarks: they make no face")
    if np.abs(points - (low + high) / 2).max() > _FARTHEST_APART * spread:
        raise ValueError("mesh: it is not where the landmarks are")
    _check_matrix(matrix)
    if np.abs(transform(matrix, points)).max() > _FARTHEST_IN_CROP * size:
        raise ValueError("matrix: the landmarks are not in the crop that it shows")


def _centred(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    """(N, 2) points as numbers of the complex plane about their mean."""
    plane = np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]
    centred: NDArray[np.complex128] = plane - plane.mean()
    return centred


def _template(places: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.complex128]]:
    centred = _centred(TEMPLATE[list(places)])
    return np.array(places), centred / np.linalg.norm(centred)


_ALL: Final = _template(range(len(TEMPLATE)))
_RIGID: Final = _template([i - 17 for i in RIGID])


def _likeness(points: NDArray[np.float64], template: tuple[NDArray[np.intp], NDArray[np.complex128]]) -> float:
    """How well points fit a template, turned, scaled and moved: 0 not at all, 1 exactly; 0 for points that coincide.

    Source: least squares in the complex plane, whose scale is that of Umeyama (PAMI 13(4), 1991).
    """
    places, wanted = template
    centred = _centred(points[places])
    length = float(np.sqrt(np.vdot(centred, centred).real))
    return float(abs(np.vdot(centred, wanted))) / length if length >= _LEAST_SPREAD else 0.0


def _check_matrix(matrix: NDArray[np.float64]) -> None:
    (a, b, x), (c, d, y) = (map(float, row) for row in matrix)
    turned, stretched = math.hypot(a + d, c - b) / 2, math.hypot(a - d, c + b) / 2
    least, most = abs(turned - stretched), turned + stretched  # the singular values of a 2x2 matrix
    if not _SCALES[0] <= most <= _SCALES[1] or least * _MOST_STRETCH < most:
        raise ValueError("matrix: cannot be inverted")
    if max(abs(x), abs(y)) > FARTHEST * _SCALES[1]:
        raise ValueError("matrix: leads too far away")
