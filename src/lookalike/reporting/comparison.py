"""Results side by side: which is better at what. Pure; imports no numpy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from lookalike.options import Options
from lookalike.reporting.figures import Report

FORMAT = 1

Better = Literal["higher", "lower", "near 1"]


class ComparedResult(Options):
    """One of the results."""

    name: str
    """By which it is told from the others."""
    result: str
    """Path of the video."""
    report: str
    """Folder of its own report, as seen from the folder of the comparison."""
    strip: str | None = None
    """Picture of its strip, beside the comparison."""
    src: str
    """File name of the src video."""
    dst: str
    """File name of the dst video."""


class ComparedFigure(Options):
    """One figure of all results."""

    name: str
    """What it is called in the reports."""
    better: Better
    """Which way is better."""
    values: list[float | None]
    """By result; None where it was not measured."""
    differences: list[float | None]
    """Each value minus the first."""
    texts: list[str]
    """The values for people to read."""
    best: int | None
    """Place of the best result, from 0; None where they differ by no more than chance, or were not measured."""


class Comparison(Options):
    """`comparison.json`."""

    format: int = FORMAT
    version: str
    """Of Lookalike."""
    results: list[ComparedResult] = Field(min_length=2)
    """In the order in which they were named."""
    figures: list[ComparedFigure]
    """Everything that was compared."""
    notes: list[str] = Field(default_factory=list)
    """What to keep in mind."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A figure that can be compared."""

    name: str
    value: Callable[[Report], float | None]
    better: Better
    same: float
    """Two values this near are the same."""
    text: str
    """How it is written."""


def _bad_frames(report: Report) -> float:
    return float(sum(frame.score >= 1 for frame in report.worst))


_KINDS = (
    _Kind("Frames lost", lambda r: float(abs(r.frames.lost)), "lower", 0, "{:.0f}"),
    _Kind("Faces found in the result", lambda r: float(r.frames.face_found), "higher", 0, "{:.0f}"),
    _Kind("Landmark error", lambda r: r.landmarks.mean, "lower", 0.001, "{:.4f}"),
    _Kind("Pose error", lambda r: r.pose.mean, "lower", 0.1, "{:.2f}°"),
    _Kind("Expression error", lambda r: r.expression.mean, "lower", 0.001, "{:.4f}"),
    _Kind("Mouth moves with dst's", lambda r: r.motion.mouth.value, "higher", 0.005, "{:.3f}"),
    _Kind("Eyes move with dst's", lambda r: r.motion.eyes.value, "higher", 0.005, "{:.3f}"),
    _Kind("Gaze moves with dst's", lambda r: r.motion.gaze.value, "higher", 0.005, "{:.3f}"),
    _Kind("Brightness outside", lambda r: r.outside.luma_psnr, "higher", 0.1, "{:.2f} dB"),
    _Kind("Sharpness", lambda r: r.inside.sharpness, "near 1", 0.01, "{:.1%}"),
    _Kind("Colour at the edge", lambda r: r.inside.border, "lower", 0.05, "{:.2f}"),
    _Kind("Step at the border", lambda r: r.seam.step, "lower", 0.03, "{:.2f}"),
    _Kind("Warping error", lambda r: r.temporal.ratio, "lower", 0.01, "{:.1%}"),
    _Kind("Worst frame's score", lambda r: r.worst[0].score if r.worst else None, "lower", 0.05, "{:.2f}"),
    _Kind("Worst frames past a limit", _bad_frames, "lower", 0, "{:.0f}"),
)


def compare_figures(reports: Sequence[Report]) -> list[ComparedFigure]:
    """Every figure of two or more reports."""
    return [_compared(kind, reports) for kind in (*_identity_kinds(reports), *_KINDS)]


def wins(figures: Sequence[ComparedFigure], count: int) -> list[int]:
    """In how many figures each of `count` results is best."""
    return [sum(figure.best == place for figure in figures) for place in range(count)]


def _compared(kind: _Kind, reports: Sequence[Report]) -> ComparedFigure:
    values = [kind.value(report) for report in reports]
    first = values[0]
    return ComparedFigure(
        name=kind.name,
        better=kind.better,
        values=values,
        differences=[None if v is None or first is None else round(v - first, 6) for v in values],
        texts=["not measured" if v is None else kind.text.format(v) for v in values],
        best=_best(kind, values),
    )


def _best(kind: _Kind, values: Sequence[float | None]) -> int | None:
    """The one that is better than every other by more than `same`."""
    worth = [(_worth(kind.better, value), place) for place, value in enumerate(values) if value is not None]
    if len(worth) < 2:
        return None
    second, first = sorted(worth)[-2:]
    return first[1] if first[0] - second[0] > kind.same + 1e-9 else None


def _worth(better: Better, value: float) -> float:
    if better == "near 1":
        return -abs(value - 1)
    return value if better == "higher" else -value


def _identity_kinds(reports: Sequence[Report]) -> list[_Kind]:
    """By each recogniser that judged any of the results."""
    names = dict.fromkeys(figures.recogniser for report in reports for figures in report.identities())
    kinds = []
    for name in names:
        shown: tuple[tuple[str, str, Better, str], ...] = (
            ("Nearer to src", "nearer_to_src", "higher", "{:.1%}"),
            ("Result to src", "result_to_src", "lower", "{:.3f}"),
            ("Result to dst", "result_to_dst", "higher", "{:.3f}"),
        )
        kinds += [
            _Kind(f"{what} ({name})", _identity_value(name, key), way, 0.005, text) for what, key, way, text in shown
        ]
    return kinds


def _identity_value(recogniser: str, field: str) -> Callable[[Report], float | None]:
    def value(report: Report) -> float | None:
        for figures in report.identities():
            if figures.recogniser == recogniser:
                found: float | None = getattr(figures, field)
                return found
        return None

    return value
