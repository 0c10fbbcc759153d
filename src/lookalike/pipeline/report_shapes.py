"""What `look_at_report` gives, as types."""

from typing import Any

from lookalike.options import Options
from lookalike.reporting.figures import Report, TrustFacts
from lookalike.reporting.table import Section


class ReportSeen(Options):
    """A report that was made."""

    good: int
    checked: int
    """How many figures can be good or bad, and `good` how many are good."""
    old: bool
    """It is about a result that is not there any more."""
    made: float
    """Unix seconds."""
    sections: list[Section]
    """The figures in words."""
    figures: Report
    """The figures."""


class Compared(Options):
    """What was compared last."""

    names: list[str]


class ResultSeen(Options):
    """How a result was made."""

    name: str
    inside: bool
    """Whether it lies in the workspace."""
    changed: float
    bytes: int
    version: str
    model: str | None
    kind: str | None
    iterations: int | None
    frames: int | None
    frames_with_face: int | None
    trust: TrustFacts
    settings: dict[str, dict[str, Any]]
    """By step."""


class ReportLook(Options):
    """The report and the result of a workspace."""

    report: ReportSeen | None
    unreadable: bool
    """There is one that this version cannot read."""
    page: bool
    """Whether there is an `index.html`."""
    comparison: Compared | None
    result: ResultSeen | None
