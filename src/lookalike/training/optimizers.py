"""How weights follow their gradients, where the moments of the optimizer lie, and dropout of the learning rate.

Sources: Adam, Kingma and Ba, ICLR 2015, with the epsilon where Keras puts it for DeepFaceLab (2019); AdaBelief, Zhuang
et al., NeurIPS 2020, and the form that DeepFaceLab 2 has of it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.adam import adam as torch_adam

from lookalike.training.config import OptimizerName

Mode = Literal[1, 2, 3]

_KEPT = 0.3
"""Share of the weights that dropout lets a step change."""
_WAVE = 500
"""Steps from one full rate to the next with dropout."""
_FUSED = ("cpu", "cuda")
"""Devices on which PyTorch has Adam in one kernel."""
_BLOCK = {"cpu": 2**18}
"""Weights worked on at a time: on a processor as many as its cache holds with their moments, a third of the time of all
at once. A large tensor is cut, small ones are put together."""
_BLOCK_ELSEWHERE = 2**25


def dropout_rate(step: int) -> float:
    """What dropout multiplies the learning rate with at a step, counted from 1: a cosine, 1 at 500 and 0 at 250."""
    return (math.cos(2 * math.pi * step / _WAVE) + 1) / 2


class _Update(NamedTuple):
    """What a rule works on, all on one device; it changes all but the gradients, in place."""

    weights: list[Tensor]
    grads: list[Tensor]
    means: list[Tensor]
    seconds: list[Tensor]
    step: int
    """Counted from 1."""
    rate: float


def _adam(update: _Update, betas: tuple[float, float], eps: float, keras: bool) -> None:
    """rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + e), where e is eps for Keras, else eps sqrt(1 - b2^t).

    PyTorch's kernel divides by sqrt(v) / sqrt(1 - b2^t) + eps; with eps / sqrt(1 - b2^t) it is the form of Keras.
    """
    weights, grads, means, squares, step, rate = update
    root = math.sqrt(1 - betas[1] ** step)
    if weights[0].device.type in _FUSED:
        counts = list(torch.full((len(weights),), step - 1.0, device=weights[0].device).unbind())
        torch_adam(
            weights, grads, means, squares, [], counts,
            fused=True, amsgrad=False, maximize=False, weight_decay=0.0,
            beta1=betas[0], beta2=betas[1], lr=rate, eps=eps / root if keras else eps,
        )  # fmt: skip
        return
    torch._foreach_lerp_(means, grads, 1 - betas[0])
    torch._foreach_mul_(squares, betas[1])
    torch._foreach_addcmul_(squares, grads, grads, 1 - betas[1])
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, eps if keras else eps * root)
    torch._foreach_addcdiv_(weights, means, roots, -rate * root / (1 - betas[0] ** step))


def _adabelief(update: _Update, betas: tuple[float, float], eps: float, corrected: bool) -> None:
    """rate m / (1 - b1^t) / sqrt(v / (1 - b2^t)), where v = b2 v + (1 - b2) (g - m)^2 + eps, with the new m.

    The paper adds eps to the root once more, which float32 cannot tell: v is 1e-16 at least, its root 1e-8. Not
    corrected, as in DeepFaceLab 2, v has no eps, and the update is rate m / (sqrt(v) + eps).
    """
    weights, grads, means, variances, step, rate = update
    torch._foreach_lerp_(means, grads, 1 - betas[0])
    surprise = torch._foreach_sub(grads, means)
    torch._foreach_mul_(variances, betas[1])
    torch._foreach_addcmul_(variances, surprise, surprise, 1 - betas[1])
    del surprise  # before its like is made
    if corrected:
        torch._foreach_add_(variances, eps)
        rate *= math.sqrt(1 - betas[1] ** step) / (1 - betas[0] ** step)
    roots = torch._foreach_sqrt(variances)
    if not corrected:
        torch._foreach_add_(roots, eps)
    torch._foreach_addcdiv_(weights, means, roots, -rate)


_RULES: dict[OptimizerName, tuple[str, Callable[[_Update], None]]] = {
    "adam": ("exp_avg_sq", partial(_adam, betas=(0.9, 0.99), eps=1e-8, keras=False)),
    "adam-2019": ("exp_avg_sq", partial(_adam, betas=(0.5, 0.999), eps=1e-7, keras=True)),
    "adabelief": ("exp_avg_var", partial(_adabelief, betas=(0.9, 0.999), eps=1e-16, corrected=True)),
    "adabelief-dfl2": ("exp_avg_var", partial(_adabelief, betas=(0.9, 0.999), eps=1e-6, corrected=False)),
}
"""Name of the second moment, and the rule; the first moment is `exp_avg`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """Some weights of a parameter, flat, each tensor where it lies between steps."""

    weight: Tensor
    grad: Tensor
    mean: Tensor
    second: Tensor
    kept: Tensor | None
    """Where dropout keeps the update; None without dropout."""
    step: int
    work: torch.device
    """Where the update is computed."""


