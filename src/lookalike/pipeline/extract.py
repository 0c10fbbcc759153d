"""Step 1: faces out of a video, into a faceset of one person."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import ConfigError, FacesetError, RecordError
from lookalike.faceset import list_faces, load_face
from lookalike.faceset.trash import put_aside
from lookalike.files import storage_errors
from lookalike.pipeline.again import Again
from lookalike.pipeline.choice import Choice, Verdict, identify
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.debug_frames import forget_debug_frames, missing_debug_frames, write_debug_frames
from lookalike.pipeline.edits import edits_mark, read_edits
from lookalike.pipeline.extract_job import Job
from lookalike.pipeline.far_scan import scan_on
from lookalike.pipeline.known import Known, known_faces
from lookalike.pipeline.reasons import OTHER_PERSON, REDONE, TAKEN_BACK, is_ours
from lookalike.pipeline.scan import Looker, drop_unlogged, scan
from lookalike.pipeline.scan_log import ScanLog
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message


def extract(
    workspace: Workspace,
    side: Side,
    config: ExtractConfig,
    *,
    only_missing: bool = False,
    redo: bool = False,
    debug: bool = False,
    cluster: ClusterOptions | None = None,
) -> Iterator[Event]:
    """Extract the faces of one person from a side's video; goes on where a killed run stopped.

    A faceset that is there already, from the same options or brought by the user, is kept; one from other options is
    moved aside to `aligned-2`, `aligned-3`, ... when the new one is made. Options that are not set in `config` stay as
    they were for the faceset that is there. Faces set by hand in `edits.json` replace all others of their frames.

    Args:
        only_missing: keep the faceset, and make the faces that it lacks: those lost since it was made with these
            options, byte for byte; with other options, faces of the frames that have none.
        redo: keep the faceset, and look anew at the frames whose picture in `aligned_debug` was deleted.
        debug: draw every frame with its faces into `aligned_debug`.
        cluster: where frames are looked at; a cluster goes on where one machine stopped, and one machine where it did.

    Raises:
        ConfigError: only_missing together with redo, or one of them on a cluster.
        FacesetError: one of them, and no faceset.
        NoFaceError: no face in the video.
        PersonNotFoundError: the person of `config.person` is not in it.
        EditsError: `edits.json` cannot be used.
        WeightsError, ExtraMissingError: the detector or landmarker cannot be had.
        ClusterError: the cluster cannot be used.
        VideoError, WorkspaceError, StorageError.
    """
    if only_missing and redo:
        raise ConfigError("--only-missing and --redo are two things to do; give one, then the other")
    if cluster is not None and cluster.ray is None:
        cluster = None
    if cluster is not None and (only_missing or redo):
        raise ConfigError("--only-missing and --redo look at few frames, on this machine; leave out --ray")
    there = workspace.aligned(side)
    if (only_missing or redo) and not there.is_dir():
        raise FacesetError(f"{there} is not there yet; extract without --only-missing and --redo first")
    read_edits(workspace.data(side) / "edits.json").every_frame()  # refuse before work starts
    job = Job.of(workspace, side, config)
    changed: set[int] = set()
    if redo:
        yield from _redo(job, changed)
    elif only_missing:
        yield from _missing(job, changed)
    elif job.is_made():
        yield Message(job.step, f"reused the {len(list_faces(job.aligned))} faces in {job.aligned}")
    else:
        yield from _whole(job, scan if cluster is None else partial(scan_on, cluster))
    yield from _edited(job, changed, anew=only_missing)
    forget_debug_frames(job.debug, changed)
    if debug or (changed and job.debug.is_dir()):
        yield from write_debug_frames(job.info, job.aligned, job.debug, job.step)


def _whole(job: Job, search: Callable[..., Iterator[Event]]) -> Iterator[Event]:
    """Search the video from its start, or from where a killed run stopped, and make a faceset of what is found.

    `search` is `scan`, or does the same.
    """
    began = time.monotonic()
    looker, wanted = job.looker(), job.wanted()  # refused before work starts
    faces = job.folder / "faces"
    with storage_errors(job.folder):
        job.folder.mkdir(parents=True, exist_ok=True)
        if not faces.is_dir():  # of a search that is done, whose faceset was moved away
            (job.folder / "frames.jsonl").unlink(missing_ok=True)
            faces.mkdir()
    log = job.log()
    drop_unlogged(faces, log)
    before = len(log.frames)
    if before:
        yield Message(job.step, f"going on from frame {before}")
    yield from search(job.info, looker, faces, job.config, log, job.step, job.check)
    choice, judged = job.judged(log, wanted)
    earlier = [verdict for verdict in judged if verdict.frame < before]  # whose files another run wrote
    yield from _made_whole(job, looker, faces, log, [v for v in earlier if not _is_whole(faces / v.seen.file)])
    for verdict in judged:
        path = faces / verdict.seen.file
        if path.exists():
            identify(path, verdict)
            if verdict.reason is not None:
                put_aside(path, job.trash, verdict.reason)
    kept = (verdict for verdict in judged if verdict.reason is None)
    yield from _made_whole(job, looker, faces, log, [v for v in kept if not (faces / v.seen.file).exists()])
    yield from job.move_aside()
    job.workspace.note(
        job.step,
        key=job.key,
        video=job.workspace.video_stamp(job.side),
        options=job.config.model_dump(mode="json", exclude_none=True),
        faces=sum(verdict.reason is None for verdict in judged),
        frames=len(log.frames),
        people=_people(judged, len(choice.people)),
        seconds=round(time.monotonic() - began, 1),
    )
    with storage_errors(job.aligned):
        faces.rename(job.aligned)
    job.forget_other_logs()
    yield Message(job.step, _summary(job, choice, judged, len(log.frames)))


def _made_whole(job: Job, looker: Looker, faces: Path, log: ScanLog, damaged: list[Verdict]) -> Iterator[Event]:
    """Make faces again that the search found and that are gone or damaged by now; nobody could miss them later."""
    away = {(k.frame, k.number) for k in chain(*known_faces(job.sources, job.trash).values())} if damaged else set()
    for verdict in damaged:
        (faces / verdict.seen.file).unlink(missing_ok=True)
    lost = [v for v in damaged if v.reason is None or (v.frame, v.number) not in away]
    if lost:
        again = Again(looker, job.config, faces, job.trash, job.step, {}, 0)
        yield from again.restore(log, lost)


def _is_whole(path: Path) -> bool:
    try:
        load_face(path)
    except RecordError:
        return False
    return True


def _missing(job: Job, changed: set[int]) -> Iterator[Event]:
    """Make the faces that the faceset lacks, but not those that a person put away."""
    there = known_faces(job.sources, job.aligned, below=True)
    away = known_faces(job.sources, job.trash)
    put_away = {(k.frame, k.number) for k in chain(*away.values()) if not is_ours(k.reason)}
    by_hand = read_edits(job.edits).every_frame()
    log = job.finished_log()
    if log is not None:
        _, judged = job.judged(log, job.wanted())
        left = (v for v in judged if v.reason is None and v.frame not in by_hand)
        lost = [v for v in left if (v.frame, v.number) not in put_away and not _shown(v, there.get(v.frame, []))]
        changed.update(v.frame for v in lost)
        yield from job.again().restore(log, lost)
        yield Message(job.step, f"{len(lost)} faces were missing")
        return
    taken = there.keys() | by_hand.keys() | {frame for frame, _ in put_away}
    empty = [frame for frame in range(job.info.frame_count) if frame not in taken]
    before = len(list_faces(job.aligned))
    changed.update(empty)
    yield from job.again().redo(empty, REDONE)
    found = len(list_faces(job.aligned)) - before
    yield Message(job.step, f"{found} faces found in the {len(empty)} frames that had none")


def _shown(verdict: Verdict, faces: list[Known]) -> bool:
    """Whether a frame's faces have the person already, perhaps found by another detector and counted otherwise."""
    return any(face.person is None or face.person == verdict.person for face in faces)


