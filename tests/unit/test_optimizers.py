"""Optimizers, against their formulas in float64."""

import math
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.models.checkpoint import moments_of, restore_optimizer
from lookalike.training import optimizers
from lookalike.training.config import OptimizerName
from lookalike.training.optimizers import Mode, MomentOptimizer, build_optimizer, dropout_rate

NAMES: tuple[OptimizerName, ...] = get_args(OptimizerName)
MODES: tuple[Mode, ...] = get_args(Mode)
RATE = 0.01
SHAPES = [(5,), (3, 4), (8, 3, 3, 3), (1,), (70,)]
Array = NDArray[np.float64]


class Net(nn.Module):
    """A little of everything that a network has, one weight in the layout of channels last."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weights = nn.ParameterList(torch.randn(shape, generator=generator) for shape in SHAPES)
        self.weights[2].data = self.weights[2].data.contiguous(memory_format=torch.channels_last)
        assert not self.weights[2].is_contiguous()


def give_gradients(model: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(1000 + step)
    for number, parameter in enumerate(model.parameters()):
        size = 10.0 ** (number - 3)  # small ones, too, so that epsilon counts
        parameter.grad = torch.empty_like(parameter).copy_(torch.randn(parameter.shape, generator=generator) * size)


def run(model: nn.Module, optimizer: MomentOptimizer, steps: int, start: int = 0) -> None:
    for step in range(start, start + steps):
        give_gradients(model, step)
        optimizer.seed = 77 + step
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + step)
        optimizer.step()


def build(model: nn.Module, name: OptimizerName, mode: Mode = 1, dropout: bool = False) -> MomentOptimizer:
    return build_optimizer(name, model.parameters(), RATE, mode=mode, dropout=dropout)


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def copies_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a second device: whatever is brought anywhere is a copy."""
    monkeypatch.setattr(optimizers, "_bring", lambda tensor, device: tensor.clone())


def reference(name: OptimizerName, w: Array, m: Array, v: Array, g: Array, t: int, rate: float) -> tuple[Array, ...]:
    """New weights and moments."""
    b1, b2 = {"adam": (0.9, 0.99), "adam-2019": (0.5, 0.999)}.get(name, (0.9, 0.999))
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * (g**2 if name.startswith("adam") else (g - m) ** 2)
    match name:
        case "adam":
            update = rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
        case "adam-2019":
            update = rate * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + 1e-7)
        case "adabelief":
            v = v + 1e-16
            update = rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-16)
        case "adabelief-dfl2":
            update = rate * m / (np.sqrt(v) + 1e-6)
    return w - update, m, v


def as_array(tensor: Tensor) -> Array:
    return tensor.detach().numpy().astype(np.float64)


