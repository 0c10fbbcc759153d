"""A job: one command, and what came of it; in memory and as it is kept in its workspace."""

import contextlib
import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from lookalike.errors import StorageError
from lookalike.files import write_json
from lookalike.pipeline.processes import LONGEST_LINE, MOST_LINES, why_ended
from lookalike.pipeline.workspace import Side

State = Literal["waiting", "running", "stopping", "done", "failed", "cancelled", "interrupted"]
"""interrupted: the studio itself ended while the job ran or waited."""

KEPT_JOBS: Final = 50
"""Ended jobs of a workspace that are remembered."""
KEPT_LINES: Final = MOST_LINES
_LONGEST_WORD: Final = 200
"""Of what an event says in passing."""
_LARGEST_FILE: Final = 64 * 2**20
_LARGEST_JOB: Final = 2**20
_FILE: Final = "jobs.json"
_FORMAT: Final = 1


@dataclass(slots=True)
class Job:
    """One command, and what came of it."""

    number: int
    workspace: str
    kind: str
    """One of kinds.KINDS."""
    side: Side | None
    options: dict[str, Any]
    words: list[str]
    """Of the command, after `lookalike`; to be shown, never to be run again."""
    state: State = "waiting"
    made: float = field(default_factory=time.time)
    """Unix seconds, as the next two."""
    started: float | None = None
    ended: float | None = None
    step: str = ""
    done: float = 0
    total: float = 0
    unit: str = ""
    note: str = ""
    lines: list[str] = field(default_factory=list)
    """What it said, the last of it."""
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self.state not in ("waiting", "running", "stopping")

    def hear(self, lines: list[str]) -> None:
        """Take in what its command wrote: events, or plain words."""
        plain = [said[:LONGEST_LINE] for line in lines[-KEPT_LINES:] if (said := self._said(line)).strip()]
        self.lines = [*self.lines, *plain][-KEPT_LINES:]

    def end(self, code: int, *, closed: bool) -> None:
        """Its command has ended.

        Args:
            code: the exit code, or the negative number of a signal.
            closed: whether the studio itself was ending.
        """
        self.ended = time.time()
        if code == 0:
            self.state = "done"
        elif closed:
            self.state = "interrupted"
        else:
            self.state = "cancelled" if self.state == "stopping" else "failed"
        self.error = why_ended(code, self.lines) if self.state == "failed" else None

    def _said(self, line: str) -> str:
        """A line in plain words; empty if it told of progress, which is noted."""
        try:
            event = json.loads(line)
            if event["event"] == "progress":
                self.done, self.total = _finite(event["done"]), _finite(event["total"] or 0)
                self.step, self.unit, self.note = (str(event[key])[:_LONGEST_WORD] for key in ("step", "unit", "note"))
                return ""
            return f"{event['step']}: {event['text']}"
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return line


def last_lines(lines: list[str], room: int) -> list[str]:
    """The last of some lines, as many as have room, in characters."""
    start = len(lines)
    while start > 0 and (room := room - len(lines[start - 1])) >= 0:
        start -= 1
    return lines[start:]


def keep(workspace: Path, jobs: list[Job]) -> None:
    """Write down the jobs of a workspace, if that is possible: they are worth more than their list."""
    folder = _folder(workspace)
    if folder is None:
        return
    with contextlib.suppress(StorageError, OSError, ValueError):
        folder.mkdir(exist_ok=True)
        write_json(folder / _FILE, {"format": _FORMAT, "jobs": [asdict(job) for job in jobs]})


def recall(workspace: Path) -> list[Job]:
    """The jobs that were written down, as far as they make sense; those under way then were interrupted."""
    folder = _folder(workspace)
    jobs: list[Job] = []
    for values in [] if folder is None else _read(folder / _FILE):
        try:
            text = json.dumps(values, allow_nan=False)
            if len(text) > _LARGEST_JOB:
                continue
            job = _JOB.validate_json(text, strict=True)
        except (ValidationError, ValueError, TypeError, RecursionError):
            continue
        job.lines = [line[:LONGEST_LINE] for line in job.lines[-KEPT_LINES:]]
        if not job.is_over:
            job.state, job.ended = "interrupted", job.started  # nobody knows better
        jobs.append(job)
    return jobs[-KEPT_JOBS:]


_JOB: Final = TypeAdapter(Job)


def _folder(workspace: Path) -> Path | None:
    """Where jobs are kept; none if the workspace is gone, or a link leads out of it."""
    folder = workspace / ".studio"
    return folder if workspace.is_dir() and not folder.is_symlink() else None


def _read(path: Path) -> list[Any]:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_FILE:
            return []
        value = json.loads(path.read_bytes())
        jobs = value["jobs"] if value["format"] == _FORMAT else []
        return jobs if isinstance(jobs, list) else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _finite(value: Any) -> float:
    number = float(value)
    return number if math.isfinite(number) else 0.0
