"""Bringing single frames of a faceset to what is set by hand, as soon as that is saved; all other faces stay."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lookalike.faceset.trash import bring_back, put_aside
from lookalike.geometry import intersection_over_union
from lookalike.pipeline.again import Again
from lookalike.pipeline.align_faces import FaceFile, FaceFiles
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.debug_frames import draw_debug_frame, forget_debug_frames
from lookalike.pipeline.edits import EditedFace, edits_mark
from lookalike.pipeline.extract_job import Job
from lookalike.pipeline.known import Known
from lookalike.pipeline.reasons import BY_HAND, TAKEN_BACK
from lookalike.pipeline.scan import Looker
from lookalike.pipeline.scan_log import ScanLog
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Frame

Edited = dict[int, list[EditedFace]]
_RUN = 8
"""Frames between two looks at what is done."""
_SAME_FACE = 0.9
"""Overlap from which a face in the trash is one that is in use."""


@dataclass(slots=True)
class _Log:
    """What the search of the video found, kept until the file changes."""

    stamp: tuple[Path, int, int]
    log: ScanLog
    free_track: int


class Applier:
    """Makes and takes back the faces of single frames of one side. One thread uses it, the workspace locked."""

    def __init__(self, workspace: Workspace, side: Side, aligned: FaceFiles, trash: FaceFiles) -> None:
        """`aligned` and `trash` are those of the side; they are refreshed here."""
        self._workspace, self._side = workspace, side
        self._aligned, self._trash = aligned, trash
        self._looker: tuple[str, Looker] | None = None
        self._log: _Log | None = None

    def unlike(self, edited: Edited) -> set[int]:
        """Frames that are to be looked at when `edits.json` is not the one that the faceset was made to fit.

        Raises:
            WorkspaceError: the record of the workspace cannot be read.
        """
        done = self._workspace.done(f"extract_{self._side}")
        noted = set(done.get("edited", []))
        gone = noted - edited.keys()
        if done.get("edits", edits_mark({})) == edits_mark(edited) and not gone:
            return set()
        return set(edited) | gone

    def apply(
        self, edited: Edited, frames: Collection[int], read: Callable[[int], Frame], stop: Callable[[], bool]
    ) -> Iterator[set[int]]:
        """Give some frames the faces that they are to have; yields frames that are done.

        Args:
            edited: all frames that are set by hand, and those between them.
            frames: where faces may be others than they are to be; those not in `edited` get back what was found.
            read: a frame of the video.
            stop: asked between frames, whether others need the workspace.

        Raises:
            EditsError: no face can be made of what is set by hand.
            VideoError, WorkspaceError, WeightsError, ExtraMissingError, StorageError.
        """
        job = Job.of(self._workspace, self._side, ExtractConfig())
        again = self._again(job)
        changed: set[int] = set()
        try:
            for part in _parts(frames, edited):
                if stop() or not self._give(job, again, edited, part, stop):
                    break
                changed.update(part)
                yield set(part)
        finally:
            self._aligned.refresh()
            self._trash.refresh()
            self._note(job, edited, changed, whole=changed >= set(frames))
            self._redraw(job, sorted(changed), read)

    def _give(self, job: Job, again: Again, edited: Edited, part: list[int], stop: Callable[[], bool]) -> bool:
        """Bring some frames, all set by hand or none, to what is said; whether all are done."""
        if part[0] in edited:
            return all(not stop() for _ in again.edit({frame: edited[frame] for frame in part}))
        for frame in part:
            if frame < job.info.frame_count:
                self._take_back(job, again, frame)
        return True

    def _again(self, job: Job) -> Again:
        """As `Job.again`, with what is remembered of the files."""
        self._aligned.refresh()
        self._trash.refresh()
        known = _known(self._aligned, job.sources)
        away = _known(self._trash, job.sources)
        tracks = [face.track for faces in chain(known.values(), away.values()) for face in faces]
        free = max([self._logged(job).free_track, *(track + 1 for track in tracks)])
        return Again(self._looker_of(job), job.config, job.aligned, job.trash, job.step, known, free)

    def _looker_of(self, job: Job) -> Looker:
        if self._looker is None or self._looker[0] != job.key:
            self._looker = job.key, job.looker()
        return self._looker[1]

    def _logged(self, job: Job) -> _Log:
        path = job.folder / "frames.jsonl"
        try:
            stat = path.stat()
        except OSError:
            return _Log((path, 0, 0), ScanLog(path), 0)
        stamp = path, stat.st_size, stat.st_mtime_ns
        if self._log is None or self._log.stamp != stamp:
            log = job.log()
            free = 1 + max((face.track for line in log.frames for face in line.faces), default=-1)
            self._log = _Log(stamp, log, free)
        return self._log

    def _take_back(self, job: Job, again: Again, frame: int) -> None:
        """Give a frame the faces back that it had before it was set by hand: from the trash, else made once more."""
        there = self._aligned.faces(frame, job.sources)
        for face in [f for f in there if f.facts.edited]:
            put_aside(face.known.path, job.trash, TAKEN_BACK)
        kept = [f for f in there if not f.facts.edited]
        back = _originals(self._trash.faces(frame, job.sources), kept)
        for face in back:
            bring_back(face.known.path, job.aligned)
        if not kept and not back:
            self._make_again(job, again, frame)

    def _make_again(self, job: Job, again: Again, frame: int) -> None:
        log = self._logged(job).log
        done = job.done()
        whole = done.get("key") == job.key and len(log.frames) == done.get("frames")
        if not whole or not log.frames[frame].faces:
            return
        _, judged = job.judged(log, job.wanted())
        for _ in again.restore(log, [v for v in judged if v.reason is None and v.frame == frame]):
            pass

    def _note(self, job: Job, edited: Edited, changed: set[int], *, whole: bool) -> None:
        """Write down what the faceset fits now, so that `extract` finds nothing to do."""
        done = job.done()
        told = set(done.get("edited", []))
        facts = {**done, "edited": sorted((told - changed) | (changed & edited.keys()))}
        if whole:
            facts["edits"] = edits_mark(edited)
        if facts != done:
            job.workspace.note(job.step, **facts)

    def _redraw(self, job: Job, frames: Sequence[int], read: Callable[[int], Frame]) -> None:
        """Keep the pictures of `extract --debug` true, where there are any."""
        if not job.debug.is_dir():
            return
        for frame in frames:
            forget_debug_frames(job.debug, [frame])
            faces = [face.known.path for face in self._aligned.faces(frame, job.sources)]
            draw_debug_frame(job.debug, {frame: faces}, read(frame))


def _parts(frames: Collection[int], edited: Edited) -> Iterator[list[int]]:
    """The frames in short runs that are read in one go, in order; each is set by hand or not at all."""
    part: list[int] = []
    for frame in sorted(frames):
        goes_on = part and frame == part[-1] + 1 and len(part) < _RUN and (frame in edited) == (part[0] in edited)
        if part and not goes_on:
            yield part
            part = []
        part.append(frame)
    if part:
        yield part


def _known(files: FaceFiles, sources: tuple[str, ...]) -> dict[int, list[Known]]:
    return {frame: [face.known for face in faces] for frame, faces in files.by_frame(sources).items()}


def _originals(away: Sequence[FaceFile], kept: Sequence[FaceFile]) -> list[FaceFile]:
    """The faces that a frame had before it was set by hand: of several the same the one put aside last."""
    found: list[FaceFile] = []
    taken = [face.facts.box_xyxy for face in kept]
    ours = [face for face in away if face.known.reason == BY_HAND and not face.facts.edited]
    for face in sorted(ours, key=lambda f: _modified(f.known.path), reverse=True):
        box = face.facts.box_xyxy
        if not any(intersection_over_union(box, other) >= _SAME_FACE for other in taken):
            taken.append(box)
            found.append(face)
    return found


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
