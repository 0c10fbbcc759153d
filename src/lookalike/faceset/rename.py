"""Renaming many faces at once: never over a file, finished after any kill, and undone on request.

A journal beside the folder holds the renaming under way and those before it. First every file gets a hidden name of its
own, then its new one; between the two the journal is written, so a later run knows which name a file has.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from lookalike.errors import FacesetError
from lookalike.files import storage_errors, unused_path, write_bytes
from lookalike.options import Options, first_problem, format_of
from lookalike.untrusted import UnreadableError, is_plain, read_bytes

FORMAT = 1
_LONGEST_NAME = 200
"""Bytes of a name up to which the hidden name repeats it; file systems take 255."""
_move: Callable[[Path, Path], object] = os.rename
"""The one call that renames; tests cut it off."""


class Renaming(Options):
    """Files that got other names together."""

    why: str
    """What asked for it, e.g. sort yaw."""
    at: float
    """Unix seconds."""
    names: list[tuple[str, str]]
    """Old and new."""


class _Pending(Renaming):
    stage: Literal["hide", "show"] = "hide"
    undoes: bool = False
    """It takes back the last of the history."""


class _Journal(Options):
    format: int = FORMAT
    pending: _Pending | None = None
    history: list[Renaming] = Field(default_factory=list)


def rename_all(folder: Path, mapping: dict[str, str], why: str) -> dict[str, str]:
    """Give files of a folder other names; names may be exchanged.

    Args:
        folder: where the files are.
        mapping: old to new name; files not in it keep theirs.
        why: what asked for it, for the history.

    Returns:
        What was renamed to what.

    Raises:
        FacesetError: a file is missing, a name is no plain file name or asked for twice, or a file that is not renamed
            has it already. Nothing was renamed then.
    """
    finish_renames(folder)
    wanted = {old: new for old, new in mapping.items() if old != new}
    _check(folder, wanted)
    if not wanted:
        return {}
    return _start(folder, _Pending(why=why, at=time.time(), names=list(wanted.items())))


def finish_renames(folder: Path) -> dict[str, str]:
    """Complete a renaming that was cut off; to be called before a folder of faces is used.

    Returns:
        Old to new name of what it completed; empty when nothing was under way.

    Raises:
        FacesetError: the journal cannot be read.
    """
    journal = _read(folder)
    if journal.pending is None:
        return {}
    return _go_on(folder, journal, journal.pending)


def undo_renames(folder: Path) -> dict[str, str]:
    """Take the latest renaming back; call again for the one before. Files that were deleted since stay away.

    Returns:
        Present to former name; a former name that another file has by now gets a number.

    Raises:
        FacesetError: there is nothing to undo, or none of the files is there any more. Nothing is forgotten then.
    """
    finish_renames(folder)
    history = _read(folder).history
    if not history:
        raise FacesetError(f"nothing to undo in {folder}: no renaming is on record")
    back = {new: old for old, new in history[-1].names if (folder / new).is_file()}
    if history[-1].names and not back:
        raise FacesetError(
            f"nothing to undo in {folder}: none of the {len(history[-1].names)} files renamed by "
            f"{history[-1].why} is there; bring them back first"
        )
    return _start(folder, _Pending(why=history[-1].why, at=time.time(), names=list(back.items()), undoes=True))


def history(folder: Path) -> list[Renaming]:
    """The renamings that can be undone, oldest first."""
    return _read(folder).history


def journal_path(folder: Path) -> Path:
    """Where the journal lies: beside the folder."""
    return folder.with_name(f"{folder.name}.renames.json")


def _check(folder: Path, wanted: dict[str, str]) -> None:
    seen: set[str] = set()
    for old, new in wanted.items():
        if not (folder / old).is_file() or Path(old).name != old:
            raise FacesetError(f"cannot rename {folder / old}: no such file")
        if not is_plain(new) or new.startswith("."):
            raise FacesetError(f"cannot rename {old} to {new!r}: not a plain file name")
        if new in seen:
            raise FacesetError(f"cannot rename two files to {new}")
        if new not in wanted and (folder / new).exists():
            raise FacesetError(f"cannot rename {old} to {new}: {folder / new} exists; move it away first")
        seen.add(new)


def _start(folder: Path, pending: _Pending) -> dict[str, str]:
    journal = _read(folder).model_copy(update={"pending": pending})
    _write(folder, journal)
    return _go_on(folder, journal, pending)


def _go_on(folder: Path, journal: _Journal, pending: _Pending) -> dict[str, str]:
    """Do what is left of a renaming."""
    hidden = [folder / _hidden_name(place, old) for place, (old, _) in enumerate(pending.names)]
    with storage_errors(folder):
        if pending.stage == "hide":  # no file has its new name yet, so one that has its old name is meant
            for path, (old, _) in zip(hidden, pending.names, strict=True):
                if (folder / old).exists() and not path.exists():
                    _move(folder / old, path)
            _flush(folder)
            pending = pending.model_copy(update={"stage": "show"})
            _write(folder, journal.model_copy(update={"pending": pending}))
        done = {}
        for path, (old, new) in zip(hidden, pending.names, strict=True):
            target = folder / new
            if path.exists():
                target = unused_path(target)  # somebody may have put a file there meanwhile
                _move(path, target)
            done[old] = target.name
        _flush(folder)
    _close(folder, journal, pending, done)
    return done


def _close(folder: Path, journal: _Journal, pending: _Pending, done: dict[str, str]) -> None:
    if pending.undoes:
        past = journal.history[:-1]
    else:
        past = [*journal.history, Renaming(why=pending.why, at=pending.at, names=list(done.items()))]
    _write(folder, _Journal(history=past))


def _hidden_name(place: int, old: str) -> str:
    """Hidden, so it is no face meanwhile; with the old name in it, should the journal be lost."""
    stem = old if len(old.encode()) <= _LONGEST_NAME else Path(old).suffix
    return f".renaming-{place:06d}-{stem}"


def _read(folder: Path) -> _Journal:
    path = journal_path(folder)
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        return _Journal()
    except UnreadableError as exc:
        raise FacesetError(f"{path} cannot be read ({exc}); move it away") from exc
    try:
        number = format_of(json.loads(text))
        if number > FORMAT:
            raise FacesetError(f"{path} has format {number}; update Lookalike to read it")
        journal = _Journal.model_validate_json(text)
        renamings = [*journal.history, *([journal.pending] if journal.pending else [])]
        if not all(is_plain(name) for one in renamings for pair in one.names for name in pair):
            raise ValueError("a name leads elsewhere")
        return journal
    except (ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise FacesetError(f"{path} cannot be read ({reason}); move it away") from exc


def _write(folder: Path, journal: _Journal) -> None:
    write_bytes(journal_path(folder), journal.model_dump_json().encode())
    _flush(folder.parent)


def _flush(folder: Path) -> None:
    """Have the folder's names on disk before going on; Windows neither needs nor allows it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
