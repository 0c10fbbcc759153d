"""The denoiser against its definition, written out sample by sample."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.noise_filter import Denoiser
from lookalike.types import ColorSpace, Picture

EIGHT = ColorSpace("bt601", full_range=False, bits=8)


def noisy(seed: int, color: ColorSpace = EIGHT, spread: float = 4) -> Picture:
    rng = np.random.default_rng(seed)
    unit = 1 << (color.bits - 8)
    kind = np.uint8 if color.bits == 8 else np.uint16
    y, u, v = (
        (np.clip(120 + rng.normal(0, spread, shape), 0, 255) * unit).astype(kind)
        for shape in [(12, 17), (6, 9), (6, 9)]
    )
    return Picture((y, u, v), color)


def leaned(value: float, before: float, strength: float) -> float:
    """`value` drawn towards `before`."""
    difference = before - value
    power = np.log(0.25) / np.log(1 - strength / 255)
    return float(value + difference * (1 - abs(difference) / 255) ** power)


def by_hand(plane: NDArray[np.generic], before: NDArray[np.float64] | None, factor: float) -> NDArray[np.float64]:
    out = plane.astype(np.float64)
    for y in range(out.shape[0]):
        for x in range(1, out.shape[1]):
            out[y, x] = leaned(out[y, x], out[y, x - 1], factor)
    for y in range(1, out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = leaned(out[y, x], out[y - 1, x], factor)
    if before is not None:
        for place in np.ndindex(out.shape):
            out[place] = leaned(float(out[place]), float(before[place]), 5)
    return out


@pytest.mark.parametrize("factor", [1, 5, 20])
def test_by_definition(factor: int) -> None:
    denoiser = Denoiser(factor)
    before: list[NDArray[np.float64] | None] = [None, None, None]
    for seed in range(3):
        picture = noisy(seed)
        got = denoiser.denoised(picture)
        want = [by_hand(plane, old, factor) for plane, old in zip(picture.planes, before, strict=True)]
        for ours, theirs in zip(got.planes, want, strict=True):
            assert np.abs(ours.astype(np.float64) - theirs).max() <= 0.6
        before = list(want)


def test_noise_goes_and_edges_stay() -> None:
    rng = np.random.default_rng(3)
    clean = np.full((40, 40), 60, np.float32)
    clean[:, 20:] = 180
    chroma = np.full((20, 20), 128, np.uint8)
    denoiser = Denoiser(8)
    for _ in range(5):
        luma = (clean + rng.normal(0, 3, clean.shape)).astype(np.uint8)
        out = denoiser.denoised(Picture((luma, chroma, chroma), EIGHT)).planes[0].astype(np.float32)
    assert out[:, :20].std() < 0.5 * luma[:, :20].astype(np.float32).std()
    assert out[:, 20].mean() - out[:, 19].mean() > 110
    assert np.array_equal(denoiser.denoised(Picture((luma, chroma, chroma), EIGHT)).planes[1], chroma)


def test_depth_and_strength_go_together() -> None:
    deep = ColorSpace("bt601", full_range=False, bits=10)
    picture = noisy(1)
    raised = Picture(tuple(plane.astype(np.uint16) * 4 for plane in picture.planes), deep)  # type: ignore[arg-type]
    small, large = Denoiser(5).denoised(picture), Denoiser(5).denoised(raised)
    assert large.color == deep
    for a, b in zip(small.planes, large.planes, strict=True):
        assert np.abs(a.astype(np.float32) * 4 - b.astype(np.float32)).max() <= 2


def test_cut_in_two_is_the_same() -> None:
    pictures = [noisy(seed) for seed in range(6)]
    whole = Denoiser(5)
    want = [whole.denoised(picture) for picture in pictures]
    first = Denoiser(5)
    for picture in pictures[:3]:
        first.denoised(picture)
    second = Denoiser(5, before=first.state)
    for picture, expected in zip(pictures[3:], want[3:], strict=True):
        for a, b in zip(second.denoised(picture).planes, expected.planes, strict=True):
            assert np.array_equal(a, b)
