"""What is known of a faceset, in one SQLite file beside it: a cache, as the images are the truth."""

import re
import sqlite3
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import FacesetError, RecordError
from lookalike.faceset.index_file import APPLICATION, DamagedError, discard, guarded, put_foreign_aside, refused
from lookalike.faceset.index_known import Known, read_known, read_records
from lookalike.faceset.record import FORMAT, FaceRecord
from lookalike.faceset.store import list_faces, load_face, load_record
from lookalike.parallel import ordered_map

_SCHEMA_NUMBER = 1
_SCHEMA = """
CREATE TABLE faces (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
                    record TEXT, problem TEXT);
CREATE TABLE features (name TEXT NOT NULL REFERENCES faces(name) ON UPDATE CASCADE ON DELETE CASCADE,
                       kind TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (kind, name));
CREATE INDEX features_of_a_face ON features(name);
CREATE TABLE orders (method TEXT PRIMARY KEY, names TEXT NOT NULL, made REAL NOT NULL);
"""
_KEEP_FEATURE = """
INSERT OR REPLACE INTO features SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM faces WHERE name = ?1)
"""
"""Not for a face that another process has found gone meanwhile."""
_BATCH = 200
"""Faces between two commits: what a killed run loses at most."""
_WAIT_SECONDS = 30.0
_NO_PIXELS = np.zeros((0, 0, 3), np.uint8)

Item = TypeVar("Item")
Compute = Callable[[NDArray[np.uint8], FaceRecord], NDArray[np.floating]]


@dataclass(frozen=True, slots=True)
class Feature:
    """Numbers that can be computed of each face and are kept in the index."""

    kind: str
    """Name under which they are kept; another formula needs another name, e.g. brightness/2."""
    compute: Compute
    """From the (S, S, 3) uint8 RGB crop and its record to (D,) numbers, D the same for all faces. Called in threads."""
    pixels: bool = True
    """False: computed of the record alone, so the picture is not decoded and an empty one is passed."""


@dataclass(frozen=True, slots=True)
class Change:
    """What `sync` found."""

    read: int = 0
    """Files that are new or changed."""
    gone: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    """By name, why; these are no part of the faceset's names."""


def natural_key(name: str) -> tuple[tuple[tuple[int, int | str], ...], str]:
    """Sort key that puts 9.jpg before 10.jpg; the name itself settles what else is equal."""
    parts = re.split(r"(\d+)", name)
    return tuple(
        (0, int(part)) if place % 2 else (1, part.casefold()) for place, part in enumerate(parts) if part
    ), name


