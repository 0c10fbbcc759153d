"""What each architecture is trained for, against formulas written out in numpy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from torch import Tensor

from lookalike.models.autoencoder import Drawing
from lookalike.models.config import ModelName
from lookalike.training.augment import Batch
from lookalike.training.config import TrainConfig
from lookalike.training.losses import blurred, dssim_map, style_loss
from lookalike.training.recipes import (
    background_style,
    blur_out,
    drawn_mask_loss,
    face_style,
    redraw_loss,
    soft_mask,
    window,
)

SIDE = 64
Array = NDArray[np.float64]


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def batch(seed: int = 0, side: int = SIDE) -> Batch:
    mask = torch.zeros(2, 1, side, side)
    mask[0, :, side // 4 : -side // 4, side // 4 : -side // 4] = 1
    mask[1, :, side // 8 : -side // 8, side // 3 : -side // 4] = 1
    features = torch.zeros(2, 1, side, side)
    features[..., side // 2 : side // 2 + 6, side // 2 : side // 2 + 6] = 1
    picture = noise(seed, 2, 3, side, side)
    return Batch(picture, torch.zeros(2, 78, 2), picture, mask, features)


def drawing(seed: int = 9, side: int = SIDE, scales: int = 0) -> Drawing:
    smaller = tuple(noise(seed + n, 2, 3, side >> n, side >> n) for n in range(1, scales + 1))
    return Drawing(noise(seed, 2, 3, side, side), noise(seed + 5, 2, 1, side, side), smaller)


def numpy_blur(picture: Array, sigma: float) -> Array:
    """Section 11.9 of the specification: zero borders, n = max(3, int(4 sigma + 1))."""
    n = max(3, int(4 * sigma + 1))
    kernel = np.exp(-((np.arange(n) - n // 2) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    # scipy turns the kernel round, and puts its middle at n // 2 of the turned one
    origin = 0 if n % 2 else -1
    for axis in (-2, -1):
        picture = convolve1d(picture, kernel[::-1], axis=axis, mode="constant", origin=origin)
    return picture


def arrays(*tensors: Tensor) -> list[Array]:
    return [tensor.numpy().astype(np.float64) for tensor in tensors]


@pytest.mark.parametrize("sigma", [1, 2, 4, 8, 0.5])
def test_blur_of_the_specification(sigma: float) -> None:
    picture = noise(1, 2, 3, 40, 40)
    np.testing.assert_allclose(blurred(picture, sigma).numpy(), numpy_blur(arrays(picture)[0], sigma), atol=1e-6)


def test_blur_darkens_the_border_and_keeps_the_middle() -> None:
    soft = blurred(torch.ones(1, 1, 64, 64), 2)[0, 0]
    assert soft[32, 32] == pytest.approx(1)
    assert soft[32, 0] == pytest.approx(0.6, abs=0.03)  # a little more than half: the centre sample is inside


@pytest.mark.parametrize(("resolution", "side"), [(64, 5), (96, 8), (112, 9), (128, 11), (160, 13), (256, 22)])
def test_windows_of_the_specification(resolution: int, side: int) -> None:
    assert window(resolution) == side


def masked_scales(shown: Batch, drawn: Drawing) -> list[tuple[Tensor, Tensor]]:
    """Target and drawing times the blurred mask at every scale, the masks reduced by averaging."""
    target, mask, scales = shown.target, shown.mask, []
    for picture in (drawn.picture, *drawn.smaller):
        soft = torch.from_numpy(numpy_blur(arrays(mask)[0], max(1, mask.shape[-1] // 32))).float()
        scales.append((target * soft, picture * soft))
        target, mask = (torch.nn.functional.avg_pool2d(tensor, 2) for tensor in (target, mask))
    return scales


@pytest.mark.parametrize("scales", [0, 2])
def test_sae_in_dssim_mode(scales: int) -> None:
    shown, drawn = batch(), drawing(scales=scales)
    wanted = sum(10 * dssim_map(a, b, 5).mean((2, 3)) for a, b in masked_scales(shown, drawn))
    assert isinstance(wanted, Tensor)
    loss = redraw_loss("sae", drawn, shown, TrainConfig())
    assert loss.item() == pytest.approx(wanted.mean().item(), rel=1e-4)


@pytest.mark.parametrize("scales", [0, 2])
def test_sae_in_pixel_mode(scales: int) -> None:
    shown, drawn = batch(), drawing(scales=scales)
    wanted = sum(50 * ((x - y) ** 2).mean() for a, b in masked_scales(shown, drawn) for x, y in [arrays(a, b)])
    assert redraw_loss("sae", drawn, shown, TrainConfig(pixel_loss=True)).item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("model", ["saehd", "amp"])
def test_saehd_below_256(model: ModelName) -> None:
    shown, drawn = batch(), drawing()
    soft = torch.from_numpy(2 * np.clip(numpy_blur(arrays(shown.mask)[0], 2), 0, 0.5)).float()
    a, b = shown.target * soft, drawn.picture * soft
    wanted = 10 * dssim_map(a, b, 5).mean() + 10 * ((a - b) ** 2).mean()
    assert redraw_loss(model, drawn, shown, TrainConfig()).item() == pytest.approx(wanted.item(), rel=1e-4)
    features = 300 * ((drawn.picture - shown.target).abs() * shown.features).mean()
    with_features = redraw_loss(model, drawn, shown, TrainConfig(eyes_mouth_prio=True))
    assert with_features.item() == pytest.approx((wanted + features).item(), rel=1e-4)


def test_saehd_from_256_on_has_two_windows() -> None:
    shown, drawn = batch(side=256), drawing(side=256)
    config = TrainConfig(masked_training=False)
    a, b = shown.target, drawn.picture
    wanted = 5 * dssim_map(a, b, 22).mean() + 5 * dssim_map(a, b, 11).mean() + 10 * ((a - b) ** 2).mean()
    assert redraw_loss("saehd", drawn, shown, config).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_masked_training_does_not_look_outside() -> None:
    shown, drawn = batch(), drawing()
    far = torch.ones_like(drawn.picture)
    far[..., 4:-4, 4:-4] = drawn.picture[..., 4:-4, 4:-4]  # the border changes, where the blurred mask is 0
    other = drawn._replace(picture=far)
    for model in ("sae", "saehd"):
        masked, whole = (TrainConfig(masked_training=on) for on in (True, False))
        assert redraw_loss(model, other, shown, masked) == redraw_loss(model, drawn, shown, masked)
        assert redraw_loss(model, other, shown, whole) != redraw_loss(model, drawn, shown, whole)


@pytest.mark.parametrize("model", ["guided", "sae", "saehd"])
@pytest.mark.parametrize("pixels", [False, True])
def test_a_perfect_drawing_loses_nothing(model: ModelName, pixels: bool) -> None:
    shown = batch()
    drawn = Drawing(shown.target, shown.mask)
    config = TrainConfig(pixel_loss=pixels, eyes_mouth_prio=True)
    assert redraw_loss(model, drawn, shown, config).item() == pytest.approx(0, abs=1e-4)
    assert drawn_mask_loss(drawn, shown) == 0


@pytest.mark.parametrize("model", ["guided", "sae", "saehd"])
def test_halves_of_a_batch_average_to_the_whole(model: ModelName) -> None:
    shown, drawn, config = batch(), drawing(), TrainConfig(eyes_mouth_prio=True)
    parts = []
    for face in (slice(0, 1), slice(1, 2)):
        some = Batch(*(getattr(shown, n)[face] for n in ("warped", "points", "target", "mask", "features")))
        parts.append(redraw_loss(model, drawn.rows(face.start, face.stop), some, config).item())
    assert redraw_loss(model, drawn, shown, config).item() == pytest.approx(np.mean(parts), rel=1e-5)


def test_style_loss_of_the_specification() -> None:
    a, b = noise(1, 2, 3, SIDE, SIDE), noise(2, 2, 3, SIDE, SIDE) * 0.5
    wanted = 0.0
    for x, y in zip(*arrays(a, b), strict=True):
        x, y = (numpy_blur(picture, SIDE // 16) for picture in (x, y))
        mean = [picture.mean((1, 2)) for picture in (x, y)]
        std = [np.sqrt(picture.var((1, 2)) + 1e-5) for picture in (x, y)]
        wanted += ((mean[0] - mean[1]) ** 2 + (std[0] - std[1]) ** 2).sum() / 3
    assert style_loss(a, b).item() == pytest.approx(wanted / 2, rel=1e-4)  # a mean over the batch of two


def test_style_powers_are_percents() -> None:
    shown, swap = batch(), drawing()
    soft = soft_mask(shown.mask)
    once = style_loss(swap.picture * soft, shown.target * soft).item()
    assert face_style(swap, shown, TrainConfig(face_style_power=10)).item() == pytest.approx(0.1 * once)
    assert face_style(swap, shown, TrainConfig()).item() == 0
    a, b = swap.picture * (1 - soft), shown.target * (1 - soft)
    config = TrainConfig(bg_style_power=10)
    assert background_style(swap, shown, config).item() == pytest.approx(dssim_map(a, b, 5).mean().item(), rel=1e-4)
    config = TrainConfig(bg_style_power=10, pixel_loss=True)
    assert background_style(swap, shown, config).item() == pytest.approx(5 * ((a - b) ** 2).mean().item(), rel=1e-4)


def test_style_does_not_grow_with_the_batch() -> None:
    a, b = noise(1, 1, 3, SIDE, SIDE), noise(2, 1, 3, SIDE, SIDE)
    assert style_loss(a, b).item() == pytest.approx(style_loss(a.expand(4, -1, -1, -1), b.expand(4, -1, -1, -1)).item())


def test_blur_out_changes_what_is_outside_alone() -> None:
    shown = batch(side=128)
    out = blur_out(shown.target, shown.mask)
    inside = shown.mask.expand_as(out) == 1
    torch.testing.assert_close(out[inside], shown.target[inside])
    assert out[~inside].std() < 0.8 * shown.target[~inside].std()
    assert out.mean() == pytest.approx(shown.target.mean().item(), abs=0.01)
    assert torch.equal(blur_out(shown.target, torch.ones_like(shown.mask)), shown.target)
