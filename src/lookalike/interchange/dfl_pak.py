"""`faceset.pak` of DeepFaceLab 2: a pickled table of faces, then their JPEGs back to back."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from lookalike.interchange.checks import items, mapping, numbers, text, whole
from lookalike.interchange.dfl_faces import DflFace, dfl_face
from lookalike.interchange.file_bytes import opened
from lookalike.interchange.image_parts import LONGEST_SIDE, MOST_IMAGE
from lookalike.interchange.pickles import read_pickle
from lookalike.interchange.refusals import damaged, not_this, too_large

_HEAD: Final = struct.Struct("<QQ")
"""Version and length of the table."""
_PLACE: Final = 8
_VERSION: Final = 1
_MOST_TABLE: Final = 384 * 2**20
_MOST_FACES: Final = 1_000_000

SampleType = Literal["image", "face", "face-person", "face-temporal"]
_SAMPLE_TYPES: Final[tuple[SampleType, ...]] = ("image", "face", "face-person", "face-temporal")


@dataclass(frozen=True, slots=True, eq=False)
class PackedFace:
    """A face of a pack, as its table has it."""

    filename: str
    """Base name that its file had. Text of the file: never a path to be opened or written."""
    person: str | None
    """Sub-folder that it was in; text, as `filename`."""
    sample_type: SampleType
    face: DflFace


class DflPak:
    """A pack that is open for reading, at any face."""

    def __init__(self, path: Path) -> None:
        """Open a pack and read its table; faces are checked when they are asked for.

        Raises:
            ForeignFileError: no pack, damaged, larger than is read, or it holds code.
        """
        self.path = path
        self._handle, self._size = opened(path)
        try:
            self._configs, self._places = self._table()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def __len__(self) -> int:
        return len(self._configs)

    def __iter__(self) -> Iterator[tuple[PackedFace, bytes]]:
        """Every face with its JPEG, one at a time.

        Raises:
            ForeignFileError: a face is damaged.
        """
        for number in range(len(self)):
            yield self.face(number), self.image(number)

    def face(self, number: int) -> PackedFace:
        """What the table says of a face, from 0, checked.

        Raises:
            ForeignFileError: something of it is missing or has another shape.
        """
        origin = f"face {number + 1} of {self.path}"
        config = mapping(self._configs[number], "the table's entry", origin)
        height, width, *_ = numbers(config.get("shape"), (3,), "shape", origin, LONGEST_SIDE).astype(int)
        person, kind = config.get("person_name"), config.get("sample_type", 1)
        return PackedFace(
            filename=text(config.get("filename"), "filename", origin),
            person=None if person is None else text(person, "person_name", origin),
            sample_type=_SAMPLE_TYPES[whole(kind, 0, len(_SAMPLE_TYPES) - 1, "sample_type", origin)],
            face=dfl_face(config, (int(width), int(height)), origin),
        )

    def image(self, number: int) -> bytes:
        """The bytes of a face's JPEG, from 0, which hold the whole record once more (`dfl_face_in`).

        Raises:
            ForeignFileError: it is longer than 64 MiB, or the file was cut meanwhile.
        """
        start, end = self._places[number], self._places[number + 1]
        if end - start > MOST_IMAGE:
            raise too_large(
                f"face {number + 1} of {self.path}", f"{end - start} bytes, a face has at most {MOST_IMAGE}"
            )
        data = self._read(start, end - start)
        if len(data) != end - start:
            raise damaged(str(self.path), "it was cut while it was read")
        return data

    def _table(self) -> tuple[list[object], tuple[int, ...]]:
        origin = str(self.path)
        head = self._read(0, _HEAD.size)
        if len(head) < _HEAD.size:
            raise not_this(origin, "faceset.pak", f"{self._size} bytes")
        version, length = _HEAD.unpack(head)
        if version != _VERSION:
            raise not_this(origin, "faceset.pak", f"version {version}, only {_VERSION} is known")
        if length > self._size - _HEAD.size:
            raise damaged(origin, f"its table claims {length} bytes of {self._size}")
        if length > _MOST_TABLE:
            raise too_large(origin, f"its table has {length} bytes, the most is {_MOST_TABLE}")
        table = read_pickle(self._read(_HEAD.size, length), origin, compact=True)
        configs = items(table, _MOST_FACES, "its table", origin)
        return configs, self._checked_places(len(configs), _HEAD.size + length)

    def _checked_places(self, count: int, at: int) -> tuple[int, ...]:
        """Where each JPEG starts in the file, and where the last one ends.

        The last place of the file is wrong in genuine packs (it is not counted from the end of the table, as the others
        are), so the file's own end counts.
        """
        start = at + _PLACE * (count + 1)
        if start > self._size:
            raise damaged(str(self.path), f"{count} faces, but it ends within their table")
        found = struct.unpack(f"<{count + 1}Q", self._read(at, start - at))
        places = (*(start + place for place in found[:-1]), self._size)
        if any(one >= other for one, other in pairwise(places)) or (count and found[0] != 0):
            raise damaged(str(self.path), "its table names places outside of it, or out of order")
        return places

    def _read(self, at: int, count: int) -> bytes:
        self._handle.seek(at)
        return self._handle.read(count)
