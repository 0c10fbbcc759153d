"""Pictures of a faceset's figures. The only importer of the plotting library outside the sample."""

import io
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.coverage import PITCH_EDGES, YAW_EDGES, Coverage, cells, counts, directions
from lookalike.curation.facts import Facts

_INK, _MARK = "#2b2b33", "#c8102e"
_REACH_YAW, _REACH_PITCH = 68, 78
"""Degrees shown; a record's pose ends at 64 and 74."""
_STEP = 4


def plot_faceset(title: str, faces: Sequence[Facts]) -> bytes:
    """A PNG: where the heads look, how large the faces are, and how sharp."""
    figure, save = _figure(12, 6.2)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.25, 1))
    _map(figure, figure.add_subplot(grid[:, 0]), f"{title}: where {len(faces)} faces look", directions(faces))
    sides = np.array([face.side for face in faces])
    sharp = np.array([face.sharpness for face in faces])
    _histogram(figure.add_subplot(grid[0, 1]), "Size of the face in the frame (side, pixels)", sides)
    _histogram(figure.add_subplot(grid[1, 1]), "Sharpness (left is blurred; logarithmic)", sharp, logarithmic=True)
    return save()


def plot_coverage(src: Sequence[Facts], dst: Sequence[Facts], coverage: Coverage) -> bytes:
    """A PNG: where src looks beside where dst looks, the holes outlined."""
    figure, save = _figure(14, 6.6)
    left, right = figure.subplots(1, 2)
    holes = {hole.direction for hole in coverage.holes}
    _map(figure, left, f"src: {len(src)} faces", directions(src), holes)
    _map(figure, right, f"dst: {len(dst)} faces, {coverage.covered:.0%} with a src face near", directions(dst), holes)
    return save()


def _figure(width: float, height: float) -> tuple[Any, Callable[[], bytes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)

    def save() -> bytes:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()

    return figure, save


def _map(
    figure: Any, axes: Any, title: str, views: NDArray[np.float64], holes: frozenset[str] | set[str] = frozenset()
) -> None:
    from matplotlib.colors import LogNorm

    edges_x = np.arange(-_REACH_YAW, _REACH_YAW + 1, _STEP)
    edges_y = np.arange(-_REACH_PITCH, _REACH_PITCH + 1, _STEP)
    heat, _, _ = np.histogram2d(views[:, 1], views[:, 0], bins=(edges_y, edges_x))
    shown = np.ma.masked_equal(heat, 0)
    norm = LogNorm(1, max(10.0, float(heat.max())))
    mesh = axes.pcolormesh(edges_x, edges_y, shown, norm=norm, cmap="viridis_r")
    figure.colorbar(mesh, ax=axes, label="faces", shrink=0.8)
    for edge in YAW_EDGES[1:-1]:
        axes.axvline(edge, color=_INK, linewidth=0.6)
    for edge in PITCH_EDGES[1:-1]:
        axes.axhline(edge, color=_INK, linewidth=0.6)
    _name_cells(axes, counts(views), holes)
    axes.set(xlim=(-_REACH_YAW, _REACH_YAW), ylim=(-_REACH_PITCH, _REACH_PITCH), title=title)
    axes.set(xlabel="yaw: toward the picture's left < 0 < right (degrees)", ylabel="pitch: down < 0 < up (degrees)")


def _name_cells(axes: Any, numbers: dict[str, int], holes: frozenset[str] | set[str]) -> None:
    """Write each direction's name and count at the foot of its cell; outline those with a hole."""
    from matplotlib.patches import Rectangle

    width = {yaw: (left, right) for left, right, yaw in _spans(YAW_EDGES, _REACH_YAW)}
    height = {pitch: (low, high) for low, high, pitch in _spans(PITCH_EDGES, _REACH_PITCH)}
    for name, yaw, pitch in cells():
        (left, right), (low, high) = width[yaw], height[pitch]
        hole = name in holes
        text = f"{name.replace('straight ahead', 'ahead').replace(' and ', ' & ')}\n{numbers[name]}"
        behind = {"facecolor": "white", "alpha": 0.75, "pad": 1, "edgecolor": "none"}
        place, color = ((left + right) / 2, low + 1), _MARK if hole else _INK
        axes.text(*place, text, ha="center", va="bottom", fontsize=7, color=color, bbox=behind)
        if hole:
            axes.add_patch(
                Rectangle((left + 0.5, low + 0.5), right - left - 1, high - low - 1, fill=False, ec=_MARK, lw=2)
            )


def _spans(edges: Sequence[float], reach: float) -> list[tuple[float, float, float]]:
    """Both ends as far as they are shown, and the middle as `cells` gives it."""
    return [(max(low, -reach), min(high, reach), (low + high) / 2) for low, high in pairwise(edges)]


def _histogram(axes: Any, title: str, values: NDArray[np.float64], logarithmic: bool = False) -> None:
    known = values[np.isfinite(values)]
    if logarithmic:
        known = np.maximum(known, 0.1)
        low, high = np.log10(known.min()), np.log10(known.max())
        bins = np.logspace(low, max(high, low + 0.1), 41)
        axes.set_xscale("log")
    else:
        bins = np.linspace(known.min(), max(known.max(), known.min() + 1), 41)
    axes.hist(known, bins=bins, color="#3b6ea5")
    middle = float(np.median(known))
    axes.axvline(middle, color=_MARK, linewidth=1.2, label=f"median {middle:.3g}")
    axes.legend(frameon=False, fontsize=8)
    axes.set(title=title, ylabel="faces")
