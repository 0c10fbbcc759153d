"""Many swaps, one after the other or side by side, from a file of jobs."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import BatchError
from lookalike.files import write_bytes
from lookalike.pipeline.batch_file import BatchFile, BatchJob, read_batch
from lookalike.pipeline.batch_page import render_batch
from lookalike.pipeline.batch_run import STEP, Running, RunOptions
from lookalike.pipeline.batch_state import Ledger, alone, swap_words
from lookalike.pipeline.batch_table import BatchTable, counted, make_table, table_lines
from lookalike.types import Event, Message


def batch(
    file: Path,
    options: RunOptions | None = None,
    *,
    only: Sequence[str] = (),
    dry_run: bool = False,
    cluster: ClusterOptions | None = None,
) -> Generator[Event, None, BatchTable | None]:
    """Run the jobs of a file; run again, it goes on: done jobs are reused, failed ones are tried again.

    Beside `jobs.toml` the folder `jobs.batch` has the state, a log of each job, and the table of all of them as
    `batch.json` and `batch.html`.

    Args:
        file: of jobs; see docs/batch.md.
        options: how many at once, how often again.
        only: names of jobs or tables, or patterns; all jobs when empty.
        dry_run: say what would be done.
        cluster: where jobs run; on this machine when it names no cluster.

    Returns:
        The table; None of a dry run.

    Raises:
        ConfigError, BatchError: the file cannot be used, before any work starts; or another batch of it is at work.
        BatchError: jobs failed, told when all others are done. StorageError: the disk is full or not writable.
    """
    found = read_batch(file)
    jobs = found.chosen(only)
    if dry_run:
        yield from _told(found, jobs)
        return None
    with alone(found):
        ledger = Ledger(found)
        left = [job for job in jobs if not ledger.is_done(job)]
        for job in jobs:
            if job not in left:
                yield Message(STEP, f"{job.name}: reused {job.output}")
        ledger.begin(left)
        events = _events(found, ledger, left, options or RunOptions(), cluster or ClusterOptions())
        try:
            yield from events
        finally:
            events.close()
            for job in left:
                if ledger.of(job).state == "running":  # on a cluster, which was told to end it
                    ledger.note(job, state="interrupted")
            table = _write(found, ledger)
        yield from (Message(STEP, line) for line in table_lines(table))
        yield Message(STEP, f"{counted(table.jobs)}; open {found.folder / 'batch.html'}")
        failed = [job.name for job in left if ledger.of(job).state != "done"]
    if failed:
        raise BatchError(
            f"{len(failed)} of {len(jobs)} jobs are not done ({', '.join(failed[:5] + ['...'] * (len(failed) > 5))}); "
            "mend what their errors say, and run the same command again"
        )
    return table


def _events(
    found: BatchFile, ledger: Ledger, jobs: Sequence[BatchJob], options: RunOptions, cluster: ClusterOptions
) -> Generator[Event, None, None]:
    if cluster.ray is None:
        return Running(found, ledger, jobs, options).events()
    from lookalike.pipeline.batch_pool import pool_events

    return pool_events(found, ledger, jobs, options, cluster)


def _told(found: BatchFile, jobs: Sequence[BatchJob]) -> Iterator[Event]:
    """What would be done; nothing is written, not even a folder."""
    ledger = Ledger(found)
    for job in jobs:
        if ledger.is_done(job):
            yield Message(STEP, f"{job.name}: done already, {job.output}")
        else:
            yield Message(STEP, f"{job.name}: lookalike {' '.join(swap_words(job))}")
    yield Message(STEP, f"{len(jobs)} jobs")


def _write(found: BatchFile, ledger: Ledger) -> BatchTable:
    table = make_table(found, ledger)
    write_bytes(found.folder / "batch.json", (table.model_dump_json(indent=2) + "\n").encode())
    write_bytes(found.folder / "batch.html", render_batch(table).encode())
    return table
