"""Where faces come from, ours and those of other tools: read one by one, told apart by their content."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lookalike.errors import FacesetError, ForeignFileError, RecordError
from lookalike.faceset import list_faces
from lookalike.faceset.pack import Pack
from lookalike.faceset.store import MOST_BYTES
from lookalike.interchange.dfl_faces import DflFace, dfl_face_in, dfl_record
from lookalike.interchange.dfl_meta import DflMeta, read_meta
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.file_bytes import read_whole
from lookalike.interchange.frame_names import plain_name, stem
from lookalike.interchange.fsa import FsaPng, fsa_png_in
from lookalike.interchange.image_parts import MOST_IMAGE, PNG_HEAD, image_size
from lookalike.interchange.kinds import Kind, kind_of, picture_kind
from lookalike.interchange.refusals import shown_path
from lookalike.options import shown


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A face as it came."""

    name: str
    """A file name that may be used."""
    data: bytes
    """The file."""
    face: DflFace | FsaPng | None
    """What another tool says of it; None for a face of ours."""

    @property
    def frame_name(self) -> str:
        """What the other tool calls its frame."""
        return self.face.source_filename if self.face is not None else ""


class Origin(Protocol):
    """Faces that can be read in any order."""

    def __len__(self) -> int:
        """How many files there are."""

    def shown(self, number: int) -> str:
        """What a file is called in messages, in one line."""

    def read(self, number: int) -> Arrival:
        """A file, from 0.

        Raises:
            ForeignFileError, RecordError: it is no face, or a damaged one.
        """

    def close(self) -> None:
        """Free what is held."""


def open_origin(path: Path, meta: Path | None = None) -> Origin:
    """A folder of faces, a pack of ours, or a faceset.pak.

    Args:
        path: of it.
        meta: a meta.dat, whose records count instead of those in the pictures.

    Raises:
        FacesetError: it is none of these, or has no faces.
        ForeignFileError: damaged, or it holds code.
    """
    records = None if meta is None else read_meta(meta)
    if path.is_dir():
        paths = list_faces(path)
        if not paths:
            raise FacesetError(f"{path} has no JPEG or PNG files; name a folder of faces, or a pack")
        return FolderOrigin(paths, records)
    if not path.is_file():
        raise FacesetError(f"{path} does not exist; name a folder of faces, or a pack")
    kind = foreign_kind(path)
    if kind == "dfl-pak":
        return PakOrigin(path, records)
    if kind == "dfl-meta":
        raise FacesetError(f"{path} has no pictures; name their folder, and this file with --meta")
    return PackOrigin(path)


def foreign_kind(path: Path) -> Kind | None:
    """Which file of another tool lies at a path; None for one of ours, or for none that is known."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
        return None if head.startswith(b"LOOKALIKE") else kind_of(path)
    except ForeignFileError:
        return None


@dataclass(frozen=True, slots=True)
class FolderOrigin:
    """The pictures of a folder."""

    paths: list[Path]
    meta: DflMeta | None

    def __len__(self) -> int:
        return len(self.paths)

    def shown(self, number: int) -> str:
        """The file's name."""
        return shown(self.paths[number].name)

    def read(self, number: int) -> Arrival:
        """A file.

        Raises:
            ForeignFileError, RecordError: it is no face.
        """
        path = self.paths[number]
        told = self.shown(number)
        if path.stat().st_size > MOST_BYTES:
            return Arrival(path.name, b"", None)  # which is refused as no face of ours
        data = read_whole(path, MOST_IMAGE)
        face = _face(data, told, path.name, self.meta)
        return Arrival(path.name if face is None else _plain(path.name, data), data, face)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class PackOrigin:
    """A pack of ours."""

    path: Path
    _pack: Pack
    _names: list[str]

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            FacesetError: damaged, or no pack.
        """
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "_pack", Pack(path))
        object.__setattr__(self, "_names", list(self._pack.names()))

    def __len__(self) -> int:
        return len(self._names)

    def shown(self, number: int) -> str:
        """The face's name."""
        return self._names[number]

    def read(self, number: int) -> Arrival:
        """A face.

        Raises:
            FacesetError: it is damaged.
        """
        name = self._names[number]
        return Arrival(name, self._pack.read(name), None)

    def close(self) -> None:
        """Close the file."""
        self._pack.__exit__(None, None, None)


class PakOrigin:
    """A faceset.pak of DeepFaceLab 2."""

    def __init__(self, path: Path, meta: DflMeta | None) -> None:
        """Open it.

        Raises:
            ForeignFileError: damaged, or it holds code.
        """
        self._pak, self._meta = DflPak(path), meta

    def __len__(self) -> int:
        return len(self._pak)

    def shown(self, number: int) -> str:
        """Its place in the pack, as its name is not to be relied on."""
        return f"face {number + 1} of {shown_path(self._pak.path.name)}"

    def read(self, number: int) -> Arrival:
        """A face; what its picture says counts, or if that says nothing what the table says.

        Raises:
            ForeignFileError: it is damaged, or holds code.
        """
        packed, data, told = self._pak.face(number), self._pak.image(number), self.shown(number)
        name = _plain(packed.filename, data)
        known = self._meta is not None and packed.filename in self._meta.records
        if not known and dfl_record(data, told) is None:
            image_size(data, told)
            return Arrival(name, data, packed.face)
        return Arrival(name, data, _face(data, told, packed.filename, self._meta))

    def close(self) -> None:
        """Close the file."""
        self._pak.close()


def _plain(name: str, data: bytes) -> str:
    """A name that may be used, with the suffix of what is in the file."""
    return plain_name(stem(name)) + (".png" if data.startswith(PNG_HEAD) else ".jpg")


def _face(data: bytes, told: str, name: str, meta: DflMeta | None) -> DflFace | FsaPng | None:
    """What a picture, or a meta.dat in its place, says.

    Raises:
        ForeignFileError, RecordError: it says nothing, or is damaged.
    """
    if not data.startswith((b"\xff\xd8", PNG_HEAD)):
        return None  # which is refused as no face of ours
    if meta is not None and name in meta.records:
        face = meta.face(name)
        if face.size_wh != image_size(data, told):
            raise RecordError(f"{told} is not of the size that {meta.path.name} says; leave out --meta")
        return face
    kind = picture_kind(data, told)
    if kind == "dfl-face":
        return dfl_face_in(data, told)
    return fsa_png_in(data, told) if kind == "fsa-face" else None