def _redo(job: Job, changed: set[int]) -> Iterator[Event]:
    """Look anew at the frames whose debug picture was deleted."""
    frames = missing_debug_frames(job.debug, job.info.frame_count)
    by_hand = read_edits(job.edits).every_frame()
    changed.update(frames)
    yield from job.again().redo([frame for frame in frames if frame not in by_hand], REDONE)
    yield Message(job.step, f"{len(frames)} frames were looked at anew, as their debug pictures were deleted")


def _edited(job: Job, changed: set[int], *, anew: bool) -> Iterator[Event]:
    """Bring the faceset to what `edits.json` says; with `anew` also where a face set by hand was lost."""
    edited = read_edits(job.edits).every_frame()
    mark = edits_mark(edited)
    done = job.done()
    undone = set(done.get("edited", [])) - edited.keys()
    if (done.get("edits", mark if not edited else None) == mark and not undone) and not (anew and edited):
        return
    log = job.finished_log() if undone else None
    judged = job.judged(log, job.wanted())[1] if log is not None else []
    again = job.again()
    changed.update(edited.keys() | (undone if log is not None else set()))
    yield from again.edit(edited)
    if log is not None:
        yield from again.restore(log, [v for v in judged if v.reason is None and v.frame in undone], TAKEN_BACK, undone)
        undone = set()
    elif undone:
        yield Message(
            job.step, f"{len(undone)} frames keep the faces set by hand, as the log of the search is of other options"
        )
    job.workspace.note(job.step, **{**job.done(), "edits": mark, "edited": sorted(edited.keys() | undone)})
    yield Message(job.step, f"{len(edited)} frames are set by hand")


def _people(judged: list[Verdict], count: int) -> list[int]:
    """Faces of each person."""
    counts = [0] * count
    for verdict in judged:
        if verdict.person is not None:
            counts[verdict.person] += 1
    return counts


def _summary(job: Job, choice: Choice, judged: list[Verdict], frames: int) -> str:
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
