"""HDR pictures as a detector of faces should see them. Never used for a picture that is written.

A PQ or HLG picture taken for an ordinary one is grey and flat; detectors were trained on ordinary photographs.
"""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.color import eight_bit, picture_to_rgb
from lookalike.types import ColorTags, Picture

PQ: Final = 16
"""Transfer characteristics of SMPTE ST 2084 in ISO/IEC 23091-2."""
HLG: Final = 18
"""Transfer characteristics of ARIB STD-B67."""
_BT2020: Final = 9

_WHITE_NITS: Final = 203.0
"""Diffuse white of an HDR picture. Source: ITU-R BT.2408, table 1."""
_PEAK_NITS: Final = 1000.0
"""What becomes full white; also the nominal peak of an HLG display."""
_HLG_GAMMA: Final = 1.2
"""System gamma of a display of 1000 nits. Source: ITU-R BT.2100, table 5."""
_STEPS: Final = 1 << 14
"""Entries of the tables: finer than 12-bit video."""

_TO_BT709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""Linear BT.2020 R, G, B to BT.709. Source: ITU-R BT.2407, 2.2."""


def pq_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 of PQ codes in [0, 1].

    Source: ITU-R BT.2100, table 4, reference PQ EOTF.
    """
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = code ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def hlg_scene(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scene light in [0, 1] of HLG codes in [0, 1].

    Source: ITU-R BT.2100, table 5, inverse of the reference OETF.
    """
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def tone_mapped(rgb: NDArray[np.float32], tags: ColorTags) -> NDArray[np.float32]:
    """An HDR picture drawn for an ordinary display.

    Light is scaled so that diffuse white (203 cd/m2) is 1, brought to BT.709 primaries, and its largest channel is
    pressed by x (1 + x / p^2) / (1 + x), where p is the peak of 1000 cd/m2: dark tones are kept, diffuse white comes
    out at 0.75 of the coded range, the peak at 1. All channels are pressed by one factor, so hues stay.

    Args:
        rgb: (H, W, 3) float32 in [0, 1], as coded.
        tags: of the video; a transfer that is neither PQ nor HLG leaves the picture as it is.

    Returns:
        (H, W, 3) float32 in [0, 1], sRGB.

    Source: the curve is that of Reinhard et al., SIGGRAPH 2002, equation 4; white is that of ITU-R BT.2408.
    """
    if tags.transfer not in (PQ, HLG):
        return rgb
    light = _looked_up(_light_table(tags.transfer), rgb)
    if tags.transfer == HLG:
        weights = np.array([0.2627, 0.6780, 0.0593], np.float32)  # BT.2100, table 5: luminance of scene light
        scene = np.maximum(light @ weights, np.float32(1e-6))
        light *= (scene ** np.float32(_HLG_GAMMA - 1) * np.float32(_PEAK_NITS / _WHITE_NITS))[..., None]
    if tags.primaries == _BT2020:
        light = np.maximum(light @ _TO_BT709.T, np.float32(0))
    largest = light.max(axis=2)
    peak = np.float32(_PEAK_NITS / _WHITE_NITS)
    pressed = np.minimum(largest * (1 + largest / peak**2) / (1 + largest), np.float32(1))
    light *= (pressed / np.maximum(largest, np.float32(1e-6)))[..., None]
    return _looked_up(_srgb_table(), light)


def graphics_white(tags: ColorTags) -> float:
    """The code in [0, 1] of white in what is drawn into a video; below 1 where that would be a glare.

    Source: ITU-R BT.2408, table 1: graphics white of 203 cd/m2.
    """
    return {PQ: 0.58, HLG: 0.75}.get(tags.transfer, 1.0)


def detection_rgb(picture: Picture, tags: ColorTags) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a picture for finding faces: tone-mapped if HDR, else its own colours."""
    return eight_bit(tone_mapped(picture_to_rgb(picture), tags))


def _looked_up(table: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.take(table, np.rint(values * np.float32(_STEPS)).astype(np.int32), mode="clip"), np.float32)


@functools.cache
def _light_table(transfer: int) -> NDArray[np.float32]:
    """Light by code: PQ with diffuse white as 1, HLG as scene light in [0, 1]."""
    codes = np.linspace(0, 1, _STEPS + 1)
    light = pq_nits(codes) / _WHITE_NITS if transfer == PQ else hlg_scene(codes)
    return np.asarray(light, np.float32)


@functools.cache
def _srgb_table() -> NDArray[np.float32]:
    """sRGB codes by light. Source: IEC 61966-2-1."""
    light = np.linspace(0, 1, _STEPS + 1)
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055), np.float32)
