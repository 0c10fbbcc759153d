"""A whole faceset in one file: the images as they are, back to back, and an index with checksums at the end.

The layout is in docs/faceset.md. Nothing in a file is trusted before it was checked.
"""

import hashlib
import struct
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, BinaryIO, Self

from pydantic import FailFast, Field, ValidationError

from lookalike.errors import FacesetError
from lookalike.faceset.store import SUFFIXES, file_bytes
from lookalike.files import replacing, write_bytes
from lookalike.options import Options, first_problem

FORMAT = 1
SUFFIX = ".faces"
_HEAD = b"LOOKALIKE FACES\n"
_TAIL = b"LOOKALIKE INDEX\n"
_NUMBER = struct.Struct("<I")
_TRAILER = struct.Struct("<QQ32s16s")
"""Offset, length and SHA-256 of the index, then the closing mark."""
_FIRST = len(_HEAD) + _NUMBER.size
_MOST_INDEX = 1 << 26
_MOST_IMAGE = 1 << 26
_LONGEST_NAME = 200
"""Bytes; systems take 255, and some of ours put letters in front."""
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}


class PackedFile(Options):
    """An image's place in a pack."""

    name: Annotated[str, Field(max_length=_LONGEST_NAME)]
    """File name without a folder."""
    offset: Annotated[int, Field(ge=_FIRST)]
    length: Annotated[int, Field(gt=0, le=_MOST_IMAGE)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PackIndex(Options):
    """What the end of a pack says of it."""

    files: Annotated[list[PackedFile], FailFast()]
    """In the order in which they lie."""


def write_pack(path: Path, images: Sequence[Path]) -> Generator[int, None, None]:
    """Put images into one file, byte for byte, whole or not at all.

    Yields:
        How many are in it, after each.

    Raises:
        FacesetError: `path` is there already, a name cannot be packed, or an image is empty or beyond 64 MiB.
        StorageError: the disk is full.
    """
    if path.exists():
        raise FacesetError(f"{path} is there already; move it away, or name another file with --to")
    files: list[PackedFile] = []
    with replacing(path) as temporary, temporary.open("wb") as handle:
        handle.write(_HEAD + _NUMBER.pack(FORMAT))
        for image in images:
            data = file_bytes(image)
            if not 0 < len(data) <= _MOST_IMAGE:
                raise FacesetError(f"{image} has {len(data)} bytes; a face has 1 byte to 64 MiB: remove it")
            digest = hashlib.sha256(data).hexdigest()
            files.append(PackedFile(name=image.name, offset=handle.tell(), length=len(data), sha256=digest))
            handle.write(data)
            yield len(files)
        _check_names([file.name for file in files], path)
        index = PackIndex(files=files).model_dump_json().encode()
        if len(index) > _MOST_INDEX:
            raise FacesetError(f"{len(files)} faces are too many for one pack; pack them in parts")
        at = handle.tell()
        handle.write(index + _TRAILER.pack(at, len(index), hashlib.sha256(index).digest(), _TAIL))


class Pack:
    """A pack that is open for reading, at any image."""

    def __init__(self, path: Path) -> None:
        """Open a pack and read its index.

        Raises:
            FacesetError: no pack, cut off, changed, or of a newer format.
        """
        self.path = path
        try:
            self._handle: BinaryIO = path.open("rb")
        except OSError as exc:
            raise FacesetError(f"{path} cannot be opened ({exc.strerror}); name a pack of faces") from exc
        try:
            self._files = {file.name: file for file in self._index()}
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
        return len(self._files)

    def names(self) -> list[str]:
        """The file names of the images, in the order in which they lie."""
        return list(self._files)

    def read(self, name: str) -> bytes:
        """An image's bytes, checked.

        Raises:
            KeyError: it is not in the pack.
            FacesetError: its bytes were changed.
        """
        file = self._files[name]
        data = self._at(file.offset, file.length)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise FacesetError(f"{name} in {self.path} is damaged (its checksum differs); the other faces can be read")
        return data

    def verify(self) -> Iterator[tuple[str, str | None]]:
        """Read every image: its name, and what is wrong with it or none."""
        for name in self._files:
            try:
                self.read(name)
            except FacesetError as exc:
                yield name, str(exc)
            else:
                yield name, None

    def _at(self, offset: int, length: int) -> bytes:
        self._handle.seek(offset)
        return self._handle.read(length)

    def _index(self) -> list[PackedFile]:
        """The index, once head, trailer and checksum are right, and it describes exactly this file."""
        size = self._handle.seek(0, 2)
        head = self._at(0, _FIRST)
        if not head.startswith(_HEAD) or len(head) < _FIRST:
            raise FacesetError(f"{self.path} is no pack of faces; name a file made by: lookalike faceset pack")
        number = _NUMBER.unpack(head[len(_HEAD) :])[0]
        if number > FORMAT:
            raise FacesetError(f"{self.path} has format {number}; update Lookalike to read it")
        trailer = self._at(max(_FIRST, size - _TRAILER.size), _TRAILER.size)
        if len(trailer) < _TRAILER.size or not trailer.endswith(_TAIL):
            raise FacesetError(f"{self.path} is cut off (its end is missing); copy it again from where it came")
        at, length, digest, _ = _TRAILER.unpack(trailer)
        if length > _MOST_INDEX or at < _FIRST or at + length + _TRAILER.size != size:
            raise FacesetError(f"{self.path} is damaged (its index lies outside it); copy it again from where it came")
        text = self._at(at, length)
        if hashlib.sha256(text).digest() != digest:
            raise FacesetError(f"{self.path} is damaged (its index was changed); copy it again from where it came")
        try:
            files = PackIndex.model_validate_json(text).files
        except ValidationError as exc:
            raise FacesetError(f"{self.path} has an unreadable index ({first_problem(exc)}); pack it again") from exc
        self._check_places(files, at)
        _check_names([file.name for file in files], self.path)
        return files

    def _check_places(self, files: list[PackedFile], end: int) -> None:
        """The images must fill the file from head to index without gap or overlap."""
        at = _FIRST
        for file in files:
            if file.offset != at:
                raise FacesetError(f"{self.path}: {file.name!r} does not lie behind the one before it; pack it again")
            at += file.length
        if at != end:
            raise FacesetError(f"{self.path}: its images do not end where its index begins; pack it again")


def unpack(pack: Pack, folder: Path) -> Iterator[int]:
    """Write the images of a pack into a folder that has none of their names; those that are whole there are kept.

    Yields:
        How many are written, after each.

    Raises:
        FacesetError: an image is damaged, or a file of its name with other bytes is there.
        StorageError: the disk is full.
    """
    for number, name in enumerate(pack.names(), 1):
        data, path = pack.read(name), folder / name
        if not path.exists():
            write_bytes(path, data)
        elif path.read_bytes() != data:
            raise FacesetError(f"{path} is there already; unpack into an empty folder")
        yield number


def _check_names(names: Sequence[str], path: Path) -> None:
    """Refuse names that lead elsewhere, that another system cannot hold, or that stand for the same file twice.

    Raises:
        FacesetError: naming the first one.
    """
    seen: set[str] = set()
    for name in names:
        plain = not any(letter in '/\\:*?"<>|' or ord(letter) < 32 for letter in name) and _is_text(name)
        reserved = name.split(".")[0].rstrip(" ").casefold() in _RESERVED
        if not plain or reserved or name.startswith(".") or len(name.encode(errors="replace")) > _LONGEST_NAME:
            raise FacesetError(f"{path}: {name!r} is no name for a face; give it a plain name of at most 200 bytes")
        if not name.casefold().endswith(SUFFIXES):
            raise FacesetError(f"{path}: {name!r} is neither JPEG nor PNG; only faces can be packed")
        if name.casefold() in seen:
            raise FacesetError(f"{path}: {name!r} is there twice; give one of them another name")
        seen.add(name.casefold())


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
