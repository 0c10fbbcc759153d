"""Random colours for the faces of a batch. All work on (B, 3, H, W) float32 RGB in [0, 1], on the device it is on.

The generator is on the processor. How much is drawn from it depends on sizes and options, never on what a pixel is.
"""

import torch
from torch import Tensor

from lookalike.color_transport import like_device

_BLUR = (0.5, 2.0)
"""Range of sigma, in pixels of a picture of side 128."""
_NO_BLUR = 1e-3
"""Sigma whose kernel is 1 in the middle and exactly 0 beside it."""


def random_hsv(pictures: Tensor, power: float, generator: torch.Generator) -> Tensor:
    """Move hue, saturation and value of each picture.

    Hue moves by up to half of `power` of a full turn either way, saturation and value by up to half of `power`, all
    uniform, as in DeepFaceLab 2. Unlike there a saturation at most doubles, so that greys, whose hue is noise, stay so.

    Args:
        pictures: (B, 3, H, W) in [0, 1].
        power: 0 for the pictures themselves, without a draw.
        generator: three numbers are drawn for each picture.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    if not power:
        return pictures
    moves = (torch.rand(len(pictures), 3, generator=generator) - 0.5) * power
    return moved_hsv(pictures, like_device(moves, pictures))


def moved_hsv(pictures: Tensor, moves: Tensor) -> Tensor:
    """Move hue (in turns), saturation and value of each picture: (B, 3, H, W) by (B, 3) to (B, 3, H, W) in [0, 1]."""
    turn, more_saturation, more_value = moves[:, :, None, None].unbind(1)
    red, green, blue = pictures.unbind(1)
    value = pictures.amax(1)
    chroma = value - pictures.amin(1)
    tiny = torch.finfo(pictures.dtype).tiny
    saturation = chroma / value.clamp(min=tiny)
    of_red, of_green, of_blue = ((a - b) / chroma.clamp(min=tiny) for a, b in _following(red, green, blue))
    sixth = torch.where(value == red, of_red, torch.where(value == green, of_green + 2, of_blue + 4)) + 6 * turn
    saturation = (saturation + torch.minimum(more_saturation, saturation)).clamp_(0, 1)
    value = (value + more_value).clamp_(0, 1)
    chroma = value * saturation
    phases = (torch.remainder(sixth + first, 6) for first in (5, 3, 1))
    return torch.stack([value - chroma * torch.minimum(k, 4 - k).clamp_(0, 1) for k in phases], 1)


def _following(red: Tensor, green: Tensor, blue: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
    """For each channel the two that follow it around the colour circle."""
    return (green, blue), (blue, red), (red, green)


def random_blur(
    pictures: Tensor, share: float, generator: torch.Generator, sigma: tuple[float, float] = _BLUR
) -> Tensor:
    """Blur some of the pictures by Gaussians of random width.

    Beyond the border nothing counts. Each axis is a product with a matrix, one for each picture, which costs about the
    same for every width.

    Args:
        pictures: (B, 3, H, W).
        share: chance of a picture to be blurred; 0 for the pictures themselves, without a draw.
        generator: two numbers are drawn for each picture.
        sigma: least and greatest width, in pixels of a picture 128 wide; uniform between them.

    Returns:
        (B, 3, H, W); what is not blurred is unchanged.
    """
    if not share:
        return pictures
    low, high = (width * pictures.shape[-1] / 128 for width in sigma)
    chances, place = torch.rand(2, len(pictures), generator=generator)
    widths = like_device((low + (high - low) * place).where(chances < share, _NO_BLUR), pictures)
    return _gaussian(widths, pictures.shape[-2]) @ pictures @ _gaussian(widths, pictures.shape[-1]).mT


def _gaussian(sigma: Tensor, side: int) -> Tensor:
    """(B, 1, side, side): multiplying blurs one axis."""
    place = torch.arange(side, device=sigma.device)
    offset = (place[:, None] - place) / sigma[:, None, None, None]
    kernel = torch.exp(-0.5 * offset * offset)
    return kernel / kernel.sum(-1, keepdim=True)
