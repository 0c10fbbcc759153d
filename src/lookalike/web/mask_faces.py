"""The faces whose masks are drawn: listed, shown, and given other polygons. Points are pixels of the crop here."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import ConfigDict

from lookalike.errors import EmptyFacesetError, FacesetError, LookalikeError, RecordError
from lookalike.faceset import FaceRecord, change_record, list_faces, load_record
from lookalike.faceset.masks import read_mask
from lookalike.faceset.polygons import carried
from lookalike.faceset.record import FORMAT, Point, Polygon, StoredMask
from lookalike.geometry import invert, transform
from lookalike.options import Options

LEAST_CORNERS: Final[int] = Polygon.model_json_schema()["properties"]["points"]["minItems"]
MOST_CORNERS: Final[int] = Polygon.model_json_schema()["properties"]["points"]["maxItems"]
MOST_POLYGONS: Final[int] = FaceRecord.model_json_schema()["properties"]["polygons"]["maxItems"]

_DIGITS: Final = 3
"""Decimals of a stored corner: far below a pixel, yet coarser than what the page sends: corners do not creep."""
_REACH: Final = 16
"""How far from the crop a corner may lie, in sides of the crop; beyond, a program has lost its way."""


class UnknownFaceError(FacesetError):
    """No face of the faceset has that name."""


class ChangedError(FacesetError):
    """Another program has changed the face since it was read."""


class PolygonError(FacesetError):
    """Polygons that a record cannot hold."""


class Drawn(Options):
    """A polygon as the page knows it; how many corners it may have is checked later, in plain words."""

    model_config = ConfigDict(allow_inf_nan=False)

    kind: Literal["include", "exclude"]
    points: list[Point]
    """Corners in crop pixels."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the list of faces shows of one."""

    stamp: tuple[int, int]
    """Size and time of the file that was read."""
    frame: int | None = None
    """None for a face that cannot be read."""
    number: int = 0
    include: int = 0
    """How many polygons of that kind."""
    exclude: int = 0
    problem: str | None = None
    """Why it cannot be read."""
    carried: bool = False
    """Whether all its polygons were brought from other frames."""
    masked: bool = False
    """Whether it holds a network's mask."""


