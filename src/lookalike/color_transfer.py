"""Making one picture's colours those of another. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray


def reinhard(
    content: NDArray[np.float32],
    reference: NDArray[np.float32],
    weight: NDArray[np.floating],
    reference_weight: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """Bring mean and spread of each Lab channel of `content` to those of `reference` (`rct`).

    Args:
        content, reference: (H, W, 3) float32 RGB in [0, 1].
        weight: (H, W), how much a pixel counts in the statistics of both; pixels of weight 0 do not count. (The
            implementation of 2019 counted them as black, which made the result depend on the mask's size.)
        reference_weight: for the reference, where it differs.

    Returns:
        (H, W, 3) float32 RGB in [0, 1]; `content` itself where nothing has weight.

    Source: Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001.
    """
    if reference_weight is None:
        reference_weight = weight
    if weight.sum() < 1 or reference_weight.sum() < 1:
        return content
    lab, other = (np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2LAB), np.float32) for p in (content, reference))
    mean, std = _statistics(lab, weight)
    other_mean, other_std = _statistics(other, reference_weight)
    moved = (lab - mean) * (other_std / np.maximum(std, 1e-3)) + other_mean
    return np.asarray(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1), np.float32)


def _statistics(
    picture: NDArray[np.floating], weight: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    shares = (weight / weight.sum())[..., None]
    mean = (picture * shares).sum((0, 1))
    return mean, np.sqrt((((picture - mean) ** 2) * shares).sum((0, 1)))
