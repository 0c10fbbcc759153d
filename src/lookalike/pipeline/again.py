"""Faces of single frames made once more: lost, redone, or set by hand. All other faces stay as they are."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faces import MAX_GAP, SAME_PERSON, Recogniser
from lookalike.faceset import encode_array
from lookalike.faceset.trash import put_aside
from lookalike.geometry import intersection_over_union
from lookalike.pipeline.choice import OTHER_PERSON, Verdict, identify
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.edits import EditedFace
from lookalike.pipeline.known import Known, mean_identity
from lookalike.pipeline.scan import Looked, Looker, Made, Views, save_made
from lookalike.pipeline.scan_log import ScanLog
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import read_frames

_APART = 48
"""Frames that are decoded and dropped rather than sought anew."""
_OVERLAP = 0.3


class Again:
    """Makes faces of single frames in a faceset that is there."""

    def __init__(
        self,
        info: VideoInfo,
        config: ExtractConfig,
        aligned: Path,
        trash: Path,
        step: str,
        known: dict[int, list[Known]],
    ) -> None:
        """`known` are the faces in use, by frame."""
        self._info, self._config, self._aligned, self._trash, self._step = info, config, aligned, trash, step
        self._known = known
        self._looker = Looker(info, config)
        self._recogniser: Recogniser | None = None

    def restore(self, log: ScanLog, lost: Iterable[Verdict]) -> Iterator[Event]:
        """Make faces of the log again, byte for byte as they were."""
        by_frame: dict[int, list[Verdict]] = {}
        for verdict in lost:
            by_frame.setdefault(verdict.frame, []).append(verdict)
        missing = 0
        for frame, done in self._frames(by_frame):
            looked = self._looker.look(frame)
            for verdict in by_frame[frame.index]:
                made = self._remade(looked, log, verdict)
                if made is None:
                    missing += 1
                    continue
                identify(self._save(made), verdict)
            yield Progress(self._step, done, len(by_frame), note="lost faces")
        if missing:
            yield Message(self._step, f"{missing} lost faces were not found again; extract from the start to get them")

    def redo(self, frames: Iterable[int], reason: str) -> Iterator[Event]:
        """Look at frames anew: their faces are put aside, the faceset's person as found now is kept."""
        wanted = sorted(set(frames))
        person = None if self._config.all_people else mean_identity(self._known)
        for frame, done in self._frames(wanted):
            looked = self._looker.look(frame)
            self.clear([frame.index], reason)
            trusted = [m for m in looked.faces if m.face.score >= self._looker.finder.trusted]
            rows = [self._embed(looked.views, made) for made in trusted]
            near = [0.0 if person is None else float(np.linalg.norm(row - person)) for row in rows]
            best = int(np.argmin(near)) if near else -1
            for place, (made, row) in enumerate(zip(trusted, rows, strict=True)):
                kept = self._config.all_people or (place == best and near[best] < SAME_PERSON)
                path = self._save(self._tracked(made), row)
                if not kept:
                    put_aside(path, self._trash, OTHER_PERSON)
            yield Progress(self._step, done, len(wanted), note="frames redone")

    def edit(self, edited: dict[int, list[EditedFace]]) -> Iterator[Event]:
        """Give frames exactly the faces that were set by hand."""
        todo = {frame: faces for frame, faces in edited.items() if not self._is_so(frame, faces)}
        beyond = set(todo)
        for frame, done in self._frames(todo):
            beyond.discard(frame.index)
            views = self._looker.views(frame)
            detections = [face.detection() for face in todo[frame.index]]
            faces = self._looker.finder.place(views.shown, detections)
            self.clear([frame.index], "set by hand anew")
            for number, placed in enumerate(faces):
                made = self._looker.make(frame, views, placed, number, edited=True)
                self._save(self._tracked(made), self._embed(views, made))
            yield Progress(self._step, done, len(todo), note="frames set by hand")
        if beyond:
            yield Message(self._step, f"edits of frames that the video does not have: {sorted(beyond)[:5]}")

    def clear(self, frames: Iterable[int], reason: str) -> None:
        """Put the faces of some frames aside."""
        for face in (face for frame in frames for face in self._known.get(frame, [])):
            if face.path.exists():
                put_aside(face.path, self._trash, reason)

    def _frames(self, wanted: Iterable[int]) -> Iterator[tuple[Frame, int]]:
        """The frames of some numbers, and how many they are by then."""
        numbers = sorted(wanted)
        begins = [i for i, number in enumerate(numbers) if i == 0 or number - numbers[i - 1] > _APART]
        for begin, end in zip(begins, [*begins[1:], len(numbers)], strict=False):
            part = set(numbers[begin:end])
            for frame in read_frames(self._info.path, numbers[begin], numbers[end - 1] + 1):
                if frame.index in part:
                    part.discard(frame.index)
                    begin += 1
                    yield frame, begin

    def _remade(self, looked: Looked, log: ScanLog, verdict: Verdict) -> Made | None:
        seen = verdict.seen
        if seen.recovered:
            before = (
                f for line in reversed(log.frames[max(0, verdict.frame - MAX_GAP) : verdict.frame]) for f in line.faces
            )
            last = next((f for f in before if f.track == seen.track), None)
            return self._looker.look_closer(looked, last.box_array(), seen.track, verdict.number) if last else None
        for made in looked.faces:
            if np.array_equal(made.face.box_xyxy, seen.box_array()):
                return made.changed(number=verdict.number, track=seen.track)
        return None

    def _is_so(self, frame: int, faces: list[EditedFace]) -> bool:
        """Whether a frame has just these faces by hand already."""
        there = sorted(self._known.get(frame, []), key=lambda k: k.number)
        return len(there) == len(faces) and all(
            k.by_hand is not None and k.path.exists() and _same(k.by_hand.landmarks_array(), k.box, face)
            for k, face in zip(there, faces, strict=True)
        )

    def _tracked(self, made: Made) -> Made:
        """A face with the track, and so the person, of what is nearest to it in the frames about."""
        frame, box = made.record.frame, made.face.box_xyxy
        about = sorted(range(frame - MAX_GAP, frame + MAX_GAP + 1), key=lambda n: abs(n - frame))
        for face in (face for number in about for face in self._known.get(number, [])):
            if intersection_over_union(face.box, box) >= _OVERLAP:
                return made.changed(track=face.track, person=face.person)
        new = 1 + max((face.track for faces in self._known.values() for face in faces), default=-1)
        return made.changed(track=new)

    def _embed(self, views: Views, made: Made) -> NDArray[np.float32]:
        self._recogniser = self._recogniser or Recogniser()
        return self._recogniser.embed(views.shown, made.face)

    def _save(self, made: Made, identity: NDArray[np.float32] | None = None) -> Path:
        """Write a face under a name that is free; the path."""
        if identity is not None:
            made = made.changed(identity=encode_array(identity, np.float16))
        return save_made(self._aligned, made, self._config, fresh=True)


def _same(landmarks: NDArray[np.float32], box: NDArray[np.float32], face: EditedFace) -> bool:
    if face.landmarks is not None:
        return bool(np.abs(landmarks - np.array(face.landmarks)).max() < 0.002)
    return bool(np.abs(box - np.array(face.box)).max() < 0.02)
