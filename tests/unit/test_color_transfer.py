"""Colour transfer of batches against OpenCV, the specification's vector and statistics that must agree."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.color_transfer import lab_to_rgb, rgb_to_lab, transfer_colors, transfer_picture

MODES = ["rct", "lct", "mkl", "idt", "sot", "mix"]


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


def specified() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pictures A and B of vector B.4: (16, 16, 3) blue, green, red."""
    y, x = np.mgrid[:16, :16]
    a = np.stack([(7 * x + 3 * y) % 200, (5 * x + 11 * y + 40) % 180, (13 * x + 2 * y + 60) % 220], 2) / 255
    b = np.stack([0.2 + 0.5 * x / 15, 0.3 + 0.4 * y / 15, 0.1 + 0.6 * (x + y) / 30], 2)
    return a, b


def test_rct_of_the_specification() -> None:
    """Vector B.4, in 8-bit codes; ours works in float, where the old one truncated to 8 bits twice."""
    tensors = [torch.tensor(np.floor(p * 255)[None].transpose(0, 3, 1, 2)[:, ::-1].copy() / 255) for p in specified()]
    result = moved("rct", tensors[0].float(), tensors[1].float())[0].flip(0) * 255
    assert result[:, 0, 0].tolist() == pytest.approx([55, 80, 60], abs=3)
    assert result[:, 7, 9].tolist() == pytest.approx([124, 177, 157], abs=3)
    assert result.mean((1, 2)).tolist() == pytest.approx([114.95, 126.98, 88.38], abs=2.5)


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_rct_brings_mean_and_spread_of_what_has_weight(weight: float) -> None:
    """By OpenCV's Lab and weighted statistics written out anew."""
    a, b = pictures(1, 1, spread=0.05), pictures(2, 1, middle=0.4, spread=0.06)
    y, x = np.mgrid[:48, :48]
    inside = (np.hypot(x - 24, y - 24) < 18).astype(np.float32)
    share = torch.tensor(inside * weight)[None, None]
    result = transfer_colors("rct", a, b, share, share, seeded())
    labs = [cv2.cvtColor(p[0].permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2LAB) for p in (result, b)]
    for one, other in ((lab[inside > 0].mean(0), lab[inside > 0].std(0)) for lab in labs[:1]):
        np.testing.assert_allclose(one, labs[1][inside > 0].mean(0), atol=0.3)
        np.testing.assert_allclose(other, labs[1][inside > 0].std(0), atol=0.3)


def test_lct_of_the_specification() -> None:
    """Vector B.4; channels there are blue, green, red."""
    tensors = [torch.tensor(p.transpose(2, 0, 1)[None, ::-1].copy(), dtype=torch.float32) for p in specified()]
    result = moved("lct", tensors[0], tensors[1])[0].flip(0)
    assert result[:, 0, 0].tolist() == pytest.approx([0.074197, 0.369638, 0.080717], abs=1e-3)
    assert result[:, 7, 9].tolist() == pytest.approx([0.585174, 0.713383, 0.640730], abs=1e-3)
    assert result.mean((1, 2)).tolist() == pytest.approx([0.45, 0.50, 0.40], abs=2e-3)


@pytest.mark.parametrize("mode", MODES)
def test_one_picture_is_as_in_a_batch(mode: str) -> None:
    """rct of one picture goes through OpenCV."""
    a, b = pictures(1, 1), pictures(2, 1, middle=0.35)
    y, x = np.mgrid[:48, :48]
    inside = (np.hypot(x - 24, y - 24) < 18).astype(np.float32)
    one, other = (np.ascontiguousarray(p[0].permute(1, 2, 0).numpy()) for p in (a, b))
    share = torch.tensor(inside)[None, None]
    batch = transfer_colors(mode, a, b, share, share, seeded())[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(transfer_picture(mode, one, other, inside), batch, atol=4e-3)
    nothing = np.zeros((48, 48), np.float32)
    np.testing.assert_array_equal(transfer_picture(mode, one, other, nothing), one)


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
