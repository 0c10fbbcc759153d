"""Facesets written as other tools keep them. Nothing that is there is written over."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.curation.faceset_config import FaceFormat
from lookalike.errors import FacesetError, ForeignFileError, RecordError
from lookalike.faceset import FaceRecord, load_face, load_record
from lookalike.faceset.store import file_bytes
from lookalike.files import unused_path, write_bytes
from lookalike.interchange.dfl_pak_writer import PakWriter, write_meta
from lookalike.interchange.dfl_writer import Fields, dfl2_fields, dfl_jpeg, dfl_png, fields_2019
from lookalike.interchange.frame_names import plain_name, stem
from lookalike.interchange.fsa_writer import Entry, face_entry, fsa_png, thumbnail, write_fsa
from lookalike.interchange.image_parts import PNG_HEAD
from lookalike.pipeline.faceset_intake import counted
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress
from lookalike.video import frame_times, is_images, list_images, probe

META = "meta.dat"
_FILES: tuple[FaceFormat, ...] = ("dfl-pak", "dfl-meta", "fsa")
"""Formats that are one file."""


def export_foreign(
    workspace: Workspace, side: Side, paths: Sequence[Path], to: Path, form: FaceFormat, *, meta: bool = False
) -> Iterator[Event]:
    """Write faces in the format of another tool.

    Args:
        paths: the faces.
        to: a folder, or the file of a format that is one.
        form: which.
        meta: write a meta.dat beside JPEGs.

    Raises:
        FacesetError: the file is there already, or is a folder.
        StorageError: the disk is full.
    """
    step = f"export_{side}"
    if form in _FILES and (to.exists() or to.is_symlink()):
        raise FacesetError(f"{to} is there already; name another file, or move it away")
    if form not in _FILES and to.exists() and not to.is_dir():
        raise FacesetError(f"{to} is no folder; name one for the faces")
    if meta and (to / META).exists():
        raise FacesetError(f"{to / META} is there already; name another folder, or move it away")
    frames = _Frames.of(workspace, side)
    with ExitStack() as stack:
        target = _target(frames, to, form, stack, meta=meta)
        left = 0
        for done, path in enumerate(paths, 1):
            try:
                target.add(path)
            except (RecordError, ForeignFileError) as exc:
                left += 1
                yield Message(step, f"left out: {path.name}: {exc}")
            yield Progress(step, done, len(paths), "faces")
        if left == len(paths):
            raise FacesetError(f"none of the {left} faces can be written as {form}")
        target.finish()
    if target.lost:
        yield Message(step, f"{target.lost} masks found no room in a JPEG beside what else is kept of the face")
    if target.encoded:
        yield Message(step, f"{target.encoded} PNG faces were encoded as JPEG, as DeepFaceLab 2 reads nothing else")
    told = f"wrote {len(paths) - left} of {len(paths)} faces as {form} to {to}"
    yield Message(step, told + counted(target.same, target.renamed))


@dataclass(frozen=True, slots=True)
class _Frames:
    """What other tools call the frames of a side."""

    images: tuple[str, ...] = ()
    """Names of the images that the side is read from."""
    sources: tuple[str, ...] = ()
    count: int = 0
    size_wh: tuple[int, int] | None = None

    @classmethod
    def of(cls, workspace: Workspace, side: Side) -> "_Frames":
        if getattr(workspace.record, side) is None:
            return cls()
        path = workspace.video(side)
        info = probe(path)
        images = tuple(one.name for one in list_images(path)) if is_images(path) else ()
        return cls(images, workspace.source_names(side), len(frame_times(info)), info.size_wh)

    def image(self, record: FaceRecord) -> str:
        """The image that is the face's frame: as it is called, or as it would be when it is taken from the video."""
        if record.source in self.sources and record.frame < len(self.images):
            return self.images[record.frame]
        return f"{record.frame + 1:05d}.png"

    def is_video(self, record: FaceRecord) -> bool:
        """Whether the face is from a video, and not from a folder of images."""
        return not (record.source in self.sources and self.images)

    def faceswap(self, source: str, frame: int) -> str:
        """What faceswap calls a frame."""
        if source in self.sources and frame < len(self.images):
            return self.images[frame]
        name = plain_name(source)
        suffix = Path(name).suffix or ".mp4"
        return f"{stem(name)}_{frame + 1:06d}{suffix}"


