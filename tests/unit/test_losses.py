"""Losses, against the vectors of the specification (appendix B.5)."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lookalike.training.losses import dssim_map, mask_loss, picture_loss, window_for


def vectors() -> tuple[Tensor, Tensor]:
    """The specification's pictures A and B at side 32, channels blue, green, red."""
    y, x = np.mgrid[:32, :32]
    a = np.stack([(7 * x + 3 * y) % 200, (5 * x + 11 * y + 40) % 180, (13 * x + 2 * y + 60) % 220]) / 255
    b = np.stack([0.2 + 0.5 * x / 31, 0.3 + 0.4 * y / 31, 0.1 + 0.6 * (x + y) / 62])
    return torch.tensor(a[None], dtype=torch.float32), torch.tensor(b[None], dtype=torch.float32)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("window", "values"),
    [
        (5, (0.211127, 0.347498, 0.355959)),
        (11, (0.254624, 0.390862, 0.390933)),
        (22, (0.229584, 0.324391, 0.348643)),
    ],
)
def test_dssim_of_the_specification(window: int, values: tuple[float, ...]) -> None:
    assert dssim_map(*vectors(), window).mean((0, 2, 3)).tolist() == pytest.approx(values, abs=2e-5)


@pytest.mark.parametrize("window", [3, 11])
def test_dssim_is_a_value_for_each_place_of_the_window(window: int) -> None:
    dissimilarity = dssim_map(noise(0, 2, 3, 32, 32), noise(1, 2, 3, 32, 32), window)
    assert dissimilarity.shape == (2, 3, 33 - window, 33 - window)
    assert 0 < dissimilarity.min() <= dissimilarity.max() <= 1


@pytest.mark.parametrize("picture", [noise(0, 2, 3, 48, 48), torch.zeros(1, 3, 48, 48), torch.ones(1, 3, 48, 48)])
def test_identical_pictures_lose_nothing(picture: Tensor) -> None:
    weight = torch.ones(len(picture), 1, 48, 48)
    assert dssim_map(picture, picture).abs().max() < 1e-5
    assert picture_loss(picture, picture, weight) == pytest.approx(0, abs=1e-4)
    assert mask_loss(weight, weight) == 0


def test_where_the_weight_is_zero_nothing_is_learnt() -> None:
    drawn, target = noise(0, 2, 3, 64, 64).requires_grad_(), noise(1, 2, 3, 64, 64)
    weight = torch.zeros(2, 1, 64, 64)
    weight[..., 20:40, 20:40] = 1
    picture_loss(drawn, target, weight).backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    reach = window_for(64) // 2
    seen = torch.zeros(64, 64, dtype=torch.bool)
    seen[20 - reach : 40 + reach, 20 - reach : 40 + reach] = True  # a window that counts looks so far around itself
    assert (drawn.grad[..., ~seen] == 0).all()
    assert (drawn.grad[..., 20:40, 20:40] != 0).all()


def test_a_picture_of_no_weight_loses_nothing() -> None:
    drawn = noise(0, 1, 3, 32, 32).requires_grad_()
    loss = picture_loss(drawn, noise(1, 1, 3, 32, 32), torch.zeros(1, 1, 32, 32))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0
    assert drawn.grad is not None
    assert torch.isfinite(drawn.grad).all()


def test_weight_is_a_mean_not_a_sum() -> None:
    drawn, target = noise(0, 1, 3, 32, 32), noise(1, 1, 3, 32, 32)
    once, twice = (picture_loss(drawn, target, torch.full((1, 1, 32, 32), w)) for w in (1.0, 2.0))
    assert once == pytest.approx(twice.item(), rel=1e-5)


@pytest.mark.parametrize(("resolution", "window"), [(32, 3), (64, 5), (96, 9), (128, 11), (192, 17), (256, 23)])
def test_windows_are_odd_and_near_the_old_ones(resolution: int, window: int) -> None:
    assert window_for(resolution) == window


def test_mask_loss_is_the_mean_square() -> None:
    assert mask_loss(torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 0], [0, 0.5]]]])) == pytest.approx(1.25 / 4)
