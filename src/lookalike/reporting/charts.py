"""Line charts as inline SVG, coloured by the page's style sheet. Imports no numpy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 860, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 10, 30
_MOST_POINTS = 600

Point = tuple[float, float | None]
"""Seconds, value; None breaks the line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over time."""

    title: str
    unit: str
    """What the vertical axis shows, in a few words."""
    lines: Sequence[Line]


def draw_chart(chart: Chart) -> str:
    """A figure element with legend and SVG; a sentence in place of the curves if there is nothing to draw."""
    values = [v for line in chart.lines for _, v in line.points if v is not None]
    head = f"<figcaption>{escape(chart.title)} <small>{escape(chart.unit)}</small></figcaption>"
    if not values:
        return f"<figure class='chart'>{head}<p>Nothing was measured.</p></figure>"
    times = [t for line in chart.lines for t, v in line.points if v is not None]
    x_ticks, y_ticks = _ticks(min(times), max(times), 8), _ticks(min(values), max(values), 4)
    x_low, x_high = min(times), max(max(times), min(times) + 1e-3)
    y_low, y_high = min(y_ticks[0], min(values)), max(y_ticks[-1], max(values))

    def x_of(seconds: float) -> float:
        return _LEFT + (seconds - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{escape(chart.title, quote=True)}'>"]
    for tick in y_ticks:
        parts.append(
            f"<line class='grid' x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y_of(tick):.1f}' y2='{y_of(tick):.1f}'/>"
        )
        parts.append(f"<text x='{_LEFT - 6}' y='{y_of(tick) + 4:.1f}' text-anchor='end'>{tick:g}</text>")
    for tick in (t for t in x_ticks if x_low <= t <= x_high):
        parts.append(f"<text x='{x_of(tick):.1f}' y='{_HEIGHT - 10}' text-anchor='middle'>{tick:g} s</text>")
    for number, line in enumerate(chart.lines):
        path = _path([(x_of(t), None if v is None else y_of(v)) for t, v in thin_out(line.points, _MOST_POINTS)])
        parts.append(f"<path class='line{number}' d='{path}'/>")
    parts.append("</svg>")
    legend = "".join(f"<span class='key{number}'>{escape(line.name)}</span>" for number, line in enumerate(chart.lines))
    return f"<figure class='chart'>{head}<div class='legend'>{legend}</div>{''.join(parts)}</figure>"


def thin_out(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points: each the mean of as many neighbours; None where none of them has a value."""
    if len(points) <= most:
        return list(points)
    width = -(-len(points) // most)
    thin: list[Point] = []
    for start in range(0, len(points), width):
        group = points[start : start + width]
        known = [v for _, v in group if v is not None]
        seconds = sum(t for t, _ in group) / len(group)
        thin.append((seconds, sum(known) / len(known) if known else None))
    return thin


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    commands, pen_down = [], False
    for x, y in points:
        if y is not None:
            commands.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
            if not pen_down:
                commands.append("h.01")  # a point on its own shows as a dot
        pen_down = y is not None
    return "".join(commands)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers that span low..high, about `count` of them, at least two."""
    span = max(high - low, 1e-3)
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 9) for k in range(first, max(last, first + 1) + 1)]
