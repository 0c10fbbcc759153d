"""What came of every job of a batch, in one table: `batch.json`, and lines for a terminal. Imports no numpy."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from lookalike.errors import LookalikeError
from lookalike.options import Options
from lookalike.pipeline.batch_file import BatchFile, BatchJob
from lookalike.pipeline.batch_state import Ledger, State, log_of
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.figures import VISIBLE_STEP
from lookalike.reporting.table import LANDMARK_ERROR, NEARER_TO_SRC, WARPING

FORMAT: Final = 1


class JobRow(Options):
    """One job. Figures are None where the job's report has none; see the report for what they mean."""

    name: str
    src: str
    """File name of the video."""
    dst: str
    src_identity: str
    dst_identity: str
    state: State
    attempts: int
    seconds: float
    """That all attempts took."""
    error: str = ""
    iterations: int | None = None
    """Steps that the model was trained for."""
    nearer_to_src: float | None = None
    """Share of measured faces, 0..1."""
    landmark_error: float | None = None
    """In eye distances of dst."""
    warping_error: float | None = None
    """Of the result over that of dst."""
    seam: float | None = None
    """Step across the border, CIE Lab."""
    frames_lost: int | None = None
    output: str
    """The video, from the folder of the table."""
    report: str | None = None
    """Its page, from the folder of the table; None before there is one."""
    log: str
    """What the job's command said, from the folder of the table."""


class BatchTable(Options):
    """`batch.json`."""

    format: Literal[1] = FORMAT
    version: str
    """Of Lookalike."""
    file: str
    """Name of the file of jobs."""
    jobs: list[JobRow] = Field(default_factory=list)
    """In the order of the file."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of the table."""

    key: str
    title: str
    shape: str
    """How a number is written."""
    limit: float | None = None
    """Where good ends and bad begins; None for a figure that is neither."""
    larger: bool = False
    """Whether larger is better."""

    def text(self, row: JobRow) -> str:
        """The figure as people read it; empty for none."""
        value = getattr(row, self.key)
        return "" if value is None else format(value, self.shape)

    def good(self, row: JobRow) -> bool | None:
        """Whether the figure is good; None where nobody can say."""
        value = getattr(row, self.key)
        if value is None or self.limit is None:
            return None
        return bool(value >= self.limit) if self.larger else bool(value <= self.limit)


COLUMNS: Final = (
    Column("iterations", "Iterations", ",d"),
    Column("nearer_to_src", "Nearer to src", ".1%", NEARER_TO_SRC, larger=True),
    Column("landmark_error", "Landmark error", ".3f", LANDMARK_ERROR),
    Column("warping_error", "Warping error", ".1%", WARPING),
    Column("seam", "Seam", ".2f", VISIBLE_STEP),
    Column("frames_lost", "Frames lost", "d", 0),
    Column("seconds", "Seconds", ".0f"),
)
"""The limits are those of the report."""


def make_table(batch: BatchFile, ledger: Ledger) -> BatchTable:
    """Look at every job of a batch, also at those that were not asked for this time."""
    from lookalike import __version__

    rows = [_row(batch, job, ledger) for job in batch.jobs]
    return BatchTable(version=__version__, file=batch.path.name, jobs=rows)


def table_lines(table: BatchTable) -> Iterator[str]:
    """The table, line by line."""
    head = ["", "state", *(column.title.lower() for column in COLUMNS)]
    lines = [head, *([row.name, row.state, *(column.text(row) for column in COLUMNS)] for row in table.jobs)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        first, second, *rest = (
            text.ljust(w) if n < 2 else text.rjust(w) for n, (text, w) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join((first, second, *rest)).rstrip()


def counted(rows: Sequence[JobRow]) -> str:
    """How many jobs are in which state, in words."""
    states: tuple[State, ...] = ("done", "failed", "interrupted", "running", "waiting")
    counts = {state: sum(row.state == state for row in rows) for state in states}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no jobs"


def _row(batch: BatchFile, job: BatchJob, ledger: Ledger) -> JobRow:
    state = ledger.of(job)
    figures, page = _figures(job)
    return JobRow(
        name=job.name,
        src=job.src.name,
        dst=job.dst.name,
        src_identity=job.src_identity,
        dst_identity=job.dst_identity,
        state=state.state,
        attempts=state.attempts,
        seconds=state.seconds,
        error=state.error,
        output=_from(batch, job.output),
        report=_from(batch, page) if page else None,
        log=_from(batch, log_of(batch, job)),
        **figures,
    )


def _figures(job: BatchJob) -> tuple[dict[str, Any], Any]:
    """What the steps of a job's workspace noted, and the report's page; nothing of a report on another result."""
    try:
        place = Workspace(job.workspace)
        steps = place.record.steps
    except (LookalikeError, OSError):
        return {}, None
    figures: dict[str, Any] = {"iterations": steps.get("train", {}).get("iterations")}
    noted = steps.get("report", {})
    if noted.get("stamp") != steps.get("merge", {}).get("stamp") or not noted:
        return figures, None
    keys = ("nearer_to_src", "landmark_error", "warping_error", "seam", "frames_lost")
    page = place.report / "index.html"
    return figures | {key: noted.get(key) for key in keys}, page if page.is_file() else None


def _from(batch: BatchFile, path: os.PathLike[str]) -> str:
    """A path as the table's page links to it."""
    try:
        return os.path.relpath(path, batch.folder).replace(os.sep, "/")
    except ValueError:  # another drive
        return str(path)
