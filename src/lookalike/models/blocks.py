"""Layers that the autoencoders are made of."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Down(nn.Sequential):
    """Half the side: 5x5 convolution of stride 2, leaky ReLU of 0.1."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(nn.Conv2d(channels_in, channels_out, 5, 2, 2), nn.LeakyReLU(0.1))


class Fold(nn.Sequential):
    """Half the side: four pixels become one with four times the channels, 3x3 convolution, leaky ReLU of 0.1.

    Does the work of a `Down` on a picture; three input channels would leave a processor's matrix units idle.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(nn.PixelUnshuffle(2), nn.Conv2d(channels_in * 4, channels_out, 3, 1, 1), nn.LeakyReLU(0.1))


class Up(nn.Sequential):
    """Twice the side: 3x3 convolution to four times the channels, leaky ReLU of 0.1, depth to space."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out * 4, 3, 1, 1),
            nn.LeakyReLU(0.1),
            nn.PixelShuffle(2),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions with a short cut, leaky ReLU of 0.2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        inner = self.second(F.leaky_relu(self.first(x), 0.2))
        return F.leaky_relu(x + inner, 0.2)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Glorot-uniform weights and zero biases in every convolution and dense layer, drawn from `generator`."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
