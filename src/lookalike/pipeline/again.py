"""Faces of single frames made once more: lost, redone, or set by hand. All other faces stay as they are."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import EditsError
from lookalike.faces import MAX_GAP, SAME_PERSON, Recogniser
from lookalike.faceset import FaceRecord, encode_array, load_record
from lookalike.faceset.record import Polygon
from lookalike.faceset.trash import put_aside
from lookalike.geometry import intersection_over_union
from lookalike.pipeline.choice import Verdict
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace
from lookalike.pipeline.known import Known, mean_identity
from lookalike.pipeline.reasons import BY_HAND, OTHER_PERSON
from lookalike.pipeline.scan import Looked, Looker, Made, Views, save_made
from lookalike.pipeline.scan_log import ScanLog
from lookalike.types import Event, Frame, Message, Progress
from lookalike.video import read_frames

_APART = 48
"""Frames that are decoded and dropped rather than sought anew."""
_OVERLAP = 0.3


class Again:
    """Makes faces of single frames in a faceset that is there."""

    def __init__(
        self,
        looker: Looker,
        config: ExtractConfig,
        aligned: Path,
        trash: Path,
        step: str,
        known: dict[int, list[Known]],
        free_track: int,
    ) -> None:
        """`known` are the faces in use, by frame; tracks from `free_track` on were never given."""
        self._looker, self._config, self._aligned, self._trash, self._step = looker, config, aligned, trash, step
        self._known, self._free_track = known, free_track
        self._recogniser: Recogniser | None = None

    def restore(
        self, log: ScanLog, lost: Iterable[Verdict], reason: str = "", by_hand: Collection[int] = ()
    ) -> Iterator[Event]:
        """Make faces of the log again, byte for byte as they were.

        Args:
            reason: why faces set by hand are put aside first, in the frames `by_hand`.
        """
        for face in [f for n in by_hand for f in self._known.get(n, []) if f.by_hand]:
            self._put_aside(face, reason)
        there = {(f.frame, f.number) for faces in self._known.values() for f in faces}
        by_frame: dict[int, list[Verdict]] = {}
        for verdict in lost:
            if (verdict.frame, verdict.number) not in there:
                by_frame.setdefault(verdict.frame, []).append(verdict)
        missing = 0
        for frame, done in self._frames(by_frame):
            looked = self._looker.look(frame)
            for verdict in by_frame[frame.index]:
                made = self._remade(looked, log, verdict)
                if made is None:
                    missing += 1
                else:
                    self._save(made.changed(identity=verdict.identity, person=verdict.person))
            yield Progress(self._step, done, len(by_frame), note="lost faces")
        if missing:
            yield Message(self._step, f"{missing} lost faces were not found again; extract from the start to get them")

    def redo(self, frames: Iterable[int], reason: str) -> Iterator[Event]:
        """Look at frames anew: their faces are put aside, the faceset's person as found now is kept."""
        wanted = sorted(set(frames))
        person = None if self._config.all_people else mean_identity(self._known)
        for frame, done in self._frames(wanted):
            looked = self._looker.look(frame)
            found = [
                (made, self._embed(looked.views, made))
                for made in looked.faces
                if made.face.score >= self._looker.finder.trusted
            ]
            if person is not None:
                found.sort(key=lambda pair: float(np.linalg.norm(pair[1] - person)))
            for face in list(self._known.get(frame.index, [])):
                self._put_aside(face, reason)
            for place, (made, row) in enumerate(found):
                made = made.changed(identity=encode_array(row, np.float16))
                if person is None or (place == 0 and float(np.linalg.norm(row - person)) < SAME_PERSON):
                    self._save(self._tracked(made))
                else:
                    save_made(self._trash, made.changed(reason=OTHER_PERSON), self._config, fresh=True)
            yield Progress(self._step, done, len(wanted), note="frames redone")

    def edit(self, edited: dict[int, list[EditedFace]]) -> Iterator[Event]:
        """Give frames exactly the faces that were set by hand; those that are as told already stay as they are.

        Raises:
            EditsError: no face can be made of what is said.
        """
        todo = {frame: faces for frame, faces in edited.items() if not self._is_so(frame, faces)}
        beyond = set(todo)
        for frame, done in self._frames(todo):
            beyond.discard(frame.index)
            staying = self._as_told(frame.index, todo[frame.index])
            made = self._by_hand(frame, [f for n, f in enumerate(todo[frame.index]) if n not in staying], staying)
            for face in [f for f in self._known.get(frame.index, []) if f not in staying.values()]:
                self._put_aside(face, BY_HAND)
            for one in made:
                self._save(self._tracked(one))
            yield Progress(self._step, done, len(todo), note="frames set by hand")
        if beyond:
            yield Message(self._step, f"edits of frames that the video does not have: {sorted(beyond)[:5]}")

    def _by_hand(self, frame: Frame, faces: list[EditedFace], staying: dict[int, Known]) -> list[Made]:
        views = self._looker.views(frame)
        taken = {face.number for face in staying.values()}
        numbers = [n for n in range(len(faces) + len(taken)) if n not in taken]
        try:
            placed = self._looker.finder.place(views.shown, [face.detection() for face in faces])
            made = [
                self._looker.make(frame, views, face, n, edited=True) for n, face in zip(numbers, placed, strict=False)
            ]
            made = [m.changed(identity=encode_array(self._embed(views, m), np.float16)) for m in made]
            return [m.changed(polygons=self._drawn_before(m)) for m in made]
        except (ValueError, RuntimeError, cv2.error) as exc:
            first = str(exc).splitlines()[0]
            raise EditsError(f"frame {frame.index} of edits.json shows no face that can be made ({first})") from exc

    def _put_aside(self, face: Known, reason: str) -> None:
        if face.path.exists():
            self._trash.mkdir(parents=True, exist_ok=True)
            put_aside(face.path, self._trash, reason)
        self._known[face.frame].remove(face)

    def _frames(self, wanted: Iterable[int]) -> Iterator[tuple[Frame, int]]:
        """The frames of some numbers, and how many they are by then."""
        numbers = sorted(wanted)
        begins = [i for i, number in enumerate(numbers) if i == 0 or number - numbers[i - 1] > _APART]
        for begin, end in zip(begins, [*begins[1:], len(numbers)], strict=False):
            part = set(numbers[begin:end])
            for frame in read_frames(self._looker.path, numbers[begin], numbers[end - 1] + 1):
                if frame.index in part:
                    part.discard(frame.index)
                    begin += 1
                    yield frame, begin

    def _remade(self, looked: Looked, log: ScanLog, verdict: Verdict) -> Made | None:
        seen = verdict.seen
        if seen.recovered:
            earlier = log.frames[max(0, verdict.frame - MAX_GAP) : verdict.frame]
            before = (face for line in reversed(earlier) for face in line.faces)
            last = next((face for face in before if face.track == seen.track), None)
            made = self._looker.look_closer(looked.frame, looked.views, last.box_array()) if last else None
            return made and made.changed(number=verdict.number, track=seen.track)
        for made in looked.faces:
            if np.array_equal(made.face.box_xyxy, seen.box_array()):
                return made.changed(number=verdict.number, track=seen.track)
        return None

    def _is_so(self, frame: int, faces: list[EditedFace]) -> bool:
        """Whether a frame has just these faces already."""
        return len(faces) == len(self._as_told(frame, faces)) == len(self._known.get(frame, []))

    def _as_told(self, frame: int, faces: list[EditedFace]) -> dict[int, Known]:
        """The faces of a frame that are as an edit says, by its place in `faces`."""
        found: dict[int, Known] = {}
        for place, face in enumerate(faces):
            left = [k for k in self._known.get(frame, []) if k not in found.values() and k.path.exists()]
            same = next((k for k in left if _same(_record(k).landmarks_array(), k.box, face)), None)
            if same is not None:
                found[place] = same
        return found

    def _drawn_before(self, made: Made) -> list[Polygon]:
        """The polygons that were drawn on the face in whose place another comes; they are of the same picture."""
        there = self._known.get(made.record.frame, [])
        best = max(there, key=lambda face: intersection_over_union(face.box, made.face.box_xyxy), default=None)
        if best is None or intersection_over_union(best.box, made.face.box_xyxy) < _OVERLAP or not best.path.exists():
            return []
        return _record(best).polygons

    def _tracked(self, made: Made) -> Made:
        """A face with the track, and so the person, of the face that it overlaps most in the nearest frame about."""
        frame, box = made.record.frame, made.face.box_xyxy
        taken = {face.track for face in self._known.get(frame, [])}
        for number in sorted(range(frame - MAX_GAP, frame + MAX_GAP + 1), key=lambda n: (abs(n - frame), n)):
            near = [face for face in self._known.get(number, []) if face.track not in taken]
            best = max(near, key=lambda face: intersection_over_union(face.box, box), default=None)
            if best is not None and intersection_over_union(best.box, box) >= _OVERLAP:
                return made.changed(track=best.track, person=best.person)
        self._free_track += 1
        return made.changed(track=self._free_track - 1)

    def _embed(self, views: Views, made: Made) -> NDArray[np.float32]:
        self._recogniser = self._recogniser or Recogniser()
        return self._recogniser.embed(views.shown, made.face)

    def _save(self, made: Made) -> None:
        """Write a face under a name that is free."""
        path = save_made(self._aligned, made, self._config, fresh=True)
        self._known.setdefault(made.record.frame, []).append(Known.of(path, made.record))


def _record(face: Known) -> FaceRecord:
    return face.by_hand or load_record(face.path)


def _same(landmarks: NDArray[np.float32], box: NDArray[np.float32], face: EditedFace) -> bool:
    if face.landmarks is not None:
        return bool(np.abs(landmarks - np.array(face.landmarks)).max() < 0.002)
    return bool(np.abs(box - np.array(face.box)).max() < 0.02)
