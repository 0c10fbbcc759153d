"""A faceset in the hands of a person: looked at, put aside, moved to `removed/` and back, and all that undone."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from lookalike.curation.facts import degrees, face_side
from lookalike.errors import FacesetError, RecordError
from lookalike.faceset import load_record
from lookalike.faceset.index import index_path
from lookalike.faceset.trash import bring_back, put_aside
from lookalike.files import storage_errors, unused_path
from lookalike.pipeline.gallery_shelf import NoFaceHereError, Shelf
from lookalike.pipeline.workspace import Side, Workspace

ShelfName = Literal["use", "removed", "trash"]
"""In use; in the sub-folder `removed` of the faceset, which no step looks into; in the trash, with a reason."""

REASON: Final = "put aside in the studio"
_KEPT_ACTS: Final = 100


@dataclass(frozen=True, slots=True)
class Moved:
    """One face that was moved."""

    name: str
    """Its file name before."""
    now: str
    """Its file name where it is now."""
    reason: str | None
    """Why it had been put aside before; none if it was in use or removed."""


@dataclass(slots=True)
class Act:
    """What a person did to faces at one stroke."""

    number: int
    origin: ShelfName
    to: ShelfName
    moved: list[Moved] = field(default_factory=list)


class Gallery:
    """The faces of a side. Safe in threads."""

    def __init__(self, workspace: Workspace, side: Side) -> None:
        """Nothing is read before a shelf is looked at."""
        aligned, trash = workspace.aligned(side), workspace.trash(side)
        self.workspace, self.side = workspace, side
        self.shelves: dict[ShelfName, Shelf] = {
            "use": Shelf(aligned, index_path(aligned)),
            "removed": Shelf(aligned / "removed", aligned.with_name("aligned_removed.index.sqlite")),
            "trash": Shelf(trash, index_path(trash)),
        }
        self._acts: list[Act] = []
        self._number = 0
        self._lock = threading.Lock()
        """Held while faces are moved."""

    @property
    def acts(self) -> int:
        """How many acts can be undone."""
        return len(self._acts)

    def move(
        self, names: Sequence[str], origin: ShelfName, to: ShelfName, reason: str = REASON, act: int | None = None
    ) -> tuple[Act, dict[str, str]]:
        """Move faces from one shelf to another.

        Args:
            names: of files on `origin`.
            origin, to: two different shelves.
            reason: why, for faces that go to the trash.
            act: number of an act of the same kind that this belongs to, so that both are undone together.

        Returns:
            The act, and by name why faces stayed where they were.

        Raises:
            FacesetError: both shelves are the same.
            StorageError: the disk refuses.
        """
        if origin == to:
            raise FacesetError("the faces are there already")
        with self._lock:
            done = next((one for one in self._acts if (one.number, one.origin, one.to) == (act, origin, to)), None)
            if done is None:
                self._number += 1
                done = Act(self._number, origin, to)
                self._acts = [*self._acts[1 - _KEPT_ACTS :], done]
            moved, failed = self._carry([(name, reason, name) for name in names], origin, to)
            done.moved += moved
            if not done.moved:
                self._acts.remove(done)
        return done, failed

    def undo(self, number: int | None = None, most: int | None = None) -> tuple[Act, dict[str, str], int]:
        """Take back an act: exactly its faces go where they were, under the name and with the reason they had.

        Args:
            number: of the act; the last one if left out.
            most: take back only so many of its faces, the last ones; call again for the others.

        Returns:
            What was taken back; by present name why faces stayed where they are; and how many faces the act still has.

        Raises:
            FacesetError: there is no such act.
            StorageError: the disk refuses.
        """
        with self._lock:
            act = next((one for one in reversed(self._acts) if number in (None, one.number)), None)
            if act is None:
                raise FacesetError("there is nothing to undo")
            back = act.moved[-(most or len(act.moved)) :]
            _, failed = self._carry([(one.now, one.reason or REASON, one.name) for one in back], act.to, act.origin)
            del act.moved[-len(back) :]
            if not act.moved:
                self._acts.remove(act)
        return Act(act.number, act.origin, act.to, back), failed, len(act.moved)

    def _carry(
        self, faces: Sequence[tuple[str, str, str]], origin: ShelfName, to: ShelfName
    ) -> tuple[list[Moved], dict[str, str]]:
        """Move faces, each given by its name, the reason it gets in the trash, and the name it is to have."""
        here, there = self.shelves[origin], self.shelves[to]
        moved: list[Moved] = []
        failed: dict[str, str] = {}
        reasons: dict[str, str] = {}
        with ExitStack() as stack:
            stack.enter_context(here.changing())
            stack.enter_context(there.changing())
            try:
                for name, reason, wanted in faces:
                    try:
                        path = here.path(name)
                        before = load_record(path).reason if origin == "trash" else None
                        now = _named(_moved(path, origin, to, there.folder, reason), wanted)
                    except (NoFaceHereError, RecordError) as exc:
                        failed[name] = str(exc)
                        continue
                    except FileNotFoundError:
                        failed[name] = f"{name} went meanwhile"
                        continue
                    moved.append(Moved(name, now.name, before))
                    reasons[name] = reason
            finally:
                known = here.take_out({one.name for one in moved})
                rows = {
                    one.now: replace(known[one.name], name=one.now, reason=reasons[one.name] if to == "trash" else None)
                    for one in moved
                    if one.name in known
                }
                there.put_in([one.now for one in moved], rows)
        return moved, failed


def _moved(path: Path, origin: ShelfName, to: ShelfName, folder: Path, reason: str) -> Path:
    """Move one face; where it is now."""
    if to == "trash":
        return put_aside(path, folder, reason)
    if origin == "trash":
        return bring_back(path, folder)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return path.rename(unused_path(folder / path.name))


def _named(path: Path, wanted: str) -> Path:
    """Give a file that name, if no other has it."""
    target = path.with_name(wanted)
    if path.name == wanted or target.exists():
        return path
    with storage_errors(target):
        return path.rename(target)


def facts(path: Path) -> dict[str, Any]:
    """What a person may want to know of a face, as plain JSON values.

    Raises:
        RecordError: it cannot be read.
    """
    record = load_record(path)
    pitch, yaw = degrees(record)
    return {
        "name": path.name,
        "source": record.source,
        "frame": record.frame,
        "number": record.number,
        "seconds": record.time_seconds,
        "score": record.score,
        "yaw": yaw,
        "pitch": pitch,
        "side": face_side(record.landmarks_array()),
        "size": record.size,
        "face_type": record.face_type,
        "sharpness": record.sharpness,
        "outside": record.outside,
        "person": record.person,
        "track": record.track,
        "detector": record.detector,
        "landmarker": record.landmarker,
        "edited": record.edited,
        "recovered": record.recovered,
        "polygons": len(record.polygons),
        "mask": record.mask.source if record.mask else None,
        "reason": record.reason,
        "points": points(path),
    }


def points(path: Path) -> list[float]:
    """x and y of the 68 landmarks in turn, in shares of the crop's side.

    Raises:
        RecordError: it cannot be read.
    """
    record = load_record(path)
    found: list[float] = (record.crop_landmarks() / record.size).round(4).ravel().tolist()
    return found
