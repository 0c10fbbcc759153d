"""One folder of faces as a gallery shows it: names at once, what is known of each face as it is read."""

import os
import subprocess
import sys
import threading
import time
from bisect import insort
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lookalike.curation.columns import COLUMNS
from lookalike.errors import FacesetError, LookalikeError
from lookalike.faceset import SUFFIXES
from lookalike.faceset.index import FacesetIndex, natural_key
from lookalike.faceset.index_known import Known
from lookalike.pipeline.gallery_fill import WANTED

_PROGRAM: Final = """
import os, sys
if hasattr(os, "nice"):
    os.nice(10)
from lookalike.pipeline.gallery_fill import main
main(*sys.argv[1:])
"""
"""Makes itself the last in the queue for the processor before it takes any."""
_HERE: Final = 150
"""Faces that are read in this process; more are read in one of their own."""
_MANY: Final = 2000
_PICTURES_FIRST_SECONDS: Final = 0.8
"""Before so many faces are read: whoever has just opened the page waits for the first pictures."""
_FEW: Final = 200
"""Names that are put into an order one by one."""
_NO_DIGITS: Final = str.maketrans("123456789", "000000000")
_SETTLED_NS: Final = 1_000_000_000
"""A folder that changed so lately may change again without another time stamp."""
_QUIET_SECONDS: Final = 2.0
"""After own changes, which are known already, before the folder is looked at again."""
_TELL_SECONDS: Final = 1.0
"""Between two looks at what another process has read."""


class NoFaceHereError(FacesetError):
    """No face of that name is in the folder."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A folder at one moment."""

    version: int
    """Changes with anything else here."""
    names: list[str]
    """In natural order."""
    rows: Mapping[str, Known]
    """What is known, by name; may lack faces and have some that are gone."""
    reading: tuple[int, int] | None
    """Faces read and to be read, while that goes on."""
    trouble: str | None
    """Why nothing more can be known."""

    @property
    def unread(self) -> int:
        """How many faces nothing is known of yet; none if that will not change."""
        return 0 if self.trouble else sum(name not in self.rows for name in self.names)


@dataclass(slots=True)
class _State:
    names: list[str] = field(default_factory=list)
    rows: dict[str, Known] = field(default_factory=dict)
    version: int = 1
    listed_ns: int | None = None
    """Time stamp of the folder when it was listed; none if it must be listed again."""
    read_ns: int | None = None
    """The same for the reading of the faces."""
    reading: tuple[int, int] | None = None
    trouble: str | None = None


