"""Giving a picture the colours of another. All work on (B, 3, H, W) float32 RGB in [0, 1], on the device it is on.

Training draws colours with it, merging matches the drawn face to dst. Needs PyTorch.
"""

import functools

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.color_transport import fitted_covariance, iterative_transfer, sliced_transport, weighted_mean

_STEEPEST = 2.5
"""Largest factor by which rct changes a channel's spread, either way."""
_LEAST_STD = 1e-3
"""Spread of a Lab channel below which it counts as this much."""
_MIX_LIGHTNESS = 40.0
"""L at which mix compares colours; DeepFaceLab 2 had 39."""

_RGB_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""Linear sRGB to XYZ; with the white point and the constants of Lab as in OpenCV, which `reinhard` uses."""
_WHITE = (0.950456, 1.0, 1.088754)
"""X, Y and Z of D65."""
_LAB_TO_XYZ = ((1 / 116, 1 / 500, 0), (1 / 116, 0, 0), (1 / 116, 0, -1 / 200))
"""L + 16, a and b to the roots of X, Y and Z."""
_DARK = 0.008856
"""Share of white below which Lab is linear."""
_DARK_SLOPE = 7.787
_DARK_ROOT = 16 / 116


def transfer_colors(
    mode: str,
    content: Tensor,
    reference: Tensor,
    content_weight: Tensor,
    reference_weight: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Give each picture the colours of another.

    Args:
        mode: rct: mean and spread of each Lab channel (Reinhard et al. 2001), the spread by a factor of 2.5 at most;
            lct: mean and covariance, by the product of their roots; mkl: the same, by the linear map that changes
            colours least (Pitie & Kokaram 2007); idt: the whole distribution, by histograms along random axes (Pitie
            et al. 2007); sot: likewise, by averages over several systems of axes of a sample (Bonneel et al. 2015);
            mix: lightness by its mean and spread, the other two channels of Lab by sot.
        content: (B, 3, H, W), the pictures that change.
        reference: (B, 3, h, w), whose colours they get; of any size.
        content_weight, reference_weight: (B, 1, H, W) and (B, 1, h, w) in [0, 1], how much a pixel counts in the
            statistics; idt and sot round it to 1/255. The whole picture changes.
        generator: what idt, sot and mix draw from.

    Returns:
        (B, 3, H, W) in [0, 1]; `content` where the weights of either picture add up to less than one pixel.

    Raises:
        ValueError: another mode.
    """
    x, y = content.flatten(2), reference.flatten(2)
    x_weight, y_weight = content_weight.flatten(2), reference_weight.flatten(2)
    x_known, y_known = (weight.sum(2, keepdim=True) >= 1 for weight in (x_weight, y_weight))
    x_weight, y_weight = x_weight.where(x_known, 1), y_weight.where(y_known, 1)
    match mode:
        case "rct":
            moved = _reinhard(x, y, x_weight, y_weight)
        case "lct" | "mkl":
            moved = fitted_covariance(mode, x, y, x_weight, y_weight)
        case "idt":
            moved = iterative_transfer(x, y, x_weight, y_weight, generator)
        case "sot":
            moved = sliced_transport(x, y, x_weight, y_weight, generator)
        case "mix":
            moved = _mix(x, y, x_weight, y_weight, generator)
        case _:
            raise ValueError(f"no colour transfer {mode}")
    return moved.clamp(0, 1).where(x_known & y_known, x).view(content.shape)


