"""Which faces of a video are on disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import SUFFIXES, FaceRecord, load_record


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of a face on disk; its record only if it was set by hand."""

    path: Path
    number: int
    track: int
    person: int | None
    box: NDArray[np.float32]
    """(4,) frame pixels."""
    identity: NDArray[np.float32] | None
    """(128,)."""
    by_hand: FaceRecord | None


def known_faces(source: str, *folders: Path) -> dict[int, list[Known]]:
    """The faces of the video named `source` in some folders and their sub-folders, by frame.

    Raises:
        RecordError: a file is no face of ours.
    """
    found: dict[int, list[Known]] = {}
    for path in (path for folder in folders if folder.is_dir() for path in sorted(folder.rglob("*"))):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            record = load_record(path)
            if record.source == source:
                found.setdefault(record.frame, []).append(_known(path, record))
    return found


def mean_identity(known: dict[int, list[Known]]) -> NDArray[np.float32] | None:
    """(128,) mean embedding of some faces; none if none is embedded."""
    rows = [face.identity for faces in known.values() for face in faces if face.identity is not None]
    return np.asarray(np.mean(rows, 0), np.float32) if rows else None


def _known(path: Path, record: FaceRecord) -> Known:
    return Known(
        path=path,
        number=record.number,
        track=record.track,
        person=record.person,
        box=np.array(record.box_xyxy, np.float32),
        identity=record.identity_array(),
        by_hand=record if record.edited else None,
    )
