"""Facesets as files: one pack for the whole, and faces that come from or go elsewhere."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lookalike.curation.faceset_config import ExportConfig, FaceFormat, ImportConfig
from lookalike.errors import FacesetError
from lookalike.faceset.mend import mend
from lookalike.faceset.pack import SUFFIX, Pack, unpack, write_pack
from lookalike.faceset.rewrite import Rewrite
from lookalike.faceset.store import file_bytes
from lookalike.files import storage_errors, unused_path, write_bytes
from lookalike.pipeline.faceset_intake import Intake, counted
from lookalike.pipeline.faceset_reading import open_faces
from lookalike.pipeline.foreign_export import export_foreign
from lookalike.pipeline.foreign_frames import video_of
from lookalike.pipeline.foreign_origins import foreign_kind, open_origin
from lookalike.pipeline.fsa_faces import FsaFaces
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_BY_SUFFIX: dict[str, FaceFormat] = {".pak": "dfl-pak", ".fsa": "fsa"}


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


def export_faces(workspace: Workspace, side: Side, to: Path, config: ExportConfig | None = None) -> Iterator[Event]:
    """Copy the faces to a folder or a pack, or write them as another tool keeps them; nothing is written over.

    Args:
        to: a folder; or a file, a pack of ours by the suffix .faces, those of other tools by .pak and .fsa.
        config: for which other tool; ours if left out.

    Raises:
        FacesetError: no faceset, or the file is there already.
        StorageError: the disk is full.
    """
    step, paths = f"export_{side}", open_faces(workspace, side)
    config = config or ExportConfig()
    form = config.format or _BY_SUFFIX.get(to.suffix.lower())
    if form is not None:
        yield from export_foreign(workspace, side, paths, to, form, meta=config.meta)
        return
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
    yield Message(step, f"copied {len(paths) - same} faces to {to}{counted(same, renamed)}")


def import_faces(workspace: Workspace, side: Side, origin: Path, config: ImportConfig | None = None) -> Iterator[Event]:
    """Add copies of the faces of a folder or a pack, ours or another tool's; what is no face is reported and left.

    Args:
        origin: a folder of faces, a pack of ours, a faceset.pak, or alignments of faceswap.
        config: what is needed for faces of other tools.

    Raises:
        FacesetError: nothing to import, or the pack is damaged.
        ForeignFileError: a file of another tool is damaged, or holds code.
        StorageError: the disk is full.
    """
    aligned, config = workspace.aligned(side), config or ImportConfig()
    mend(aligned)
    intake = Intake(workspace, side)
    if origin.is_file() and foreign_kind(origin) == "fsa":
        yield from intake.cut(FsaFaces(origin, video_of(workspace, side, config.video, origin), config))
        count = intake.seen
    else:
        faces = open_origin(origin, config.meta)
        try:
            yield from intake.all_of(faces, origin, config)
        finally:
            faces.close()
        count = len(faces)
    yield from intake.strangers()
    told = f"added {intake.added} of {count} faces from {origin} to {aligned}"
    yield Message(intake.step, told + counted(intake.same, intake.renamed, intake.left))


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
