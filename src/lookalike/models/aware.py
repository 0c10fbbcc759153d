"""Convolution-aware initial weights.

Source: Aghajanyan, "Convolution Aware Initialization", arXiv 1702.06295, 2017: the filters of a layer begin as an
orthonormal basis in the frequency domain of the kernel.
"""

import torch
from torch import Tensor, nn

_NOISE = 0.05
"""Standard deviation of what is added to a filter, so that filters of the same basis differ."""


def begin_aware(module: nn.Module, generator: torch.Generator) -> None:
    """Give every convolution of `module` convolution-aware weights and zero biases, drawn from `generator`."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(aware_weights(tuple(layer.weight.shape), generator))  # type: ignore[arg-type]
                if layer.bias is not None:
                    layer.bias.zero_()


def aware_weights(shape: tuple[int, int, int, int], generator: torch.Generator) -> Tensor:
    """(out, in, height, width) float32 of variance 2 / (in height width)."""
    out, channels, height, width = shape
    half = width // 2 + 1
    size = height * half
    bases = -(-channels // size)
    square = torch.randn(out * bases, size, size, generator=generator)
    basis = torch.linalg.eigh(square + square.mT).eigenvectors.mT
    spectrum = basis.reshape(out, bases * size, height, half)[:, :channels]
    filters: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    filters = filters + _NOISE * torch.randn(shape, generator=generator)
    scale = (2 / (channels * height * width * filters.var(correction=0))).sqrt()
    return filters * scale
