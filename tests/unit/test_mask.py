"""The edge of a mask: sizes of the specification, and what must never happen."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.merging.mask import blur_side, erode_radius, finish_mask, mask_size

PERCENTS = (30, 50, 100, 130, 200)


@pytest.mark.parametrize(
    ("size", "radii"),
    [
        (50, (1, 3, 6, 8, 12)),
        (100, (3, 6, 12, 15, 24)),
        (200, (7, 11, 23, 30, 46)),
        (300, (10, 16, 33, 43, 67)),
        (400, (12, 21, 43, 56, 86)),
        (600, (17, 29, 59, 76, 118)),
        (800, (21, 35, 71, 93, 143)),
    ],
)
def test_erode_radii_of_the_specification(size: int, radii: tuple[int, ...]) -> None:
    assert tuple(erode_radius(size, percent) for percent in PERCENTS) == radii
    assert tuple(erode_radius(size, -percent) for percent in PERCENTS) == tuple(-radius for radius in radii)


@pytest.mark.parametrize(("percent", "side"), [(0, 0), (10, 4), (50, 20), (100, 40), (200, 80)])
def test_blur_sides_of_the_specification(percent: float, side: int) -> None:
    assert blur_side(400, percent) == side


def ellipse(side: int, share: float = 0.8) -> NDArray[np.float32]:
    """A mask whose axes are `share` of the crop's side high and three quarters of that wide."""
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / (side / 2 * share)
    return np.asarray(np.hypot(x / 0.75, y) <= 1, np.float32)


def test_mask_size_is_the_mean_side() -> None:
    mask = np.zeros((50, 60), np.float32)
    assert mask_size(mask) == 0
    mask[10:30, 5:45] = 1
    assert mask_size(mask) == 30


@pytest.mark.parametrize("side", [32, 64, 257])
@pytest.mark.parametrize("erode", [-200, -50, 0, 10, 100, 200])
@pytest.mark.parametrize("blur", [0, 20, 80, 400])
@pytest.mark.parametrize("limited", [True, False])
def test_a_finished_mask_keeps_its_limits(side: int, erode: float, blur: float, limited: bool) -> None:
    for share in (0.5, 0.9, 2.0):  # the last fills the crop
        mask = ellipse(side, share)
        limit = mask if limited else np.ones_like(mask)
        finished = finish_mask(mask, limit, erode, blur)
        assert finished.shape == mask.shape
        assert finished.dtype == np.float32
        assert 0 <= finished.min() <= finished.max() <= 1
        if erode >= 0:
            assert (finished <= limit).all()
        border = np.ones_like(mask, bool)
        border[1:-1, 1:-1] = False
        assert not finished[border].any()


@pytest.mark.parametrize("side", [64, 256, 512])
@pytest.mark.parametrize(("erode", "blur"), [(0, 0), (10, 80), (30, 100), (-30, 50)])
def test_at_moderate_settings_the_middle_is_the_drawn_face(side: int, erode: float, blur: float) -> None:
    finished = finish_mask(ellipse(side), ellipse(side), erode, blur)
    middle = finished[side * 2 // 5 : side * 3 // 5, side * 2 // 5 : side * 3 // 5]
    assert middle.min() == pytest.approx(1, abs=1e-5)


def test_blur_ends_where_the_hard_edge_was() -> None:
    mask = ellipse(256)
    hard, soft = finish_mask(mask, np.ones_like(mask), 0, 0), finish_mask(mask, np.ones_like(mask), 0, 80)
    assert not soft[hard == 0].any()
    ramp = soft[128, : 256 // 2]
    assert (np.diff(ramp) >= -1e-6).all()
    assert np.diff(ramp).max() < 0.15  # a ramp, not a step


def test_erosion_shrinks_and_dilation_grows() -> None:
    mask, free = ellipse(128, 0.6), np.ones((128, 128), np.float32)
    areas = [finish_mask(mask, free, erode, 0).sum() for erode in (100, 50, 0, -50, -100)]
    assert areas == sorted(areas)
    assert areas[2] == mask.sum()
    # A radius of r on each side.
    assert mask_size(finish_mask(mask, free, 50, 0)) == mask_size(mask) - 2 * erode_radius(mask_size(mask), 50)


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((64, 64), np.float32)
    for erode in (-200, 0, 200):
        assert not finish_mask(empty, np.ones_like(empty), erode, 80).any()


def test_a_negative_erosion_grows_past_the_limit_that_it_is_asked_to() -> None:
    mask = ellipse(128, 0.6)
    grown = finish_mask(mask, mask, -100, 0)
    assert mask_size(grown) == mask_size(mask) + 2 * erode_radius(mask_size(mask), 100)


def test_sizes_are_those_of_the_face_in_the_frame() -> None:
    """A face of 320 pixels is eroded by the radius for 320, wherever its mask is worked out."""
    free = np.ones((256, 256), np.float32)
    mask = ellipse(256, 0.6)
    size = mask_size(mask)
    for pixel in (1.0, 2.0, 4.0):
        eroded = finish_mask(mask, free, 60, 0, pixel=pixel)
        wanted = erode_radius(size * pixel, 60) / pixel
        assert (mask_size(mask) - mask_size(eroded)) / 2 == pytest.approx(wanted, abs=0.6)


def test_sides_are_cut_off_with_a_ramp() -> None:
    full = np.ones((96, 96), np.float32)
    cut = finish_mask(full, full, 0, 0, clip_sides=6.25)
    assert not cut[:, :3].any()
    assert not cut[:, -3:].any()
    row = cut[48]
    assert (np.diff(row[:48]) >= 0).all()
    assert 0 < row[6] < 1
    assert row[10:-10].min() == pytest.approx(1)
    assert cut[10:-10, 48].min() == pytest.approx(1)  # top and bottom stay
