"""Step 5: the result measured beside dst, frame by frame, and a page about it."""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

from lookalike.cluster.config import ClusterOptions
from lookalike.errors import WorkspaceError
from lookalike.faces import DLIB
from lookalike.files import sweep, write_bytes
from lookalike.pipeline.far_report import measure_on
from lookalike.pipeline.report_frames import Counter, measured_frames
from lookalike.pipeline.report_pictures import STRIP, draw_pictures, picture_name
from lookalike.pipeline.report_survey import Survey, look_ahead
from lookalike.pipeline.result import recorded_result, stamp, watched
from lookalike.pipeline.result_trust import trust_of
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting import summary
from lookalike.reporting.figures import Report, StepTime, WorstFrame
from lookalike.reporting.measure import FrameFigures
from lookalike.reporting.page import render_page
from lookalike.reporting.plots import draw_plots
from lookalike.reporting.worst import Scored, worst_frames
from lookalike.types import Event, Message, Progress
from lookalike.video import probe

_WORST = 20
_STRIP = 8
_STEPS = ("extract_src", "extract_dst", "train", "merge", "encode")


def report(
    workspace: Workspace, *, result: Path | None = None, cluster: ClusterOptions | None = None
) -> Generator[Event, None, Report]:
    """Compare a result with dst and write `report/report.json` and `report/index.html`.

    Args:
        result: the video; the newest that merge or encode made, when None.
        cluster: where frames are measured.

    Returns:
        What `report.json` holds.

    Raises:
        WorkspaceError: there is no result, or its pictures have another size than dst's.
        FacesetError: extract was not run. VideoError: a video cannot be read. StorageError: the disk is full.
        WeightsError: a recogniser that was added cannot be used. ClusterError: the cluster cannot be used.
    """
    result = result or newest_result(workspace)
    began = time.monotonic()
    found = yield from measure_into(workspace.report, workspace, result, cluster)
    facts: dict[str, float | None] = {
        "nearer_to_src": found.identity.nearer_to_src,
        "landmark_error": found.landmarks.mean,
        "pose_error": found.pose.mean,
        "expression_error": found.expression.mean,
        "mouth_correlation": found.motion.mouth.value,
        "eyes_correlation": found.motion.eyes.value,
        "warping_error": found.temporal.ratio,
        "seam": found.seam.step,
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
    yield from (Message("report", line) for line in worst_lines(found))
    yield Message("report", f"open {workspace.report / 'index.html'}")
    return found


def newest_result(workspace: Workspace) -> Path:
    """The newest video that merge or encode made.

    Raises:
        WorkspaceError: there is none.
    """
    result = recorded_result(workspace)
    if result is None:
        raise WorkspaceError(f"{workspace.folder} has no result; make one with: lookalike merge {workspace.folder}")
    return result


def check_result(workspace: Workspace, result: Path) -> None:
    """Make sure that a video can be a result of a workspace.

    Raises:
        WorkspaceError: its pictures have another size than dst's. VideoError: one of the two cannot be read.
    """
    sizes = ["x".join(map(str, probe(path).size_wh)) for path in (result, workspace.video("dst"))]
    if sizes[0] != sizes[1]:
        raise WorkspaceError(f"{result} is {sizes[0]}, the dst video {sizes[1]}; give a result of this workspace")


def measure_into(
    folder: Path, workspace: Workspace, result: Path, cluster: ClusterOptions | None = None
) -> Generator[Event, None, Report]:
    """Measure a result of a workspace and write `report.json`, `index.html` and pictures into a folder.

    Returns:
        What `report.json` holds.

    Raises:
        As `report`.
    """
    check_result(workspace, result)
    dst = probe(workspace.video("dst"))
    checks = [watched(path) for path in (dst.path, result)]
    survey = look_ahead(workspace)
    counter = Counter()
    frames: list[FrameFigures] = []
    if cluster is None or cluster.ray is None:
        measuring: Iterator[FrameFigures | Message] = measured_frames(dst.path, result, survey, counter)
    else:
        measuring = measure_on(cluster, dst, probe(result), survey, counter)
    for figures in measuring:
        if isinstance(figures, Message):
            yield figures
            continue
        frames.append(figures)
        yield Progress("report", figures.frame + 1, max(dst.frame_count, figures.frame + 1))
    worst = worst_frames(frames, _WORST)
    numbers = [scored.frame for scored in worst]
    strip = summary.evenly([f.frame for f in frames if f.face is not None], _STRIP)
    files = draw_pictures(survey, dst.path, result, numbers, strip)
    for check in checks:
        check()
    found = _report(workspace, result, survey, frames, counter).model_copy(
        update={
            "worst": [_worst_frame(scored) for scored in worst],
            "strip": STRIP if strip else None,
            "strip_frames": strip,
        }
    )
    _write(folder, found, render_page(found, draw_plots(frames, numbers)), files)
    yield from (Message("report", note) for note in found.notes)
    yield Message("report", f"{len(frames)} frames of {result.name} compared")
    return found


def worst_lines(found: Report, count: int = 3) -> list[str]:
    """The worst frames in words, those that are bad; see `WorstFrame`."""
    return [
        f"frame {frame.frame} ({frame.seconds:.2f} s): {', '.join(reason.text for reason in frame.reasons)}"
        for frame in found.worst[:count]
        if frame.score >= 1
    ]


def _report(workspace: Workspace, result: Path, survey: Survey, frames: list[FrameFigures], counter: Counter) -> Report:
    from lookalike import __version__

    record = workspace.record
    motion = summary.summarise_motion(frames)
    people = {p.recogniser.name: p for p in survey.people}
    first, *others = [p.recogniser for p in survey.people] or [DLIB]
    identities = [
        summary.summarise_identity(
            frames, kind.name, kind.same_person, people[kind.name].apart if kind.name in people else None
        )
        for kind in (first, *others)
    ]
    return Report(
        version=__version__,
        src=Path(record.src.origin).name if record.src else "src",
        dst=Path(record.dst.origin).name if record.dst else "dst",
        result=result.name,
        result_stamp=stamp(result),
        frames=summary.count_frames(frames, counter.dst, counter.result, len(survey.faces)),
        identity=identities[0],
        second_identity=identities[1] if len(identities) > 1 else None,
        landmarks=summary.summarise_landmarks(frames),
        pose=summary.summarise_pose(frames),
        expression=summary.summarise_expression(frames),
        motion=motion,
        outside=summary.summarise_outside(frames),
        inside=summary.summarise_inside(frames, survey.crop_size),
        temporal=summary.summarise_temporal(frames),
        seam=summary.summarise_seam(frames),
        trust=trust_of(workspace, result),
        steps=[
            StepTime(
                step=step, seconds=record.steps[step].get("seconds"), iterations=record.steps[step].get("iterations")
            )
            for step in _STEPS
            if step in record.steps
        ],
        notes=[*_notes(survey), *(c.note for c in (motion.mouth, motion.eyes, motion.gaze) if c.note)],
    )


def _notes(survey: Survey) -> Iterator[str]:
    if not survey.people:
        yield "Identity was not measured: the faces of src or of dst carry no embedding; extract them again."
    others = sorted(survey.landmarkers - {"mesh"})
    if others:
        yield (
            f"dst's landmarks were placed by {' and '.join(others)}, the result's by mesh: landmark and pose errors "
            "hold what the two differ by."
        )


def _worst_frame(scored: Scored) -> WorstFrame:
    return WorstFrame(
        frame=scored.frame,
        seconds=round(scored.seconds, 3),
        score=scored.score,
        reasons=scored.reasons,
        file=picture_name(scored.frame),
    )


def _write(folder: Path, found: Report, page: str, files: dict[str, bytes]) -> None:
    """Pictures first and the page last, so that a page never lacks its pictures; then those of an earlier report go."""
    for name, data in files.items():
        write_bytes(folder / name, data)
    write_bytes(folder / "report.json", (found.model_dump_json(indent=2) + "\n").encode())
    write_bytes(folder / "index.html", page.encode())
    sweep(folder)
    for old in folder.glob("frame-*.jpg"):
        if old.name not in files:
            old.unlink(missing_ok=True)
