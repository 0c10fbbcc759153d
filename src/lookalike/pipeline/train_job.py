"""One process's part in a training: what it needs to know, and its whole life."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.cluster.files import FileRef, Files
from lookalike.files import sweep
from lookalike.models.checkpoint import drop_half_saved
from lookalike.models.config import ModelConfig
from lookalike.pipeline.judge import make_judge
from lookalike.pipeline.train_far import Mirror, faceset_here
from lookalike.training.config import TrainConfig
from lookalike.training.distributed import Group, in_turn, join
from lookalike.training.loop import train
from lookalike.training.preview import Judge
from lookalike.types import Event, Message


@dataclass(frozen=True, slots=True)
class TrainJob:
    """What a training process needs to know, wherever it is."""

    folder: Path
    """Of the model."""
    facesets: tuple[Path, Path]
    """src's and dst's."""
    caches: tuple[Path, Path]
    """Where their decoded faces are kept."""
    model: ModelConfig | None
    """Sizes of a new model; None takes those of the one that is there."""
    options: TrainConfig
    sign: FileRef | None = None
    """What a process sees if it sees these folders."""


def run_job(job: TrainJob, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train where the folders are seen, alone or as one of several processes; see lookalike.training.loop.train."""
    group, _ = join(job.options.device)
    _tidy(job.folder, group)
    yield from train(
        job.folder, *job.facesets, job.model, job.options, cache=job.caches, judge=_judge(job, group), stop=stop
    )


def run_anywhere(job: TrainJob, files: Files, stop: Callable[[], bool]) -> Iterator[Event]:
    """Train as one of several processes that may be on machines which do not see the folders.

    Raises:
        ClusterError: a folder is not seen, and nothing is to be sent. Besides, see lookalike.training.loop.train.
    """
    if job.sign is None or files.sees(job.sign):
        yield from run_job(job, stop)
        return
    group, _ = join(job.options.device)
    facesets = [faceset_here(files, folder) for folder in job.facesets]
    with Mirror(files, job.folder, group.leads) as mirror:
        caches = mirror.folder / "src.cache", mirror.folder / "dst.cache"
        far = TrainJob(mirror.model, (facesets[0], facesets[1]), caches, job.model, job.options)
        _tidy(far.folder, group)
        events = train(
            far.folder,
            *far.facesets,
            far.model,
            far.options,
            cache=far.caches,
            judge=_judge(far, group),
            stop=lambda: mirror.sent() and stop(),
            renew=mirror.renew,
        )
        for event in events:
            if isinstance(event, Message):  # its reader knows the folder that this one stands for
                event = replace(event, text=event.text.replace(str(far.folder), str(job.folder)))
            yield event
        mirror.sent()


def _tidy(folder: Path, group: Group) -> None:
    """Let the leading process finish or drop what one that was killed was saving, before others look."""
    with in_turn(group):
        if group.leads:
            drop_half_saved(folder)
            sweep(folder)
            sweep(folder / "previews")


def _judge(job: TrainJob, group: Group) -> Judge | None:
    return make_judge(*job.facesets) if group.leads and not job.options.pretrain else None
