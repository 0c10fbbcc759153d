"""Faces set by hand, changed one at a time: saved at once, refused if another changed the same, undone and redone."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookalike.errors import EditsError
from lookalike.pipeline.edits import EditedFace, Edits, read_edits, write_edits

_MOST_STEPS: Final = 500
"""That can be undone."""

Faces = tuple[EditedFace, ...]
Pair = tuple[int, int]


class ChangedEditsError(EditsError):
    """The frame was changed by another page or program meanwhile."""


class NothingToUndoError(EditsError):
    """There is no step to undo, or to do again."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one frame, and of the pairs that frames between it and others move along."""

    label: str
    frame: int
    before: tuple[Faces | None, tuple[Pair, ...]]
    """The frame's faces, none if not set by hand; all pairs."""
    after: tuple[Faces | None, tuple[Pair, ...]]


class EditBook:
    """`edits.json` in the hands of a page. Safe in threads; the file may change at any time."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before it is needed."""
        self._path = path
        self._lock = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._edits, self._every = Edits(), dict[int, list[EditedFace]]()
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def undo_label(self) -> str | None:
        """What undoing would take back."""
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        """What would be done again."""
        return self._undone[-1].label if self._undone else None

    def read(self) -> tuple[Edits, dict[int, list[EditedFace]]]:
        """What is set by hand, and the faces of all frames that follow from it.

        Raises:
            EditsError: the file cannot be used.
        """
        with self._lock:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                edits = read_edits(self._path)
                self._edits, self._every, self._stamp = edits, edits.every_frame(), stamp
            return self._edits, self._every

    def revision(self, frame: int) -> str:
        """Changes with what is set by hand of a frame.

        Raises:
            EditsError: as `read`.
        """
        edits, every = self.read()
        text = "".join(face.model_dump_json() for face in every.get(frame, []))
        own = f"{frame in edits.frames} {frame in every} {text}"
        return hashlib.sha256(own.encode()).hexdigest()[:16]

    def set_frame(self, frame: int, faces: Sequence[EditedFace] | None, revision: str, label: str) -> Step:
        """Say what faces a frame has; none for those that were found.

        Raises:
            ChangedEditsError: the frame is no longer as in `revision`.
            EditsError: as `read`.
        """
        with self._lock:
            self._check(frame, revision)
            edits, _ = self.read()
            told = None if faces is None else tuple(faces)
            return self._take(edits, Step(label, frame, _part(edits, frame), (told, _pairs_with(edits, frame, told))))

    def link(self, first: int, last: int, *, on: bool) -> Step:
        """Let the frames between two that are set by hand move evenly, or no longer.

        Raises:
            EditsError: they cannot, or as `read`.
        """
        with self._lock:
            edits, _ = self.read()
            pairs = [pair for pair in edits.between if pair != (first, last)]
            if on:
                if last - first < 2:
                    raise EditsError("no frame lies between these two; choose two that are further apart")
                if not _fit(edits.frames.get(first), edits.frames.get(last)):
                    raise EditsError(f"set frames {first + 1} and {last + 1} by hand first, with as many faces in both")
                pairs.append((first, last))
            before = _part(edits, first)
            label = f"{'interpolate' if on else 'no longer interpolate'} {first + 1} to {last + 1}"
            return self._take(edits, Step(label, first, before, (before[0], tuple(sorted(pairs)))))

    def undo(self) -> Step:
        """Take the last step back.

        Raises:
            NothingToUndoError: there is none.
            ChangedEditsError: what it changed was changed by another program since.
        """
        with self._lock:
            return self._go(self._done, self._undone, back=True)

    def redo(self) -> Step:
        """Do the step again that was taken back last.

        Raises:
            NothingToUndoError, ChangedEditsError: as `undo`.
        """
        with self._lock:
            return self._go(self._undone, self._done, back=False)

    def _go(self, source: list[Step], target: list[Step], *, back: bool) -> Step:
        if not source:
            raise NothingToUndoError(f"there is nothing to {'undo' if back else 'do again'}")
        step = source[-1]
        edits, _ = self.read()
        now, then = (step.after, step.before) if back else (step.before, step.after)
        if _part(edits, step.frame) != now:
            source.clear()
            raise ChangedEditsError(f"frame {step.frame + 1} was changed by another program since; nothing is undone")
        self._write(edits, step.frame, then)
        target.append(source.pop())
        return step

    def _check(self, frame: int, revision: str) -> None:
        if self.revision(frame) != revision:
            raise ChangedEditsError(f"frame {frame + 1} was changed in another page meanwhile; look at it again")

    def _take(self, edits: Edits, step: Step) -> Step:
        if step.after != step.before:
            self._write(edits, step.frame, step.after)
            self._done = [*self._done[1 - _MOST_STEPS :], step]
            self._undone.clear()
        return step

    def _write(self, edits: Edits, frame: int, part: tuple[Faces | None, tuple[Pair, ...]]) -> None:
        faces, pairs = part
        frames = {n: told for n, told in edits.frames.items() if n != frame}
        if faces is not None:
            frames[frame] = list(faces)
        changed = edits.model_copy(update={"frames": dict(sorted(frames.items())), "between": list(pairs)})
        every = changed.every_frame()  # refused before anything is written
        write_edits(self._path, changed)
        self._edits, self._every, self._stamp = changed, every, _stamp(self._path)


def _part(edits: Edits, frame: int) -> tuple[Faces | None, tuple[Pair, ...]]:
    faces = edits.frames.get(frame)
    return None if faces is None else tuple(faces), tuple(sorted(edits.between))


def _pairs_with(edits: Edits, frame: int, faces: Faces | None) -> tuple[Pair, ...]:
    """The pairs when a frame gets other faces: one that spans it goes through it, one that ends there may end."""
    told = {**edits.frames, frame: list(faces)} if faces is not None else dict(edits.frames)
    if faces is None:
        told.pop(frame, None)
    pairs: set[Pair] = set()
    for first, last in edits.between:
        if first < frame < last and faces is not None:
            halves = [(first, frame), (frame, last)]
            pairs |= set(halves) if all(_fit(told.get(a), told.get(b)) for a, b in halves) else {(first, last)}
        elif frame not in (first, last) or _fit(told.get(first), told.get(last)):
            pairs.add((first, last))
    if faces is None:
        before = next((a for a, b in edits.between if b == frame), None)
        after = next((b for a, b in edits.between if a == frame), None)
        if before is not None and after is not None and _fit(told.get(before), told.get(after)):
            pairs.add((before, after))
    return tuple(sorted(pair for pair in pairs if pair[0] < pair[1]))


def _fit(a: Sequence[EditedFace] | None, b: Sequence[EditedFace] | None) -> bool:
    """Whether faces can move from the ones to the others."""
    if not a or not b or len(a) != len(b):
        return False
    return all((one.landmarks is None) == (other.landmarks is None) for one, other in zip(a, b, strict=True))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
