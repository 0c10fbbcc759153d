"""Many swaps from a file of jobs: options in, events out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from lookalike.cli.commands import Flat, _show
from lookalike.cluster.config import ClusterOptions


def batch(
    file: Annotated[Path, Parameter(help="The jobs, as TOML; see docs/batch.md.")],
    *,
    jobs: Annotated[int, Parameter(help="Jobs that run side by side.", validator=Number(gte=1, lte=1000))] = 1,
    retry: Annotated[
        int,
        Parameter(
            help="How often a job is tried again whose error may pass, such as lost memory.",
            validator=Number(gte=0, lte=100),
        ),
    ] = 1,
    only: Annotated[
        list[str] | None,
        Parameter(
            help="Only this job, the jobs of this table, or of a pattern such as anna*; several times.", negative=""
        ),
    ] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Check the file and say what would be done.")] = False,
    gpus: Annotated[
        int, Parameter(help="Graphics cards that a job on a Ray cluster has for itself.", validator=Number(gte=0))
    ] = 0,
    fail_fast: Annotated[bool, Parameter(negative="", help="Stop all at the first job that failed.")] = False,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Run many swaps; run again, it goes on: done jobs are reused, failed ones are tried again."""
    from lookalike.pipeline.batch import batch as run
    from lookalike.pipeline.batch_run import RunOptions

    options = RunOptions(at_once=jobs, retry=retry, fail_fast=fail_fast, gpus=gpus)
    _show(run(file, options, only=only or (), dry_run=dry_run, cluster=cluster))
