"""The queue of long jobs: each runs as a command in a process of its own, so it never holds up the page."""

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from lookalike.errors import LookalikeError, WorkspaceError
from lookalike.pipeline.processes import Command
from lookalike.pipeline.workspace import Side
from lookalike.web.studio.job import KEPT_JOBS, Job, keep, last_lines, recall
from lookalike.web.studio.kinds import arguments

_STOP_SECONDS: Final = 60
"""Given to running jobs to save their state when the studio ends."""
_AT_ONCE: Final = 1
"""Jobs that run side by side: each step takes the whole machine by itself."""
MOST_WAITING: Final = 100
_MOST_TOLD: Final = 200
"""Jobs that a page is told of."""
_SECRETS: Final = ("LOOKALIKE_PASSWORD",)
"""Variables that are none of a command's business."""


Lines = list[str]
Listed = list[dict[str, Any]]
"""Jobs as plain JSON values."""


class NoJobError(LookalikeError):
    """No job has that number."""


class Jobs:
    """The queue. Safe in threads. The jobs of a workspace are remembered in its folder `.studio`.

    A command whose studio was killed finds that nobody reads what it says; it saves its state and ends.
    """

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        """A queue without jobs.

        Args:
            root: the folder of the workspaces.
            environment: further variables for the commands.
        """
        given = {**os.environ, "PYTHONIOENCODING": "utf-8:replace", **(environment or {})}
        self._root, self._environment = root, {key: given[key] for key in given if key not in _SECRETS}
        self._jobs: dict[int, Job] = {}
        self._waiting: deque[int] = deque()
        self._running: dict[int, Command] = {}
        self._recalled: set[str] = set()
        self._lock = threading.RLock()
        self._version, self._number, self._closed = 0, 0, False

    @property
    def version(self) -> int:
        """Changes with every change of any job."""
        return self._version

    def add(
        self,
        workspace: str,
        kind: str,
        side: Side | None = None,
        options: dict[str, Any] | None = None,
        *,
        next_up: bool = False,
    ) -> Job:
        """Queue a command.

        Args:
            workspace: its name.
            kind: one of kinds.KINDS.
            side: that it is about.
            options: of the command.
            next_up: before all others that wait.

        Raises:
            ConfigError: no such kind of job, or options that cannot be used.
            WorkspaceError: the studio is ending, or too many jobs wait.
        """
        words = arguments(kind, self._root / workspace, side, options or {})
        with self._lock:
            if self._closed:
                raise WorkspaceError("the studio is ending; start it again")
            if len(self._waiting) >= MOST_WAITING:
                raise WorkspaceError(f"{len(self._waiting)} jobs are waiting; let some be done, or cancel them")
            self.recall(workspace)
            self._number += 1
            job = Job(self._number, workspace, kind, side, dict(options or {}), words)
            self._jobs[job.number] = job
            (self._waiting.appendleft if next_up else self._waiting.append)(job.number)
            self._tell(job)
            self._start_next()
        return job

    def list(self, workspace: str | None = None) -> Listed:
        """The jobs as plain JSON values, the newest first, all or those of one workspace."""
        with self._lock:
            if workspace is not None:
                self.recall(workspace)
            return [asdict(job) for job in self._newest() if workspace in (None, job.workspace)]

    def look(self, room: int = 2**16) -> Listed:
        """As `list`, but no more than a page can be told several times a second.

        Args:
            room: characters of all that the jobs said, the newest before the others; one has a quarter at most.
        """
        told = []
        with self._lock:
            for job in self._newest()[:_MOST_TOLD]:
                lines = last_lines(job.lines, min(room, 2**14))
                room -= sum(map(len, lines))
                told.append(asdict(replace(job, lines=lines)))
        return told

    def _newest(self) -> Sequence[Job]:
        return sorted(self._jobs.values(), key=lambda job: (-job.made, -job.number))

    def get(self, number: int) -> Job:
        """One job.

        Raises:
            NoJobError: there is none of that number.
        """
        with self._lock:
            if number not in self._jobs:
                raise NoJobError(f"there is no job {number}")
            return self._jobs[number]

    def busy(self, workspace: str) -> Job | None:
        """The job that is at work in a workspace."""
        with self._lock:
            return next((job for n in self._running if (job := self._jobs[n]).workspace == workspace), None)

    def cancel(self, number: int) -> Job:
        """Take a job out of the queue, or ask it to save its state and stop; asked once more it stops at once.

        Raises:
            NoJobError: there is none of that number.
        """
        job = self.get(number)
        with self._lock:
            if job.state == "waiting":
                self._waiting.remove(number)
                job.state, job.ended = "cancelled", time.time()
                self._tell(job)
            elif number in self._running:
                job.state = "stopping"
                self._running[number].stop()
                self._tell(job)
        return job

    def retry(self, number: int) -> Job:
        """Queue the command of a job once more; every step goes on where it was.

        Raises:
            NoJobError: there is none of that number. WorkspaceError: it has not ended yet.
            ConfigError: its options cannot be used any more.
        """
        job = self.get(number)
        if not job.is_over:
            raise WorkspaceError(f"job {number} has not ended yet; cancel it first")
        return self.add(job.workspace, job.kind, job.side, job.options)

    def recall(self, *workspaces: str) -> None:
        """Read the jobs that earlier studios ran in workspaces."""
        with self._lock:
            for workspace in workspaces:
                if workspace in self._recalled:
                    continue
                self._recalled.add(workspace)
                for job in recall(self._root / workspace):
                    self._number += 1
                    job.number, job.workspace = self._number, workspace
                    self._jobs[job.number] = job
                    self._version += 1

    def close(self) -> None:
        """End the queue: what runs saves its state and stops, what waits can be retried later."""
        with self._lock:
            self._closed = True
            running = dict(self._running)
            for number, command in running.items():
                if self._jobs[number].state != "stopping":  # asked twice, it would not save
                    command.stop()
                self._jobs[number].state = "stopping"
            for number in self._waiting:
                self._jobs[number].state = "interrupted"
            for job in self._last_of(self._jobs[number] for number in (*self._waiting, *running)):
                self._tell(job)
            self._waiting.clear()
        until = time.monotonic() + _STOP_SECONDS
        late = [command for command in running.values() if not command.join(until - time.monotonic())]
        for command in late:
            command.kill()
        for command in late:
            command.join(10)

    @staticmethod
    def _last_of(jobs: Iterable[Job]) -> Iterable[Job]:
        """One job of each workspace."""
        return {job.workspace: job for job in jobs}.values()

    def _start_next(self) -> None:
        while self._waiting and len(self._running) < _AT_ONCE and not self._closed:
            job = self._jobs[self._waiting.popleft()]
            try:
                command = Command(job.words, self._environment, partial(self._hear, job), partial(self._end, job))
            except (OSError, ValueError) as exc:
                why = getattr(exc, "strerror", None) or exc
                job.state, job.ended, job.error = "failed", time.time(), f"it cannot be started ({why})"
            else:
                job.state, job.started = "running", time.time()
                self._running[job.number] = command
            self._tell(job)

    def _hear(self, job: Job, lines: Lines) -> None:
        with self._lock:
            job.hear(lines)
            self._version += 1

    def _end(self, job: Job, code: int) -> None:
        with self._lock:
            job.end(code, closed=self._closed)
            self._running.pop(job.number, None)
            self._tell(job)
            self._start_next()

    def _tell(self, job: Job) -> None:
        """Mark a change, and write down the jobs of the workspace."""
        self._version += 1
        mine = [other for other in self._jobs.values() if other.workspace == job.workspace]
        over = [other for other in mine if other.is_over]
        for old in over[:-KEPT_JOBS]:
            del self._jobs[old.number]
            mine.remove(old)
        keep(self._root / job.workspace, mine)