class FacesetIndex:
    """The index of a faceset; a context manager. One thread uses it; other processes may use the same file."""

    def __init__(self, folder: Path, workers: int = 2, path: Path | None = None) -> None:
        """Open the index of `folder`, making it anew if it is missing, damaged or of another version.

        Args:
            folder: of the faces.
            workers: threads that read and compute.
            path: where the index lies, if not beside the folder.

        Raises:
            FacesetError: another process holds it for more than half a minute.
            StorageError: it cannot be written.
        """
        self.folder, self._workers = folder, workers
        self.path = path or index_path(folder)
        put_foreign_aside(self.path)
        try:
            self._db = _open(self.path)
        except sqlite3.OperationalError as exc:
            raise refused(exc, self.path) from exc
        except sqlite3.DatabaseError:
            discard(self.path)
            self._db = _open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def sync(self) -> Change:
        """Bring the index to the state of the folder: what is new or changed is read, what is gone is dropped.

        Raises:
            FacesetError: the folder is missing, or the index is held by another process.
        """
        steps = self.sync_steps()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                change: Change = end.value
                return change

    def sync_steps(self, wanted: Sequence[Feature] = ()) -> Generator[tuple[int, int], None, Change]:
        """As `sync`; yields how many files are read, of how many, at first 0.

        Args:
            wanted: features of the record alone, computed of what is read.
        """
        try:
            return (yield from self._sync(wanted))
        except DamagedError:  # shows only when the damaged page is read
            self._db.close()
            discard(self.path)
            self._db = _open(self.path)
            return (yield from self._sync(wanted))

    def _sync(self, wanted: Sequence[Feature]) -> Generator[tuple[int, int], None, Change]:
        stamps = {path.name: stamp for path in list_faces(self.folder) if (stamp := _stamp(path))}
        with guarded(self.path):
            rows = self._db.execute("SELECT name, bytes, modified_ns FROM faces").fetchall()
        known = {name: (size, modified) for name, size, modified in rows}
        gone = [name for name in known if name not in stamps]
        stale = [name for name, stamp in stamps.items() if known.get(name) != stamp]
        with self._writing():
            self._db.executemany("DELETE FROM faces WHERE name = ?", ((name,) for name in [*gone, *stale]))
        yield 0, len(stale)
        done = 0
        for batch in _batches(zip(stale, self._read(stale, wanted), strict=True)):
            with self._writing():
                for name, (record, problem, features) in batch:
                    row = (name, *stamps[name], record, problem)
                    self._db.execute("INSERT OR REPLACE INTO faces VALUES (?, ?, ?, ?, ?)", row)
                    self._db.executemany(_KEEP_FEATURE, ((name, kind, data) for kind, data in features))
            done += len(batch)
            yield done, len(stale)
        return Change(len(stale), len(gone), self.problems())

    def _read(
        self, names: Sequence[str], wanted: Sequence[Feature]
    ) -> Iterator[tuple[str | None, str | None, list[tuple[str, bytes]]]]:
        """Record and problem of each file, one of them none, and features of the record."""

        def read(name: str) -> tuple[str | None, str | None, list[tuple[str, bytes]]]:
            try:
                record = load_record(self.folder / name)
            except RecordError as exc:
                return None, str(exc), []
            return record.model_dump_json(), None, _computed(wanted, _NO_PIXELS, record)

        return ordered_map(read, names, self._workers)

    def known(self, kind: str, after: int = 0) -> list[Known]:
        """What is known of each face without reading whole records, in the order in which it came to be known.

        Args:
            kind: of a feature.
            after: leave out what is known already, up to this `Known.place`.
        """
        with guarded(self.path):
            return list(read_known(self._db, kind, after))

    def problems(self) -> dict[str, str]:
        """Why each unreadable face cannot be read, by name in natural order."""
        with guarded(self.path):
            found = self._db.execute("SELECT name, problem FROM faces WHERE problem IS NOT NULL").fetchall()
        return dict(sorted(found, key=lambda row: natural_key(row[0])))

    def names(self) -> list[str]:
        """File names of the readable faces, in natural order."""
        with guarded(self.path):
            found = self._db.execute("SELECT name FROM faces WHERE problem IS NULL")
            return sorted((name for (name,) in found), key=natural_key)

    def records(self) -> list[tuple[str, FaceRecord]]:
        """Name and record of each readable face, in natural order; about 13 kB of memory a face."""
        return sorted(self.iter_records(), key=lambda row: natural_key(row[0]))

    def iter_records(self) -> Iterator[tuple[str, FaceRecord]]:
        """As `records`, in no order that means anything and without holding them all."""
        with guarded(self.path):
            yield from read_records(self._db, self.path)

    def feature(self, kind: str, compute: Compute) -> NDArray[np.float32]:
        """(N, D) float32 of the faces of `names()`, in their order; the missing are computed from pixels and kept."""
        return self.features([Feature(kind, compute)])[kind]

    def features(self, wanted: Sequence[Feature]) -> dict[str, NDArray[np.float32]]:
        """(N, D) float32 by kind, the missing ones computed first; each picture is decoded once for all of them."""
        for _ in self.fill(wanted):
            pass
        return self.table(wanted)[1]

    def table(self, wanted: Sequence[Feature]) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
        """`names()`, and by kind the (N, D) float32 of these faces, of one moment whatever others write meanwhile.

        Raises:
            FacesetError: a face came that has not all of them yet.
        """
        with guarded(self.path):
            self._db.execute("BEGIN")
            try:
                names = self.names()
                return names, {feature.kind: self._stored(feature.kind, names) for feature in wanted}
            finally:
                self._db.execute("COMMIT")

    def fill(self, wanted: Sequence[Feature]) -> Iterator[tuple[int, int]]:
        """Compute what is missing and keep it; yields how many faces are done, of how many.

        A face whose pixels turn out to be damaged goes from `names()` to `problems()`.
        """
        missing = self._missing(wanted)
        work = ordered_map(lambda item: self._compute(*item), missing.items(), self._workers)
        done = 0
        for batch in _batches(zip(missing, work, strict=True)):
            with self._writing():
                for name, result in batch:
                    if isinstance(result, str):
                        self._db.execute("UPDATE faces SET record = NULL, problem = ? WHERE name = ?", (result, name))
                    else:
                        rows = ((name, kind, data) for kind, data in result)
                        self._db.executemany(_KEEP_FEATURE, rows)
            done += len(batch)
            yield done, len(missing)

    def _missing(self, wanted: Sequence[Feature]) -> dict[str, list[Feature]]:
        missing: dict[str, list[Feature]] = {}
        names = self.names()
        for feature in wanted:
            with guarded(self.path):
                known = set(self._db.execute("SELECT name FROM features WHERE kind = ?", (feature.kind,)))
            for name in names:
                if (name,) not in known:
                    missing.setdefault(name, []).append(feature)
        return missing

    def _compute(self, name: str, wanted: Sequence[Feature]) -> list[tuple[str, bytes]] | str:
        path = self.folder / name
        try:
            if any(feature.pixels for feature in wanted):
                image, record = load_face(path)
            else:
                image, record = _NO_PIXELS, load_record(path)
        except RecordError as exc:
            return str(exc)
        return _computed(wanted, image, record)

    def _stored(self, kind: str, names: Sequence[str]) -> NDArray[np.float32]:
        found = dict(self._db.execute("SELECT name, data FROM features WHERE kind = ?", (kind,)))
        if not names:
            return np.zeros((0, 0), np.float32)
        if missing := [name for name in names if name not in found]:
            raise FacesetError(f"{self.folder / missing[0]} came or changed meanwhile; run the same command again")
        rows = [found[name] for name in names]
        if len({len(row) for row in rows}) > 1 or len(rows[0]) % np.float32().itemsize:
            raise DamagedError(f"{self.path} is damaged ({kind} differs in size); delete it, it is made again")
        return np.frombuffer(b"".join(rows), np.float32).reshape(len(names), -1).copy()

    def save_order(self, method: str, names: Sequence[str]) -> None:
        """Keep an order under its method's name, in place of the last one of that method."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO orders VALUES (?,?,?)", (method, "\n".join(names), time.time()))

    def count(self, kind: str) -> int:
        """How many faces a feature is known of."""
        with guarded(self.path):
            return int(self._db.execute("SELECT count(*) FROM features WHERE kind = ?", (kind,)).fetchone()[0])

    def orders(self) -> dict[str, float]:
        """When the order of each method was kept, in Unix seconds."""
        with guarded(self.path):
            return dict(self._db.execute("SELECT method, made FROM orders").fetchall())

    def load_order(self, method: str | None = None) -> list[str]:
        """The order of a method, or the latest of any; faces that are gone left out, later ones at the end by name.

        Without such an order: all faces by name.
        """
        query = "SELECT names FROM orders WHERE ?1 IS NULL OR method = ?1 ORDER BY made DESC LIMIT 1"
        with guarded(self.path):
            row = self._db.execute(query, (method,)).fetchone()
        names = self.names()
        place = {name: number for number, name in enumerate(row[0].split("\n"))} if row else {}
        return sorted(names, key=lambda name: place.get(name, len(place)))

    def renamed(self, mapping: dict[str, str]) -> None:
        """Follow a renaming of files, so that nothing needs to be read or computed again; orders follow too."""
        with self._writing():
            for stage in (
                ((f"\n{new}", old) for old, new in mapping.items()),  # no file has a line break in front
                ((new, f"\n{new}") for new in mapping.values()),
            ):
                self._db.executemany("UPDATE OR REPLACE faces SET name = ? WHERE name = ?", stage)
            for method, names in self._db.execute("SELECT method, names FROM orders").fetchall():
                text = "\n".join(mapping.get(name, name) for name in names.split("\n"))
                self._db.execute("UPDATE orders SET names = ? WHERE method = ?", (text, method))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction."""
        with guarded(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _computed(wanted: Sequence[Feature], image: NDArray[np.uint8], record: FaceRecord) -> list[tuple[str, bytes]]:
    """Kind and bytes of each feature."""
    return [(f.kind, np.ascontiguousarray(f.compute(image, record), np.float32).tobytes()) for f in wanted]


def index_path(folder: Path) -> Path:
    """Where the index of a faceset lies: beside it."""
    return folder.with_name(f"{folder.name}.index.sqlite")


def _version() -> int:
    """Changes with the tables and with anything in the face record."""
    schema = zlib.crc32(repr(sorted(FaceRecord.model_fields.items())).encode())
    return (schema ^ (FORMAT << 8) ^ _SCHEMA_NUMBER) & 0x7FFFFFFF


def _version_of(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _open(path: Path) -> sqlite3.Connection:
    """Open an index, made anew if it is empty or of another version.

    A rollback journal, not a write-ahead log: it needs no shared memory, so network folders work, and leaves one file.
    """
    db = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        if _version_of(db) != _version():
            db.execute("BEGIN IMMEDIATE")
            found = _version_of(db)  # again: another process may have been quicker
            if found != _version():
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise sqlite3.DatabaseError(f"version {found}")
                for statement in _SCHEMA.strip().rstrip(";").split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {_version()}")
            db.execute("COMMIT")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time stamp; none for a file that was deleted since it was listed."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of up to _BATCH items."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
