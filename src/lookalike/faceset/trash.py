"""Faces put aside and brought back: nothing is deleted, and a face in the trash always says why it is there."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from lookalike.errors import FacesetError, RecordError
from lookalike.faceset.record import LONGEST_TEXT
from lookalike.faceset.store import changing, load_record, replace_record
from lookalike.files import storage_errors, unused_path, write_bytes
from lookalike.options import Options, first_problem, format_of
from lookalike.untrusted import UnreadableError, is_plain, read_bytes

FORMAT = 1


class _Journal(Options):
    """Faces that were chosen to be put aside together."""

    format: int = FORMAT
    trash: str
    """Name of a folder beside the faceset."""
    rejects: dict[str, str]
    """Why, by file name."""


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
    reason = reason[:LONGEST_TEXT]
    with changing(path.parent):  # a step that writes records would put the face back
        record = load_record(path)
        if record.reason != reason:
            replace_record(path, record.model_copy(update={"reason": reason}))
        return _moved(path, trash)


def put_all_aside(folder: Path, trash: Path, rejects: dict[str, str]) -> Iterator[int]:
    """Move faces of a faceset to a trash beside it, as `put_aside`; what a kill leaves, `finish_putting_aside` does.

    Args:
        folder: the faceset.
        trash: a folder beside it.
        rejects: why, by file name.

    Yields:
        How many are done, after each.

    Raises:
        StorageError: the trash cannot be written.
    """
    if rejects:
        journal = _Journal(trash=trash.name, rejects=rejects)
        write_bytes(_journal_path(folder), journal.model_dump_json().encode())
        yield from _go_on(folder, journal)


def finish_putting_aside(folder: Path) -> None:
    """Complete a putting aside that was cut off; to be called before the faces that are left are looked at.

    Raises:
        FacesetError: the journal cannot be read.
        StorageError: the trash cannot be written.
    """
    path = _journal_path(folder)
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        return
    except UnreadableError as exc:
        raise FacesetError(f"{path} cannot be read ({exc}); move it away") from exc
    try:
        number = format_of(json.loads(text))
        if number > FORMAT:
            raise FacesetError(f"{path} has format {number}; update Lookalike to read it")
        journal = _Journal.model_validate_json(text)
        if not all(is_plain(name) for name in (journal.trash, *journal.rejects)):
            raise ValueError("a name leads elsewhere")
    except (ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise FacesetError(f"{path} cannot be read ({reason}); move it away") from exc
    for _ in _go_on(folder, journal):
        pass


def _go_on(folder: Path, journal: _Journal) -> Iterator[int]:
    trash = folder.with_name(journal.trash)
    for done, (name, reason) in enumerate(journal.rejects.items(), 1):
        if (folder / name).is_file():
            with suppress(RecordError):  # changed meanwhile, and no face of ours any more: it stays
                put_aside(folder / name, trash, reason)
        yield done
    with storage_errors(folder):
        _journal_path(folder).unlink()


def _journal_path(folder: Path) -> Path:
    """Beside the folder."""
    return folder.with_name(f"{folder.name}.rejects.json")


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
