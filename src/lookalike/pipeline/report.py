"""Step 5: the result measured beside dst, frame by frame, and a page about it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import local

import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb8
from lookalike.errors import WorkspaceError
from lookalike.faces import FaceFinder, Recogniser
from lookalike.faceset import FaceRecord, list_faces, load_record, load_records
from lookalike.files import write_bytes
from lookalike.parallel import ordered_map
from lookalike.pipeline.result import recorded_result, stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting import measure, pictures, summary
from lookalike.reporting.curves import draw_curves
from lookalike.reporting.figures import Example, Kind, Report, StepTime
from lookalike.reporting.page import render_page
from lookalike.types import Event, Face, Frame, Message, Picture, Progress
from lookalike.video import probe, read_frames

_WORKERS = 2
_EMBED_FRAMES = 100
"""Frames whose result face is embedded, 80 ms each whatever the number of cores: the recogniser holds Python's lock."""
_EMBED_DST_EVERY = 4
"""Of those, every fourth has dst's own face embedded, for reference."""
_EXAMPLES = 4
_STRIP = 8
_STEPS = ("extract_src", "extract_dst", "train", "merge", "encode")


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """The same frame of both videos."""

    dst: Frame
    result: Frame


@dataclass(slots=True)
class _Counter:
    """Frames read from each video so far."""

    dst: int = 0
    result: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Survey:
    """What is known of dst's and src's facesets before a frame is read."""

    faces: dict[int, list[Path]]
    """dst's by frame, in name order."""
    crop_size: int
    src: NDArray[np.float32] | None
    """(128,) mean embedding."""
    dst: NDArray[np.float32] | None
    embedded: frozenset[int]
    """Frames in which the result's face is embedded."""
    dst_embedded: frozenset[int]
    tools: local = field(default_factory=local)
    """Each thread's own FaceFinder and Recogniser."""


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    figures: measure.FrameFigures
    crops: measure.FaceCrops | None


def report(workspace: Workspace, *, result: Path | None = None) -> Iterator[Event]:
    """Compare a result with dst and write `report/report.json` and `report/index.html`.

    Args:
        result: the video; the newest that merge or encode made, when None.

    Raises:
        WorkspaceError: there is no result, or its pictures have another size than dst's.
        FacesetError: extract was not run. VideoError: a video cannot be read. StorageError: the disk is full.
    """
    result = result or recorded_result(workspace)
    if result is None:
        raise WorkspaceError(f"{workspace.folder} has no result; make one with: lookalike merge {workspace.folder}")
    began = time.monotonic()
    info, result_info = probe(workspace.video("dst")), probe(result)
    if info.size_wh != result_info.size_wh:
        sizes = ["x".join(map(str, i.size_wh)) for i in (result_info, info)]
        raise WorkspaceError(f"{result} is {sizes[0]}, the dst video {sizes[1]}; give a result of this workspace")
    survey = _look_ahead(workspace)
    counter = _Counter()
    frames: list[measure.FrameFigures] = []
    pairs = _paired(read_frames(info.path), read_frames(result), counter)
    for figures in _with_flicker(ordered_map(partial(_look, survey=survey), pairs, _WORKERS)):
        frames.append(figures)
        yield Progress("report", figures.frame + 1, max(info.frame_count, figures.frame + 1))
    found = _report(workspace, result, survey, frames, counter)
    found, files = _draw(found, survey, frames, info.path, result)
    yield from _write(workspace.report, found, render_page(found, draw_curves(frames)), files)
    facts: dict[str, float | None] = {
        "nearer_to_src": found.identity.nearer_to_src,
        "landmark_error": found.landmarks.mean,
        "mouth_correlation": found.motion.mouth.value,
        "eyes_correlation": found.motion.eyes.value,
        "outside_psnr": found.outside.luma_psnr,
        "frames_lost": found.frames.lost,
    }
    measured = {name: value for name, value in facts.items() if value is not None}
    workspace.note(
        "report",
        result=str(result.resolve()),
        stamp=stamp(result),
        seconds=round(time.monotonic() - began, 1),
        **measured,
    )
    yield Message("report", ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in measured.items()))
    yield Message("report", f"{len(frames)} frames compared; open {workspace.report / 'index.html'}")


