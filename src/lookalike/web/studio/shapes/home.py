"""Answers of the first page."""

from typing import Any, Literal

from lookalike.options import Options
from lookalike.pipeline.workspace import Side


class Session(Options):
    """How one is let in."""

    login: bool
    """Whether a password was asked for, so that one can log out."""


class Control(Options):
    """One option as a page shows it."""

    name: str
    help: str
    default: Any
    optional: bool
    """Whether it may be left empty."""
    kind: Literal["flag", "choice", "whole", "number", "text"]
    choices: list[Any] | None = None
    """Only of a choice; the next three only of the other kinds."""
    least: float | None = None
    most: float | None = None
    step: float | None = None


class SideSeen(Options):
    """One side at a glance."""

    video: str | None
    """The name its owner gave it."""
    there: bool
    faces: int


class ModelGlance(Options):
    """The model that was trained last."""

    name: str
    iteration: int


class ResultGlance(Options):
    """The newest result."""

    name: str
    changed: float | None
    """Unix seconds, as everywhere."""


class ReportGlance(Options):
    """How many figures of the report can be good or bad, and how many are good."""

    good: int
    checked: int
    old: bool
    """It is about a result that is not there any more."""


class SideConsent(Options):
    """What is on record for a side."""

    state: str
    lacks: str
    command: str
    """That adds what is missing."""


class ConsentGlance(Options):
    """Who agreed; `error` alone if the records cannot be read."""

    required: bool | None = None
    """Whether merging is refused without."""
    sides: dict[Side, SideConsent] | None = None
    error: str | None = None


class Card(Options):
    """A workspace at a glance; of one that cannot be read `error` is given, and only name and time besides."""

    name: str
    changed: float | None
    sides: dict[Side, SideSeen] | None = None
    model: ModelGlance | None = None
    result: ResultGlance | None = None
    report: ReportGlance | None = None
    consent: ConsentGlance | None = None
    picture: str | None = None
    """Changes with the picture; null if there is none."""
    error: str | None = None


class PresetSeen(Options):
    """A preset in short."""

    resolution: int
    minutes: float | None = None
    iterations: int | None = None


class Home(Options):
    """The workspaces that are served, the one that changed last first."""

    root: str
    first: str | None
    """The workspace that the studio was started with."""
    workspaces: list[Card]
    most_bytes: int
    """Of a file that is uploaded."""
    presets: dict[str, PresetSeen]


class Made(Options):
    """The workspace that was made."""

    name: str
