"""Facesets as files: one pack for the whole, and faces that come from or go elsewhere."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lookalike.errors import FacesetError, RecordError
from lookalike.faceset import FaceRecord, list_faces, load_face, replace_record
from lookalike.faceset.mend import mend
from lookalike.faceset.pack import SUFFIX, Pack, unpack, write_pack
from lookalike.faceset.rewrite import Rewrite
from lookalike.faceset.store import file_bytes
from lookalike.files import storage_errors, unused_path, write_bytes
from lookalike.pipeline.faceset_reading import open_faces
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_MOST_BYTES = 1 << 26
"""A file beyond this is no face."""


def pack_path(workspace: Workspace, side: Side) -> Path:
    """Where a side's faceset is packed to when nothing else is said."""
    return workspace.aligned(side).with_suffix(SUFFIX)


def pack(workspace: Workspace, side: Side, to: Path | None = None) -> Iterator[Event]:
    """Put a faceset into one file and read it back; the folder stays.

    Raises:
        FacesetError: no faceset, or the file is there already.
        StorageError: the disk is full.
    """
    step, target = f"pack_{side}", to or pack_path(workspace, side)
    yield from _pack(open_faces(workspace, side), target, step)


def _pack(paths: list[Path], target: Path, step: str) -> Iterator[Event]:
    if target.suffix != SUFFIX:
        raise FacesetError(f"{target} is no name for a pack; give it the suffix {SUFFIX}")
    for done in write_pack(target, paths):
        yield Progress(step, done, len(paths), "faces")
    with Pack(target) as written:
        for _, problem in written.verify():
            if problem:
                raise FacesetError(problem)
        yield Message(step, f"packed {len(written)} faces into {target} ({_megabytes(target)}), read back and checked")


def unpack_faces(workspace: Workspace, side: Side, origin: Path | None = None) -> Iterator[Event]:
    """Make a faceset of a pack; the pack stays.

    Raises:
        FacesetError: faces are there already, or the pack is damaged.
        StorageError: the disk is full.
    """
    step, aligned = f"unpack_{side}", workspace.aligned(side)
    mend(aligned)
    if aligned.is_dir() and any(aligned.iterdir()):
        raise FacesetError(f"{aligned} is not empty; move it away first, or add the faces with: faceset import --from")
    with Pack(origin or pack_path(workspace, side)) as source:
        key = hashlib.sha256("\n".join(source.names()).encode()).hexdigest()
        rewrite = Rewrite.begin(aligned, f"{key} {source.path.stat().st_mtime_ns}")
        for done in unpack(source, rewrite.work):
            yield Progress(step, done, len(source), "faces")
        if aligned.is_dir():
            with storage_errors(aligned):
                aligned.rmdir()  # empty
        rewrite.put_in_place()
        yield Message(step, f"unpacked {len(source)} faces into {aligned}")


def export_faces(workspace: Workspace, side: Side, to: Path) -> Iterator[Event]:
    """Copy the faces to a folder or, by the suffix, into a pack; names that are there get a number behind.

    Raises:
        FacesetError: no faceset, or the pack is there already.
        StorageError: the disk is full.
    """
    step, paths = f"export_{side}", open_faces(workspace, side)
    if to.suffix == SUFFIX:
        yield from _pack(paths, to, step)
        return
    same = renamed = 0
    for done, path in enumerate(paths, 1):
        data, target = file_bytes(path), to / path.name
        if target.is_file() and target.read_bytes() == data:
            same += 1
        else:
            free = unused_path(target)
            renamed += free != target
            write_bytes(free, data)
        yield Progress(step, done, len(paths), "faces")
    yield Message(step, f"copied {len(paths) - same} faces to {to}{_counted(same, renamed)}")


def import_faces(workspace: Workspace, side: Side, origin: Path) -> Iterator[Event]:
    """Add copies of the faces of a folder or a pack; files that are no faces of ours are reported and left.

    Raises:
        FacesetError: nothing to import, or the pack is damaged.
        StorageError: the disk is full.
    """
    step, aligned = f"import_{side}", workspace.aligned(side)
    mend(aligned)
    count, images = _images(origin)
    added = same = renamed = 0
    strangers: dict[str, int] = {}
    sizes: dict[int, list[Path]] = {}
    for path in list_faces(aligned) if aligned.is_dir() else ():
        sizes.setdefault(path.stat().st_size, []).append(path)
    names = workspace.source_names(side) if getattr(workspace.record, side) else ("",)
    for done, (name, data) in enumerate(images, 1):
        try:
            target, record = _take_in(name, data, aligned, sizes)
        except RecordError as exc:
            yield Message(step, f"left out: {exc}")
        else:
            same += target is None
            added += target is not None
            renamed += target is not None and target.name != name
            if record.source not in names:
                strangers[record.source] = strangers.get(record.source, 0) + 1
        yield Progress(step, done, count, "faces")
    if strangers and side == "dst":
        sources = ", ".join(f"{number} of {name}" for name, number in sorted(strangers.items()))
        video = names[0] or "this dst"
        yield Message(
            step, f"faces of other videos than {video} would be laid into its frames of the same numbers: {sources}"
        )
    yield Message(step, f"added {added} of {count} faces from {origin} to {aligned}{_counted(same, renamed)}")


def _images(origin: Path) -> tuple[int, Iterator[tuple[str, bytes]]]:
    """How many images a folder or pack has, and their names and bytes. Other kinds of facesets are told apart here.

    Raises:
        FacesetError: it has none.
    """
    if origin.is_dir():
        paths = list_faces(origin)
        if not paths:
            raise FacesetError(f"{origin} has no JPEG or PNG files; name a folder of faces, or a pack")
        return len(paths), ((path.name, _bytes(path)) for path in paths)
    if not origin.is_file():
        raise FacesetError(f"{origin} does not exist; name a folder of faces, or a pack")
    opened = Pack(origin)

    def read() -> Iterator[tuple[str, bytes]]:
        with opened:
            for name in opened.names():
                yield name, opened.read(name)

    return len(opened), read()


def _bytes(path: Path) -> bytes:
    """A file's bytes; none of one that is too large for a face."""
    return b"" if path.stat().st_size > _MOST_BYTES else path.read_bytes()


def _take_in(name: str, data: bytes, folder: Path, sizes: dict[int, list[Path]]) -> tuple[Path | None, FaceRecord]:
    """Put a checked face into a folder under a free name; where it is, or none if the same file is there already.

    Args:
        sizes: the folder's files by their size in bytes; the new one is added.

    Raises:
        RecordError: no face of ours; nothing is left of it.
    """
    arrived = folder / f".import{Path(name).suffix}"
    write_bytes(arrived, data)
    try:
        record = load_face(arrived)[1]
        if record.reason is not None:
            record = record.model_copy(update={"reason": None})
            replace_record(arrived, record)
        data = arrived.read_bytes()
        alike = sizes.setdefault(len(data), [])
        if any(path.read_bytes() == data for path in alike):
            return None, record
        with storage_errors(folder):
            alike.append(arrived.rename(unused_path(folder / name)))
        return alike[-1], record
    except RecordError as exc:
        raise RecordError(str(exc).replace(str(arrived), name).replace(arrived.name, name)) from exc
    finally:
        arrived.unlink(missing_ok=True)


def _counted(same: int, renamed: int) -> str:
    parts = []
    if same:
        parts.append(f"{same} were there already")
    if renamed:
        parts.append(f"{renamed} got another name")
    return f" ({', '.join(parts)})" if parts else ""


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
