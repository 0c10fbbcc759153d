"""The average of the weights, with numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from lookalike.errors import CheckpointError
from lookalike.training.ema import Ema


class Net(nn.Module):
    """A parameter of two numbers, a buffer with a fraction and one without, a weight in channels last."""

    count: Tensor
    level: Tensor
    weight: nn.Parameter

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0]))
        self.register_buffer("level", torch.tensor(3.0))
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("scratch", torch.tensor(5.0), persistent=False)
        kernel = torch.arange(24.0).reshape(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
        self.kernel = nn.Parameter(kernel)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.level


def set_weight(model: Net, *values: float) -> None:
    with torch.no_grad():
        model.weight.copy_(torch.tensor(values))


def test_begins_with_the_weights() -> None:
    model = Net()
    state = Ema(model, 0.9).state()
    assert list(state) == ["weight", "kernel", "level"]
    assert all(torch.equal(state[name], model.state_dict()[name]) for name in state)
    assert state["kernel"].stride() == model.kernel.stride()
    assert state["weight"].data_ptr() != model.weight.data_ptr()


def test_order_is_that_of_the_state_dict() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
    assert list(Ema(model, 0.9).state()) == [n for n in model.state_dict() if n != "1.num_batches_tracked"]


@pytest.mark.parametrize(
    ("decay", "every", "step", "left"),
    [
        (0.999, 4, 4, (5 / 14) ** 4),  # while the decay rises
        (0.999, 1, 8, 9 / 18),
        (0.5, 1, 8, 0.5),
        (0.5, 2, 8, 0.25),
        (0.9, 4, 100_000, 0.6561),
        (0.0, 4, 8, 0.0),
    ],
)
def test_share_of_the_average_that_is_left(decay: float, every: int, step: int, left: float) -> None:
    model = Net()
    ema = Ema(model, decay, every)
    set_weight(model, 11, -8)
    model.level.fill_(4)
    ema.update(step)
    state = ema.state()
    assert state["weight"].tolist() == pytest.approx([1 * left + 11 * (1 - left), 2 * left - 8 * (1 - left)], rel=1e-6)
    assert state["level"].item() == pytest.approx(3 * left + 4 * (1 - left), rel=1e-6)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 99])
def test_between_updates_nothing_moves(step: int) -> None:
    model = Net()
    ema = Ema(model, 0.9, 4)
    set_weight(model, 0, 0)
    ema.update(step)
    assert ema.state()["weight"].tolist() == [1, 2]


def test_two_updates() -> None:
    model = Net()
    ema = Ema(model, 0.5, 1)
    set_weight(model, 3, 4)
    ema.update(1000)
    set_weight(model, 6, 1)
    ema.update(1001)
    assert ema.state()["weight"].tolist() == [4, 2]


def test_weights_that_rest_are_their_average() -> None:
    model = Net()
    ema = Ema(model, 0.99, 2)
    set_weight(model, 5, 6)
    for step in range(1, 3001):
        ema.update(step)
    assert ema.state()["weight"].tolist() == pytest.approx([5, 6], rel=1e-5)


def test_average_is_float32_whatever_the_weights_are() -> None:
    model = nn.Linear(2, 2).to(torch.bfloat16)
    before = model.weight.detach().clone()
    ema = Ema(model, 0.5, 1)
    assert {tensor.dtype for tensor in ema.state().values()} == {torch.float32}
    with torch.no_grad():
        model.weight += 1
    ema.update(1000)
    with ema.applied(model):
        assert model.weight.dtype == torch.bfloat16
        assert torch.equal(model.weight, ema.state()["weight"].to(torch.bfloat16))
    assert torch.equal(model.weight, before + 1)


def test_a_weight_of_two_names_is_averaged_once() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    ema = Ema(model, 0.5, 1)
    assert list(ema.state()) == ["0.weight", "0.bias", "1.bias"]
    raw = first.weight.data_ptr()
    with ema.applied(model):
        assert first.weight.data_ptr() == second.weight.data_ptr() == ema.state()["0.weight"].data_ptr()
    assert first.weight.data_ptr() == second.weight.data_ptr() == raw


def test_resumed_it_goes_on_alike() -> None:
    def go_on(model: Net, ema: Ema, steps: range) -> None:
        for step in steps:
            set_weight(model, math.sin(step), math.cos(step))
            ema.update(step)

    whole_model, cut_model, new_model = Net(), Net(), Net()
    whole, cut = Ema(whole_model, 0.9, 2), Ema(cut_model, 0.9, 2)
    go_on(whole_model, whole, range(1, 20))
    go_on(cut_model, cut, range(1, 9))
    again = Ema(new_model, 0.9, 2)
    again.load({name: tensor.clone().contiguous() for name, tensor in cut.state().items()})
    assert again.state()["kernel"].stride() == new_model.kernel.stride()
    go_on(new_model, again, range(9, 20))
    assert all(torch.equal(whole.state()[name], tensor) for name, tensor in again.state().items())


def test_loading_copies() -> None:
    ema = Ema(Net(), 0.9)
    tensors = {name: tensor + 1 for name, tensor in ema.state().items()}
    ema.load(tensors)
    tensors["weight"].zero_()
    assert ema.state()["weight"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"weight": torch.zeros(3)}, "weight"),
        ({"level": torch.zeros(1)}, "level"),
        ({"other": torch.zeros(1)}, "other"),
    ],
)
def test_what_does_not_fit_is_refused_whole(change: dict[str, Tensor], name: str) -> None:
    ema = Ema(Net(), 0.9)
    tensors = {key: tensor + 1 for key, tensor in ema.state().items()} | change
    with pytest.raises(CheckpointError, match=rf"do not fit the model \({name} differs\)"):
        ema.load(tensors)
    assert ema.state()["weight"].tolist() == [1, 2]
    assert ema.state()["level"] == 3


def test_a_missing_tensor_is_refused() -> None:
    ema = Ema(Net(), 0.9)
    with pytest.raises(CheckpointError, match="kernel differs"):
        ema.load({name: tensor for name, tensor in ema.state().items() if name != "kernel"})


def moved() -> tuple[Net, Ema]:
    """Raw weight (11, -8), average (6, -3)."""
    model = Net()
    ema = Ema(model, 0.5, 1)
    set_weight(model, 11, -8)
    ema.update(1000)
    return model, ema


def test_applied_computes_with_the_average() -> None:
    model, ema = moved()
    x = torch.tensor([1.0, 1.0])
    raw, place = model.weight.data_ptr(), model.weight
    with ema.applied(model):
        assert model(x) == 6 - 3 + 3
        assert model.weight is place
        assert model.weight.data_ptr() == ema.state()["weight"].data_ptr()
    assert model(x) == 11 - 8 + 3
    assert model.weight.data_ptr() == raw
    assert ema.state()["weight"].tolist() == [6, -3]


def test_raw_weights_come_back_when_the_block_raises() -> None:
    model, ema = moved()
    with pytest.raises(RuntimeError, match="no picture"), ema.applied(model):
        raise RuntimeError("no picture")
    assert model.weight.tolist() == [11, -8]
    assert ema.state()["weight"].tolist() == [6, -3]


def test_applied_works_in_inference_mode() -> None:
    model, ema = moved()
    with torch.inference_mode(), ema.applied(model):
        assert model.weight.tolist() == [6, -3]
    assert model.weight.tolist() == [11, -8]
    model(torch.ones(2)).backward()
    assert model.weight.grad is not None


def test_applied_within_applied() -> None:
    model, ema = moved()
    with ema.applied(model):
        with ema.applied(model):
            assert model.weight.tolist() == [6, -3]
        assert model.weight.tolist() == [6, -3]
    assert model.weight.tolist() == [11, -8]


def test_applied_to_another_model_of_the_same_shape() -> None:
    _, ema = moved()
    other = Net()
    with ema.applied(other):
        assert other.weight.tolist() == [6, -3]
    assert other.weight.tolist() == [1, 2]


def test_applied_to_another_architecture_is_refused() -> None:
    _, ema = moved()
    linear = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="other tensors"), ema.applied(linear):
        pass


def test_training_does_not_notice() -> None:
    def train(looks: bool) -> Net:
        model = Net()
        ema = Ema(model, 0.9, 1)
        optimizer = torch.optim.Adam(model.parameters(), 0.1)
        generator = torch.Generator().manual_seed(0)
        for step in range(1, 11):
            loss = model(torch.randn(4, 2, generator=generator)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            if looks:
                with ema.applied(model), torch.no_grad():
                    model(torch.ones(2))
            optimizer.step()
            ema.update(step)
        assert ema.state()["weight"].tolist() != model.weight.tolist()
        return model

    assert torch.equal(train(looks=False).weight, train(looks=True).weight)
