"""Seamless cloning. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

_ROUNDS = 60
"""Relaxations of each size; the error left on a face of 128 pixels is below half a code of 255."""
_COARSEST = 8
_REACH = 0.8
"""Share of a picture's side that a region is taken to have."""


def seamless(
    drawn: NDArray[np.float32], background: NDArray[np.float32], inside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Clone a picture into another so that its gradients stay and its border meets the background's.

    The clone is the picture plus a membrane: what the background has more at the border of the region, spread inside
    as a soap film would. Solving for the film instead of the picture keeps any depth of colour, and a film is smooth
    enough to be found at the network's own size.

    Args:
        drawn, background: (H, W, 3) float32.
        inside: (H, W); the region that is cloned.

    Returns:
        (H, W, 3) float32, not clipped: the clone inside, the background outside.

    Source: Perez, Gangnet & Blake, "Poisson image editing", SIGGRAPH 2003, equation 7.
    """
    difference = background - drawn
    return drawn + membrane(difference, inside)


def membrane(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """`values` with the region `inside` filled by the harmonic function that meets them at its border.

    Args:
        values: (H, W, C) float32; those inside are not looked at.
        inside: (H, W). Beyond the picture nothing flows.

    Source: Jacobi's method with Chebyshev's acceleration (Golub & Varga, Numer. Math. 3, 1961), from coarse to fine
    (cascadic multigrid; Bornemann & Deuflhard, Numer. Math. 75, 1996).
    """
    if not inside.any() or inside.all():
        return values
    known = (~inside).astype(np.float32)
    first = _guess(values, known)
    return _relaxed(first, values, known)


def _guess(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """A rough fill: the solution at half the size, enlarged."""
    height, width = known.shape
    size_wh = (max(1, -(-width // 2)), max(1, -(-height // 2)))
    weight = np.asarray(cv2.resize(known, size_wh, interpolation=cv2.INTER_AREA), np.float32)
    total = np.asarray(cv2.resize(values * known[..., None], size_wh, interpolation=cv2.INTER_AREA), np.float32)
    total = total.reshape(*weight.shape, values.shape[2])
    half = np.asarray(total / np.maximum(weight, 1e-6)[..., None], np.float32)
    half_known = (weight > 0.25).astype(np.float32)
    if min(size_wh) <= _COARSEST or not half_known.any():
        mean = total.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        first = np.where(half_known[..., None] > 0, half, mean).astype(np.float32)
    else:
        first = _guess(half, half_known)
    solved = _relaxed(first, half, half_known)
    large = cv2.resize(solved, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(values.shape)


def _relaxed(
    first: NDArray[np.float32], values: NDArray[np.float32], known: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`first` with its unknown pixels brought to the mean of their four neighbours."""
    free = (1 - known)[..., None]
    fixed = values * known[..., None]
    kernel = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)
    radius = np.cos(np.pi / (max(known.shape) * _REACH))
    before = film = first * free + fixed
    speed = 1.0
    for step in range(_ROUNDS):
        around = cv2.filter2D(film, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        relaxed = np.asarray(around, np.float32).reshape(film.shape) * free + fixed
        film, before = before + np.float32(speed) * (relaxed - before), film
        speed = 1 / (1 - radius**2 / (2 if step == 0 else 4 / speed))
    return film
