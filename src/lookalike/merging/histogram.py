"""Giving a picture the histogram of another. Pure."""

import numpy as np
from numpy.typing import NDArray


def match_histograms(
    source: NDArray[np.float32], template: NDArray[np.float32], threshold: float = 255
) -> NDArray[np.float32]:
    """Give each channel of `source` the distribution of values of that of `template`.

    Args:
        source, template: (H, W, 3) and (h, w, 3) float32.
        threshold: 0 to 255; quantiles of `source` are scaled by threshold / 255 before they are looked up, so that
            below 255 the brightest values of `template` are never reached.

    Returns:
        (H, W, 3) float32.

    Source: exact histogram specification by quantiles; the threshold is DeepFaceLab's (2019).
    """
    matched = [_match_channel(source[..., c], template[..., c], threshold / 255) for c in range(source.shape[2])]
    return np.stack(matched, 2).astype(np.float32)


def _match_channel(source: NDArray[np.float32], template: NDArray[np.float32], top: float) -> NDArray[np.floating]:
    _, places, counts = np.unique(source, return_inverse=True, return_counts=True)
    values, template_counts = np.unique(template, return_counts=True)
    quantiles = np.cumsum(counts) / source.size * top
    wanted = np.interp(quantiles, np.cumsum(template_counts) / template.size, values)
    return np.asarray(wanted[places].reshape(source.shape))