class MaskFaces:
    """A faceset in the hands of a page. Safe in threads; the files may change at any time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: dict[str, Path] = {}
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()
        """Held while a reader is started."""
        self._reader: threading.Thread | None = None
        self._closed = threading.Event()

    def paths(self) -> list[Path]:
        """The faces in name order.

        Raises:
            FacesetError: the folder is missing.
            EmptyFacesetError: it has no faces.
        """
        paths = list_faces(self.folder)
        if not paths:
            raise EmptyFacesetError(f"no faces in {self.folder}; run extract, or put removed faces back")
        self._paths = {path.name: path for path in paths}
        return paths

    def close(self) -> None:
        """End the reading of records."""
        self._closed.set()
        reader = self._reader
        if reader is not None:
            reader.join()

    def look(self) -> dict[str, Any]:
        """All faces as plain JSON values; records not read yet are read meanwhile, so ask again while `unread`.

        Faces come in order of frame when all records are read, and by name until then. A row of `faces` has the name,
        frame, number, numbers of polygons that include and exclude, what is wrong, whether all polygons were carried,
        and whether there is a mask; of those unread only the name. Without faces `problem` says why.
        """
        rows: dict[str, Known | None] = {}
        paths, problem = [], None
        try:
            paths = self.paths()
        except FacesetError as exc:
            problem = str(exc)
        for path in paths:
            try:
                known = self._known.get(path.name)
                rows[path.name] = known if known is not None and known.stamp == _stamp(path) else None
            except OSError:
                continue  # gone since it was listed
        unread = [name for name, known in rows.items() if known is None]
        if unread:
            self._read_later(unread)
        order = list(rows) if unread else sorted(rows, key=lambda name: _place(name, rows[name]))
        folder = self.folder.absolute()
        return {
            "side": folder.parent.name,
            "workspace": folder.parent.parent.name,
            "limits": {"corners": MOST_CORNERS, "polygons": MOST_POLYGONS},
            "problem": problem,
            "unread": len(unread),
            "faces": [_row(name, rows[name]) for name in order],
        }

    def picture(self, name: str) -> tuple[bytes, str]:
        """A face's file as it is, and its media type.

        Raises:
            UnknownFaceError: there is no such face.
        """
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise _unknown(name) from exc
        return data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"

    def face(self, name: str) -> dict[str, Any]:
        """A face's polygons in crop pixels, the revision that a change must state, and its mask (a PNG in base64).

        Raises:
            UnknownFaceError: there is no such face.
            RecordError: it cannot be read.
        """
        record = self._record(name)
        return {
            "name": name,
            "frame": record.frame,
            "number": record.number,
            "time_seconds": record.time_seconds,
            "size": record.size,
            "revision": revision(record),
            "polygons": _in_crop(record, record.polygons),
            "mask": record.mask.model_dump() if record.mask is not None else None,
        }

    def path(self, name: str) -> Path:
        """The file of that name, which must be among the faces: a path or a name of other files is not.

        Raises:
            UnknownFaceError: there is no such face.
        """
        if name not in self._paths:
            with suppress(FacesetError):
                self.paths()
        path = self._paths.get(name)
        if path is None or not _is_inside(path, self.folder):
            raise _unknown(name)
        return path

    def save(self, name: str, stated: str, polygons: Sequence[Drawn]) -> dict[str, Any]:
        """Give a face other polygons; all else in its record stays.

        Args:
            name: of its file.
            stated: revision of the polygons that these replace.
            polygons: all of them, in crop pixels, the later over the earlier.

        Returns:
            The new revision.

        Raises:
            UnknownFaceError: there is no such face.
            ChangedError: its polygons, or the crop they were drawn on, are no longer those of the revision.
            PolygonError: a record cannot hold them.
            RecordError: it cannot be read, or they are too long for a JPEG.
            StorageError: it cannot be written.
        """
        _check_number(polygons)

        def drawn_on(record: FaceRecord) -> FaceRecord:
            if revision(record) != stated:
                raise ChangedError(f"{name} was changed by another program meanwhile")
            in_frame = _in_frame(record, polygons)
            if in_frame == record.polygons:
                return record
            return record.model_copy(update={"format": FORMAT, "polygons": in_frame})

        return {"revision": revision(self._changed(name, drawn_on))}

    def set_mask(self, name: str, mask: StoredMask | None) -> None:
        """Give a face another mask, or none; polygons stay.

        Raises:
            UnknownFaceError: there is no such face.
            RecordError: it cannot be read, or the mask is none.
            StorageError: it cannot be written.
        """
        if mask is not None:
            read_mask(mask, 1, "what was sent")
        self._changed(name, lambda record: record.model_copy(update={"format": FORMAT, "mask": mask}))

    def carried(self, source: str, target: str) -> dict[str, Any]:
        """The polygons of one face as they lie on another, along landmarks and mesh.

        Raises:
            UnknownFaceError: there is no such face.
            RecordError: one of them cannot be read, or its landmarks coincide.
        """
        giver, taker = self._record(source), self._record(target)
        try:
            moved = carried(giver.polygons, giver, taker)
        except (ValueError, np.linalg.LinAlgError) as exc:
            raise RecordError(f"{source} has no usable landmarks ({exc}); extract again") from exc
        return {"polygons": _in_crop(taker, moved)}

    def _record(self, name: str) -> FaceRecord:
        try:
            return load_record(self.path(name))
        except RecordError:
            if not self.path(name).exists():
                raise _unknown(name) from None
            raise

    def _changed(self, name: str, change: Callable[[FaceRecord], FaceRecord]) -> FaceRecord:
        path = self.path(name)
        try:
            changed = change_record(path, change)
            self._known[name] = _known(path, changed)
        except FileNotFoundError as exc:
            raise _unknown(name) from exc
        except RecordError:
            if not path.exists():
                raise _unknown(name) from None
            raise
        return changed

    def _read_later(self, names: Sequence[str]) -> None:
        """Read records in a thread of its own, unless one is at it."""
        with self._lock:
            busy = self._reader is not None and self._reader.is_alive()
            if not busy and not self._closed.is_set():
                self._reader = threading.Thread(target=self._read, args=(names,), name="mask faces", daemon=True)
                self._reader.start()

    def _read(self, names: Sequence[str]) -> None:
        for name in names:
            if self._closed.is_set():
                return
            path = self.folder / name
            try:
                stamp = _stamp(path)  # first: what is written meanwhile is read again
                try:
                    known = _known(path, self._record(name), stamp)
                except LookalikeError as exc:
                    known = Known(stamp, problem=str(exc))
            except OSError:
                continue
            self._known[name] = known


def revision(record: FaceRecord) -> str:
    """Changes with the polygons and with the crop they are seen in, not with the rest of the record."""
    seen = [record.size, record.matrix, [polygon.model_dump() for polygon in record.polygons]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]


def _check_number(polygons: Sequence[Drawn]) -> None:
    if len(polygons) > MOST_POLYGONS:
        raise PolygonError(f"{len(polygons)} polygons are too many: a face holds up to {MOST_POLYGONS}")
    for number, polygon in enumerate(polygons, 1):
        corners = len(polygon.points)
        if not LEAST_CORNERS <= corners <= MOST_CORNERS:
            raise PolygonError(f"polygon {number} has {corners} corners; it needs {LEAST_CORNERS} to {MOST_CORNERS}")


def _in_frame(record: FaceRecord, polygons: Sequence[Drawn]) -> list[Polygon]:
    """Polygons of a face's crop in pixels of its frame."""
    back = invert(record.matrix_array())
    found = []
    for number, polygon in enumerate(polygons, 1):
        points = np.array(polygon.points)
        if np.abs(points - record.size / 2).max() > (_REACH + 0.5) * record.size:
            raise PolygonError(f"polygon {number} has a corner far outside the face; move it nearer")
        found.append(Polygon(kind=polygon.kind, points=np.round(transform(back, points), _DIGITS).tolist()))
    return found


