"""The jobs of a batch at work: each is a command in a process of its own, started, heard, tried again, stopped."""

import os
import queue
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from lookalike.pipeline.batch_file import BatchFile, BatchJob
from lookalike.pipeline.batch_lend import SIDES, lend, need_of, still_looking
from lookalike.pipeline.batch_said import Heard, may_pass
from lookalike.pipeline.batch_state import Ledger, log_of, swap_words
from lookalike.pipeline.processes import STOP_SECONDS, Command
from lookalike.types import Event, Message, Progress

STEP: Final = "batch"
_LOOK_SECONDS: Final = 0.5
"""So often the command line may find that it shall stop."""
_LONGEST_PAUSE: Final = 600.0
_SAVE_SECONDS: Final = 330.0
"""A little more than a command has, after which it is killed by whoever runs it."""

_Said = tuple[str, list[str] | int]
"""A job's name, and lines of it, or its exit code."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How jobs are run."""

    at_once: int = 1
    """Jobs that run side by side."""
    retry: int = 1
    """How often a job is tried again whose error may pass."""
    fail_fast: bool = False
    """Stop all at the first job that failed for good."""
    pause: float = 15.0
    """Seconds before a job is tried again for the first time; each time twice as long."""
    gpus: int = 0
    """Whole graphics cards that a job on a cluster has for itself."""
    program: tuple[str, ...] | None = None
    """What runs the command line; Lookalike itself when None."""


@dataclass(slots=True)
class _Waiting:
    job: BatchJob
    attempt: int = 1
    not_before: float = 0.0
    """On the clock `time.monotonic`."""


@dataclass(slots=True)
class _Running:
    job: BatchJob
    attempt: int
    heard: Heard
    command: Command | None = None
    began: float = field(default_factory=time.monotonic)


class Running:
    """The jobs that are under way, and those that wait."""

    def __init__(self, batch: BatchFile, ledger: Ledger, jobs: Sequence[BatchJob], options: RunOptions) -> None:
        """Nothing is started yet.

        Args:
            batch: whose jobs they are; its other jobs may lend faces.
            ledger: what becomes of them is written down there.
            jobs: what is to be done.
            options: how.
        """
        self._batch, self._ledger, self._options = batch, ledger, options
        self._waiting = [_Waiting(job) for job in jobs]
        self._running: dict[str, _Running] = {}
        self._said: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        self._total, self._over, self._stopped = len(jobs), 0, False

    def events(self) -> Generator[Event, None, None]:
        """Run all jobs. Closed before the end, it asks what runs to save its state, and waits for that.

        Raises:
            StorageError: the state cannot be written.
        """
        try:
            while self._waiting or self._running:
                yield from self._start_some()
                yield self._progress()
                with suppress(queue.Empty):
                    name, said = self._said.get(timeout=_LOOK_SECONDS)
                    if isinstance(said, int):
                        yield from self._ended(self._running.pop(name), said)
                    elif name in self._running:
                        self._running[name].heard.take(said)
        finally:
            self._stop()

    def _start_some(self) -> Iterator[Event]:
        """Start what may start: a job waits while another finds faces that it needs, too."""
        while len(self._running) < self._options.at_once and not self._stopped:
            sought = {need for one in self._running.values() for need in still_looking(one.job)}
            now = time.monotonic()
            free = (w for w in self._waiting if w.not_before <= now and not sought & _needs(w.job))
            waiting = next(free, None)
            if waiting is None:
                return
            self._waiting.remove(waiting)
            yield from self._start(waiting)

    def _start(self, waiting: _Waiting) -> Iterator[Event]:
        job = waiting.job
        for words in lend(job, self._batch.jobs):
            yield Message(STEP, f"{job.name}: {words}")
        self._ledger.note(job, state="running", attempts=waiting.attempt, error="")
        again = f", attempt {waiting.attempt}" if waiting.attempt > 1 else ""
        yield Message(STEP, f"{job.name}: begun{again}")
        running = _Running(job, waiting.attempt, Heard(log_of(self._batch, job)))
        self._running[job.name] = running
        try:
            running.command = Command(
                swap_words(job),
                environment(self._options.at_once),
                lambda lines: self._said.put((job.name, lines)),
                lambda code: self._said.put((job.name, code)),
                self._options.program,
            )
        except (OSError, ValueError) as exc:
            running.heard.take([f"error: it cannot be started ({getattr(exc, 'strerror', None) or exc})"])
            self._said.put((job.name, 1))

    def _ended(self, one: _Running, code: int) -> Iterator[Event]:
        job, error = one.job, one.heard.error(code)
        seconds = round(self._ledger.of(job).seconds + time.monotonic() - one.began, 1)
        one.heard.close()
        if code == 0 and error == "":
            self._over += 1
            self._ledger.finish(job, seconds)
            yield Message(STEP, f"{job.name}: done, {job.output}")
        elif one.attempt <= self._options.retry and may_pass(code, error) and not self._stopped:
            pause = pause_before(one.attempt, self._options)
            self._ledger.note(job, state="waiting", seconds=seconds, error=error)
            self._waiting.append(_Waiting(job, one.attempt + 1, time.monotonic() + pause))
            yield Message(STEP, f"{job.name}: {error}; it is tried again in {pause:.0f} s")
        else:
            self._over += 1
            self._ledger.note(job, state="failed", seconds=seconds, error=error)
            yield Message(STEP, f"{job.name}: failed: {error}; see {log_of(self._batch, job)}")
            if self._options.fail_fast:
                self._stopped = True
                self._waiting.clear()
                self._stop()

    def _progress(self) -> Progress:
        notes = "; ".join(f"{name}: {one.heard.progress}" for name, one in self._running.items() if one.heard.progress)
        return Progress(STEP, self._over, self._total, "jobs", notes)

    def _stop(self) -> None:
        """Ask what runs to save its state and stop; asked in the meantime to stop at once, hand that on."""
        self._stopped = True
        running = list(self._running.values())
        commands = [one.command for one in running if one.command is not None]
        try:
            for command in commands:
                command.stop()
            _join(commands, _SAVE_SECONDS)
        except KeyboardInterrupt:
            for command in commands:
                command.stop()
            _join(commands, STOP_SECONDS)
            raise
        finally:
            for command in commands:
                command.kill()
            for one in running:
                one.heard.close()
                seconds = round(self._ledger.of(one.job).seconds + time.monotonic() - one.began, 1)
                self._ledger.note(one.job, state="interrupted", seconds=seconds)
            self._running.clear()


def pause_before(attempt: int, options: RunOptions) -> float:
    """Seconds from the end of an attempt, counted from 1, to the next."""
    return min(options.pause * 2.0 ** (attempt - 1), _LONGEST_PAUSE)


def environment(at_once: int = 1) -> dict[str, str]:
    """Variables of a job's process: processors are shared by as many jobs as run side by side."""
    given = {**os.environ, "PYTHONIOENCODING": "utf-8:replace"}
    if at_once > 1:
        given.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // at_once)))
    return given


def _needs(job: BatchJob) -> set[object]:
    return {need_of(job, side) for side in SIDES}


def _join(commands: Sequence[Command], seconds: float) -> None:
    until = time.monotonic() + seconds
    for command in commands:
        command.join(until - time.monotonic())
