"""Layers that the autoencoders are made of."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Leaky(nn.Module):
    """Leaky ReLU, over its input: what comes before it, a convolution or a sum, does not need its own output."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return F.leaky_relu_(x, self.slope)


class Cosine(nn.Module):
    """x cos x, the activation of the -c variants."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return x * torch.cos(x)


class Down(nn.Sequential):
    """Half the side: 5x5 convolution of stride 2, leaky ReLU of 0.1 or x cos x."""

    def __init__(self, channels_in: int, channels_out: int, *, cosine: bool = False) -> None:
        super().__init__(nn.Conv2d(channels_in, channels_out, 5, 2, 2), Cosine() if cosine else Leaky(0.1))


class Fold(nn.Sequential):
    """Half the side: four pixels become one with four times the channels, 3x3 convolution, leaky ReLU of 0.1.

    Does the work of a `Down` on a picture; three input channels would leave a processor's matrix units idle.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(nn.PixelUnshuffle(2), nn.Conv2d(channels_in * 4, channels_out, 3, 1, 1), Leaky(0.1))


class Up(nn.Sequential):
    """Twice the side: 3x3 convolution to four times the channels, leaky ReLU of 0.1 or x cos x, depth to space."""

    def __init__(self, channels_in: int, channels_out: int, *, cosine: bool = False) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out * 4, 3, 1, 1), Cosine() if cosine else Leaky(0.1), nn.PixelShuffle(2)
        )


class Residual(nn.Module):
    """Two 3x3 convolutions with a short cut, leaky ReLU of 0.2 or x cos x."""

    def __init__(self, channels: int, *, cosine: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        self.act: nn.Module = Cosine() if cosine else Leaky(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        inner = self.second(self.act(self.first(x)))
        return self.act(inner.add_(x))  # type: ignore[no-any-return]


def unit_length(code: Tensor) -> Tensor:
    """(B, N) of mean square 1 in each row, in float32; the -u variants."""
    code = code.float()
    return code * torch.rsqrt(code.square().mean(1, keepdim=True) + 1e-6)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Weights that keep the size of what flows through them; zero biases; all drawn from `generator`.

    Convolutions and dense layers get He-normal weights for a leaky ReLU. The second layer of a residual block starts at
    0.3 of that, so that a stack of them begins near the identity.

    Source: He et al., ICCV 2015. With Glorot's weights, which DeepFaceLab used, each `Up` about halves the signal (by
    calculation); the loss after 200 steps was 4 % (src) and 8 % (dst) higher, in one run.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.1, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, Residual):
                layer.second.weight.mul_(0.3)
