"""Faces that are brought into a faceset, one after the other, and what is said of them."""

from collections.abc import Iterator
from pathlib import Path

from lookalike.curation.faceset_config import ImportConfig
from lookalike.errors import ForeignFileError, RecordError
from lookalike.options import shown
from lookalike.pipeline.foreign_frames import video_of
from lookalike.pipeline.foreign_import import Converter, fitted
from lookalike.pipeline.foreign_origins import Arrival, Origin
from lookalike.pipeline.fsa_faces import FsaFaces
from lookalike.pipeline.take_in import sizes_of, take_in
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress


class Intake:
    """Adds faces to the faceset of a side."""

    def __init__(self, workspace: Workspace, side: Side) -> None:
        self.step = f"import_{side}"
        self.added = self.same = self.renamed = self.left = self.seen = 0
        self._workspace, self._side = workspace, side
        self._folder = workspace.aligned(side)
        self._sizes = sizes_of(self._folder)
        self._names = workspace.source_names(side) if getattr(workspace.record, side) else ("",)
        self._strangers: dict[str, int] = {}

    def all_of(self, faces: Origin, origin: Path, config: ImportConfig) -> Iterator[Event]:
        """Add the faces of a folder or pack; those of other tools are made ours on the way.

        Raises:
            FacesetError: a pack is damaged.
            VideoError, WorkspaceError: the video is gone.
            StorageError: the disk is full.
        """
        converter: Converter | None = None
        for number in range(len(faces)):
            try:
                arrival = faces.read(number)
                if arrival.face is not None and converter is None:
                    video = video_of(self._workspace, self._side, config.video, origin)
                    yield Message(self.step, "looking through faces of another tool")
                    converter = Converter(faces, video, self._side, config)
                self._add(number, arrival, converter)
            except (RecordError, ForeignFileError) as exc:
                self.left += 1
                yield Message(self.step, f"left out: {_about(faces.shown(number), exc)}")
            yield Progress(self.step, number + 1, len(faces), "faces")

    def cut(self, faces: FsaFaces) -> Iterator[Event]:
        """Add faces that are cut from frames.

        Raises:
            VideoError: the video cannot be read.
            StorageError: the disk is full.
        """
        for one in faces:
            self.seen += 1
            try:
                if one.made is None:
                    raise RecordError(one.problem)
                self._take(one.name, fitted(one.image, one.made))
            except (RecordError, ForeignFileError) as exc:
                self.left += 1
                yield Message(self.step, f"left out: {_about(one.told, exc)}")
            yield Progress(self.step, self.seen, faces.count, "faces")

    def strangers(self) -> Iterator[Event]:
        """Faces of other videos, which would be laid into frames that are not theirs."""
        if self._strangers and self._side == "dst":
            sources = ", ".join(f"{number} of {name}" for name, number in sorted(self._strangers.items()))
            video = self._names[0] or "this dst"
            yield Message(
                self.step,
                f"faces of other videos than {video} would be laid into its frames of the same numbers: {sources}",
            )

    def _add(self, number: int, arrival: Arrival, converter: Converter | None) -> None:
        if arrival.face is None or converter is None:
            self._take(arrival.name, arrival.data)
        else:
            self._take(*converter.face(number, arrival))

    def _take(self, name: str, data: bytes) -> None:
        target, record = take_in(name, data, self._folder, self._sizes)
        self.same += target is None
        self.added += target is not None
        self.renamed += target is not None and target.name != name
        if record.source not in self._names:
            self._strangers[record.source] = self._strangers.get(record.source, 0) + 1


def _about(told: str, exc: Exception) -> str:
    """An error with what it is about in front, if it does not say so itself."""
    words = shown(exc, 1000)
    return words if told in words else f"{told}: {words}"


def counted(same: int, renamed: int, left: int = 0) -> str:
    """In brackets, how many faces were there already, got another name or were left out; nothing if none."""
    parts = []
    if same:
        parts.append(f"{same} were there already")
    if renamed:
        parts.append(f"{renamed} got another name")
    if left:
        parts.append(f"{left} left out")
    return f" ({', '.join(parts)})" if parts else ""
