"""`meta.dat` of DeepFaceLab 2: the records of a faceset's files, which its command "restore metadata" puts back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.interchange.checks import items, mapping, numbers
from lookalike.interchange.dfl_faces import DflFace, dfl_face
from lookalike.interchange.file_bytes import read_whole
from lookalike.interchange.image_parts import LONGEST_SIDE
from lookalike.interchange.pickles import read_pickle
from lookalike.interchange.refusals import not_this

_MOST_BYTES: Final = 384 * 2**20


@dataclass(frozen=True, slots=True)
class DflMeta:
    """An open meta.dat; faces are checked when they are asked for."""

    path: Path
    records: dict[str, object]
    """By the file name of the face: text of the file, never a path to be opened or written."""

    def __len__(self) -> int:
        return len(self.records)

    def face(self, name: str) -> DflFace:
        """The record of a file.

        Raises:
            KeyError: the name is not in it.
            ForeignFileError: something is missing or has another shape.
        """
        origin = f"{name} in {self.path}"
        shape, record = items(self.records[name], 2, "an entry", origin)
        height, width, *_ = numbers(shape, (3,), "shape", origin, LONGEST_SIDE).astype(int)
        return dfl_face(record, (int(width), int(height)), origin)

    def __iter__(self) -> Iterator[tuple[str, DflFace]]:
        """Every name with its record.

        Raises:
            ForeignFileError: as `face`.
        """
        for name in self.records:
            yield name, self.face(name)


def read_meta(path: Path) -> DflMeta:
    """Open a meta.dat.

    Raises:
        ForeignFileError: no meta.dat, damaged, larger than 384 MiB, or it holds code.
    """
    origin = str(path)
    records = mapping(read_pickle(read_whole(path, _MOST_BYTES), origin, compact=True), "meta.dat", origin)
    if not is_meta(records):
        raise not_this(origin, "meta.dat", "it holds something else")
    return DflMeta(path, records)


def is_meta(value: object) -> bool:
    """Whether a pickle's value looks like a meta.dat: names with a shape and a record each."""
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(entry, list | tuple)
        and len(entry) == 2
        and isinstance(entry[0], list | tuple)
        and isinstance(entry[1], dict)
        for name, entry in value.items()
    )
