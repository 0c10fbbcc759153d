"""Faces that were found in a video once, for every job that needs them: a data set uses each identity many times."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.errors import LookalikeError
from lookalike.faceset import list_faces
from lookalike.files import storage_errors
from lookalike.pipeline.batch_file import BatchJob
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.extract_job import Job
from lookalike.pipeline.workspace import Side, Workspace

SIDES: Final[tuple[Side, ...]] = ("src", "dst")


@dataclass(frozen=True, slots=True)
class Need:
    """Faces that a job begins with: of one person of one video."""

    video: Path
    person: str | None


def need_of(job: BatchJob, side: Side) -> Need:
    """What a side of a job needs."""
    return Need(job.src if side == "src" else job.dst, job.swap.get(f"{side}_person"))


def has_faces(job: BatchJob, side: Side) -> bool:
    """Whether a job has a side's faces already."""
    try:
        place = Workspace(job.workspace)
        return bool(place.done(f"extract_{side}")) and place.aligned(side).is_dir()
    except (LookalikeError, OSError):
        return False


def still_looking(job: BatchJob) -> set[Need]:
    """What a running job has not found yet, and others would find a second time beside it."""
    return {need_of(job, side) for side in SIDES if not has_faces(job, side)}


def lend(job: BatchJob, others: Iterable[BatchJob]) -> Iterator[str]:
    """Give a job the faces that other jobs found in its videos, linked or copied; yields what was done, in words.

    Only whole facesets go along that nobody has changed since, found with the options that this job has; whatever
    stands in the way, the job extracts by itself.
    """
    lenders = list(others)
    for side in SIDES:
        if has_faces(job, side):
            continue
        wanted = need_of(job, side)
        found = [(one, its) for one in lenders for its in SIDES if one is not job and need_of(one, its) == wanted]
        there = [(one, its) for one, its in found if has_faces(one, its)]
        for lender, its in there:
            with suppress(LookalikeError, OSError):
                count = _lend(job, side, lender, its)
                if count:
                    yield f"{count} faces of {wanted.video.name} taken from {lender.name}"
                    break
        else:
            if there:
                yield f"{wanted.video.name} is extracted again: its faces in {there[0][0].name} were changed since"


def _lend(job: BatchJob, side: Side, lender: BatchJob, its: Side) -> int:
    """Copy a faceset and the log of its search; the count of faces, 0 where that is not possible."""
    config = ExtractConfig(person=need_of(job, side).person)  # as `swap` asks for it
    given = Job.of(Workspace(lender.workspace), its, config)
    noted = given.done()
    faces = list_faces(given.aligned)
    whole = noted.get("key") == given.key and len(faces) == noted.get("faces")
    if not whole or noted.get("edited") or given.edits.exists() or given.finished_log() is None:
        return 0
    place = Workspace.create(job.workspace)
    with place.locked():
        place.set_video("src", job.src)
        place.set_video("dst", job.dst)
        taken = Job.of(place, side, config)
        if taken.aligned.exists() or taken.folder.exists() or taken.trash.exists():
            return 0
        coming = taken.folder / "faces"  # what a killed run leaves there, extraction takes for its own
        with storage_errors(taken.folder):
            _take(given.aligned, coming)
            _take(given.trash, taken.trash)
            _take(given.folder, taken.folder, link=False)  # a log is written on in place
            place.note(taken.step, **{**noted, "key": taken.key, "video": place.video_stamp(side)})
            coming.rename(taken.aligned)
    return len(faces)


def _take(origin: Path, folder: Path, *, link: bool = True) -> None:
    """The files of a folder in another: linked where that is wanted and they lie on one disk, else copied."""
    if not origin.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in origin.iterdir():
        if path.is_file() and not path.name.startswith("."):
            _link_or_copy(path, folder / path.name, link=link)


def _link_or_copy(path: Path, target: Path, *, link: bool) -> None:
    if link:
        with suppress(OSError):
            os.link(path, target)
            return
    shutil.copy2(path, target)
