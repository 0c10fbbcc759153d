"""Which figures the page shows over time. Pure."""

from collections.abc import Sequence

from lookalike.reporting.charts import Chart, Line
from lookalike.reporting.measure import FrameFigures


def draw_curves(frames: Sequence[FrameFigures]) -> list[Chart]:
    """Mouth, eyes and identity over time; lines break where the face was not found."""
    found = [(f.seconds, f.face.found if f.face is not None else None) for f in frames]
    embedded = [(f.seconds, f.face.identity) for f in frames if f.face is not None and f.face.identity is not None]
    return [
        Chart(
            "Mouth opening",
            "gap between the lips over the eye distance",
            [
                Line("dst", [(t, f.dst.mouth if f else None) for t, f in found]),
                Line("result", [(t, f.result.mouth if f else None) for t, f in found]),
            ],
        ),
        Chart(
            "Eye opening",
            "height over width of the eyes",
            [
                Line("dst", [(t, f.dst.eyes if f else None) for t, f in found]),
                Line("result", [(t, f.result.eyes if f else None) for t, f in found]),
            ],
        ),
        Chart(
            "Identity of the result",
            "distance; the lower line is the nearer person",
            [
                Line("to dst", [(t, i.to_dst) for t, i in embedded]),
                Line("to src", [(t, i.to_src) for t, i in embedded]),
            ],
        ),
    ]
