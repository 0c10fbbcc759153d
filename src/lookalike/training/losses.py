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


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with zeros beyond the border, as in DeepFaceLab (2019): (B, C, S, S) to the same.

    The window has max(3, int(4 sigma + 1)) samples, the one at half of that, rounded down, in the middle.
    """
    band = _same_band(picture.shape[-1], float(sigma), picture.device)
    return band @ picture @ band.T


@functools.lru_cache(maxsize=16)
def _same_band(side: int, sigma: float, device: torch.device) -> Tensor:
    """(side, side): multiplying blurs one axis."""
    window = max(3, int(4 * sigma + 1))
    offset = torch.arange(window, dtype=torch.float32) - window // 2
    kernel = torch.exp(-(offset**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    band = torch.zeros(side, side + window - 1)
    for row in range(side):
        band[row, row : row + window] = kernel
    return band[:, window // 2 : window // 2 + side].to(device)


def picture_loss(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted DSSIM and squared error.

    Args:
        drawn, target: (B, 3, R, R) in [0, 1].
        weight: (B, 1, R, R), 0 where the picture does not matter.

    Returns:
        scalar: 10 DSSIM + 10 MSE, each a weighted mean.
    """
    return 10 * weighted_dssim(drawn, target, weight) + 10 * weighted_squares(drawn, target, weight)


def weighted_dssim(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean DSSIM of (B, 3, R, R) pictures, each place weighted as its window's centre; faces count alike."""
    window = window_for(drawn.shape[-1])
    edge = window // 2
    return _weighted(dssim_map(drawn, target, window), weight[..., edge:-edge, edge:-edge])


def weighted_squares(drawn: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error of (B, 3, R, R) pictures, each pixel counting by its weight; faces count alike."""
    return _weighted((drawn - target) ** 2, weight)


def _weighted(values: Tensor, weight: Tensor) -> Tensor:
    """The mean over each face, then over the faces, so that a batch in parts has the same gradient as the whole."""
    return ((values * weight).sum((1, 2, 3)) / (3 * weight.sum((1, 2, 3)) + 1e-6)).mean()


def mask_loss(drawn: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of (B, 1, R, R) masks."""
    return ((drawn - target) ** 2).mean()


def style_loss(swap: Tensor, target: Tensor) -> Tensor:
    """How far colours and light of two blurred, masked pictures lie apart.

    Args:
        swap, target: (B, 3, R, R), 0 where they shall not count.

    Returns:
        scalar: a third of the squared differences of mean and of standard deviation over each picture, summed over the
        channels and averaged over the batch. (DeepFaceLab of 2019 summed over the batch, too, so that the weight grew
        with its size.)
    """
    sigma = swap.shape[-1] // 16
    moments = []
    for picture in (swap, target):
        soft = blurred(picture, sigma)
        mean = soft.mean((2, 3))
        moments.append((mean, ((soft - mean[..., None, None]).square().mean((2, 3)) + 1e-5).sqrt()))
    (mean_a, std_a), (mean_b, std_b) = moments
    return ((mean_a - mean_b).square() + (std_a - std_b).square()).sum(1).mean() / 3
