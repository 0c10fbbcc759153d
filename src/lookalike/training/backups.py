"""Copies of a model as it was: `backups/01` is the newest of at most fifteen."""

import os
import shutil
import time
from pathlib import Path

from lookalike.errors import CheckpointError
from lookalike.files import storage_errors
from lookalike.models.checkpoint import PARTS, finish_renames

KEPT = 15
SECONDS = 3600.0
_BESIDE = ("preview.jpg",)


def is_due(folder: Path, now: float | None = None) -> bool:
    """Is the newest backup of the model in `folder` an hour old, or is there none?"""
    newest = backup_folder(folder, 1) / PARTS[-1]
    if not newest.is_file():
        return True
    age = (time.time() if now is None else now) - newest.stat().st_mtime
    return not 0 <= age < SECONDS  # one of the future was made before the clock was set back


def back_up(folder: Path) -> Path:
    """Keep the model that lies in `folder`; what is older moves on by one, the sixteenth goes.

    Raises:
        StorageError: the disk is full.
    """
    new = folder / "backups" / "new"
    with storage_errors(new):
        shutil.rmtree(new, ignore_errors=True)  # half a backup of a run that was killed
        new.mkdir(parents=True)
        for part in (*PARTS, *_BESIDE):
            if (folder / part).is_file():
                _link_or_copy(folder / part, new / part)
        os.utime(new / PARTS[-1])
        shutil.rmtree(backup_folder(folder, KEPT), ignore_errors=True)
        first_gap = next(number for number in range(1, KEPT + 1) if not backup_folder(folder, number).exists())
        for number in range(first_gap - 1, 0, -1):
            backup_folder(folder, number).rename(backup_folder(folder, number + 1))
        new.rename(backup_folder(folder, 1))
    return backup_folder(folder, 1)


def go_back(folder: Path, number: int) -> None:
    """Make a backup the model again; the model that is there becomes backup 01 first.

    Raises:
        CheckpointError: there is no such backup.
    """
    wanted = backup_folder(folder, number)
    if not (wanted / PARTS[-1]).is_file():
        there = sorted(p.name for p in (folder / "backups").glob("[0-9][0-9]"))
        raise CheckpointError(f"{folder} has no backup {number:02}; it has {', '.join(there) or 'none'}")
    held = folder / "backups" / "wanted"
    shutil.rmtree(held, ignore_errors=True)
    held.mkdir()
    for part in PARTS:
        _link_or_copy(wanted / part, held / part.replace(".", ".new."))
    finish_renames(folder)
    if (folder / PARTS[-1]).is_file():
        back_up(folder)
    for part in PARTS:  # the state last: once it is there, the change is decided
        (held / part.replace(".", ".new.")).replace(folder / part.replace(".", ".new."))
    finish_renames(folder)
    held.rmdir()


def backup_folder(folder: Path, number: int) -> Path:
    """Where backup `number` of the model in `folder` lies; 1 is the newest."""
    return folder / "backups" / f"{number:02}"


def _link_or_copy(origin: Path, target: Path) -> None:
    """A second name for the same bytes, which costs no room: files of a model are replaced, never written into."""
    try:
        os.link(origin, target)
    except OSError:
        shutil.copy2(origin, target)
