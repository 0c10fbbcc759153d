"""How far a drawing is from its target. All in float32."""

import functools

import torch
from torch import Tensor


@functools.lru_cache(maxsize=8)
def _band(side: int, window: int, sigma: float, device: torch.device) -> Tensor:
    """(side - window + 1, side): a row is a normalised Gaussian; multiplying filters one axis, valid positions only."""
    offset = torch.arange(window, dtype=torch.float32) - (window - 1) / 2
    kernel = torch.exp(-(offset**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    band = torch.zeros(side - window + 1, side)
    for row in range(len(band)):
        band[row, row : row + window] = kernel
    return band.to(device)


def dssim_map(a: Tensor, b: Tensor, window: int = 11) -> Tensor:
    """Structural dissimilarity at every position where the window fits.

    Args:
        a, b: (B, C, S, S) in [0, 1].
        window: side of the Gaussian window, sigma 1.5.

    Returns:
        (B, C, S - window + 1, S - window + 1), (1 - SSIM) / 2, about 0..1.

    Source: Wang et al., IEEE TIP 13(4), 2004. The filter is a product with a banded matrix on each side, which a
    processor does several times faster than a depthwise convolution.
    """
    band = _band(a.shape[-1], window, 1.5, a.device)
    stacked = torch.stack([a, b, a * a + b * b, a * b])
    mean_a, mean_b, squares, product = (band @ stacked @ band.T).unbind()
    both = mean_a * mean_b
    means = mean_a**2 + mean_b**2
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * both + c1) / (means + c1)
    structure = (2 * (product - both) + c2) / (squares - means + c2)
    return (1 - luminance * structure) / 2


def window_for(resolution: int) -> int:
    """Window side of DSSIM: the resolution over 11.6, as in DeepFaceLab (2019), made odd so that it has a centre."""
    return max(3, int(resolution / 11.6) // 2 * 2 + 1)


def picture_loss(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted DSSIM and squared error.

    Args:
        drawn, target: (B, 3, R, R) in [0, 1].
        weight: (B, 1, R, R), 0 where the picture does not matter.

    Returns:
        scalar: 10 DSSIM + 10 MSE, each a weighted mean.
    """
    window = window_for(drawn.shape[-1])
    edge = window // 2
    inner = weight[..., edge:-edge, edge:-edge]
    structure = (dssim_map(drawn, target, window) * inner).sum() / (3 * inner.sum() + 1e-6)
    squares = ((drawn - target) ** 2 * weight).sum() / (3 * weight.sum() + 1e-6)
    return 10 * structure + 10 * squares


def mask_loss(drawn: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of (B, 1, R, R) masks."""
    return ((drawn - target) ** 2).mean()
