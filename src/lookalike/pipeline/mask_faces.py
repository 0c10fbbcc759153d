"""What a network sees of single faces, and keeping it in their records."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import RecordError
from lookalike.faceset import FaceRecord, change_record, load_face, load_record
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.record import FORMAT, StoredMask
from lookalike.masks.segmenter import Segmenter, seen_of
from lookalike.options import FaceType, covers


@dataclass(frozen=True, slots=True)
class Had:
    """What became of a face that was to be masked."""

    new: bool
    """It has a new mask; else it had one already."""
    share: float = 0.0
    """Of its crop that is seen."""
    narrow: bool = False
    """The network wants a wider crop."""


Found = Had | None
"""None for a face that was put aside meanwhile."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which faces get a mask."""

    source: str
    """What records call the network."""
    again: bool
    """Those that it has masked already, too."""

    def known(self, record: FaceRecord) -> Had | None:
        """What is to be said of a face that gets none."""
        had = record.mask is not None and record.mask.source == self.source and not self.again
        return Had(new=False) if had else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network sees of a face's crop as it was."""

    record: FaceRecord
    """As it was then."""
    mask: StoredMask
    share: float
    narrow: bool


def source_of(segmenter: Segmenter, network: Path) -> str:
    """What records call the masks of a network: its name and eight digits of its file's."""
    return f"{segmenter.name} {hashlib.sha256(network.read_bytes()).hexdigest()[:8]}"


def see(segmenter: Segmenter, source: str, image: NDArray[np.uint8], record: FaceRecord) -> Seen:
    """Ask a network what is seen of a face, given as its (S, S, 3) RGB crop and its record."""
    mask = seen_of(segmenter, image, record)
    wide: FaceType = segmenter.face_type
    return Seen(record, stored_mask(mask, source), float(mask.mean()), not covers(record.face_type, wide))


def keep_mask(path: Path, seen: Seen) -> Had:
    """Keep a mask in a face's record; a crop changed meanwhile keeps its own.

    Raises:
        RecordError: the face cannot be read. StorageError: it cannot be written.
    """
    _changed(path, seen)
    return Had(True, seen.share, seen.narrow)


def write_mask(segmenter: Segmenter, source: str, path: Path) -> FaceRecord:
    """Ask a network what is seen of a face, and keep it in the face's record, which is returned as it is now.

    Raises:
        RecordError: the face cannot be read. StorageError: it cannot be written.
    """
    return _changed(path, see(segmenter, source, *load_face(path)))


def masked(segmenter: Segmenter, asked: Asked, path: Path) -> Found:
    """Give a face a mask if it needs one.

    Raises:
        As `write_mask`.
    """
    try:
        known = asked.known(load_record(path))
        return known or keep_mask(path, see(segmenter, asked.source, *load_face(path)))
    except (RecordError, FileNotFoundError):
        if path.exists():
            raise
        return None


def _changed(path: Path, seen: Seen) -> FaceRecord:
    def with_mask(record: FaceRecord) -> FaceRecord:
        same = (record.matrix, record.size) == (seen.record.matrix, seen.record.size)
        return record.model_copy(update={"format": FORMAT, "mask": seen.mask}) if same else record

    return change_record(path, with_mask)
