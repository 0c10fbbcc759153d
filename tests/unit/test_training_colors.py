"""Colour transfer of batches against OpenCV, the specification's vector and statistics that must agree."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from lookalike.color_transfer import reinhard
from lookalike.training.colors import lab_to_rgb, random_blur, random_hsv, rgb_to_lab, transfer_colors

MODES = ["rct", "lct", "mkl", "idt", "sot"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=seeded(seed))


def pictures(seed: int, count: int = 2, side: int = 48, middle: float = 0.5, spread: float = 0.08) -> Tensor:
    """Colours of a skewed, correlated distribution about a middle."""
    generator = seeded(seed)
    base = torch.randn(count, 3, side, side, generator=generator)
    mixed = torch.einsum("ij,bjhw->bihw", torch.tensor([[1.0, 0.3, 0], [0.5, 0.8, 0.1], [0.1, 0.6, 0.5]]), base)
    return (middle + spread * mixed + 0.02 * mixed.square()).clamp(0, 1)


def weights(like: Tensor) -> Tensor:
    return torch.ones_like(like[:, :1])


def moved(mode: str, a: Tensor, b: Tensor, seed: int = 0) -> Tensor:
    return transfer_colors(mode, a, b, weights(a), weights(b), seeded(seed))


def test_lab_is_opencv_s() -> None:
    rgb = noise(0, 1, 3, 40, 40)
    rgb[0, :, 0, :4] = torch.tensor([[0, 1, 0.02, 0.5], [0, 1, 0.01, 0.5], [0, 1, 0.03, 0.5]])
    wanted = cv2.cvtColor(rgb[0].permute(1, 2, 0).numpy(), cv2.COLOR_RGB2LAB)
    np.testing.assert_allclose(
        rgb_to_lab(rgb)[0].permute(1, 2, 0).numpy(), wanted, atol=0.5
    )  # OpenCV looks roots up in a table
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=2e-4, rtol=0)


def test_rct_is_that_of_merging() -> None:
    a, b = pictures(1, 1), pictures(2, 1, middle=0.35)
    ours = moved("rct", a, b)[0].permute(1, 2, 0).numpy()
    arrays = [p[0].permute(1, 2, 0).contiguous().numpy() for p in (a, b)]
    np.testing.assert_allclose(ours, reinhard(arrays[0], arrays[1], np.ones((48, 48))), atol=3e-3)


def test_lct_of_the_specification() -> None:
    """Vector B.4; channels there are blue, green, red."""
    y, x = np.mgrid[:16, :16]
    a = np.stack([(7 * x + 3 * y) % 200, (5 * x + 11 * y + 40) % 180, (13 * x + 2 * y + 60) % 220]) / 255
    b = np.stack([0.2 + 0.5 * x / 15, 0.3 + 0.4 * y / 15, 0.1 + 0.6 * (x + y) / 30])
    tensors = [torch.tensor(p[None, ::-1].copy(), dtype=torch.float32) for p in (a, b)]
    result = moved("lct", tensors[0], tensors[1])[0].flip(0)
    assert result[:, 0, 0].tolist() == pytest.approx([0.074197, 0.369638, 0.080717], abs=1e-3)
    assert result[:, 7, 9].tolist() == pytest.approx([0.585174, 0.713383, 0.640730], abs=1e-3)
    assert result.mean((1, 2)).tolist() == pytest.approx([0.45, 0.50, 0.40], abs=2e-3)


@pytest.mark.parametrize("mode", ["lct", "mkl"])
def test_linear_transfers_bring_mean_and_covariance(mode: str) -> None:
    a, b = pictures(1, spread=0.06), pictures(2, middle=0.45, spread=0.05)
    for result, wanted in zip(moved(mode, a, b), b, strict=True):
        torch.testing.assert_close(result.mean((1, 2)), wanted.mean((1, 2)), atol=1e-3, rtol=0)
        torch.testing.assert_close(torch.cov(result.flatten(1)), torch.cov(wanted.flatten(1)), atol=3e-4, rtol=0)


@pytest.mark.parametrize("mode", ["idt", "sot"])
def test_transports_bring_the_distribution_along_any_axis(mode: str) -> None:
    a, b = pictures(1, middle=0.6, spread=0.05), pictures(2, middle=0.4, spread=0.07)
    result = moved(mode, a, b)
    for axis in ([1.0, 0, 0], [0, 1.0, 0], [0.6, -0.8, 0], [0.5, 0.5, -0.7]):
        lines = [torch.einsum("i,bihw->bhw", torch.tensor(axis), p).flatten(1).sort(1).values for p in (a, result, b)]
        before, after = ((line - lines[2]).abs().mean().item() for line in (lines[0], lines[1]))
        assert after < max(0.15 * before, 0.012), axis


@pytest.mark.parametrize("mode", MODES)
def test_only_pixels_of_weight_count(mode: str) -> None:
    a, b = pictures(1), pictures(2, middle=0.4)
    half_a, half_b = weights(a), weights(b)
    half_a[..., :24], half_b[..., 24:] = 0, 0
    other_a, other_b = a.clone(), b.clone()
    other_a[..., :24], other_b[..., 24:] = 0.9, 0.1  # what has no weight is something else
    one = transfer_colors(mode, a, b, half_a, half_b, seeded())
    two = transfer_colors(mode, other_a, other_b, half_a, half_b, seeded())
    torch.testing.assert_close(one[..., 24:], two[..., 24:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_colours_stay(mode: str) -> None:
    a = pictures(1)
    assert (moved(mode, a, a) - a).abs().mean() < 0.012


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flat", ["content", "reference", "both"])
def test_flat_pictures_are_harmless(mode: str, flat: str) -> None:
    a, b = pictures(1), pictures(2)
    if flat != "reference":
        a = torch.full_like(a, 0.3)
    if flat != "content":
        b = torch.full_like(b, 0.7)
    result = moved(mode, a, b)
    assert torch.isfinite(result).all()
    assert 0 <= result.min() <= result.max() <= 1
    assert result.mean() == pytest.approx(b.mean().item(), abs=0.05)


@pytest.mark.parametrize("mode", MODES)
def test_without_weight_nothing_changes(mode: str) -> None:
    a, b = pictures(1), pictures(2, middle=0.3)
    none = weights(a)
    none[0] = 0
    result = transfer_colors(mode, a, b, none, weights(b), seeded())
    assert torch.equal(result[0], a[0])
    assert not torch.equal(result[1], a[1])


@pytest.mark.parametrize("mode", MODES)
def test_the_reference_may_have_another_side_and_draws_repeat(mode: str) -> None:
    a, b = pictures(1), pictures(2, side=32, middle=0.4)
    assert moved(mode, a, b).shape == a.shape
    assert torch.equal(moved(mode, a, b, 3), moved(mode, a, b, 3))
    assert torch.equal(moved(mode, a, b, 3), moved(mode, a, b, 4)) == (mode in ("rct", "lct", "mkl"))


def test_draws_do_not_depend_on_pixels() -> None:
    for mode in MODES:
        after = []
        for a in (pictures(1), torch.zeros(2, 3, 48, 48)):
            generator = seeded(7)
            transfer_colors(mode, a, a, weights(a), weights(a), generator)
            after.append(torch.rand(1, generator=generator))
        assert torch.equal(*after)


def test_an_unknown_transfer_is_refused() -> None:
    with pytest.raises(ValueError, match="no colour transfer xyz"):
        moved("xyz", pictures(1), pictures(2))


def test_hsv_is_opencv_s_and_each_picture_moves_by_itself() -> None:
    a = noise(1, 6, 3, 16, 16)
    result = random_hsv(a, 0.2, seeded())
    hues = []
    for before, after in zip(a, result, strict=True):
        one, two = (cv2.cvtColor(p.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2HSV) for p in (before, after))
        sure = (two[..., 1] > 0.05) & (two[..., 1] < 0.95) & (two[..., 2] < 0.95) & (one[..., 1] > 0.05)
        turn = (two[..., 0] - one[..., 0])[sure] / 360
        turn = (turn + 0.5) % 1 - 0.5
        assert np.ptp(turn) < 1e-3
        assert np.ptp((two[..., 1] - one[..., 1])[sure]) < 1e-3
        assert abs((two[..., 1] - one[..., 1])[sure].mean()) <= 0.1 + 1e-6
        hues.append(turn.mean())
    assert max(np.abs(hues)) <= 0.2
    assert len(np.unique(np.round(hues, 4))) == 6
    assert random_hsv(a, 0, seeded()) is a


def test_blur_softens_a_share_of_the_pictures() -> None:
    a = noise(1, 64, 3, 128, 128)
    result = random_blur(a, 0.5, seeded())
    changed = (result != a).flatten(1).any(1)
    assert 20 < changed.sum() < 44
    assert (result[changed].std((1, 2, 3)) < 0.98 * a[changed].std((1, 2, 3))).all()
    torch.testing.assert_close(result.mean((1, 2, 3)), a.mean((1, 2, 3)), atol=0.01, rtol=0)
    assert random_blur(a, 0, seeded()) is a
    flat = torch.full((4, 3, 32, 32), 0.4)
    torch.testing.assert_close(random_blur(flat, 1, seeded()), flat)  # borders do not darken
