"""HDR pictures for the detector: the standards' own points, and the curve."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb, rgb_to_picture
from lookalike.tone_map import HLG, PQ, detection_rgb, hlg_scene, pq_nits, tone_mapped
from lookalike.types import ColorSpace, ColorTags

HDR10 = ColorTags(primaries=9, transfer=PQ, matrix=9, range=1)
BROADCAST = ColorTags(primaries=9, transfer=HLG, matrix=9, range=1)


def grey(*codes: float) -> NDArray[np.float32]:
    """(1, N, 3)"""
    return np.repeat(np.array(codes, np.float32)[None, :, None], 3, axis=2)


@pytest.mark.parametrize(
    ("code", "nits"), [(0.0, 0.0), (0.14995, 1.0), (0.5081, 100.0), (0.5807, 203.0), (0.7518, 1000.0), (1.0, 10000.0)]
)
def test_pq_by_bt2100(code: float, nits: float) -> None:
    assert pq_nits(np.array([code]))[0] == pytest.approx(nits, rel=0.003)


@pytest.mark.parametrize(("code", "scene"), [(0.0, 0.0), (0.25, 1 / 48), (0.5, 1 / 12), (0.75, 0.265), (1.0, 1.0)])
def test_hlg_by_bt2100(code: float, scene: float) -> None:
    assert hlg_scene(np.array([code]))[0] == pytest.approx(scene, abs=2e-4)


@pytest.mark.parametrize(("tags", "white", "peak"), [(HDR10, 0.5807, 0.7518), (BROADCAST, 0.75, 1.0)])
def test_diffuse_white_is_three_quarters_and_the_peak_is_full(tags: ColorTags, white: float, peak: float) -> None:
    low, middle, high = tone_mapped(grey(0.0, white, peak), tags)[0, :, 0]
    assert (low, high) == (0, pytest.approx(1, abs=0.002))
    assert middle == pytest.approx(0.75, abs=0.005)


@pytest.mark.parametrize("tags", [HDR10, BROADCAST])
def test_the_curve_rises_and_grey_stays_grey(tags: ColorTags) -> None:
    out = tone_mapped(grey(*np.linspace(0, 1, 200)), tags)
    assert out.dtype == np.float32
    assert (np.diff(out[0, :, 0]) >= 0).all()
    assert np.ptp(out, axis=2).max() < 0.01
    assert (out.min(), out.max()) == (0, 1)


def test_wide_primaries_become_ordinary_ones() -> None:
    # Light of the BT.709 red primary, as BT.2020 holds it (ITU-R BT.2087), coded in PQ at 100 cd/m2.
    light = np.array([0.6274, 0.0691, 0.0164]) * 100
    codes = np.linspace(0, 1, 100_001)
    coded = np.interp(light, pq_nits(codes), codes).astype(np.float32)
    red, green, blue = tone_mapped(coded[None, None], HDR10)[0, 0]
    assert red > 0.5
    assert max(green, blue) < 0.06
    same = tone_mapped(coded[None, None], ColorTags(primaries=1, transfer=PQ))[0, 0]
    assert same[1] > 0.1


def test_an_ordinary_picture_keeps_its_colours() -> None:
    rgb = np.random.default_rng(0).random((16, 24, 3), np.float32)
    picture = rgb_to_picture(rgb, ColorSpace("bt709", full_range=False, bits=10), 1, 1)
    for tags in (ColorTags(), ColorTags(1, 1, 1, 1), ColorTags(9, 14, 9, 1)):
        assert np.array_equal(detection_rgb(picture, tags), np.rint(picture_to_rgb(picture) * 255).astype(np.uint8))
    assert detection_rgb(picture, HDR10).dtype == np.uint8
    assert not np.array_equal(detection_rgb(picture, HDR10), detection_rgb(picture, ColorTags()))
