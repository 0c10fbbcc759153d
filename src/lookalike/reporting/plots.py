"""The figures over time, drawn by matplotlib as one SVG that takes its colours from the page."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.reporting.figures import VISIBLE_STEP
from lookalike.reporting.measure import FaceFigures, FrameFigures
from lookalike.reporting.table import LANDMARK_ERROR, POSE_ERROR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 1200
_WIDTH, _ROW = 9.0, 1.45
"""Inches."""
_COLORS: Final = {"#010203": "--line0", "#010204": "--line1", "#010205": "--line2", "#010206": "--line3"}
"""Stand-ins that become the page's own colours."""
_TEXT, _RULE, _MARK = "#010207", "#010208", "#010209"
_NAMES: Final = {**_COLORS, _TEXT: "--soft", _RULE: "--rule", _MARK: "--bad"}

Value = float | None
Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One plot; all share the time."""

    title: str
    lines: Sequence[tuple[str, Series]]
    """Name and a value for each frame, NaN where there is none."""
    errors: bool = False
    """Whether the largest of several frames is what counts, not their mean."""
    limit: float | None = None
    """From where on it is bad."""


def draw_plots(frames: Sequence[FrameFigures], worst: Sequence[int] = ()) -> str:
    """An SVG element to stand in a page that has the style sheet of `page`; empty if nothing was measured.

    Args:
        frames: in order.
        worst: numbers of frames to mark.
    """
    rows = [row for row in plot_rows(frames) if any(np.isfinite(values).any() for _, values in row.lines)]
    if not rows:
        return ""
    from matplotlib import rc_context  # 0.5 s: only when a report is made
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    seconds = np.array([frame.seconds for frame in frames])
    marks = [frame.seconds for frame in frames if frame.frame in set(worst)]
    with rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "lookalike",
            "font.size": 9,
            "text.color": _TEXT,
            "axes.edgecolor": _RULE,
            "axes.labelcolor": _TEXT,
            "xtick.color": _TEXT,
            "ytick.color": _TEXT,
            "path.simplify": True,
        }
    ):
        figure = Figure((_WIDTH, _ROW * len(rows) + 0.4), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        all_axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
        for axes, row in zip(all_axes, rows, strict=True):
            _draw(axes, row, seconds, marks)
        all_axes[-1].set_xlabel("seconds")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _for_page(out.getvalue())


def plot_rows(frames: Sequence[FrameFigures]) -> list[Row]:
    """What is shown over time; lines break where it was not measured."""

    def series(value: Callable[[FrameFigures], Value]) -> Series:
        return np.array([np.nan if (v := value(f)) is None else v for f in frames], np.float64)

    def of_found(value: Callable[..., float]) -> Series:
        return series(lambda f: None if f.face is None or f.face.found is None else value(f.face.found))

    def of_face(value: Callable[..., Value]) -> Series:
        return series(lambda f: None if f.face is None else value(f.face))

    names = sorted({name for f in frames if f.face is not None for name in f.face.identity})
    people = [
        (f"to {who} ({name})", of_face(partial(_distance, name=name, who=who)))
        for name in names
        for who in ("dst", "src")
    ]
    return [
        Row(
            "Mouth opening", [("dst", of_found(lambda x: x.dst.mouth)), ("result", of_found(lambda x: x.result.mouth))]
        ),
        Row("Eye opening", [("dst", of_found(lambda x: x.dst.eyes)), ("result", of_found(lambda x: x.result.eyes))]),
        Row("Identity: distance to both people", people),
        Row(
            "Landmark error, eye distances",
            [("", of_found(lambda x: x.landmark_error))],
            errors=True,
            limit=LANDMARK_ERROR,
        ),
        Row("Pose error, degrees", [("", of_found(lambda x: x.pose.angle))], errors=True, limit=POSE_ERROR),
        Row("Expression error", [("", of_found(lambda x: x.expression.mean))], errors=True),
        Row(
            "Change along dst's motion, codes",
            [
                ("dst", of_face(lambda x: x.warping[0] if x.warping else None)),
                ("result", of_face(lambda x: x.warping[1] if x.warping else None)),
            ],
            errors=True,
        ),
        Row("Step at the border, CIE Lab", [("", of_face(lambda x: x.seam.step))], errors=True, limit=VISIBLE_STEP),
        Row("Sharpness beside dst's", [("", of_face(lambda x: x.sharpness))]),
    ]


def thin_out(seconds: Series, values: Series, most: int, errors: bool = False) -> tuple[Series, Series]:
    """At most `most` points: of neighbours the mean, or the largest where `errors`; NaN where none has a value."""
    if len(values) <= most:
        return seconds, values
    width = -(-len(values) // most)
    starts = range(0, len(values), width)
    groups = [values[start : start + width] for start in starts]
    known = [group[np.isfinite(group)] for group in groups]
    thin = [float(k.max() if errors else k.mean()) if k.size else np.nan for k in known]
    return np.array([seconds[start : start + width].mean() for start in starts]), np.array(thin)


def _distance(face: FaceFigures, name: str, who: str) -> Value:
    identity = face.identity.get(name)
    return None if identity is None else float(getattr(identity, f"to_{who}"))


def _draw(axes: "Axes", row: Row, seconds: Series, marks: Sequence[float]) -> None:
    colors = list(_COLORS)
    for number, (name, values) in enumerate(row.lines):
        color = colors[number % len(colors)]
        known = np.isfinite(values)
        sparse = known.sum() < 0.5 * len(known)  # measured here and there: joined, with dots
        x, y = (seconds[known], values[known]) if sparse else thin_out(seconds, values, _MOST_POINTS, row.errors)
        axes.plot(
            x, y, color=color, linewidth=1.2, marker="." if sparse or len(x) < 3 else "", markersize=3, label=name
        )
    if row.limit is not None and max(float(np.nanmax(v)) for _, v in row.lines) >= row.limit / 2:
        axes.axhline(row.limit, color=_MARK, linewidth=0.8, linestyle=(0, (4, 3)))
    if marks:
        axes.plot(
            marks, [0.02] * len(marks), linestyle="", marker="|", color=_MARK, transform=axes.get_xaxis_transform()
        )
    axes.set_title(row.title, loc="left", fontsize=9, fontweight="bold")
    axes.patch.set_visible(False)
    axes.grid(axis="y", color=_RULE, linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(x=0.01)
    axes.locator_params(axis="y", nbins=4)
    if len(row.lines) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.97), ncols=len(row.lines), frameon=False, borderpad=0)


def _for_page(svg: str) -> str:
    """The element alone, as wide as the page, its colours by name."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r" font-family: [^;]*;", "", svg)
    svg = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1
    )
    for color, name in _NAMES.items():
        svg = svg.replace(color, f"var({name})")
    return svg
