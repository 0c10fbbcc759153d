"""Answers about models and their training."""

from typing import Any

from lookalike.options import Options
from lookalike.pipeline.model_folders import BackupSeen, ModelSeen
from lookalike.pipeline.workspace import Side


class Trainer(Options):
    """The job that trains a model."""

    number: int
    kind: str


class Models(Options):
    """The models of a workspace."""

    models: list[ModelSeen]
    jobs: dict[str, Trainer]
    """By model."""
    last: str | None
    """The one trained last."""
    faces: dict[Side, bool]
    """Whether there are any."""


class Plan(Options):
    """Sizes and options that a new training would have; or `problem` alone."""

    sizes: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    problem: str | None = None


class Curve(Options):
    """Lowest, highest and mean value of each span of iterations; null where there is none."""

    low: list[float | None]
    high: list[float | None]
    mean: list[float | None]


class CurvesSeen(Options):
    """Losses over time."""

    first: list[int]
    """First iteration of each span."""
    last: list[int]
    values: dict[str, Curve]


class ModelData(Options):
    """All that is known of a model while it is trained."""

    model: str
    workspace: str
    running: bool
    silent_seconds: float | None
    """Since the training last gave word; null if none runs."""
    status: dict[str, Any] | None
    """What the training said last."""
    resident_bytes: int | None
    iteration: int
    target: int
    """0 for no limit."""
    minutes: float | None
    seconds: float | None
    generation: int
    """Rises when what was told before is no longer true."""
    curves: CurvesSeen
    validation: list[dict[str, float | None]]
    """Measurements on faces held out, by name."""
    same_person: float
    """Distance below which a recogniser takes two faces for one person."""
    advice: str
    """When to stop."""
    options: dict[str, Any]
    sizes: dict[str, Any]
    previews: dict[str, str | None]
    """By name what changes with the picture."""
    pictures: list[str]
    """Of the history, in order."""
    kind: str
    job: int | None
    """That trains it."""
    backups: list[BackupSeen]
    timelapse: str | None