def follows_the_formula(name: OptimizerName, sizes: tuple[float, ...], steps: int = 8) -> bool:
    """Weights and moments after some steps, for gradients of some sizes."""
    generator = torch.Generator().manual_seed(3)
    parameters = [nn.Parameter(torch.randn(6, 7, generator=generator) * size**0.5) for size in sizes]
    optimizer = build_optimizer(name, parameters, RATE)
    want = [(as_array(p), np.zeros((6, 7)), np.zeros((6, 7))) for p in parameters]
    for step in range(1, steps + 1):
        for i, size in enumerate(sizes):
            parameters[i].grad = grad = torch.randn(6, 7, generator=generator) * size
            want[i] = reference(name, *want[i], as_array(grad), step, RATE)  # type: ignore[assignment]
        optimizer.step()
    for parameter, (weight, mean, second) in zip(parameters, want, strict=True):
        state = list(optimizer.state[parameter].values())
        np.testing.assert_allclose(as_array(parameter), weight, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(as_array(state[1]), mean, rtol=1e-5, atol=1e-6 * np.abs(mean).max())
        np.testing.assert_allclose(as_array(state[2]), second, rtol=1e-4, atol=1e-30)
    return True


@pytest.mark.parametrize("name", NAMES)
def test_updates_follow_the_formula(name: OptimizerName) -> None:
    assert follows_the_formula(name, (1.0, 0.1, 1e-3))


@pytest.mark.parametrize("name", NAMES)
def test_updates_follow_the_formula_where_epsilon_counts(name: OptimizerName) -> None:
    assert follows_the_formula(name, (1e-6, 1e-7, 1e-8))


@pytest.mark.parametrize("name", ["adam", "adam-2019"])
def test_adam_without_a_kernel_follows_the_formula(name: OptimizerName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "_FUSED", ())
    assert follows_the_formula(name, (1.0, 1e-3, 1e-7))


@pytest.mark.parametrize(
    ("name", "gradient", "moved"),
    [
        ("adam", 1e-8, 0.5),  # 1e-8 / (1e-8 + 1e-8)
        ("adam-2019", 1e-7, 0.0306533),  # root = sqrt(0.001): root * 1e-7 / (root * 1e-7 + 1e-7)
        ("adabelief", 1.0, 1.1111111),  # m = 0.1 g, so that g - m is 0.9 g
        ("adabelief-dfl2", 1.0, 3.5135184),  # 0.1 / (0.9 sqrt(0.001) + 1e-6)
    ],
)
def test_first_step(name: OptimizerName, gradient: float, moved: float) -> None:
    parameter = nn.Parameter(torch.zeros(()))
    parameter.grad = torch.tensor(gradient)
    build_optimizer(name, [parameter], RATE).step()
    assert parameter.item() == pytest.approx(-RATE * moved, rel=1e-5)


def test_adam_is_the_one_of_pytorch() -> None:
    ours, theirs = Net(), Net()
    torch_adam = torch.optim.Adam(theirs.parameters(), RATE, (0.9, 0.99), 1e-8, fused=True)
    optimizer = build(ours, "adam")
    for step in range(5):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        optimizer.step()
        torch_adam.step()
    assert same(ours, theirs)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert optimizer.state[a].keys() == torch_adam.state[b].keys()
        assert all(torch.equal(optimizer.state[a][key], torch_adam.state[b][key]) for key in optimizer.state[a])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dropout", [False, True])
def test_blocks_change_nothing(name: OptimizerName, dropout: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = Net(), Net()
    run(whole, build(whole, name, dropout=dropout), 3)
    monkeypatch.setattr(optimizers, "_BLOCK", {"cpu": 32})
    run(cut, build(cut, name, dropout=dropout), 3)
    for a, b in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_larger_than_a_block(name: OptimizerName) -> None:
    parts = torch.randn(3, 100, generator=torch.Generator().manual_seed(0)).repeat(1, 1000)
    parameter = nn.Parameter(parts.clone())
    parameter.grad = parts.clone()
    build_optimizer(name, [parameter], RATE).step()
    small = nn.Parameter(parts[:, :100].clone())
    small.grad = parts[:, :100].clone()
    build_optimizer(name, [small], RATE).step()
    torch.testing.assert_close(parameter.detach(), small.detach().repeat(1, 1000), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("travel", [False, True])
def test_modes_are_equal(name: OptimizerName, dropout: bool, travel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Net()
    run(first, build(first, name, 1, dropout), 5)
    if travel:
        copies_travel(monkeypatch)
    for mode in MODES:
        other = Net()
        run(other, build(other, name, mode, dropout), 5)
        assert same(first, other)


@pytest.mark.parametrize("mode", MODES)
def test_state_is_tensors_in_the_layout_of_the_parameters(mode: Mode) -> None:
    model = Net()
    optimizer = build(model, "adabelief", mode)
    run(model, optimizer, 2)
    for parameter in model.parameters():
        state = optimizer.state[parameter]
        assert list(state) == ["step", "exp_avg", "exp_avg_var"]
        assert state["step"].shape == ()
        assert state["step"].dtype == torch.float32
        assert state["step"] == 2
        assert state["exp_avg"].stride() == state["exp_avg_var"].stride() == parameter.stride()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dropout", [False, True])
def test_a_run_cut_in_two_is_equal(name: OptimizerName, mode: Mode, dropout: bool) -> None:
    whole, cut = Net(), Net()
    run(whole, build(whole, name, mode, dropout), 6)
    optimizer = build(cut, name, mode, dropout)
    run(cut, optimizer, 3)
    saved = {key: value.contiguous().clone() for key, value in moments_of(cut, optimizer).items()}  # as on the disk
    again = Net(seed=9)
    again.load_state_dict({key: value.clone() for key, value in cut.state_dict().items()})
    optimizer = build(again, name, mode, dropout)
    restore_optimizer(optimizer, again, saved)
    run(again, optimizer, 3, start=3)
    assert same(whole, again)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_goes_on_too(name: OptimizerName) -> None:
    whole, cut = Net(), Net()
    run(whole, build(whole, name), 4)
    optimizer = build(cut, name)
    run(cut, optimizer, 2)
    again = build(cut, name)
    again.load_state_dict(optimizer.state_dict())
    run(cut, again, 2, start=2)
    assert same(whole, cut)


def test_moments_of_another_rule_are_dropped() -> None:
    kept, anew = Net(), Net()
    optimizer, other = build(kept, "adabelief"), build(anew, "adabelief")
    for parameter in kept.parameters():
        optimizer.state[parameter] = {
            "step": torch.tensor(5.0),
            "exp_avg": torch.ones_like(parameter),
            "exp_avg_sq": torch.ones_like(parameter),
        }
    run(kept, optimizer, 2)
    run(anew, other, 2)
    assert same(kept, anew)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dropout", [False, True])
def test_a_parameter_without_gradient_waits(name: OptimizerName, dropout: bool) -> None:
    model = Net()
    before = model.weights[1].detach().clone()
    optimizer = build(model, name, dropout=dropout)
    give_gradients(model, 0)
    model.weights[1].grad = None
    optimizer.step()
    assert torch.equal(model.weights[1], before)
    assert model.weights[1] not in optimizer.state
    give_gradients(model, 1)
    optimizer.step()
    assert [int(optimizer.state[p]["step"]) for p in model.parameters()] == [2, 1, 2, 2, 2]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_at_different_steps_do_not_disturb_each_other(name: OptimizerName) -> None:
    model, alone = Net(), Net()
    optimizer, other = build(model, name), build(alone, name)
    for step in range(4):
        give_gradients(model, step)
        give_gradients(alone, step)
        if step < 2:
            model.weights[1].grad = None
        for number, parameter in enumerate(alone.parameters()):
            if number != 1 or step < 2:
                parameter.grad = None
        optimizer.step()
        other.step()
    assert torch.equal(model.weights[1], alone.weights[1])


def test_a_gradient_of_another_layout_is_read_right() -> None:
    a, b = Net(), Net()
    give_gradients(a, 0)
    give_gradients(b, 0)
    assert b.weights[2].grad is not None
    b.weights[2].grad = b.weights[2].grad.contiguous()
    for model in (a, b):
        build(model, "adam").step()
    assert same(a, b)


def test_a_parameter_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="must fill its memory"):
        build_optimizer("adam", [nn.Parameter(torch.zeros(4, 4)[:, :2])], RATE)


def test_gradients_stay_as_they_are() -> None:
    model = Net()
    for name in NAMES:
        give_gradients(model, 0)
        before = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        build(model, name, dropout=True).step()
        assert all(
            torch.equal(a, b.grad) for a, b in zip(before, model.parameters(), strict=True) if b.grad is not None
        )


@pytest.mark.parametrize(("step", "rate"), [(0, 1.0), (125, 0.5), (250, 0.0), (375, 0.5), (500, 1.0), (750, 0.0)])
def test_dropout_rate_is_a_wave(step: int, rate: float) -> None:
    assert dropout_rate(step) == pytest.approx(rate, abs=1e-12)


def drop_once(name: OptimizerName, seed: int, mode: Mode = 1, count: int = 20_001) -> tuple[Tensor, MomentOptimizer]:
    """Weights that began at 0 after one step with dropout, gradients 1."""
    parameter = nn.Parameter(torch.zeros(count))
    parameter.grad = torch.ones(count)
    optimizer = build_optimizer(name, [parameter], RATE, mode=mode, dropout=True)
    optimizer.seed = seed
    optimizer.step()
    return parameter.detach(), optimizer


@pytest.mark.parametrize("name", NAMES)
def test_dropout_changes_three_in_ten(name: OptimizerName) -> None:
    moved, _ = drop_once(name, 1)
    full = nn.Parameter(torch.zeros(1))
    full.grad = torch.ones(1)
    build_optimizer(name, [full], RATE * dropout_rate(1)).step()
    assert ((moved == 0) | (moved - full.detach()).abs().lt(1e-8)).all()
    assert (moved != 0).float().mean().item() == pytest.approx(0.3, abs=0.013)  # four standard deviations


def test_dropout_moves_all_moments() -> None:
    _, optimizer = drop_once("adabelief", 1)
    (state,) = optimizer.state.values()
    assert (state["exp_avg"] != 0).all()
    assert (state["exp_avg_var"] != 0).all()


def test_dropout_is_drawn_by_the_seed() -> None:
    masks = {seed: drop_once("adam", seed)[0] != 0 for seed in (1, 2)}
    assert torch.equal(masks[1], drop_once("adam", 1)[0] != 0)
    assert torch.equal(masks[1], drop_once("adabelief", 1, mode=3)[0] != 0)
    both = (masks[1] & masks[2]).float().mean().item()
    assert both == pytest.approx(0.09, abs=0.009)


def test_dropout_of_neighbours_and_of_parameters_is_independent() -> None:
    mask = drop_once("adam", 3)[0] != 0
    for lag in (1, 2, 3, 4, 8):
        assert (mask[lag:] & mask[:-lag]).float().mean().item() == pytest.approx(0.09, abs=0.009)
    pair = [nn.Parameter(torch.zeros(5000)) for _ in range(2)]
    for parameter in pair:
        parameter.grad = torch.ones(5000)
    build_optimizer("adam", pair, RATE, dropout=True).step()
    both = ((pair[0] != 0) & (pair[1] != 0)).float().mean().item()
    assert both == pytest.approx(0.09, abs=0.02)


def test_dropout_at_the_trough_moves_nothing() -> None:
    parameter = nn.Parameter(torch.ones(100))
    optimizer = build_optimizer("adam", [parameter], RATE, dropout=True)
    optimizer.state[parameter] = {
        "step": torch.tensor(249.0),
        "exp_avg": torch.ones(100),
        "exp_avg_sq": torch.ones(100),
    }
    parameter.grad = torch.ones(100)
    optimizer.step()
    assert torch.equal(parameter, torch.ones(100))
    assert optimizer.state[parameter]["step"] == 250


@pytest.mark.parametrize("name", NAMES)
def test_a_bowl_is_descended(name: OptimizerName) -> None:
    parameter = nn.Parameter(torch.full((4,), 2.0))
    optimizer = build_optimizer(name, [parameter], 0.05)
    for _ in range(200):
        parameter.grad = parameter.detach().clone()
        optimizer.step()
    assert parameter.abs().max() < 0.2


def test_adam_of_2019_is_not_the_plain_one_with_its_epsilon() -> None:
    ours, theirs = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    ours.grad = theirs.grad = torch.tensor([1e-7])
    build_optimizer("adam-2019", [ours], RATE).step()
    torch.optim.Adam([theirs], RATE, (0.5, 0.999), 1e-7).step()
    assert theirs.item() / ours.item() == pytest.approx(0.5 / 0.0306533, rel=1e-4)
