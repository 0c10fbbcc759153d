"""The jobs of a batch on a cluster: each is one task of a worker, which runs its command on shared storage."""

import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.ray_pool import open_pool
from lookalike.pipeline.batch_file import BatchFile, BatchJob
from lookalike.pipeline.batch_lend import lend
from lookalike.pipeline.batch_run import STEP, RunOptions, environment, pause_before
from lookalike.pipeline.batch_said import Heard, may_pass
from lookalike.pipeline.batch_state import Ledger, log_of, swap_words
from lookalike.pipeline.processes import Command
from lookalike.types import Event, Message, Progress

_TURN_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it travels to a worker."""

    number: int
    name: str
    words: tuple[str, ...]
    needs: tuple[Path, ...]
    """Files that the worker must see."""
    log: Path

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    number: int
    code: int
    error: str
    seconds: float
    machine: str


def pool_events(
    batch: BatchFile, ledger: Ledger, jobs: Sequence[BatchJob], options: RunOptions, cluster: ClusterOptions
) -> Generator[Event, None, None]:
    """Run jobs on a cluster, those that may do better another time in further rounds.

    Faces are lent only from jobs that were done when a job is given away; nothing waits for them.

    Raises:
        ClusterError, ExtraMissingError: as `open_pool`. StorageError: the state cannot be written.
    """
    over, left = 0, list(jobs)
    with open_pool(cluster, gpus=options.gpus) as pool:
        for attempt in range(1, options.retry + 2):
            again: list[BatchJob] = []
            orders = _orders(batch, ledger, left, attempt)
            for ended in pool.ordered(open_runner, options.program, orders):
                job = left[ended.number]
                seconds = round(ledger.of(job).seconds + ended.seconds, 1)
                if ended.code == 0:
                    ledger.finish(job, seconds)
                    yield Message(STEP, f"{job.name}: done on {ended.machine}, {job.output}")
                elif attempt <= options.retry and may_pass(ended.code, ended.error):
                    again.append(job)
                    ledger.note(job, state="waiting", seconds=seconds, error=ended.error)
                    yield Message(STEP, f"{job.name}: {ended.error} (on {ended.machine}); it is tried again later")
                    continue
                else:
                    ledger.note(job, state="failed", seconds=seconds, error=ended.error)
                    yield Message(STEP, f"{job.name}: failed on {ended.machine}: {ended.error}")
                    if options.fail_fast:
                        return
                over += 1
                yield Progress(STEP, over, len(jobs), "jobs")
            if not again:
                break
            left = again
            yield from _pause(pause_before(attempt, options), over, len(jobs))
        if pool.report is not None:
            yield Message(STEP, pool.report.says())


def _orders(batch: BatchFile, ledger: Ledger, jobs: Sequence[BatchJob], attempt: int) -> Iterator[Order]:
    for number, job in enumerate(jobs):
        for _ in lend(job, batch.jobs):
            pass
        ledger.note(job, state="running", attempts=attempt, error="")
        yield Order(number, job.name, tuple(swap_words(job)), (job.src, job.dst), log_of(batch, job))


def open_runner(program: tuple[str, ...] | None) -> Callable[[Order], Ended]:
    """What a worker does with a job: run its command, and wait for its end."""

    def run(order: Order) -> Ended:
        began, machine = time.monotonic(), socket.gethostname()
        unseen = next((path for path in order.needs if not path.exists()), None)
        if unseen is not None or not order.log.parent.is_dir():
            error = (
                f"{unseen or order.log.parent} is not there on {machine}; a batch needs storage that all machines share"
            )
            return Ended(order.number, 1, error, 0.0, machine)
        heard = Heard(order.log)
        codes: list[int] = []
        lock = threading.Lock()

        def hear(lines: list[str]) -> None:
            with lock:
                heard.take(lines)

        command = Command(order.words, environment(), hear, codes.append, program)
        while not command.join(_TURN_SECONDS):
            pass
        with lock:
            code = codes[0]
            error = heard.error(code)
            heard.close()
        return Ended(order.number, code, error, time.monotonic() - began, machine)

    return run


def _pause(seconds: float, over: int, total: int) -> Iterator[Event]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield Progress(STEP, over, total, "jobs", "waits before it tries again")
        time.sleep(min(0.5, seconds))