def _look_ahead(workspace: Workspace) -> _Survey:
    """Read the records of both facesets, keeping of dst's only names."""
    src = _mean_identity(workspace.aligned("src"))
    faces: dict[int, list[Path]] = {}
    sides: list[float] = []
    total, count = np.zeros(128), 0
    for path in list_faces(workspace.aligned("dst")):
        record = load_record(path)
        of_frame = faces.setdefault(record.frame, [])
        of_frame.append(path)
        identity = record.identity_array()
        if len(of_frame) == 1:
            sides.append(measure.frame_side(record))
            if identity is not None:
                total, count = total + identity, count + 1
    if not faces:
        load_records(workspace.aligned("dst"))  # raises
    embedded = summary.evenly(sorted(faces), _EMBED_FRAMES) if src is not None and count else []
    return _Survey(
        faces=faces,
        crop_size=measure.measuring_size(sides),
        src=src,
        dst=(total / count).astype(np.float32) if count else None,
        embedded=frozenset(embedded),
        dst_embedded=frozenset(embedded[::_EMBED_DST_EVERY]),
    )


def _mean_identity(folder: Path) -> NDArray[np.float32] | None:
    """(128,) mean embedding of a faceset; None if no face in it is embedded."""
    total, count = np.zeros(128), 0
    for path in list_faces(folder):
        identity = load_record(path).identity_array()
        if identity is not None:
            total, count = total + identity, count + 1
    return (total / count).astype(np.float32) if count else None


def _paired(dst: Iterator[Frame], result: Iterator[Frame], counter: _Counter) -> Iterator[_Pair]:
    """Frames of the same number, both videos read in step and to their ends."""
    other = next(result, None)
    for frame in dst:
        counter.dst += 1
        while other is not None and other.index < frame.index:
            counter.result += 1
            other = next(result, None)
        if other is not None and other.index == frame.index:
            yield _Pair(frame, other)
    while other is not None:
        counter.result += 1
        other = next(result, None)


def _look(pair: _Pair, survey: _Survey) -> _Looked:
    """Measure a frame; runs on several threads."""
    dst, result, index = pair.dst.picture, pair.result.picture, pair.dst.index
    records = [load_record(path) for path in survey.faces.get(index, [])]
    outside = measure.outside_error(dst, result, measure.inside_faces(records, dst.size_wh))
    figures = measure.FrameFigures(
        frame=index,
        seconds=pair.dst.seconds,
        time_difference_seconds=float(pair.result.pts * pair.result.time_base - pair.dst.pts * pair.dst.time_base),
        outside=outside,
        face=None,
    )
    if not records:
        return _Looked(figures, None)
    record = records[0]
    crops = measure.cut_out(dst, result, record, survey.crop_size)
    dst_rgb, rgb = _rgb(dst), _rgb(result)
    face = measure.same_face(_finder(survey.tools).find(rgb), record)
    seen = measure.FaceFigures(
        sharpness=measure.sharpness_ratio(crops),
        border=measure.border_difference(dst_rgb, rgb, record),
        found=measure.compare_landmarks(record, face) if face is not None else None,
        identity=_identity(rgb, face, survey) if face is not None and index in survey.embedded else None,
        dst_identity=_identity(dst_rgb, _face_of(record), survey) if index in survey.dst_embedded else None,
    )
    return _Looked(replace(figures, face=seen), crops)


def _finder(tools: local) -> FaceFinder:
    if not hasattr(tools, "finder"):
        tools.finder = FaceFinder()
    finder: FaceFinder = tools.finder
    return finder


def _identity(rgb: NDArray[np.uint8], face: Face, survey: _Survey) -> measure.Identity | None:
    if survey.src is None or survey.dst is None:
        return None
    if not hasattr(survey.tools, "recogniser"):
        survey.tools.recogniser = Recogniser()
    embedding = survey.tools.recogniser.embed(rgb, face)
    return measure.Identity(
        float(np.linalg.norm(embedding - survey.src)), float(np.linalg.norm(embedding - survey.dst))
    )


def _face_of(record: FaceRecord) -> Face:
    return Face(np.array(record.box_xyxy, np.float32), record.score, record.landmarks_array(), record.mesh_array())


def _rgb(picture: Picture) -> NDArray[np.uint8]:
    return picture_to_rgb8(picture)


def _with_flicker(looked: Iterator[_Looked]) -> Iterator[measure.FrameFigures]:
    """The figures in order, flicker filled in from the frames before and after."""
    before: _Looked | None = None
    now: _Looked | None = None
    for after in looked:
        if now is not None:
            yield _flickered(before, now, after)
        before, now = now, after
    if now is not None:
        yield now.figures


