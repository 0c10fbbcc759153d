"""The files of a data set: each is made once, noted, and never written over by what it did not make itself."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from lookalike.errors import BatchError
from lookalike.files import storage_errors, write_bytes
from lookalike.options import Options, first_problem, format_of
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import fingerprint
from lookalike.provenance.sidecar import sidecar_of
from lookalike.types import Event

FORMAT: Final = 1
_HIDDEN: Final = ".dataset"


class _Made(Options):
    key: str
    """Stands for all that decides what is in it."""
    stamp: str


class _State(Options):
    """`.dataset/state.json`."""

    format: Literal[1] = FORMAT
    files: dict[str, _Made] = Field(default_factory=dict)
    """By path from the data set's folder; folders of images, too."""


class DatasetFiles:
    """A data set's folder, and what was made in it."""

    def __init__(self, folder: Path) -> None:
        """Open a folder, or one that is to be.

        Raises:
            BatchError: it has files and is no data set; its state is damaged or newer.
        """
        self.folder = folder
        self._state = folder / _HIDDEN / "state.json"
        if folder.exists() and not folder.is_dir():
            raise BatchError(f"{folder} is a file; name a folder for the data set")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / _HIDDEN).is_dir():
            raise BatchError(f"{folder} has files of others in it; name a new or an empty folder")
        self._files = dict(_read(self._state).files)
        self._wanted: set[str] = set()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who writes here.

        Raises:
            BatchError: another is at work.
        """
        with storage_errors(self.folder):
            self._state.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._state.with_name("lock"))
        try:
            with storage_errors(self.folder):
                lock.acquire(timeout=0)
        except Timeout as exc:
            raise BatchError(f"another lookalike writes {self.folder}; wait for it, or end it") from exc
        try:
            yield
        finally:
            lock.release()

    def make(self, name: str, parts: object, work: Callable[[Path], Iterator[Event]]) -> Iterator[Event]:
        """Have a file or a folder of images made, unless it is there.

        Args:
            name: its path from the data set's folder.
            parts: all that decides what is in it.
            work: makes it, under the path given, whose last part is that of `name`; finds there what it left
                when it was killed.

        Raises:
            BatchError: something lies there that was not made here, or was changed since.
        """
        self._wanted.add(name)
        key = fingerprint(name, parts)
        path, made = self.folder / name, self._files.get(name)
        there = path.exists()
        if there and (made is None or _stamp(path) != made.stamp):
            raise BatchError(f"{path} was not made by this data set, or was changed since; move it away")
        if there and made is not None and made.key == key:
            return
        room = self._state.parent / "work" / key
        with storage_errors(path):
            room.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        yield from work(room / path.name)
        self._take(name, key, room / path.name)
        shutil.rmtree(room, ignore_errors=True)

    def _take(self, name: str, key: str, fresh: Path) -> None:
        """Note what is finished, and give it its name: a kill between the two finds it known and not there."""
        path = self.folder / name
        self._files[name] = _Made(key=key, stamp=_stamp(fresh))
        with storage_errors(path):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            sidecar_of(path).unlink(missing_ok=True)
            self._write()
            if sidecar_of(fresh).is_file():
                sidecar_of(fresh).replace(sidecar_of(path))
            fresh.replace(path)

    def write(self, name: str, data: bytes) -> None:
        """Write one of the files that tell of all others."""
        if (self.folder / name).exists() and (self.folder / name).read_bytes() == data:
            return
        write_bytes(self.folder / name, data)

    def left_over(self) -> list[str]:
        """Files that earlier runs made and this one did not ask for."""
        return sorted(name for name in self._files if name not in self._wanted and (self.folder / name).exists())

    def clear(self) -> None:
        """Remove what killed runs began and nobody asked for since."""
        shutil.rmtree(self._state.parent / "work", ignore_errors=True)

    def _write(self) -> None:
        write_bytes(self._state, (_State(files=self._files).model_dump_json(indent=1) + "\n").encode())


def _stamp(path: Path) -> str:
    """Size and time of a file; of a folder, how many files it has and their bytes."""
    if not path.is_dir():
        return stamp(path)
    sizes = [one.stat().st_size for one in path.iterdir()]
    return f"{len(sizes)} files-{sum(sizes)}"


def _read(path: Path) -> _State:
    if not path.is_file():
        return _State()
    try:
        value = json.loads(path.read_bytes())
        if format_of(value) > FORMAT:
            raise BatchError(f"{path} has format {format_of(value)}; update Lookalike to go on with it")
        return _State.model_validate(value)
    except (OSError, ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise BatchError(f"{path} cannot be read ({reason}); name another folder for the data set") from exc