class Shelf:
    """One folder of faces. Safe in threads; the files may change at any time, and the folder need not be there."""

    def __init__(self, folder: Path, index: Path) -> None:
        """Nothing is read before `look`.

        Args:
            folder: of the faces.
            index: where what is known of them is kept.
        """
        self.folder, self.index = folder, index
        self._now = _State()
        self._lock = threading.RLock()
        self._reader: threading.Thread | None = None
        self._quiet_until = 0.0

    def look(self) -> Seen:
        """What is known now; more is read meanwhile, so look again."""
        with self._lock:
            if time.monotonic() >= self._quiet_until:
                self._list()
                self._read_later()
            now = self._now
            return Seen(now.version, now.names, dict(now.rows), now.reading, now.trouble)

    @property
    def count(self) -> int:
        """How many faces there are."""
        with self._lock:
            if time.monotonic() >= self._quiet_until:
                self._list()
            return len(self._now.names)

    def path(self, name: str) -> Path:
        """The file of a face.

        Raises:
            NoFaceHereError: there is none of that name, or it is a link that leads out of the folder.
        """
        path = self.folder / name
        if Path(name).name == name and name[:1] not in ("", ".") and path.suffix.lower() in SUFFIXES and path.is_file():
            try:
                if path.resolve().parent == self.folder.resolve():
                    return path
            except OSError:
                pass
        raise NoFaceHereError(f"no face here is called {name[:100]!r}; it may have been moved or renamed")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The faces are being moved by us: do not look at the folder meanwhile, nor right afterwards."""
        with self._lock:
            if time.monotonic() >= self._quiet_until:
                self._list()
            self._quiet_until = float("inf")
        try:
            yield
        finally:
            with self._lock:
                self._now.listed_ns = None
                self._quiet_until = time.monotonic() + _QUIET_SECONDS

    def take_out(self, names: set[str]) -> dict[str, Known]:
        """Forget faces that were moved away; what was known of them."""
        with self._lock:
            now = self._now
            now.names = [name for name in now.names if name not in names]
            now.version += 1
            return {name: now.rows.pop(name) for name in names if name in now.rows}

    def put_in(self, names: list[str], rows: Mapping[str, Known]) -> None:
        """Take in faces that were moved here, with what is known of them."""
        with self._lock:
            now = self._now
            now.names = _merged(now.names, names)
            now.rows.update(rows)
            now.version += 1

    def _list(self) -> None:
        """Bring the names up to date, if the folder has changed."""
        stamp = self._stamp()
        if stamp == self._now.listed_ns:
            return
        found = _names(self.folder)
        kept = [name for name in self._now.names if name in found]
        names = _merged(kept, list(found.difference(kept)))
        if names != self._now.names:
            self._now.names = names
            self._now.version += 1
        self._now.listed_ns = _settled(stamp)

    def _read_later(self) -> None:
        busy = self._reader is not None and self._reader.is_alive()
        if not busy and self._stamp() != self._now.read_ns and self.folder.is_dir():
            self._reader = threading.Thread(target=self._read, name="gallery", daemon=True)
            self._reader.start()

    def _read(self) -> None:
        """Read what is new or changed; what was known from before is shown meanwhile."""
        if not self._now.rows and len(self._now.names) > _MANY:
            time.sleep(_PICTURES_FIRST_SECONDS)
        stamp = self._stamp()
        try:
            with FacesetIndex(self.folder, path=self.index) as index:
                if not self._now.rows:
                    self._publish(index.known(COLUMNS.kind))
                if not self._is_current() and self._catch_up(index):
                    self._publish(index.known(COLUMNS.kind), whole=True)
            trouble = None
        except (LookalikeError, OSError) as exc:
            trouble = str(exc)
        with self._lock:
            now = self._now
            now.version += trouble != now.trouble or now.reading is not None
            now.reading, now.trouble = None, trouble
            now.read_ns = _settled(stamp) if trouble is None else stamp

    def _is_current(self) -> bool:
        """Whether all files are known as they are; quicker to tell than to bring an index up to date."""
        rows = self._now.rows
        known = {name: row.stamp for name, row in rows.items() if row.feature is not None or row.problem is not None}
        try:
            return known == {name: (stat.st_size, stat.st_mtime_ns) for name, stat in _files(self.folder)}
        except OSError:
            return False

    def _catch_up(self, index: FacesetIndex) -> bool:
        """Bring the index up to date, and show what is read meanwhile if that takes long; whether anything was new."""
        steps = index.sync_steps(WANTED)
        stale = next(steps)[1]
        lacking = len(self._now.names) - stale - index.count(COLUMNS.kind)
        if stale + lacking <= _HERE:
            read = sum(1 for _ in steps)
            return bool(read + sum(1 for _ in index.fill(WANTED))) or set(self._now.rows) != set(self._now.names)
        steps.close()
        self._tell(0, stale + lacking)
        place, told = 0, time.monotonic()
        for done, total in _filled(self.folder, self.index):
            if time.monotonic() - told > _TELL_SECONDS:
                known = index.known(COLUMNS.kind, place)
                place = max([place, *(one.place for one in known)])
                self._publish(known)
                self._tell(done, total)
                told = time.monotonic()
        return True

    def _publish(self, known: list[Known], *, whole: bool = False) -> None:
        rows = {one.name: one for one in known}
        with self._lock:
            now = self._now
            if whole:
                names = set(now.names)
                rows = {name: row for name, row in {**now.rows, **rows}.items() if name in names}
            if whole and rows == now.rows:
                return
            now.rows = rows if whole else {**now.rows, **rows}
            now.version += 1

    def _tell(self, done: int, total: int) -> None:
        with self._lock:
            self._now.reading = (done, total)
            self._now.version += 1

    def _stamp(self) -> int:
        """Time stamp of the folder, which changes when a file comes, goes or is replaced; -1 if it is not there."""
        try:
            return self.folder.stat().st_mtime_ns
        except OSError:
            return -1


def _settled(stamp: int) -> int | None:
    return stamp if time.time_ns() - stamp > _SETTLED_NS else None


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files of a folder that may be faces, as `list_faces` tells them, but quicker."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _may_be_face(entry):
                yield entry.name, entry.stat()


def _names(folder: Path) -> set[str]:
    """Their names alone; none if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if _may_be_face(entry)}
    except OSError:
        return set()


def _may_be_face(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] != "." and entry.name.lower().endswith(SUFFIXES) and entry.is_file()


def _merged(names: list[str], more: list[str]) -> list[str]:
    """Names in natural order, and further ones in their places."""
    if len(more) > _FEW:
        everything = {*names, *more}
        alike = (
            len({name.translate(_NO_DIGITS) for name in everything}) == 1
        )  # the order of characters is the natural one
        return sorted(everything, key=None if alike else natural_key)
    merged, known = list(names), set(names)
    for name in more:
        if name not in known:
            insort(merged, name, key=natural_key)
    return merged


def _filled(folder: Path, index: Path) -> Iterator[tuple[int, int]]:
    """As `gallery_fill.fill`, in a process of its own.

    Raises:
        FacesetError: it failed.
    """
    words = [sys.executable, "-c", _PROGRAM, str(folder), str(index)]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            done, _, total = line.partition(" ")
            yield int(done), int(total)
        said = process.stderr.read().strip()
    if process.returncode:
        raise FacesetError(said.splitlines()[-1].removeprefix("error: ") if said else f"{folder} cannot be read")
