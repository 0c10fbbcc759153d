"""Faces put aside and brought back: nothing is deleted, and a face in the trash always says why it is there."""

from pathlib import Path

from lookalike.faceset.store import load_record, replace_record
from lookalike.files import storage_errors, unused_path


def put_aside(path: Path, trash: Path, reason: str) -> Path:
    """Move a face to the trash, the reason in its record; nothing there is written over.

    The reason is written first, so a run that is killed between the two leaves the face in use and does no harm.

    Args:
        path: the face's file.
        trash: folder for it, made if it is not there.
        reason: in plain words; `lookalike faceset restore --reason` looks for it.

    Returns:
        Where it lies now.

    Raises:
        RecordError: the file is no face of ours; it stays.
        StorageError: the trash cannot be written.
    """
    record = load_record(path)
    if record.reason != reason:
        replace_record(path, record.model_copy(update={"reason": reason}))
    return _moved(path, trash)


def bring_back(path: Path, folder: Path) -> Path:
    """Move a face from the trash into a faceset and forget the reason; nothing there is written over.

    The face is moved first, so whatever lies in the trash has its reason, whenever the run is killed.

    Returns:
        Where it lies now.

    Raises:
        RecordError: the file is no face of ours; it stays.
        StorageError: the faceset cannot be written.
    """
    record = load_record(path)
    moved = _moved(path, folder)
    if record.reason is not None:
        replace_record(moved, record.model_copy(update={"reason": None}))
    return moved


def _moved(path: Path, folder: Path) -> Path:
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return path.rename(unused_path(folder / path.name))
