"""One side's frames in the hands of the align page: what is on disk, what is set by hand, and the work that follows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import LookalikeError, NoFaceError
from lookalike.geometry import align_matrix, crop_corners, intersection_over_union
from lookalike.pipeline.align_edits import Step
from lookalike.pipeline.align_faces import FaceFile
from lookalike.pipeline.align_frames import FrameStore, stamp_of
from lookalike.pipeline.align_place import Placer
from lookalike.pipeline.align_worst import Suspect, strip
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace, Edits
from lookalike.pipeline.reasons import OTHER_PERSON
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.web.studio.align_work import AlignWork, Standing

_SAME: Final = 0.5
"""Overlap from which two boxes of a frame are one face."""
_MOST_ROWS: Final = 2000
"""Of the list of suspects that a page gets."""


@dataclass(frozen=True, slots=True)
class _Noted:
    """What `workspace.toml` says of a side; kept until that file changes, as a move of the mouse has no time for it."""

    stamp: tuple[int, int]
    video: Path
    sources: tuple[str, ...]
    options: ExtractConfig
    """That the faceset was made with."""


class AlignDesk:
    """What the page asks of one side. Safe in threads; the files may change at any time."""

    def __init__(self, workspace: Workspace, side: Side, holder: Callable[[], str | None]) -> None:
        """`holder` tells which job is at work in the workspace, if any."""
        self._workspace, self._side = workspace, side
        self._work = AlignWork(workspace, side, self._frames, holder)
        self._book = self._work.book
        self._store: FrameStore | None = None
        self._placer: Placer | None = None
        self._known: _Noted | None = None
        self._ahead: threading.Thread | None = None
        self._lock = threading.RLock()
        self._closed = False

    def close(self) -> None:
        """End the work in the background after the frame at hand."""
        self._closed = True
        self._work.close()
        if self._store is not None:
            self._store.close()

    def overview(self, known: int) -> dict[str, Any]:
        """All that is shown beside the frame, or only the version if the page knows it already.

        Raises:
            VideoError, WorkspaceError: there is no video, or it cannot be read.
        """
        store = self._frames()
        self._work.look_after()
        standing, files = self._work.standing, self._work.aligned
        reading = None if files.is_read else {"done": files.read, "total": files.total}
        if known == standing.version and reading is None:
            return {"version": known}
        return {"version": standing.version, "reading": reading, **_video(store), **self._told(store, standing)}

    def _told(self, store: FrameStore, standing: Standing) -> dict[str, Any]:
        count = store.info.frame_count
        problem, edits, every = None, Edits(), dict[int, list[EditedFace]]()
        try:
            edits, every = self._book.read()
        except LookalikeError as exc:
            problem = str(exc)
        return {
            "problem": problem,
            "extracted": self._workspace.aligned(self._side).is_dir(),
            "state": standing.state,
            "waiting": standing.waiting,
            "failed": standing.failed,
            "undo": self._book.undo_label,
            "redo": self._book.redo_label,
            "hand": sorted(edits.frames),
            "empty": sorted(frame for frame, faces in edits.frames.items() if not faces),
            "between": sorted(edits.between),
            "worst": [_row(one) for one in standing.suspects[:_MOST_ROWS]],
            "strip": strip(standing.suspects, count, edits.frames, every.keys() - edits.frames.keys()),
        }

    def frame(self, number: int) -> dict[str, Any]:
        """The faces of a frame: what is set by hand of it, else what was found; and others that were put aside.

        Raises:
            VideoError: the video has no such frame.
            EditsError: `edits.json` cannot be used.
        """
        store = self._frames()
        edits, every = self._book.read()
        sources = self._noted().sources
        there = self._work.aligned.faces(number, sources)
        told = every.get(number)
        faces = [_found(f) for f in there] if told is None else [self._told_face(face, there) for face in told]
        away = [f for f in self._work.trash.faces(number, sources) if f.known.reason == OTHER_PERSON]
        places = [np.array(one["box"]) for one in faces]
        away = [f for f in away if not any(intersection_over_union(f.facts.box_xyxy, p) > _SAME for p in places)]
        standing = self._work.standing
        return {
            "frame": number,
            "seconds": float(number / store.info.rate) if store.info.rate else 0.0,
            "revision": self._book.revision(number),
            "hand": number in edits.frames,
            "between": next((pair for pair in edits.between if pair[0] < number < pair[1]), None),
            "waits": number in standing.waiting,
            "failed": standing.failed.get(number),
            "faces": faces,
            "others": [_found(face) for face in away],
        }

    def picture(self, number: int, width: int) -> bytes:
        """A frame as JPEG; the next one is decoded meanwhile.

        Raises:
            VideoError: the video has no such frame, or it is damaged.
        """
        store = self._frames()
        data = store.jpeg(number, width)
        self._read_ahead(store, number, width)
        return data

    def landmarks(
        self, frame: int, box: Sequence[float], *, accurate: bool, turn: Literal[0, 90, 180, 270]
    ) -> dict[str, Any]:
        """The landmarks in a square of a frame, and the crop that they make.

        Raises:
            VideoError: the frame cannot be had.
            NoFaceError: there are none.
            WeightsError, ExtraMissingError: the landmarker of the faceset cannot be had.
        """
        picture = self._frames().shown(frame)
        points = self._finder().landmarks(picture, np.array(box), accurate=accurate, turn=turn)
        if not np.isfinite(points).all():
            raise NoFaceError("no landmarks can be found in that square; move it onto the face")
        return {"landmarks": _rounded(points), "corners": self._corners(points)}

    def save(self, frame: int, faces: Sequence[EditedFace] | None, revision: str, label: str) -> dict[str, Any]:
        """Set the faces of a frame by hand, or take that back with none; they are made as soon as can be.

        Raises:
            ChangedEditsError: another page changed the frame.
            VideoError, EditsError, StorageError.
        """
        if not 0 <= frame < self._frames().info.frame_count:
            self._frames().frame(frame)
        return self._stepped(lambda: self._book.set_frame(frame, faces, revision, label))

    def link(self, first: int, last: int, *, on: bool) -> dict[str, Any]:
        """Let the frames between two move evenly, or no longer.

        Raises:
            EditsError: they cannot.
        """
        return self._stepped(lambda: self._book.link(first, last, on=on))

    def undo(self) -> dict[str, Any]:
        """Take the last step back.

        Raises:
            NothingToUndoError, ChangedEditsError.
        """
        return self._stepped(self._book.undo)

    def redo(self) -> dict[str, Any]:
        """Do it again.

        Raises:
            NothingToUndoError, ChangedEditsError.
        """
        return self._stepped(self._book.redo)

    def _stepped(self, change: Callable[[], Step]) -> dict[str, Any]:
        step, frames = self._work.take(change)
        return {"label": step.label, "frames": sorted(frames), **self.frame(step.frame)}

    def _frames(self) -> FrameStore:
        """The video's frames; another video has another store."""
        path = self._noted().video
        with self._lock:
            if self._store is None or self._store.path != path or self._store.stamp != stamp_of(path):
                if self._store is not None:
                    self._store.close()
                self._store = FrameStore(path)
            return self._store

    def _finder(self) -> Placer:
        name = self._noted().options.landmarks
        with self._lock:
            if self._placer is None or self._placer.landmarker != name:
                self._placer = Placer(name)
            return self._placer

    def _noted(self) -> _Noted:
        stamp = stamp_of(self._workspace.folder / "workspace.toml")
        known = self._known
        if known is not None and known.stamp == stamp:
            return known
        noted = self._workspace.done(f"extract_{self._side}").get("options", {})
        try:
            options = ExtractConfig.model_validate(noted)
        except ValueError:
            options = ExtractConfig()
        video, sources = self._workspace.video(self._side), self._workspace.source_names(self._side)
        self._known = _Noted(stamp, video, sources, options)
        return self._known

    def _corners(self, landmarks: NDArray[np.floating]) -> list[list[float]] | None:
        options = self._noted().options
        try:
            matrix = align_matrix(landmarks, options.size, options.face_type, options.geometry)
            return _rounded(crop_corners(matrix, options.size))
        except (ValueError, np.linalg.LinAlgError):
            return None

    def _told_face(self, face: EditedFace, there: Sequence[FaceFile]) -> dict[str, Any]:
        """A face set by hand, with what is on disk of it."""
        same = next((one for one in there if _is_of(one, face)), None)
        box = [float(v) for v in face.detection().box_xyxy]
        if same is not None:
            return {**_found(same), "hand": True, **({"landmarks": face.landmarks} if face.landmarks else {})}
        points = None if face.landmarks is None else np.array(face.landmarks)
        corners = None if points is None else self._corners(points)
        return {"name": None, "box": box, "landmarks": face.landmarks, "corners": corners, "hand": True, "score": None}

    def _read_ahead(self, store: FrameStore, number: int, width: int) -> None:
        """Decode the next frame, and the colours of this one, in a thread of its own."""

        def read() -> None:
            try:
                store.shown(number)
                if number + 1 < store.info.frame_count:
                    store.jpeg(number + 1, width)
            except (LookalikeError, OSError):
                return  # it is said when the frame is asked for

        with self._lock:
            if self._closed or (self._ahead is not None and self._ahead.is_alive()):
                return
            self._ahead = threading.Thread(target=read, name="align ahead", daemon=True)
            self._ahead.start()