class MomentOptimizer(torch.optim.Optimizer):
    """An optimizer with two moments; see `build_optimizer`.

    `state[parameter]` holds `step` (scalar float32 on the processor) and both moments in the parameter's shape and
    memory layout. What is restored may lie anywhere; the next step brings it where the mode wants it. Moments of a
    rule that has others are dropped, and begin anew.

    Never run on CUDA or MPS yet; the copying of modes 2 and 3 is tested with copies that stay on the processor.
    """

    seed: int = 0
    """Of the dropout of the next step; whoever trains sets it before each."""

    def __init__(self, name: OptimizerName, parameters: Iterable[nn.Parameter], rate: float, mode: Mode, dropout: bool):
        super().__init__(parameters, {"lr": rate})
        self._second, self._rule = _RULES[name]
        self._mode, self._dropout = mode, dropout
        for parameter in (parameter for group in self.param_groups for parameter in group["params"]):
            reach = sum(stride * (size - 1) for size, stride in zip(parameter.shape, parameter.stride(), strict=True))
            if parameter.numel() and reach + 1 != parameter.numel():
                raise ValueError(f"a parameter must fill its memory, got strides {parameter.stride()}")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        generators: dict[torch.device, torch.Generator] = {}
        for group in self.param_groups:
            for bucket in _buckets(self._slices(group["params"], generators)):
                self._update(bucket, group["lr"])

    def _slices(
        self, parameters: Iterable[Tensor], generators: dict[torch.device, torch.Generator]
    ) -> Iterator[_Slice]:
        for parameter in parameters:
            if parameter.grad is None:
                continue
            device, count = parameter.device, parameter.numel()
            mean, second, step = self._advance(parameter)
            tensors = (parameter.detach(), _placed(parameter.grad, parameter, device), mean, second)
            kept: Tensor | None = None
            if self._dropout:
                if device not in generators:
                    generators[device] = torch.Generator(device).manual_seed(self.seed)
                kept = _draw_kept(count, device, generators[device])
            weight, grad, mean, second = (tensor.as_strided((count,), (1,)) for tensor in tensors)
            work = torch.device("cpu") if self._mode == 3 else device
            block = _block_of(work)
            for start in range(0, count, block):
                at = slice(start, start + block)
                drawn = None if kept is None else kept[at]
                yield _Slice(weight[at], grad[at], mean[at], second[at], drawn, step, work)

    def _advance(self, parameter: Tensor) -> tuple[Tensor, Tensor, int]:
        """Count a step of a parameter: its moments, brought where they belong, and the step."""
        home = parameter.device if self._mode == 1 else torch.device("cpu")
        state = self.state[parameter]
        names = ("exp_avg", self._second)
        if state.keys() != {"step", *names}:
            state.clear()
            state["step"] = torch.zeros(())
            state.update({name: _empty(parameter, home).zero_() for name in names})
        state["step"] = state["step"].cpu() + 1
        state.update({name: _placed(state[name], parameter, home) for name in names})
        return state[names[0]], state[names[1]], int(state["step"])

    def _update(self, bucket: list[_Slice], rate: float) -> None:
        work, step = bucket[0].work, bucket[0].step
        lying = [[getattr(piece, name) for piece in bucket] for name in ("weight", "mean", "second")]
        working = [[_bring(tensor, work) for tensor in tensors] for tensors in lying]
        weights, means, seconds = working
        before = [weight.clone() for weight in weights] if self._dropout else []
        rate *= dropout_rate(step) if self._dropout else 1.0
        grads = [_bring(piece.grad, work) for piece in bucket]
        self._rule(_Update(weights, grads, means, seconds, step, rate))
        if before:  # an interpolation by exactly 0 or 1
            kept = [_bring(piece.kept, work).to(piece.weight.dtype) for piece in bucket if piece.kept is not None]
            torch._foreach_lerp_(before, weights, kept)
            torch._foreach_copy_(weights, before)
        for there, here in zip(chain(*lying), chain(*working), strict=True):
            if there is not here:
                there.copy_(here)


