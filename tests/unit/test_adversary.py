"""Discriminators: receptive fields, shapes, losses by hand, and that they learn."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from lookalike.models.blocks import initialise
from lookalike.models.discriminators import CodeDiscriminator, PatchDiscriminator, patch_layers, receptive_field
from lookalike.training.adversary import discriminator_loss, judged_fake, judged_real, total_variation


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def network(kind: str, seed: int) -> PatchDiscriminator | CodeDiscriminator:
    net = PatchDiscriminator(8, 4) if kind == "patch" else CodeDiscriminator(3, 16, 8)
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def outputs(net: PatchDiscriminator | CodeDiscriminator, seen: Tensor) -> tuple[Tensor, ...]:
    judged = net(seen)
    return judged if isinstance(judged, tuple) else (judged,)


def losses_of_training(kind: str, steps: int) -> list[float]:
    """Of bright and dark noise: the loss at the start and after each step."""
    net = network(kind, seed=0)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    real, fake = noise(1, 4, 3, 16, 16), noise(2, 4, 3, 16, 16) * 0.3
    losses = []
    for _ in range(steps + 1):
        loss = discriminator_loss(outputs(net, real), outputs(net, fake))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("layers", "field"),
    [([(3, 1)], 3), ([(3, 1), (3, 1)], 5), ([(3, 2), (3, 1)], 7), ([(3, 2)] * 3, 15), ([(3, 2)] * 4, 31)],
)
def test_receptive_fields(layers: list[tuple[int, int]], field: int) -> None:
    assert receptive_field(layers) == field


@pytest.mark.parametrize(
    ("patch", "layers"),
    [(3, [(3, 2)]), (7, [(3, 2)] * 2), (15, [(3, 2)] * 3), (11, [(3, 2), (3, 1), (3, 2)]), (31, [(3, 2)] * 4)],
)
def test_layers_of_a_patch(patch: int, layers: list[tuple[int, int]]) -> None:
    assert patch_layers(patch) == layers


@pytest.mark.parametrize("patch", [3, 12, 16, 28, 40, 64, 80, 128, 256, 640])
def test_the_receptive_field_is_near_the_patch(patch: int) -> None:
    assert receptive_field(patch_layers(patch)) == pytest.approx(patch, abs=2)


@pytest.mark.parametrize("side", [32, 48, 64, 96, 80, 128])
@pytest.mark.parametrize("patch", [3, 8, 16, 40])
def test_every_pixel_and_every_patch_is_judged(side: int, patch: int) -> None:
    net = PatchDiscriminator(patch, 4)
    center, full = net(noise(0, 2, 3, side, side))
    assert full.shape == (2, 1, side, side)
    halvings = sum(stride == 2 for _, stride in patch_layers(patch))
    assert center.shape == (2, 1, math.ceil(side / 2**halvings), math.ceil(side / 2**halvings))


def test_pictures_need_not_be_square() -> None:
    assert PatchDiscriminator(40, 2)(noise(0, 1, 3, 48, 80))[1].shape == (1, 1, 48, 80)


@pytest.mark.parametrize("side", [1, 2, 4, 8, 12, 16, 32])
def test_codes_of_every_side_are_judged(side: int) -> None:
    logits = CodeDiscriminator(6, side, 4)(noise(0, 2, 6, side, side))
    assert logits.shape[:2] == (2, 1)
    assert logits.numel() > 0


def test_losses_by_hand() -> None:
    two = (torch.tensor([0.0, math.log(3)]), torch.tensor([[-math.log(3)]]))
    assert judged_real(two).item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2 + math.log(4))
    assert judged_fake(two).item() == pytest.approx((math.log(2) + math.log(4)) / 2 + math.log(4 / 3))
    assert discriminator_loss(two, two).item() == pytest.approx((judged_real(two) + judged_fake(two)).item() / 2)


def test_losses_are_float32_and_finite_whatever_the_logits() -> None:
    logits = (torch.tensor([300.0, -300.0], dtype=torch.bfloat16),)
    for loss in (judged_real(logits), judged_fake(logits)):
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(150)


@pytest.mark.parametrize(("loss", "slope"), [(judged_real, -0.25), (judged_fake, 0.25)])
def test_gradients_of_the_losses_by_hand(loss: Callable[[Sequence[Tensor]], Tensor], slope: float) -> None:
    logits = torch.zeros(2, 1, requires_grad=True)  # half sure of each of two, so half over two
    loss([logits]).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([slope, slope])


@pytest.mark.parametrize("kind", ["patch", "code"])
def test_gradients_reach_the_input_and_every_parameter(kind: str) -> None:
    net, seen = network(kind, seed=0), noise(1, 2, 3, 16, 16).requires_grad_()
    judged_real(outputs(net, seen)).backward()  # type: ignore[no-untyped-call]
    for tensor in (seen, *net.parameters()):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


def test_gradients_of_total_variation_by_hand() -> None:
    picture = torch.tensor([[[[0.0, 1.0, 3.0]]]], requires_grad=True)
    total_variation(picture).backward()  # type: ignore[no-untyped-call]
    assert picture.grad is not None
    assert picture.grad.flatten().tolist() == [-2, -2, 4]


@pytest.mark.parametrize("kind", ["patch", "code"])
def test_a_seed_decides_every_parameter(kind: str) -> None:
    one, same, other = (network(kind, seed).state_dict() for seed in (0, 0, 1))
    for name, value in one.items():
        assert torch.equal(value, same[name])
        assert torch.equal(value, other[name]) == name.endswith("bias")  # biases begin at zero


@pytest.mark.parametrize("kind", ["patch", "code"])
def test_two_steps_lower_the_loss(kind: str) -> None:
    losses = losses_of_training(kind, steps=2)
    assert losses[2] < losses[1] < losses[0]


def test_total_variation_by_hand() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [3.0, 3.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])
    assert total_variation(picture).item() == pytest.approx((1 + 0 + 9 + 4) / 2)


@pytest.mark.parametrize("kind", ["patch", "code"])
def test_a_discriminator_learns_to_tell_two_kinds(kind: str) -> None:
    losses = losses_of_training(kind, steps=24)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("patch", [3, 7, 11, 16, 28])
def test_a_patch_s_judgement_depends_on_no_more_than_the_patch(patch: int) -> None:
    net, picture = PatchDiscriminator(patch, 4), noise(0, 1, 3, 96, 96).requires_grad_()
    center, _ = net(picture)
    center[0, 0, center.shape[2] // 2, center.shape[3] // 2].backward()
    assert picture.grad is not None
    seen = picture.grad.abs().sum((0, 1)).nonzero()
    extent = seen.max(0).values - seen.min(0).values + 1
    assert extent.max() <= receptive_field(patch_layers(patch))
    assert extent.max() >= receptive_field(patch_layers(patch)) // 2
