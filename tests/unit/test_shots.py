"""Cuts, on pictures of known colours."""

import numpy as np
from numpy.typing import NDArray

from lookalike.shots import is_cut, thumbnail


def flat(*color: int) -> NDArray[np.uint8]:
    return thumbnail(np.full((72, 128, 3), color, np.uint8))


def test_a_thumbnail_has_one_size() -> None:
    assert thumbnail(np.zeros((50, 30, 3), np.uint8)).shape == (36, 64, 3)


def test_another_picture_is_a_cut() -> None:
    assert is_cut(flat(20, 20, 20), flat(200, 180, 150))


def test_the_same_picture_a_little_brighter_is_none() -> None:
    assert not is_cut(flat(100, 90, 80), flat(120, 108, 96))


def test_hue_is_a_circle() -> None:
    # Two reds on either side of the circle's seam: 354 and 6 degrees.
    assert not is_cut(flat(200, 20, 38), flat(200, 38, 20))


def test_a_picture_that_slides_is_none() -> None:
    wide = np.random.default_rng(0).integers(90, 130, (360, 700, 3), dtype=np.uint8)
    assert not is_cut(thumbnail(wide[:, :640]), thumbnail(wide[:, 20:660]))