@dataclass(slots=True, eq=False)
class _Target:
    """Where faces go, one after the other."""

    write: Callable[["_Target", Path, FaceRecord], None]
    end: Callable[[], None] = field(default=lambda: None)
    same: int = 0
    renamed: int = 0
    lost: int = 0
    encoded: int = 0

    def add(self, path: Path) -> None:
        """Write a face.

        Raises:
            RecordError, ForeignFileError: it cannot be kept so.
        """
        self.write(self, path, load_record(path))

    def finish(self) -> None:
        """Write what is written last."""
        self.end()

    def put(self, path: Path, data: bytes) -> str:
        """Write a file under a free name, unless it is there already; the name it has."""
        if path.is_file() and path.read_bytes() == data:
            self.same += 1
            return path.name
        free = unused_path(path)
        self.renamed += free != path
        write_bytes(free, data)
        return free.name

    def jpeg(self, path: Path, record: FaceRecord, fields: Fields) -> tuple[bytes, Fields]:
        """A face's file as DeepFaceLab 2 reads it."""
        image = file_bytes(path)
        data, kept = dfl_jpeg(image, fields, record, path.name)
        self.lost += record.mask is not None and "xseg_mask" not in kept
        self.encoded += image.startswith(PNG_HEAD)
        return data, kept


def _target(frames: _Frames, to: Path, form: FaceFormat, stack: ExitStack, *, meta: bool) -> _Target:
    match form:
        case "dfl":
            return _dfl(frames, to, meta=meta)
        case "dfl-meta":
            return _meta(frames, to)
        case "dfl-pak":
            return _pak(frames, to, stack)
        case "dfl-png":
            return _dfl_png(frames, to)
        case "fsa":
            return _fsa(frames, to)
        case "fsa-png":
            return _fsa_png(frames, to)


def _dfl(frames: _Frames, to: Path, *, meta: bool) -> _Target:
    records: dict[str, tuple[int, Fields]] = {}

    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        data, fields = target.jpeg(path, record, dfl2_fields(record, frames.image(record)))
        name = target.put(to / f"{path.stem}.jpg", data)
        if meta:
            records[name] = record.size, fields

    return _Target(write, lambda: write_meta(to / META, records) if meta else None)


def _meta(frames: _Frames, to: Path) -> _Target:
    records: dict[str, tuple[int, Fields]] = {}

    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        _, fields = target.jpeg(path, record, dfl2_fields(record, frames.image(record)))
        records[f"{path.stem}.jpg"] = record.size, fields
        target.encoded = 0

    return _Target(write, lambda: write_meta(to, records))


def _pak(frames: _Frames, to: Path, stack: ExitStack) -> _Target:
    writer = stack.enter_context(PakWriter(to))

    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        data, fields = target.jpeg(path, record, dfl2_fields(record, frames.image(record)))
        writer.add(f"{path.stem}.jpg", data, fields, record.size)

    return _Target(write, writer.finish)


def _dfl_png(frames: _Frames, to: Path) -> _Target:
    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        fields = fields_2019(record, frames.image(record))
        target.put(to / f"{path.stem}.png", dfl_png(file_bytes(path), fields, path.name))

    return _Target(write)


def _fsa(frames: _Frames, to: Path) -> _Target:
    names = {
        frames.faceswap(source, frame): list[Entry]() for source in frames.sources[:1] for frame in range(frames.count)
    }

    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        crop = load_face(path)[0]
        source = frames.sources[0] if record.source in frames.sources else record.source
        entry = {**face_entry(record), "thumb": thumbnail(crop)}
        names.setdefault(frames.faceswap(source, record.frame), []).append(entry)

    return _Target(write, lambda: write_fsa(to, dict(sorted(names.items()))))


def _fsa_png(frames: _Frames, to: Path) -> _Target:
    def write(target: _Target, path: Path, record: FaceRecord) -> None:
        crop = load_face(path)[0]
        source = frames.sources[0] if record.source in frames.sources else record.source
        frame_name = frames.faceswap(source, record.frame)
        name = f"{stem(frame_name)}_{record.number}.png"
        size = frames.size_wh or _least_size(record)
        data = fsa_png(crop, record, frame_name, name, size, video=frames.is_video(record))
        target.put(to / name, data)

    return _Target(write)


def _least_size(record: FaceRecord) -> tuple[int, int]:
    """Of a frame that is not known: it reaches as far as the face."""
    points = record.landmarks_array().max(0)
    return max(int(points[0]) + 1, 1), max(int(points[1]) + 1, 1)
