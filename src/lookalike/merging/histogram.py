"""Giving a picture the histogram of another. Pure."""

import numpy as np
from numpy.typing import NDArray


def match_histograms(
    source: NDArray[np.float32],
    template: NDArray[np.float32],
    threshold: float = 255,
    where: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Give each channel of `source` the distribution of values of that of `template`.

    Args:
        source, template: (H, W, 3) and (h, w, 3) float32.
        threshold: 0 to 255; quantiles of `source` are scaled by threshold / 255 before they are looked up, so that
            below 255 the brightest values of `template` are never reached.
        where: (H, W), the pixels of both that count; everywhere if left out. All of `source` is changed, by the map
            that these pixels give. (DeepFaceLab made the others white instead, which could show as a rim.)

    Returns:
        (H, W, 3) float32.

    Source: exact histogram specification by quantiles; the threshold is DeepFaceLab's (2019).
    """
    channels = range(source.shape[2])
    seen, wanted = (p.reshape(-1, p.shape[2]) if where is None else p[where] for p in (source, template))
    if not len(seen):
        return source
    matched = [_match_channel(source[..., c], seen[:, c], wanted[:, c], threshold / 255) for c in channels]
    return np.stack(matched, 2).astype(np.float32)


def _match_channel(
    source: NDArray[np.float32], seen: NDArray[np.float32], wanted: NDArray[np.float32], top: float
) -> NDArray[np.floating]:
    values, counts = np.unique(seen, return_counts=True)
    template, template_counts = np.unique(wanted, return_counts=True)
    quantiles = np.cumsum(counts) / len(seen) * top
    targets = np.interp(quantiles, np.cumsum(template_counts) / len(wanted), template)
    return np.interp(source, values, targets)