def transfer_picture(
    mode: str, content: NDArray[np.float32], reference: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`transfer_colors` for one picture in numpy, with the same draws in every call, so that a video does not flicker.

    Args:
        content, reference: (H, W, 3) float32 RGB in [0, 1].
        weight: (H, W) in [0, 1], of both.
    """
    if mode == "rct":
        return _reinhard_by_opencv(content, reference, weight)
    one, other = (torch.from_numpy(p.transpose(2, 0, 1).copy())[None] for p in (content, reference))
    share = torch.from_numpy(weight)[None, None]
    moved = transfer_colors(mode, one, other, share, share, torch.Generator().manual_seed(0))[0]
    return np.ascontiguousarray(moved.permute(1, 2, 0).numpy())


def _reinhard_by_opencv(
    content: NDArray[np.float32], reference: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """rct for one picture: 0.8 ms for a face of 128 pixels instead of 5, as OpenCV looks roots up in a table."""
    total = float(weight.sum())
    if total < 1:
        return content
    share = (weight / np.float32(total)).ravel()
    labs = [cv2.cvtColor(p, cv2.COLOR_RGB2LAB).reshape(-1, 3) for p in (content, reference)]
    means = [share @ lab for lab in labs]
    stds = [np.sqrt(share @ np.square(lab - mean)) for lab, mean in zip(labs, means, strict=True)]
    ratio = np.clip(stds[1] / np.maximum(stds[0], _LEAST_STD), 1 / _STEEPEST, _STEEPEST)
    moved = ((labs[0] - means[0]) * ratio + means[1]).astype(np.float32).reshape(content.shape)
    return np.asarray(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB).clip(0, 1), np.float32)


def _reinhard(x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor) -> Tensor:
    return lab_to_rgb(_mean_and_spread(rgb_to_lab(x), rgb_to_lab(y), x_weight, y_weight))


def _mean_and_spread(x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor) -> Tensor:
    x_mean, y_mean = weighted_mean(x, x_weight), weighted_mean(y, y_weight)
    x, y = x - x_mean, y - y_mean
    x_std, y_std = weighted_mean(x.square(), x_weight).sqrt(), weighted_mean(y.square(), y_weight).sqrt()
    return x * (y_std / x_std.clamp(min=_LEAST_STD)).clamp(1 / _STEEPEST, _STEEPEST) + y_mean


def _mix(x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor, generator: torch.Generator) -> Tensor:
    x, y = rgb_to_lab(x), rgb_to_lab(y)
    lightness = _mean_and_spread(x[:, :1], y[:, :1], x_weight, y_weight)
    x[:, :1], y[:, :1] = _MIX_LIGHTNESS, _MIX_LIGHTNESS
    tinted = sliced_transport(lab_to_rgb(x), lab_to_rgb(y), x_weight, y_weight, generator).clamp(0, 1)
    return lab_to_rgb(torch.cat([lightness, rgb_to_lab(tinted)[:, 1:]], 1))


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """(B, 3, ...) sRGB in [0, 1] to CIE Lab under D65: L in 0..100, a and b about -128..127.

    Source: IEC 61966-2-1 and CIE 15, with OpenCV's constants.
    """
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).pow_(2.4), rgb / 12.92)
    xyz = _mixed(_matrices(rgb.device)[0], linear)
    root = torch.where(xyz > _DARK, xyz.pow(1 / 3), _DARK_SLOPE * xyz + _DARK_ROOT)
    x, y, z = root.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """The inverse of `rgb_to_lab`; what lies outside sRGB is clipped to [0, 1]."""
    _, to_linear, to_roots = _matrices(lab.device)
    root = _mixed(to_roots, lab) + _DARK_ROOT
    xyz = torch.where(root > _DARK ** (1 / 3), root * root * root, (root - _DARK_ROOT) / _DARK_SLOPE)
    linear = _mixed(to_linear, xyz).clamp_(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.pow(1 / 2.4) - 0.055, 12.92 * linear)


def _mixed(matrix: Tensor, channels: Tensor) -> Tensor:
    return (matrix @ channels.flatten(2)).view_as(channels)


@functools.lru_cache(maxsize=4)
def _matrices(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """RGB to XYZ over white, its inverse, and Lab to roots."""
    forward = torch.tensor(_RGB_TO_XYZ, dtype=torch.float64) / torch.tensor(_WHITE, dtype=torch.float64)[:, None]
    there, back, roots = (m.float().to(device) for m in (forward, forward.inverse(), torch.tensor(_LAB_TO_XYZ)))
    return there, back, roots
