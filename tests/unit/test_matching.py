"""Match of histograms, and seamless cloning against a direct solution and OpenCV's."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from lookalike.merging.histogram import match_histograms
from lookalike.merging.membrane import membrane, seamless
from lookalike.merging.motion_blur import line_kernel


def specified() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The pictures of vector B.4."""
    y, x = np.mgrid[:16, :16]
    a = np.stack([(7 * x + 3 * y) % 200, (5 * x + 11 * y + 40) % 180, (13 * x + 2 * y + 60) % 220], 2) / 255
    b = np.stack([0.2 + 0.5 * x / 15, 0.3 + 0.4 * y / 15, 0.1 + 0.6 * (x + y) / 30], 2)
    return a.astype(np.float32), np.asarray(b, np.float32)


@pytest.mark.parametrize(
    ("threshold", "mean", "corner", "middle"),
    [
        (255, (0.436467, 0.488770, 0.391626), (0.2, 0.373333, 0.303333), (0.479167, 0.66, 0.5425)),
        (200, (0.378763, 0.442694, 0.341661), (0.2, 0.351765, 0.276667), (0.411765, 0.576601, 0.452821)),
    ],
)
def test_histograms_of_the_specification(
    threshold: float, mean: tuple[float, ...], corner: tuple[float, ...], middle: tuple[float, ...]
) -> None:
    """Vector B.4."""
    matched = match_histograms(*specified(), threshold)
    np.testing.assert_allclose(matched.mean((0, 1)), mean, atol=2e-6)
    np.testing.assert_allclose(matched[0, 0], corner, atol=2e-6)
    np.testing.assert_allclose(matched[7, 9], middle, atol=2e-6)


def test_only_some_pixels_count_and_all_are_changed() -> None:
    a, b = specified()
    half = np.zeros((16, 16), bool)
    half[:, :8] = True
    other_a, other_b = a.copy(), b.copy()
    other_b[:, 8:] = 1  # does not count
    one, two = match_histograms(a, b, where=half), match_histograms(other_a, other_b, where=half)
    np.testing.assert_array_equal(one, two)
    for channel in range(3):
        ranks = [np.sort(p[half][:, channel]) for p in (one, b)]
        np.testing.assert_allclose(ranks[0], ranks[1], atol=0.05)
    assert (one[:, 8:] != a[:, 8:]).any()
    np.testing.assert_array_equal(match_histograms(a, b, where=np.zeros((16, 16), bool)), a)


def region(side: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.asarray(np.hypot(x / 0.35, y / 0.42) < side)


def direct(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The harmonic function inside, by elimination."""
    places = np.argwhere(inside)
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(len(places))
    matrix, right = lil_matrix((len(places), len(places))), np.zeros((len(places), values.shape[2]))
    for row, (y, x) in enumerate(places):
        matrix[row, row] = 4
        for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            if inside[near]:
                matrix[row, number[near]] = -1
            else:
                right[row] += values[near]
    return np.stack([spsolve(matrix.tocsr(), column) for column in right.T], 1)


def test_a_membrane_is_the_harmonic_function() -> None:
    rng, inside = np.random.default_rng(0), region(64)
    values = np.asarray(cv2.GaussianBlur(rng.normal(0, 2, (64, 64, 3)), (0, 0), 6), np.float32)
    values += np.asarray(rng.normal(0, 0.02, values.shape), np.float32)
    film = membrane(values, inside)
    np.testing.assert_array_equal(film[~inside], values[~inside])
    error = np.abs(film[inside] - direct(values, inside)) * 255
    assert error.mean() < 0.2
    assert error.max() < 2


def test_a_clone_is_opencv_s() -> None:
    rng, inside = np.random.default_rng(1), region(96)
    drawn = np.asarray(cv2.GaussianBlur(rng.uniform(0.2, 0.8, (96, 96, 3)), (0, 0), 2) * 0.7, np.float32)
    frame = np.asarray(cv2.GaussianBlur(rng.uniform(0.3, 0.9, (96, 96, 3)), (0, 0), 9), np.float32)
    ours = seamless(drawn, frame, inside).clip(0, 1)
    eight = [np.rint(p * 255).astype(np.uint8) for p in (drawn, frame)]
    ys, xs = np.nonzero(inside)
    # OpenCV centres the rectangle of the mask at this point.
    centre = (int(xs.min() + (np.ptp(xs) + 1) // 2), int(ys.min() + (np.ptp(ys) + 1) // 2))
    theirs = cv2.seamlessClone(eight[0], eight[1], inside.astype(np.uint8) * 255, centre, cv2.NORMAL_CLONE)
    difference = np.abs(ours * 255 - theirs)[inside]
    assert np.abs(drawn * 255 - theirs)[inside].mean() > 20
    assert difference.mean() < 2.5


def test_a_membrane_without_a_border_or_without_a_region_is_left_alone() -> None:
    values = np.random.default_rng(0).normal(0, 1, (16, 16, 3)).astype(np.float32)
    for inside in (np.zeros((16, 16), bool), np.ones((16, 16), bool)):
        np.testing.assert_array_equal(membrane(values, inside), values)


@pytest.mark.parametrize("way", [(5, 0), (0, 7.5), (4, 4), (-6, 3), (1, 0)])
def test_a_line_kernel_has_the_length_and_the_direction(way: tuple[float, float]) -> None:
    kernel = line_kernel(np.array(way))
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    reach = len(kernel) // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-6)
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-6)
    spread = np.array([[(kernel * x * x).sum(), (kernel * x * y).sum()], [0, (kernel * y * y).sum()]])
    spread[1, 0] = spread[0, 1]
    length = np.hypot(*way)
    along = np.array(way) / length
    # A line has a variance of length^2 / 12 along itself; sampling on pixels adds up to a quarter each way.
    assert along @ spread @ along == pytest.approx(length**2 / 12, abs=0.45)
    across = np.array([-along[1], along[0]])
    assert across @ spread @ across < 0.3
