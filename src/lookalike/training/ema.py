"""The average of the weights over the last steps, which draws a calmer picture than the weights of any one step.

Source: Polyak and Juditsky, SIAM J. Control Optim. 30(4), 1992, for averaging; here with weights that fall
exponentially, and with a decay that rises over the first steps, as is common, so that the beginning is soon forgotten.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lookalike.errors import CheckpointError


class Ema:
    """Exponential moving average of a model's floating point parameters and buffers, in float32 and on their device."""

    def __init__(self, model: nn.Module, decay: float, every: int = 4) -> None:
        """Begin with the weights as they are.

        Args:
            model: on its device and in its memory layout already.
            decay: share of the average that a step leaves, 0 to below 1.
            every: steps between updates, which costs a pass over the weights; the decay of an update is that of as many
                steps.
        """
        self._model, self._decay, self._every = model, decay, every
        self._averages = {
            name: tensor.detach().to(torch.float32, copy=True) for name, tensor in _averaged(model).items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average toward the weights after `step` updates of them, if it is a multiple of `every`."""
        if step % self._every:
            return
        decay = min(self._decay, (1 + step) / (10 + step)) ** self._every
        weights = [tensor.detach().float() for tensor in _averaged(self._model).values()]
        torch._foreach_lerp_(list(self._averages.values()), weights, 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """The averages by the names of the model's `state_dict`, in its order; not copies."""
        return dict(self._averages)

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from averages that `state` gave.

        Raises:
            CheckpointError: names or shapes are not the model's; nothing is changed then.
        """
        strange = tensors.keys() ^ self._averages.keys()
        strange |= {name for name in tensors.keys() - strange if tensors[name].shape != self._averages[name].shape}
        if strange:
            raise CheckpointError(
                f"the averaged weights do not fit the model ({min(strange)} differs); put a backup back"
            )
        for name, average in self._averages.items():
            average.copy_(tensors[name])

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Let `model`, the one averaged or another of its shape, compute with the averages; not for training.

        The tensors change places and nothing is copied (unless the model is not of float32, or elsewhere), so whatever
        is written to the weights inside goes into the average. Gradients and the state of an optimizer stay as they
        are. A CUDA graph of the model computes with the raw weights inside, too.

        Raises:
            ValueError: the model has other tensors than the one averaged.
        """
        tensors = _averaged(model)
        if {name: t.shape for name, t in tensors.items()} != {name: t.shape for name, t in self._averages.items()}:
            raise ValueError("the model has other tensors than the one whose weights were averaged")
        raw = {name: tensor.data for name, tensor in tensors.items()}
        try:
            for name, tensor in tensors.items():
                tensor.data = self._averages[name].to(tensor)
            yield
        finally:
            for name, tensor in tensors.items():
                tensor.data = raw[name]


def _averaged(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers with a fraction, themselves, in `state_dict` order; a tensor of two names once."""
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            found.setdefault(id(tensor), (name, tensor))
    return dict(found.values())
