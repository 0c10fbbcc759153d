"""Step 1: faces out of a video, into a faceset of one person."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import FacesetError
from lookalike.faces import trusted_score
from lookalike.faceset import list_faces
from lookalike.faceset.trash import put_aside
from lookalike.files import storage_errors, unused_path, write_json
from lookalike.pipeline.again import Again
from lookalike.pipeline.choice import OTHER_PERSON, Choice, Verdict, choose, identify, verdicts, wanted_face
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.debug_frames import missing_debug_frames, write_debug_frames
from lookalike.pipeline.edits import read_edits
from lookalike.pipeline.known import known_faces
from lookalike.pipeline.result import stamp
from lookalike.pipeline.scan import Looker, scan
from lookalike.pipeline.scan_log import ScanLog
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Event, Message, VideoInfo
from lookalike.video import probe

_SCAN = ".extract"


def extract(
    workspace: Workspace,
    side: Side,
    config: ExtractConfig,
    *,
    only_missing: bool = False,
    redo: bool = False,
    debug: bool = False,
) -> Iterator[Event]:
    """Extract the faces of one person from a side's video; goes on where a killed run stopped.

    A faceset that is there already, from the same options or brought by the user, is kept; one from other options is
    moved aside to `aligned-2`, `aligned-3`, ... when the new one is made. Faces set by hand in `edits.json` replace all
    others of their frames.

    Args:
        only_missing: keep the faceset, and make the faces that it lacks: those lost since it was made with these
            options, byte for byte; with other options, faces of the frames that have none.
        redo: keep the faceset, and look anew at the frames whose picture in `aligned_debug` was deleted.
        debug: draw every frame with its faces into `aligned_debug`.

    Raises:
        NoFaceError: no face in the video.
        PersonNotFoundError: the person of `config.person` is not in it.
        EditsError: `edits.json` cannot be used.
        VideoError, WorkspaceError, StorageError.
    """
    job = _Job.of(workspace, side, config)
    edits = read_edits(job.edits)  # refuse before work starts
    edits.every_frame()
    done = workspace.done(job.step)
    aligned = job.aligned.is_dir()
    if (only_missing or redo) and not aligned:
        raise FacesetError(f"{job.aligned} is not there yet; extract without --only-missing and --redo first")
    if redo:
        yield from _redo(job)
    elif only_missing:
        yield from _missing(job)
    elif aligned and done.get("key") in (job.key, None):
        yield Message(job.step, f"reused the {len(list_faces(job.aligned))} faces in {job.aligned}")
    else:
        yield from _whole(job)
    yield from _edited(job)
    if debug or (redo and job.debug.is_dir()):
        yield from write_debug_frames(job.info, job.aligned, job.debug, job.step)


@dataclass(frozen=True, slots=True)
class _Job:
    """What an extraction works on."""

    workspace: Workspace
    side: Side
    config: ExtractConfig
    info: VideoInfo
    key: str
    """Changes with the video and with the options."""

    @classmethod
    def of(cls, workspace: Workspace, side: Side, config: ExtractConfig) -> "_Job":
        info = probe(workspace.video(side))
        files = [path for path in (config.person, config.boxes) if path and Path(path).is_file()]
        contents = [fingerprint(Path(path).read_bytes()) for path in files]
        return cls(workspace, side, config, info, fingerprint(stamp(info.path), config.model_dump_json(), *contents))

    @property
    def step(self) -> str:
        return f"extract_{self.side}"

    @property
    def aligned(self) -> Path:
        return self.workspace.aligned(self.side)

    @property
    def trash(self) -> Path:
        return self.workspace.trash(self.side)

    @property
    def debug(self) -> Path:
        return self.workspace.data(self.side) / "aligned_debug"

    @property
    def edits(self) -> Path:
        return self.workspace.data(self.side) / "edits.json"

    @property
    def folder(self) -> Path:
        """The log of the search, and until it is done the faces."""
        return self.workspace.data(self.side) / _SCAN

    @property
    def searched(self) -> bool:
        """Whether the log is of this video and these options."""
        mark = self.folder / "key.json"
        return mark.is_file() and json.loads(mark.read_bytes()) == self.key

    def again(self) -> Again:
        known = known_faces(self.info.path.name, self.aligned)
        return Again(self.info, self.config, self.aligned, self.trash, self.step, known)

    def judged(self, log: ScanLog) -> tuple[Choice, list[Verdict]]:
        """Who is in the log, and what becomes of each face."""
        trusted = trusted_score(self.config.detector, self.config.min_score)
        wanted = wanted_face(self.config.person)
        choice = choose(log, self.config, trusted, wanted, self.workspace.origin(self.side).name)
        return choice, list(verdicts(log, choice, trusted, self.config.identity == "face"))


def _whole(job: _Job) -> Iterator[Event]:
    """Search the video from its start, or from where a killed run stopped, and make a faceset of what is found."""
    began = time.monotonic()
    wanted_face(job.config.person)  # refuse before work starts
    looker = Looker(job.info, job.config)
    _ = looker.finder  # which weights may be missing for
    faces = job.folder / "faces"
    if not job.searched:
        shutil.rmtree(job.folder, ignore_errors=True)
        with storage_errors(job.folder):
            faces.mkdir(parents=True)
        write_json(job.folder / "key.json", job.key)
    faces.mkdir(exist_ok=True)
    log = ScanLog.open(job.folder / "frames.jsonl")
    if log.frames and not any(faces.iterdir()) and any(line.faces for line in log.frames):
        log = ScanLog.fresh(log.path)  # the faceset of an earlier search was moved away
    if log.frames:
        yield Message(job.step, f"going on from frame {len(log.frames)}")
    yield from scan(job.info, looker, faces, job.config, log, job.step)
    choice, judged = job.judged(log)
    for verdict in judged:
        path = faces / verdict.seen.file
        if path.exists():
            identify(path, verdict)
            if verdict.reason is not None:
                put_aside(path, job.trash, verdict.reason)
    yield from _move_aside(job)
    kept = sum(verdict.reason is None for verdict in judged)
    job.workspace.note(
        job.step,
        key=job.key,
        options=job.config.model_dump(mode="json", exclude_none=True),
        faces=kept,
        frames=len(log.frames),
        people=_people(judged, len(choice.people)),
        seconds=round(time.monotonic() - began, 1),
    )
    with storage_errors(job.aligned):
        faces.rename(job.aligned)
    yield Message(job.step, _summary(job, choice, judged, len(log.frames)))


def _missing(job: _Job) -> Iterator[Event]:
    """Make the faces that the faceset lacks."""
    there = known_faces(job.info.path.name, job.aligned, job.trash)
    if job.searched and job.workspace.done(job.step).get("key") == job.key:
        log = ScanLog.open(job.folder / "frames.jsonl")
        numbers = {(frame, face.number) for frame, faces in there.items() for face in faces}
        by_hand = read_edits(job.edits).every_frame()
        _, judged = job.judged(log)
        lost = [v for v in judged if v.reason is None and v.frame not in by_hand and (v.frame, v.number) not in numbers]
        yield from job.again().restore(log, lost)
        yield Message(job.step, f"{len(lost)} faces were missing")
        return
    empty = [frame for frame in range(job.info.frame_count) if frame not in there]
    before = len(list_faces(job.aligned))
    yield from job.again().redo(empty, "looked at anew")
    found = len(list_faces(job.aligned)) - before
    yield Message(job.step, f"{found} faces found in the {len(empty)} frames that had none")


def _redo(job: _Job) -> Iterator[Event]:
    """Look anew at the frames whose debug picture was deleted."""
    frames = missing_debug_frames(job.debug, job.info.frame_count)
    by_hand = read_edits(job.edits).every_frame()
    yield from job.again().redo([frame for frame in frames if frame not in by_hand], "redone")
    yield Message(job.step, f"{len(frames)} frames were looked at anew, as their debug pictures were deleted")


def _edited(job: _Job) -> Iterator[Event]:
    """Bring the faceset to what `edits.json` says."""
    edited = read_edits(job.edits).every_frame()
    mark = fingerprint(sorted((n, [f.model_dump_json() for f in faces]) for n, faces in edited.items()))
    done = job.workspace.done(job.step)
    if done.get("edits") == mark or (not edited and "edits" not in done):
        return
    again = job.again()
    yield from again.edit(edited)
    undone = set(done.get("edited", [])) - edited.keys()
    if undone and job.searched:
        again.clear(undone, "edit taken back")
        log = ScanLog.open(job.folder / "frames.jsonl")
        _, judged = job.judged(log)
        yield from again.restore(log, [v for v in judged if v.reason is None and v.frame in undone])
    job.workspace.note(job.step, **{**done, "edits": mark, "edited": sorted(edited)})
    yield Message(job.step, f"{len(edited)} frames are set by hand")


def _move_aside(job: _Job) -> Iterator[Event]:
    for folder in (job.aligned, job.debug):
        if folder.is_dir():
            aside = unused_path(folder)
            folder.rename(aside)
            yield Message(job.step, f"moved the faces of other options to {aside}")


def _people(judged: list[Verdict], count: int) -> list[int]:
    """Faces of each person."""
    return [sum(verdict.person == number for verdict in judged) for number in range(count)]


def _summary(job: _Job, choice: Choice, judged: list[Verdict], frames: int) -> str:
    reasons: dict[str, int] = {}
    for verdict in judged:
        if verdict.reason:
            reasons[verdict.reason] = reasons.get(verdict.reason, 0) + 1
    kept = len(judged) - sum(reasons.values())
    text = f"{kept} faces from {frames} frames"
    if reasons:
        text += f"; {', '.join(f'{n} {reason}' for reason, n in reasons.items())}, in {job.trash.name}"
    if OTHER_PERSON in reasons:
        counts = ", ".join(f"{i} ({n} faces)" for i, n in enumerate(_people(judged, len(choice.people))[:6]))
        text += f"; people: {counts}; --person N takes another"
    return text
