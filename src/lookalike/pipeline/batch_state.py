"""What became of the jobs of a batch, as it lies beside their file. Imports no numpy."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from lookalike.errors import BatchError
from lookalike.files import storage_errors, write_bytes
from lookalike.options import Options, first_problem, format_of
from lookalike.pipeline.batch_file import BatchFile, BatchJob
from lookalike.pipeline.batch_options import LONE_FLAGS
from lookalike.pipeline.processes import words_of
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import fingerprint

FORMAT: Final = 1
State = Literal["waiting", "running", "done", "failed", "interrupted"]
"""interrupted: the batch was stopped, or it was killed; the job goes on where it was when the batch is run again."""

NAME: Final = "state.json"
LOGS: Final = "logs"


class JobState(Options):
    """What became of a job."""

    state: State = "waiting"
    key: str = ""
    """Stands for the job's videos and options when it was done."""
    result: str = ""
    """Stamp of its output when it was done."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How often it was begun since it was last asked for."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """That all attempts took."""
    error: str = ""
    """Why it failed, in a line."""


class BatchState(Options):
    """`state.json`."""

    format: Literal[1] = FORMAT
    jobs: dict[str, JobState] = Field(default_factory=dict)
    """By name; those that are no longer in the file stay."""


class Ledger:
    """The state of a batch, written down with every change."""

    def __init__(self, batch: BatchFile) -> None:
        """Read what an earlier run left.

        Raises:
            BatchError: state.json is damaged or newer than this version.
        """
        self._path = batch.folder / NAME
        self._jobs = dict(_read(self._path).jobs)

    def of(self, job: BatchJob) -> JobState:
        """What became of a job."""
        return self._jobs.get(job.name, JobState())

    def begin(self, jobs: Iterable[BatchJob]) -> None:
        """Write down that jobs are asked for; what is known of their time and errors stays."""
        waiting: dict[str, object] = {"state": "waiting", "attempts": 0}
        self._jobs |= {job.name: self.of(job).model_copy(update=waiting) for job in jobs}
        self._write()

    def note(self, job: BatchJob, **changes: object) -> JobState:
        """Write down a change."""
        state = JobState.model_validate(self.of(job).model_dump() | changes)
        self._jobs[job.name] = state
        self._write()
        return state

    def finish(self, job: BatchJob, seconds: float) -> None:
        """Write down that a job is done.

        Raises:
            OSError: its output is gone already.
        """
        key, result = job_key(job), stamp(job.output)
        self.note(job, state="done", seconds=seconds, error="", key=key, result=result)

    def is_done(self, job: BatchJob) -> bool:
        """Whether a job was done with these videos and options, and its result is there unchanged."""
        state = self.of(job)
        try:
            return state.state == "done" and state.key == job_key(job) and state.result == stamp(job.output)
        except OSError:
            return False

    def _write(self) -> None:
        write_bytes(self._path, (BatchState(jobs=self._jobs).model_dump_json(indent=2) + "\n").encode())


def swap_words(job: BatchJob) -> list[str]:
    """The command of a job, after `lookalike`."""
    places = {"src": job.src, "dst": job.dst, "output": job.output, "workspace": job.workspace}
    return ["swap", *words_of(places), *words_of(job.swap, LONE_FLAGS)]


def job_key(job: BatchJob) -> str:
    """Changes with the videos and the options of a job.

    Raises:
        OSError: a video is gone.
    """
    return fingerprint(swap_words(job), stamp(job.src), stamp(job.dst))


@contextmanager
def alone(batch: BatchFile) -> Iterator[None]:
    """Be the only batch of a file; the operating system frees the lock of a process that died.

    Raises:
        BatchError: another is at work. StorageError: the folder is not writable.
    """
    with storage_errors(batch.folder):
        (batch.folder / LOGS).mkdir(parents=True, exist_ok=True)
    lock = FileLock(batch.folder / ".lock")
    try:
        with storage_errors(batch.folder):
            lock.acquire(timeout=0)
    except Timeout as exc:
        raise BatchError(f"another batch of {batch.path} is at work; wait for it, or end it") from exc
    try:
        yield
    finally:
        lock.release()


def log_of(batch: BatchFile, job: BatchJob) -> Path:
    """What a job's command said."""
    return batch.folder / LOGS / f"{job.name}.log"


def _read(path: Path) -> BatchState:
    if not path.is_file():
        return BatchState()
    try:
        value = json.loads(path.read_bytes())
        if format_of(value) > FORMAT:
            raise BatchError(f"{path} has format {format_of(value)}; update Lookalike to go on with it")
        return BatchState.model_validate(value)
    except (OSError, ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise BatchError(f"{path} cannot be read ({reason}); move it away, and every job is looked at anew") from exc