def _in_crop(record: FaceRecord, polygons: Sequence[Polygon]) -> list[dict[str, Any]]:
    """Polygons of the frame in pixels of a face's crop, as plain JSON values."""
    matrix = record.matrix_array()
    return [{"kind": p.kind, "points": transform(matrix, np.array(p.points)).tolist()} for p in polygons]


def _known(path: Path, record: FaceRecord, stamp: tuple[int, int] | None = None) -> Known:
    kinds = [polygon.kind for polygon in record.polygons]
    return Known(
        stamp=_stamp(path) if stamp is None else stamp,
        frame=record.frame,
        number=record.number,
        include=kinds.count("include"),
        exclude=kinds.count("exclude"),
        carried=bool(kinds) and all(polygon.carried for polygon in record.polygons),
        masked=record.mask is not None,
    )


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _place(name: str, known: Known | None) -> tuple[bool, int, int, str]:
    """Sort key by frame; those that cannot be read come last."""
    frame = known.frame if known is not None else None
    return (True, 0, 0, name) if known is None or frame is None else (False, frame, known.number, name)


def _row(name: str, known: Known | None) -> tuple[str | int | bool | None, ...]:
    one = known if known is not None else Known((0, 0))
    return name, one.frame, one.number, one.include, one.exclude, one.problem, one.carried, one.masked


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a file lies in the folder, and is no link that leads elsewhere."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except OSError:
        return False


def _unknown(name: str) -> UnknownFaceError:
    return UnknownFaceError(f"no face here is called {name[:100]!r}; it may have been moved or renamed")
