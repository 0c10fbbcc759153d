"""What an index knows of the faces, a few words each: for who looks at a whole faceset and needs no records."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import RecordError
from lookalike.faceset.index_file import DamagedError
from lookalike.faceset.record import FaceRecord, parse_record

_KNOWN = """
SELECT faces.rowid, faces.name, bytes, modified_ns, problem,
       coalesce(json_extract(record, '$.source'), ''), json_extract(record, '$.reason'),
       json_extract(record, '$.person'), data
FROM faces LEFT JOIN features ON features.name = faces.name AND kind = ?1 WHERE faces.rowid > ?2 ORDER BY faces.rowid
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What `FacesetIndex.known` tells of a face."""

    place: int
    """Grows with every file that is read, also anew."""
    name: str
    stamp: tuple[int, int]
    """Size and time of the file that was read."""
    problem: str | None
    """Why it cannot be read."""
    source: str
    reason: str | None
    """Why it was put aside."""
    person: int | None
    """Who of the video's people."""
    feature: bytes | None
    """(D,) float32; none before it was computed."""


def read_known(db: sqlite3.Connection, kind: str, after: int) -> Iterator[Known]:
    """See `FacesetIndex.known`."""
    for place, name, size, modified_ns, *rest in db.execute(_KNOWN, (kind, after)):
        yield Known(place, name, (size, modified_ns), *rest)


def read_records(db: sqlite3.Connection, path: Path) -> Iterator[tuple[str, FaceRecord]]:
    """Name and record of each readable face, the records checked as those of files are; `path` names the index.

    Raises:
        DamagedError: a record is none.
    """
    for name, text in db.execute("SELECT name, record FROM faces WHERE problem IS NULL"):
        try:
            yield name, parse_record(text, name)
        except RecordError as exc:
            raise DamagedError(f"{path} is damaged ({exc}); delete it, it is made again from the images") from exc