def _video(store: FrameStore) -> dict[str, Any]:
    width, height = store.info.size_wh
    return {"frames": store.info.frame_count, "width": width, "height": height, "rate": float(store.info.rate)}


def _row(one: Suspect) -> list[Any]:
    return [one.frame, one.last, round(one.severity, 2), one.group, one.text]


def _found(face: FaceFile) -> dict[str, Any]:
    """A face on disk as plain JSON values."""
    known, facts = face.known, face.facts
    return {
        "name": face.name,
        "box": [float(v) for v in facts.box_xyxy],
        "landmarks": _rounded(facts.landmarks),
        "corners": _rounded(face.corners),
        "score": round(facts.score, 3),
        "track": known.track,
        "person": known.person,
        "hand": facts.edited,
    }


def _rounded(points: Any) -> list[list[float]]:
    rounded: list[list[float]] = np.round(np.asarray(points, np.float64), 3).tolist()
    return rounded


def _is_of(file: FaceFile, face: EditedFace) -> bool:
    """Whether a face on disk is one set by hand."""
    if face.landmarks is not None:
        return bool(np.abs(file.facts.landmarks - np.array(face.landmarks)).max() < 0.002)
    return bool(np.abs(file.facts.box_xyxy - np.array(face.box)).max() < 0.02)