def _flickered(before: _Looked | None, now: _Looked, after: _Looked) -> measure.FrameFigures:
    face, number = now.figures.face, now.figures.frame
    if before is None or face is None or before.crops is None or now.crops is None or after.crops is None:
        return now.figures
    if (before.figures.frame, after.figures.frame) != (number - 1, number + 1):
        return now.figures
    flicker = measure.flicker_ratio(before.crops, now.crops, after.crops)
    return replace(now.figures, face=replace(face, flicker=flicker))


def _report(
    workspace: Workspace, result: Path, survey: _Survey, frames: list[measure.FrameFigures], counter: _Counter
) -> Report:
    from lookalike import __version__

    record = workspace.record
    apart = (
        float(np.linalg.norm(survey.src - survey.dst)) if survey.src is not None and survey.dst is not None else None
    )
    notes = []
    if apart is None:
        notes.append("Identity was not measured: the faces of src or of dst carry no embedding; extract them again.")
    motion = summary.summarise_motion(frames)
    notes += [c.note for c in (motion.mouth, motion.eyes, motion.gaze) if c.note]
    return Report(
        version=__version__,
        src=Path(record.src.origin).name if record.src else "src",
        dst=Path(record.dst.origin).name if record.dst else "dst",
        result=result.name,
        frames=summary.count_frames(frames, counter.dst, counter.result, len(survey.faces)),
        identity=summary.summarise_identity(frames, apart),
        landmarks=summary.summarise_landmarks(frames),
        motion=motion,
        outside=summary.summarise_outside(frames),
        inside=summary.summarise_inside(frames, survey.crop_size),
        steps=[
            StepTime(
                step=step, seconds=record.steps[step].get("seconds"), iterations=record.steps[step].get("iterations")
            )
            for step in _STEPS
            if step in record.steps
        ],
        notes=notes,
    )


def _draw(
    found: Report, survey: _Survey, frames: list[measure.FrameFigures], dst: Path, result: Path
) -> tuple[Report, dict[str, bytes]]:
    """Choose frames and draw them; the frames are read once more, so that no picture was kept until now."""
    chosen: list[tuple[Kind, list[int]]] = [
        ("worst landmarks", summary.worst_landmarks(frames, _EXAMPLES)),
        ("worst identity", summary.worst_identity(frames, _EXAMPLES)),
        ("best", summary.best_frames(frames, _EXAMPLES)),
    ]
    strip = summary.evenly([f.frame for f in frames if f.face is not None], _STRIP)
    by_number = {f.frame: f for f in frames}
    files: dict[str, bytes] = {}
    tiles: list[NDArray[np.uint8]] = []
    for number in sorted({*strip, *(n for _, numbers in chosen for n in numbers)}):
        record = load_record(survey.faces[number][0])
        first, second = (_rgb(next(read_frames(path, number, number + 1)).picture) for path in (dst, result))
        if number in strip:
            tiles.append(pictures.pair_tile(first, second, record))
        if any(number in numbers for _, numbers in chosen):
            files[_picture_name(number)] = pictures.pair_picture(first, second, record)
    if tiles:
        files["strip.jpg"] = pictures.strip_picture(tiles)
    examples = [_example(kind, by_number[n]) for kind, numbers in chosen for n in numbers]
    extra = {"examples": examples, "strip": "strip.jpg" if tiles else None, "strip_frames": strip}
    return found.model_copy(update=extra), files


def _picture_name(number: int) -> str:
    return f"frame-{number:05d}.jpg"


def _example(kind: Kind, figures: measure.FrameFigures) -> Example:
    face = figures.face
    identity = face.identity if face is not None else None
    return Example(
        file=_picture_name(figures.frame),
        kind=kind,
        frame=figures.frame,
        seconds=round(figures.seconds, 3),
        landmark_error=round(face.found.landmark_error, 4) if face is not None and face.found is not None else None,
        to_src=round(identity.to_src, 4) if identity is not None else None,
        to_dst=round(identity.to_dst, 4) if identity is not None else None,
    )


def _write(folder: Path, found: Report, page: str, files: dict[str, bytes]) -> Iterator[Event]:
    """Pictures first and the page last, so that a page never lacks its pictures; then those of an earlier report go."""
    for name, data in files.items():
        write_bytes(folder / name, data)
    write_bytes(folder / "report.json", (found.model_dump_json(indent=2) + "\n").encode())
    write_bytes(folder / "index.html", page.encode())
    for old in folder.glob("frame-*.jpg"):
        if old.name not in files:
            old.unlink(missing_ok=True)
    yield from (Message("report", note) for note in found.notes)
