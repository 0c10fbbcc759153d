"""Making a faceset anew beside the old one, and putting it in its place: killed at any time, one of both is whole."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lookalike.files import storage_errors, unused_path, write_bytes

_KEY = ".key"


def finish_swap(folder: Path) -> bool:
    """Put a faceset in its place that a killed run had finished; true if there was one.

    The only moment in which `folder` is missing is between two renames of `Rewrite.put_in_place`. Commands call this
    first, so that nobody sees that moment. A faceset that lies there still is kept, as there.
    """
    complete = _complete(folder)
    if not complete.is_dir():
        return False
    with storage_errors(folder):
        if folder.exists():
            folder.rename(unused_path(folder))
        complete.rename(folder)
    return True


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A faceset in the making."""

    folder: Path
    """Where it will lie, and where the old one lies until then."""
    work: Path
    """Where it is made."""

    @classmethod
    def begin(cls, folder: Path, key: str) -> "Rewrite":
        """Start, or go on where a killed run with the same key stopped.

        Args:
            key: changes with the options and the faces that go in; files of another key are dropped.

        Raises:
            StorageError: the folder cannot be written.
        """
        finish_swap(folder)
        work = folder.with_name(f".{folder.name}.partial")
        mark = work / _KEY
        if not mark.is_file() or mark.read_text() != key:
            shutil.rmtree(work, ignore_errors=True)
            write_bytes(mark, key.encode())
        return cls(folder, work)

    def keep(self, path: Path) -> None:
        """Take a file of the old faceset over as it is: linked where the disk can, else copied."""
        target = self.work / path.name
        if target.exists():
            return
        with storage_errors(target):
            try:
                os.link(path, target)
            except OSError:
                write_bytes(target, path.read_bytes())

    def drop(self) -> None:
        """Give up what was made; the old faceset stays."""
        shutil.rmtree(self.work, ignore_errors=True)

    def put_in_place(self) -> Path | None:
        """Put the new faceset where the old one lies; where the old one is kept, or none if there was none.

        Raises:
            StorageError: a folder cannot be renamed.
        """
        complete = _complete(self.folder)
        aside = unused_path(self.folder) if self.folder.exists() else None
        with storage_errors(self.folder):
            (self.work / _KEY).unlink()
            self.work.rename(complete)
            if aside is not None:
                self.folder.rename(aside)
            complete.rename(self.folder)
        return aside


def _complete(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.complete")