def build_optimizer(
    name: OptimizerName,
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    mode: Mode = 1,
    dropout: bool = False,
) -> MomentOptimizer:
    """An optimizer whose state is tensors only, so that a checkpoint restores it to the bit.

    Args:
        name: adam, betas (0.9, 0.99) and eps 1e-8; adam-2019, betas (0.5, 0.999) and eps 1e-7 outside the bias
            correction; adabelief, betas (0.9, 0.999) and eps 1e-16; adabelief-dfl2, the same betas without bias
            correction, eps 1e-6.
        parameters: all on their device already. Those without a gradient stay as they are, their step too.
        learning_rate: the first; `group["lr"]` sets the one of a step.
        mode: moments on the parameters' device (1); in the host's memory, brought to the device for the update, block
            by block (2); there, and the update computed by the host, so that gradients and weights travel (3). On a
            processor all three are the same; between devices they differ by rounding.
        dropout: change three weights in ten at a step, drawn anew by `seed`, at a rate that follows `dropout_rate`.
            Moments go on for all. Source: DeepFaceLab 2, `lr_dropout`.

    Raises:
        ValueError: a parameter is a view that does not fill its memory.
    """
    return MomentOptimizer(name, parameters, learning_rate, mode, dropout)


def _block_of(device: torch.device) -> int:
    return _BLOCK.get(device.type, _BLOCK_ELSEWHERE)


def _buckets(slices: Iterable[_Slice]) -> Iterator[list[_Slice]]:
    """Neighbours of one device and step together, a block at most."""
    bucket: list[_Slice] = []
    room = 0
    for piece in slices:
        alike = bucket and (piece.weight.device, piece.step) == (bucket[0].weight.device, bucket[0].step)
        if bucket and not (alike and piece.weight.numel() <= room):
            yield bucket
            bucket = []
        if not bucket:
            room = _block_of(piece.work)
        bucket.append(piece)
        room -= piece.weight.numel()
    if bucket:
        yield bucket


def _bring(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor itself if it is there already."""
    return tensor.to(device)


def _empty(parameter: Tensor, device: torch.device) -> Tensor:
    """Memory for a tensor in the parameter's layout; on the host such that a CUDA device can read it at full speed."""
    return torch.empty_like(parameter, device=device, pin_memory=device.type == "cpu" and parameter.is_cuda)


def _placed(tensor: Tensor, parameter: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device in the parameter's layout; itself if it is so already."""
    if tensor.device == device and tensor.stride() == parameter.stride():
        return tensor
    return _empty(parameter, device).copy_(tensor)


def _draw_kept(count: int, device: torch.device, generator: torch.Generator) -> Tensor:
    """(count,) bool, true with probability 0.3 (3e-6 more on a processor, which draws 16 bits for a weight)."""
    if device.type != "cpu":
        return torch.empty(count, dtype=torch.bool, device=device).bernoulli_(_KEPT, generator=generator)
    words = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return words.view(torch.int16)[:count] < round(_KEPT * 2**16) - 2**15
