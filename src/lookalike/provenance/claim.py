"""What a result says of itself: of what it was made, by which model, with which settings. Imports no numpy."""

import hashlib
import json
import mimetypes
from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from lookalike.errors import CredentialsError
from lookalike.options import Options
from lookalike.provenance.public import public, public_name

FORMAT: Final = 1
LABEL: Final = "alt.lookalike.claim"
"""Name of our assertion. `.alt` is set aside for names outside the domain system (RFC 9476), as we own no domain."""
_BLOCK: Final = 1 << 20
_FACES: Final = {".jpg", ".jpeg", ".png"}
_IMAGES: Final = _FACES | {".webp", ".bmp", ".tif", ".tiff"}
_MIMES: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""Types of what we sign; what Python knows depends on version and system."""
_FALLBACK: Final = "application/octet-stream"

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, BeforeValidator(public_name), Field(min_length=1)]
_Text = Annotated[str, BeforeValidator(public)]


class ModelFacts(Options):
    """A network that drew faces."""

    name: _Name
    kind: _Name
    """Architecture."""
    sha256: _Sha256
    """Of the file of weights that drew."""
    iterations: int = Field(ge=0)


class FacesetFacts(Options):
    """The person put in: how many pictures, and a hash of them; never a picture."""

    title: _Name
    faces: int = Field(ge=0)
    sha256: _Sha256
    """Over the bytes of all faces, in the order of their names."""


class FileFacts(Options):
    """A file, or a folder of images, that something was made of."""

    title: _Name
    sha256: _Sha256
    mime: str = Field(pattern=r"^[\w.+-]+/[\w.+-]+$")


class Claim(Options):
    """All that is told of a result. It travels with the file, for everybody to read.

    Names are cut to file names, and texts of settings lose folders and the user's home, whoever fills them in.
    """

    format: Literal[1] = FORMAT
    version: _Name
    """Of Lookalike."""
    made: _Name
    """UTC, ISO 8601."""
    dst: FileFacts | None
    """None where the footage is not to be named; then the result's own name is not told, either."""
    src: FacesetFacts
    models: list[ModelFacts]
    frames: int | None = Field(default=None, ge=0)
    settings: Annotated[dict[str, Any], BeforeValidator(public)] = Field(default_factory=dict)
    consents: list[_Sha256] = Field(default_factory=list)
    """Of the records of consent."""
    content_check: _Text
    """Who looked at dst for explicit pictures, or `off`."""
    label: bool = False
    """Whether the picture says in words that it is made."""

    @property
    def id(self) -> str:
        """Stands for this claim in the metadata of its files."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def now() -> str:
    """The time for `Claim.made`."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def file_facts(path: Path, title: str | None = None) -> FileFacts:
    """What is said of a file, or of a folder of images, which are hashed in the order of their names.

    Raises:
        CredentialsError: it is not there, cannot be read, or has no image.
    """
    try:
        files = content_files(path)
        if not files:
            raise CredentialsError(f"no images in {path}; name a video, or a folder of images")
        return FileFacts(title=title or path.name, sha256=hash_of(files), mime=mime_of(files[0]))
    except OSError as exc:
        raise CredentialsError(f"{path} cannot be read ({exc.strerror or exc}); give a file that is there") from exc


def faceset_facts(folder: Path, title: str) -> FacesetFacts:
    """What is said of a faceset: its faces counted, and hashed in the order of their names.

    Raises:
        CredentialsError: it is not there, or cannot be read.
    """
    try:
        faces = _files(folder, _FACES)
        return FacesetFacts(title=title, faces=len(faces), sha256=hash_of(faces))
    except OSError as exc:
        raise CredentialsError(f"{folder} cannot be read ({exc.strerror or exc}); run extract first") from exc


def mime_of(path: Path) -> str:
    """The type of a file by its suffix."""
    suffix = path.suffix.lower()
    return _MIMES.get(suffix) or mimetypes.types_map.get(suffix, _FALLBACK)


def hash_of(files: Iterable[Path]) -> str:
    """SHA-256 of the bytes of files, one after another, read a megabyte at a time."""
    steps = hash_steps(files)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return str(end.value)


def hash_steps(files: Iterable[Path]) -> Generator[int, None, str]:
    """As `hash_of`; yields how many bytes were read with each step."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                digest.update(block)
                yield len(block)
    return digest.hexdigest()


def content_files(path: Path) -> list[Path]:
    """The files that a video, or a folder of images, is hashed by, in order; none for a folder without images."""
    return _files(path, _IMAGES) if path.is_dir() else [path]


def _files(folder: Path, suffixes: set[str]) -> list[Path]:
    return sorted(
        p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith(".") and p.is_file()
    )
