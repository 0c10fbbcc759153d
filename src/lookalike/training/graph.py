"""The loss graph above a preview, drawn as DeepFaceLab's users know it. Imports no torch."""

import colorsys
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_BACK: Final = 25
"""Gray behind the bars, 0.1 of white."""
_LINE: Final = 204
"""Gray of the horizontal lines and of the number, 0.8 of white."""
_BANDS: Final = 5
"""Spaces between the six horizontal lines."""
_SETTLED: Final = 5
"""The first of so many parts of the curve does not count for the scale: losses fall steeply there."""

Rgb = NDArray[np.uint8]


def loss_graph(
    losses: NDArray[np.floating], width: int, height: int = 100, *, last: int | None = None, iteration: int
) -> Rgb:
    """Losses as bars from the lowest to the highest value of each column's iterations.

    The full height is twice the mean of the last 80 % of all values shown; higher ones end at the top.

    Args:
        losses: (N, K), a row an iteration, src first; NaN and infinite values are left out.
        width: pixels; each column stands for N / width iterations that follow each other.
        height: pixels, at least 6.
        last: show so many iterations only, the newest.
        iteration: number written into the lowest band.

    Returns:
        (height, width, 3). With two losses src is blue and dst yellow, drawn over src.

    Raises:
        ValueError: losses are not (N, K), or there is no room for six lines.
    """
    if losses.ndim != 2:
        raise ValueError(f"losses must be (N, K), got {losses.shape}")
    if width < 1 or height <= _BANDS:
        raise ValueError(f"the graph must be at least 1x{_BANDS + 1} pixels, got {width}x{height}")
    shown = losses if last is None else losses[max(len(losses) - last, 0) :]
    graph = np.full((height, width, 3), _BACK, np.uint8)
    if shown.size:
        values = np.where(np.isfinite(shown), shown, np.nan).astype(np.float64)
        scale = (height - 1) / _full_height(values)
        starts = np.arange(width) * len(values) // width
        level = np.arange(height)[::-1, None]  # of each row of the picture, 0 at the bottom
        for number, loss in enumerate(values.T):
            low, high = np.fmin.reduceat(loss, starts), np.fmax.reduceat(loss, starts)
            bottom, top = (np.clip(edge * scale, 0, height - 1) for edge in (low, high))  # NaN stays: no bar
            graph[(level >= np.floor(bottom)) & (level <= np.floor(top))] = _color(number, values.shape[1])
    for line in range(_BANDS + 1):
        graph[line * (height - 1) // _BANDS] = _LINE
    return _numbered(graph, iteration)


def with_graph(preview_rgb: Rgb, graph: Rgb) -> Rgb:
    """The preview with the graph above it.

    Raises:
        ValueError: their widths differ.
    """
    if preview_rgb.shape[1:] != graph.shape[1:]:
        raise ValueError(f"preview {preview_rgb.shape} and graph {graph.shape} differ in width")
    return np.concatenate([graph, preview_rgb])


def _full_height(values: NDArray[np.float64]) -> float:
    """The loss at the upper edge; 1 where no value is known, or all are 0."""
    settled = values[len(values) // _SETTLED :]
    known = settled[np.isfinite(settled)]
    mean = float(known.mean()) if known.size else 0.0
    return 2 * mean if mean > 0 else 1.0


def _color(number: int, count: int) -> tuple[int, int, int]:
    """Hue number / count, counted from blue on: the specification's hues are of BGR pictures."""
    red, green, blue = colorsys.hsv_to_rgb(number / count, 1, 1)
    return round(blue * 255), round(green * 255), round(red * 255)


def _numbered(graph: Rgb, iteration: int) -> Rgb:
    height = len(graph)
    top = (_BANDS - 1) * (height - 1) // _BANDS
    image = Image.fromarray(graph)
    font = ImageFont.load_default(max((height - top) * 0.7, 6))
    middle = (top + height) / 2
    ImageDraw.Draw(image).text((4, middle), f"iteration {iteration}", (_LINE,) * 3, font, anchor="lm")
    return np.array(image)
