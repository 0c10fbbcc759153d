"""Colours of whole batches changed at random, on the device that the pictures are on."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lookalike.training.color_transport import TRANSPORTS, transport

_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""Linear sRGB to XYZ, D65. Source: ITU-R BT.709."""
_WHITE = (0.950456, 1.0, 1.088754)
_STEADY = 1e-5
"""Added to covariances, so that flat pictures have a root and an inverse; as in DeepFaceLab (2019)."""
_FAINTEST, _STRONGEST = 0.4, 2.5
"""Bounds of the factor by which rct changes a channel's contrast."""
_BLUR_SIGMA = (0.5, 2.0)
"""Least and largest standard deviation of a random blur, in pixels of a picture of side 128."""
_BLURS = 4
"""Strengths of blur that a batch is shared out among."""


def transfer_colors(
    mode: str,
    content: Tensor,
    reference: Tensor,
    content_weight: Tensor,
    reference_weight: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Give each picture the colours of another one.

    Args:
        mode: rct (mean and spread in Lab; Reinhard et al., 2001), lct (mean and covariance by symmetric roots),
            mkl (the same by the map of least work; Pitié and Kokaram, 2007), idt (the whole distribution along random
            axes; Pitié et al., 2007) or sot (the same in small steps; Rabin et al., 2011).
        content: (B, 3, H, W) float32 RGB in [0, 1].
        reference: (B, 3, h, w), whose colours are taken.
        content_weight, reference_weight: (B, 1, H, W) and (B, 1, h, w), how much a pixel counts in the statistics.
        generator: on the processor.

    Returns:
        (B, 3, H, W) in [0, 1]: the whole of `content` moved; unchanged where either picture has no weight at all.

    Raises:
        ValueError: another mode.
    """
    if mode == "rct":
        moved = _reinhard(content, reference, content_weight, reference_weight)
    elif mode in ("lct", "mkl"):
        moved = _linear(mode, content, reference, content_weight, reference_weight)
    elif mode in TRANSPORTS:
        moved = transport(mode, content, reference, content_weight, reference_weight, generator)
    else:
        raise ValueError(f"no colour transfer {mode}")
    empty = (content_weight.sum((1, 2, 3)) < 1) | (reference_weight.sum((1, 2, 3)) < 1)
    return torch.where(empty[:, None, None, None], content, moved.clamp(0, 1))


def random_hsv(pictures: Tensor, power: float, generator: torch.Generator) -> Tensor:
    """Move hue, saturation and value of each picture by one amount each.

    Args:
        pictures: (B, 3, H, W) float32 RGB in [0, 1].
        power: the hue moves by up to `power` of a turn either way, saturation and value by up to half of it.
        generator: on the processor.
    """
    if not power:
        return pictures
    moves = (torch.rand(len(pictures), 3, generator=generator) * 2 - 1) * torch.tensor([power, power / 2, power / 2])
    hue, saturation, value = moves.to(pictures.device)[:, :, None, None].unbind(1)
    h, s, v = _to_hsv(pictures)
    return _from_hsv((h + hue) % 1, (s + saturation).clamp(0, 1), (v + value).clamp(0, 1))


def random_blur(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Blur some of the pictures, more or less.

    Args:
        pictures: (B, C, S, S).
        share: chance of each picture to be blurred.
        generator: on the processor.
    """
    if not share:
        return pictures
    chosen = torch.rand(len(pictures), generator=generator) < share
    strength = torch.randint(_BLURS, (len(pictures),), generator=generator)
    low, high = (sigma * pictures.shape[-1] / 128 for sigma in _BLUR_SIGMA)
    result = pictures
    for number in range(_BLURS):
        sigma = low + (high - low) * number / (_BLURS - 1)
        here = (chosen & (strength == number)).to(pictures.device)[:, None, None, None]
        result = torch.where(here, _blurred(pictures, sigma), result)
    return result


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """CIE Lab of (B, 3, H, W) sRGB in [0, 1]: L in 0..100, a and b about -127..127; as OpenCV's float conversion."""
    linear = torch.where(rgb > 0.04045, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    matrix = rgb.new_tensor(_TO_XYZ) / rgb.new_tensor(_WHITE)[:, None]
    xyz = torch.einsum("ij,bjhw->bihw", matrix, linear)
    root = torch.where(xyz > 0.008856, xyz.clamp(min=1e-9) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = root.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The inverse of `rgb_to_lab`, not clipped."""
    light, a, b = lab.unbind(1)
    y = (light + 16) / 116
    root = torch.stack([y + a / 500, y, y - b / 200], 1)
    xyz = torch.where(root > 6 / 29, root**3, (root - 16 / 116) / 7.787)
    matrix = (torch.tensor(_TO_XYZ, dtype=torch.float64) / torch.tensor(_WHITE, dtype=torch.float64)[:, None]).inverse()
    linear = torch.einsum("ij,bjhw->bihw", matrix.float().to(lab.device), xyz)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear)


def _reinhard(content: Tensor, reference: Tensor, content_weight: Tensor, reference_weight: Tensor) -> Tensor:
    lab = rgb_to_lab(content)
    mean, spread = _mean_and_spread(lab, content_weight)
    other_mean, other_spread = _mean_and_spread(rgb_to_lab(reference), reference_weight)
    factor = (other_spread / (spread + 1e-3)).clamp(_FAINTEST, _STRONGEST)
    return lab_to_rgb((lab - mean) * factor + other_mean)


def _mean_and_spread(pictures: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    shares = weight / (weight.sum((2, 3), keepdim=True) + 1e-6)
    mean = (pictures * shares).sum((2, 3), keepdim=True)
    return mean, ((pictures - mean).square() * shares).sum((2, 3), keepdim=True).sqrt()


def _linear(mode: str, content: Tensor, reference: Tensor, content_weight: Tensor, reference_weight: Tensor) -> Tensor:
    mean, covariance = _mean_and_covariance(content, content_weight)
    other_mean, other = _mean_and_covariance(reference, reference_weight)
    whiten = _power(covariance, -0.5)
    if mode == "lct":
        matrix = _power(other, 0.5) @ whiten
    else:
        root = _power(covariance, 0.5)
        matrix = whiten @ _power(root @ other @ root, 0.5) @ whiten
    flat = matrix @ (content.flatten(2) - mean) + other_mean
    return flat.view_as(content)


def _mean_and_covariance(pictures: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, 1) and (B, 3, 3), the latter made steady."""
    shares = (weight / (weight.sum((2, 3), keepdim=True) + 1e-6)).flatten(2)
    flat = pictures.flatten(2)
    mean = (flat * shares).sum(2, keepdim=True)
    centred = flat - mean
    return mean, (centred * shares) @ centred.mT + _STEADY * torch.eye(3, device=flat.device)


def _power(matrices: Tensor, exponent: float) -> Tensor:
    """Power of (B, 3, 3) symmetric positive matrices; on the processor, as the matrices are tiny."""
    values, vectors = torch.linalg.eigh(matrices.double().cpu())
    powered: Tensor = vectors @ torch.diag_embed(values.clamp(min=_STEADY**2 / 10) ** exponent) @ vectors.mT
    return powered.float().to(matrices.device)


def _to_hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in turns, saturation and value, each (B, H, W) in [0, 1]."""
    red, green, blue = rgb.unbind(1)
    value, which = rgb.max(1)
    chroma = value - rgb.amin(1)
    safe = chroma.clamp(min=1e-8)
    sixth = torch.stack([(green - blue) / safe, 2 + (blue - red) / safe, 4 + (red - green) / safe])
    hue = sixth.gather(0, which[None])[0] / 6 % 1
    return hue, chroma / value.clamp(min=1e-8), value


def _from_hsv(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    turns = torch.tensor([5.0, 3.0, 1.0], device=hue.device)[None, :, None, None]
    k = (turns + hue[:, None] * 6) % 6
    return value[:, None] * (1 - saturation[:, None] * torch.minimum(k, 4 - k).clamp(0, 1))


def _blurred(pictures: Tensor, sigma: float) -> Tensor:
    reach = max(1, round(3 * sigma))
    offset = torch.arange(-reach, reach + 1, device=pictures.device, dtype=torch.float32)
    kernel = torch.exp(-(offset**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(pictures.shape[1], 1, 1, -1)
    padded = F.pad(pictures, (reach,) * 4, mode="replicate")
    across = F.conv2d(padded, kernel, groups=pictures.shape[1])
    return F.conv2d(across, kernel.mT, groups=pictures.shape[1])
