"""The queue of long jobs: each runs as a command in a process of its own, so it never holds up the page."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from lookalike.errors import LookalikeError, StorageError, WorkspaceError
from lookalike.files import write_json
from lookalike.pipeline.workspace import Side
from lookalike.web.studio.kinds import arguments

State = Literal["waiting", "running", "stopping", "done", "failed", "cancelled", "interrupted"]
"""interrupted: the studio itself ended while the job ran."""

_KEPT_JOBS: Final = 50
"""Ended jobs of a workspace that are remembered."""
_KEPT_LINES: Final = 200
_LONGEST_LINE: Final = 2000
_STOP_SECONDS: Final = 30
"""Given to running jobs to save their state when the studio ends."""
_AT_ONCE: Final = 1
"""Jobs that run side by side: each step takes the whole machine by itself."""
_FILE: Final = "jobs.json"
_FORMAT: Final = 1


class NoJobError(LookalikeError):
    """No job has that number."""


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
    """Of the command, after `lookalike`."""
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


class Jobs:
    """The queue. Safe in threads. The jobs of a workspace are remembered in its folder `.studio`."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        """A queue without jobs.

        Args:
            root: the folder of the workspaces.
            environment: further variables for the commands.
        """
        self._root, self._environment = root, {**os.environ, **(environment or {})}
        self._jobs: dict[int, Job] = {}
        self._waiting: deque[int] = deque()
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._threads: dict[int, threading.Thread] = {}
        self._recalled: set[str] = set()
        self._lock = threading.RLock()
        self._version, self._number, self._closed = 0, 0, False

    @property
    def version(self) -> int:
        """Changes with every change of any job."""
        return self._version

    def add(self, workspace: str, kind: str, side: Side | None = None, options: dict[str, Any] | None = None) -> Job:
        """Queue a command.

        Raises:
            ConfigError: no such kind of job, or options that cannot be used.
            WorkspaceError: the studio is ending.
        """
        words = arguments(kind, self._root / workspace, side, options or {})
        with self._lock:
            if self._closed:
                raise WorkspaceError("the studio is ending; start it again")
            self._recall(workspace)
            self._number += 1
            job = Job(self._number, workspace, kind, side, dict(options or {}), words)
            self._jobs[job.number] = job
            self._waiting.append(job.number)
            self._tell(job)
            self._start_next()
        return job

    def list(self, workspace: str | None = None) -> list[dict[str, Any]]:
        """The jobs as plain JSON values, the newest first, all or those of one workspace."""
        with self._lock:
            if workspace is not None:
                self._recall(workspace)
            chosen = [job for job in self._jobs.values() if workspace in (None, job.workspace)]
            return [asdict(job) for job in sorted(chosen, key=lambda job: -job.number)]

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
                _interrupt(self._running[number])
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

    def close(self) -> None:
        """End the queue: what runs saves its state and stops."""
        with self._lock:
            self._closed = True
            for number, process in self._running.items():
                self._jobs[number].state = "stopping"
                _interrupt(process)
            threads = list(self._threads.values())
        until = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._lock:
            for process in self._running.values():
                process.kill()
        for thread in threads:
            thread.join(1)

    def _start_next(self) -> None:
        while self._waiting and len(self._running) < _AT_ONCE and not self._closed:
            job = self._jobs[self._waiting.popleft()]
            try:
                process = subprocess.Popen(
                    [sys.executable, "-m", "lookalike", *job.words, "--json-lines"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C in the terminal is for the studio, which stops its jobs itself
                )
            except OSError as exc:
                job.state, job.ended, job.error = "failed", time.time(), f"it cannot be started ({exc.strerror})"
                self._tell(job)
                continue
            job.state, job.started = "running", time.time()
            self._running[job.number] = process
            thread = threading.Thread(target=self._follow, args=(job, process), name=f"job {job.number}", daemon=True)
            self._threads[job.number] = thread
            self._tell(job)
            thread.start()

    def _follow(self, job: Job, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._lock:
                    _take_in(job, line.rstrip("\n")[:_LONGEST_LINE])
                    self._tell(job, keep=False)
        code = process.wait()
        with self._lock:
            job.ended = time.time()
            job.state = _state_of(code, job.state, self._closed)
            job.error = _error_of(job, code)
            self._running.pop(job.number, None)
            self._threads.pop(job.number, None)
            self._tell(job)
            self._start_next()

    def _tell(self, job: Job, *, keep: bool = True) -> None:
        """Mark a change, and write down the jobs of the workspace."""
        self._version += 1
        folder = self._root / job.workspace
        if not keep or not folder.is_dir():
            return
        mine = [other for other in self._jobs.values() if other.workspace == job.workspace]
        over = [other for other in mine if other.is_over]
        for old in over[:-_KEPT_JOBS]:
            del self._jobs[old.number]
            mine.remove(old)
        with contextlib.suppress(StorageError):  # the jobs themselves are worth more than their list
            (folder / ".studio").mkdir(exist_ok=True)
            write_json(folder / ".studio" / _FILE, {"format": _FORMAT, "jobs": [asdict(other) for other in mine]})

    def _recall(self, workspace: str) -> None:
        """Read the jobs that an earlier studio ran in a workspace."""
        if workspace in self._recalled:
            return
        self._recalled.add(workspace)
        for values in _read(self._root / workspace / ".studio" / _FILE):
            self._number += 1
            job = Job(**(values | {"number": self._number, "workspace": workspace}))
            if not job.is_over:
                job.state = "interrupted"
            self._jobs[job.number] = job


def _take_in(job: Job, line: str) -> None:
    """A line that a command wrote: an event, or plain words."""
    try:
        event = json.loads(line)
        kind = event.pop("event")
        if kind == "progress":
            job.step, job.done, job.total = str(event["step"]), float(event["done"]), float(event["total"] or 0)
            job.unit, job.note = str(event["unit"]), str(event["note"])
            return
        line = f"{event['step']}: {event['text']}"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    if line.strip():
        job.lines = [*job.lines[1 - _KEPT_LINES :], line]


def _state_of(code: int, state: State, closed: bool) -> State:
    if code == 0:
        return "done"
    if closed:
        return "interrupted"
    return "cancelled" if state == "stopping" else "failed"


def _error_of(job: Job, code: int) -> str | None:
    if job.state != "failed":
        return None
    said = next((line for line in reversed(job.lines) if line.startswith("error: ")), None)
    if said is not None:
        return said.removeprefix("error: ")
    return f"the command ended by signal {-code}" if code < 0 else f"the command ended with code {code}"


def _interrupt(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)


def _read(path: Path) -> list[dict[str, Any]]:
    """The jobs of a file; none if it is not there or not ours."""
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != _FORMAT:
            return []
        known = Job.__dataclass_fields__.keys()
        return [one for one in value["jobs"] if isinstance(one, dict) and one.keys() == known][-_KEPT_JOBS:]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
