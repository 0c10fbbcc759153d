"""A training process on a machine that does not see the workspace: what it needs is sent, what it makes goes back."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from lookalike.cluster.files import FileRef, Files, file_ref
from lookalike.faceset import list_faces
from lookalike.files import discard, storage_errors, write_bytes
from lookalike.models.checkpoint import PARTS, finish_renames

_LOGS: Final = ("log.jsonl", "validation.jsonl")
_Looks = dict[str, tuple[int, int]]
"""Size and time of files by name."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files on their way, by name in the model's folder."""

    whole: dict[str, bytes]
    tails: dict[str, tuple[int, bytes]]
    """What stands in a log from some byte on."""
    gone: tuple[str, ...] = ()
    """Names of files that are no more."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.whole.values())) + sum(len(tail) for _, tail in self.tails.values())


def faceset_here(files: Files, folder: Path) -> Path:
    """A folder of this machine with the faces of one that it does not see."""
    return files.here(files.asked(_faces, folder))[0].parent


def pack(folder: Path, names: tuple[str, ...]) -> Parcel:
    """Those of some files that are there; run on the machine that sees the folder."""
    finish_renames(folder)
    return Parcel({name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}, {})


def unpack(folder: Path, parcel: Parcel) -> None:
    """Write what arrived, the files of a checkpoint all together or not at all.

    Raises:
        StorageError: the disk is full.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        finish_renames(folder)
        for name in sorted(parcel.whole, key=lambda name: name == PARTS[-1]):  # the state decides, and comes last
            write_bytes(folder / (name.replace(".", ".new.") if name in PARTS else name), parcel.whole[name])
        finish_renames(folder)
        for name, (start, tail) in parcel.tails.items():
            with (folder / name).open("r+b" if (folder / name).exists() else "w+b") as handle:
                handle.seek(start)
                handle.write(tail)
                handle.truncate()
    for name in parcel.gone:
        discard(folder / name)


class Mirror:
    """A model's folder on this machine that follows, or is followed by, the one that it stands for."""

    def __init__(self, files: Files, of: Path, leads: bool) -> None:
        """Fetch what is there.

        Args:
            files: of the pool.
            of: the folder that it stands for, on the machine that gave out the work.
            leads: whether this process writes the model.
        """
        self._files, self._of, self._leads = files, of, leads
        self.folder = Path(tempfile.mkdtemp(prefix=f"lookalike-train-{os.getpid()}-"))
        """Where there is room for what belongs to this process alone."""
        self.model = self.folder / of.name
        self._fetch((*PARTS, *_LOGS) if leads else PARTS)
        self._sent = self._look()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def sent(self) -> bool:
        """Send what has changed since the last call, if this process writes the model; true."""
        now = self._look()
        if self._leads and now != self._sent:
            self._files.asked(unpack, self._of, self._changes(now))
            self._sent = now
        return True

    def renew(self) -> None:
        """Before the last checkpoint is opened again: fetch it, unless this process wrote it."""
        if self._leads:
            self._sent = {name: look for name, look in self._sent.items() if name not in _LOGS}  # cut back soon
        else:
            self._fetch(PARTS)

    def _fetch(self, names: tuple[str, ...]) -> None:
        unpack(self.model, self._files.asked(pack, self._of, names))

    def _look(self) -> _Looks:
        found = {}
        for path in self.model.rglob("*"):
            name = path.relative_to(self.model).as_posix()
            if path.is_file() and not path.name.startswith(".") and ".new." not in path.name:
                found[name] = (path.stat().st_size, path.stat().st_mtime_ns)
        return found

    def _changes(self, now: _Looks) -> Parcel:
        changed = {name for name, look in now.items() if self._sent.get(name) != look} - set(PARTS)
        if self._sent.get(PARTS[-1]) != now.get(PARTS[-1]):
            changed |= now.keys() & set(PARTS)
        whole, tails = {}, {}
        for name in changed:
            data = self.model / name
            start = self._sent.get(name, (0, 0))[0]
            if name in _LOGS and now[name][0] > start:
                tails[name] = start, _from(data, start)
            else:
                whole[name] = data.read_bytes()
        return Parcel(whole, tails, tuple(self._sent.keys() - now.keys()))


def _faces(folder: Path) -> list[FileRef]:
    return [file_ref(path) for path in list_faces(folder)]


def _from(path: Path, start: int) -> bytes:
    with path.open("rb") as handle:
        handle.seek(start)
        return handle.read()
