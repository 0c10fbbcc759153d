"""What a side of a workspace shows, known by its content, so that a consent holds for that and nothing else."""

import re
import stat
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import Field

from lookalike.errors import ConsentError, WorkspaceError
from lookalike.files import write_bytes
from lookalike.options import Options
from lookalike.pipeline.consent_record import Material, Sha256, shown_name
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.provenance.claim import content_files, hash_of, hash_steps
from lookalike.types import Event, Progress

_STEP: Final = "consent"
_CACHE: Final = ".hashes.json"
"""In the workspace; may be deleted at any time."""
_MEGABYTE: Final = 1e6
_TOLD_BYTES: Final = 32 << 20
_PACK: Final = ".faces"
_SHA256: Final = re.compile("[0-9a-f]{64}")

Returned = TypeVar("Returned")


class _Hash(Options):
    stamp: str
    sha256: Sha256


class _Hashes(Options):
    """`.hashes.json`: what hashing has found, by the video's name in the workspace's record."""

    format: Literal[1] = 1
    files: dict[str, _Hash] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SideMaterial:
    """What a side is made of."""

    has_video: bool
    """False for a side whose faces came without one."""
    items: list[Material] = field(default_factory=list)
    """The video, and what it was denoised from; none where the video is gone and its hash was never taken."""

    @property
    def hashes(self) -> set[str]:
        """Of all of it."""
        return {item.sha256 for item in self.items}


def side_material(workspace: Workspace, side: Side) -> Generator[Event, None, SideMaterial]:
    """Find out what a side is made of; a video is read only when it is new or changed.

    Raises:
        ConsentError: it cannot be read, or changes meanwhile. WorkspaceError: workspace.toml cannot be read.
    """
    source = workspace.record.src if side == "src" else workspace.record.dst
    if source is None:
        return SideMaterial(has_video=False)
    try:
        path = workspace.video(side)
    except WorkspaceError:  # what it was is known still, and the faces taken from it are there
        known = _load(workspace).files.get(source.file)
        digest = known.sha256 if known else None
    else:
        digest = yield from _known_hash(workspace, source.file, path)
    if digest is None:
        return SideMaterial(has_video=True)
    noted = workspace.done(f"denoise_{side}")
    original = yield from _original(workspace, noted, source.file, digest)
    title = shown_name(Path(source.file) if original else Path(source.origin))
    items = [Material(role="video", title=title, sha256=digest)]
    if original:
        items.append(Material(role="original", title=shown_name(Path(source.origin)), sha256=original))
    return SideMaterial(has_video=True, items=items)


def is_remembered(workspace: Workspace, side: Side) -> bool:
    """Whether `side_material` can tell without reading the video."""
    source = workspace.record.src if side == "src" else workspace.record.dst
    path = workspace.folder / source.file if source else None
    if source is None or path is None or not path.exists():
        return True
    known = _load(workspace).files.get(source.file)
    try:
        return known is not None and known.stamp == _look(path)[0]
    except (ConsentError, OSError):
        return False


def named_material(path: Path) -> Generator[Event, None, Material]:
    """A file, a pack of faces, or a folder of images, that was named by hand.

    Raises:
        ConsentError: it is not there, cannot be read, or is a folder without images.
    """
    digest = yield from hash_path(path)
    faces = path.is_dir() or path.suffix.lower() == _PACK
    return Material(role="faces" if faces else "other", title=shown_name(path.resolve()), sha256=digest)


def hash_path(path: Path) -> Generator[Event, None, str]:
    """SHA-256 of a file's bytes, or of those of a folder's images in the order of their names.

    Raises:
        ConsentError: as `named_material`; or it changed while it was read.
    """
    try:
        before, total = _look(path)
        steps, done, told = hash_steps(content_files(path)), 0, 0
        while True:
            try:
                done += next(steps)
            except StopIteration as end:
                digest = str(end.value)
                break
            if done - told >= _TOLD_BYTES:
                told = done
                yield Progress(_STEP, done / _MEGABYTE, max(total, done) / _MEGABYTE, "MB", f"hash of {path.name}")
        if _look(path)[0] != before:
            raise ConsentError(f"{path} changed while it was read; wait until it is finished, and run this again")
    except OSError as exc:
        raise ConsentError(f"{path} cannot be read ({exc.strerror or exc}); name a file that is there") from exc
    return digest


def denoised_from(original: Path, output: Path) -> dict[str, str]:
    """What `denoise` notes, so that an agreement about the original holds for the copy, too."""
    return {"original_sha256": hash_of(content_files(original)), "sha256": hash_of(content_files(output))}


def returned(steps: Generator[object, None, Returned]) -> Returned:
    """Run steps to their end without showing them; what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: Returned = end.value
            return value


def _known_hash(workspace: Workspace, name: str, path: Path) -> Generator[Event, None, str]:
    """The hash of a video of the workspace, remembered while the file stays what it is."""
    try:
        now = _look(path)[0]
    except OSError as exc:
        raise ConsentError(f"{path} cannot be read ({exc.strerror or exc}); give yourself the right to") from exc
    known = _load(workspace).files.get(name)
    if known and known.stamp == now:
        return known.sha256
    digest = yield from hash_path(path)
    files = _load(workspace).files | {name: _Hash(stamp=now, sha256=digest)}
    try:
        write_bytes(workspace.folder / _CACHE, _Hashes(files=files).model_dump_json(indent=2).encode())
    except Exception:  # a full or read-only disk, or two who write: it is hashed again the next time
        return digest
    return digest


def _original(
    workspace: Workspace, noted: dict[str, Any], name: str, digest: str
) -> Generator[Event, None, str | None]:
    """The hash of what a denoised video was made of; None if it is not, or no longer, what `denoise` wrote."""
    if noted.get("output") != name:
        return None
    before = noted.get("original_sha256")
    if isinstance(before, str) and _SHA256.fullmatch(before):
        return before if noted.get("sha256") == digest else None
    original, output = workspace.folder / str(noted.get("original")), workspace.folder / name
    if not original.exists() or not output.exists() or stamp(output) != noted.get("stamp"):
        return None
    return (yield from _known_hash(workspace, str(noted["original"]), original))


def _load(workspace: Workspace) -> _Hashes:
    try:
        return _Hashes.model_validate_json((workspace.folder / _CACHE).read_bytes())
    except (OSError, ValueError):
        return _Hashes()


def _look(path: Path) -> tuple[str, int]:
    """What changes when a file, or an image of a folder, is written or replaced; and how many bytes there are."""
    files = content_files(path)
    if not files:
        raise ConsentError(f"no images in {path}; name a video, another file, or a folder of images")
    about = [(file.name, file.stat()) for file in files]
    for name, one in about:
        if not stat.S_ISREG(one.st_mode):
            raise ConsentError(f"{path.parent / name} is no plain file; name one that is")
    marks = [(name, one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino) for name, one in about]
    return fingerprint(*marks), sum(one.st_size for _, one in about)
