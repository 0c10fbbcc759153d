"""Which faces of a video are on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import RecordError
from lookalike.faceset import SUFFIXES, FaceRecord, list_faces, load_record


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of a face on disk; its record only if it was set by hand."""

    path: Path
    frame: int
    number: int
    track: int
    person: int | None
    reason: str | None
    box: NDArray[np.float32]
    """(4,) frame pixels."""
    identity: NDArray[np.float32] | None
    """(128,)."""
    by_hand: FaceRecord | None

    @classmethod
    def of(cls, path: Path, record: FaceRecord) -> "Known":
        """The face of a file."""
        return cls(
            path=path,
            frame=record.frame,
            number=record.number,
            track=record.track,
            person=record.person,
            reason=record.reason,
            box=np.array(record.box_xyxy, np.float32),
            identity=record.identity_array(),
            by_hand=record if record.edited else None,
        )


def known_faces(sources: tuple[str, ...], folder: Path, *, below: bool = False) -> dict[int, list[Known]]:
    """The faces of a video in a folder, by frame; none if there is no folder.

    Args:
        sources: names by which records call the video.
        below: look into sub-folders, too, where what is no face of ours does not matter.

    Raises:
        RecordError: a file of the folder itself is no face of ours.
    """
    found: dict[int, list[Known]] = {}
    for path, record in _records(folder, below) if folder.is_dir() else ():
        if record.source in sources:
            found.setdefault(record.frame, []).append(Known.of(path, record))
    return found


def mean_identity(known: dict[int, list[Known]]) -> NDArray[np.float32] | None:
    """(128,) mean embedding of some faces; none if none is embedded."""
    rows = [face.identity for faces in known.values() for face in faces if face.identity is not None]
    return np.asarray(np.mean(rows, 0), np.float32) if rows else None


def _records(folder: Path, below: bool) -> Iterator[tuple[Path, FaceRecord]]:
    for path in list_faces(folder):
        yield path, load_record(path)
    for path in sorted(folder.glob("*/**/*")) if below else ():
        if path.suffix.lower() in SUFFIXES and path.is_file():
            try:
                yield path, load_record(path)
            except RecordError:
                continue
