"""What somebody who merges should see at once: the video, what was made of it, where it needs a look."""

from pathlib import Path
from typing import Any, Final

from lookalike.errors import FacesetError, LookalikeError
from lookalike.faceset import list_faces
from lookalike.pipeline.merge_piece import STEP as PIECE
from lookalike.pipeline.models import model_names
from lookalike.pipeline.result import made_by, recorded_result, stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.figures import Report, WorstFrame
from lookalike.types import VideoInfo
from lookalike.video import frame_times, probe, start_seconds

_EVEN: Final = 1e-4
"""Seconds that times of frames may be off an even rate."""


def overview(workspace: Workspace) -> dict[str, Any]:
    """The video, the models, the videos made and the worst frames of a workspace, as plain JSON values.

    `problem` alone is why there is nothing to show, `missing` why nothing can be merged yet.
    """
    try:
        video = video_facts(workspace.video("dst"))
    except LookalikeError as exc:
        return {"problem": str(exc)}
    return {
        "video": video,
        "models": model_names(workspace),
        "missing": _missing(workspace),
        "result": made_video(workspace, "result"),
        "piece": made_video(workspace, "piece"),
        "worst": worst(workspace),
    }


def video_facts(path: Path) -> dict[str, Any]:
    """Size, number of frames, and when each is shown: `rate` where they come evenly, else `times` in seconds. `start`
    is when the first is shown, in a player's time.

    Raises:
        VideoError: it cannot be read.
    """
    info = probe(path)
    times = _seconds(info)
    rate = float(info.rate)
    start = round(times[0] - float(start_seconds(path)), 6) if times else 0.0
    even = all(abs(time - times[0] - number / rate) < _EVEN for number, time in enumerate(times))
    found = {"frames": len(times), "rate": rate, "start": max(start, 0.0), "size": list(info.size_wh)}
    return found | {"sound": info.audio_tracks > 0, "times": None if even else [round(t - times[0], 4) for t in times]}


def made_video(workspace: Workspace, which: str) -> dict[str, Any] | None:
    """The result, or the piece merged last, with its facts; none if it is not there any more."""
    path, first = made_path(workspace, which), 1
    if path is None:
        return None
    if which == "piece":
        first = int(workspace.done(PIECE)["first"])
    try:
        return {"stamp": stamp(path), "name": path.name, "first": first, "path": str(path), **video_facts(path)}
    except (LookalikeError, OSError):  # it is being replaced, or is no video any more
        return None


def made_path(workspace: Workspace, which: str) -> Path | None:
    """Where the result, or the piece, lies, if that is in the workspace and unchanged since."""
    path = recorded_result(workspace) if which == "result" else made_by(workspace, PIECE)
    return path if path is not None and path.resolve().parent == workspace.folder.resolve() else None


def worst(workspace: Workspace) -> dict[str, Any] | None:
    """The worst frames of the report, numbered from 1, and whether it is about the result that is there; none without
    a report.
    """
    found = read_report(workspace)
    if found is None:
        return None
    path = recorded_result(workspace)
    about = path is not None and stamp(path) == found.result_stamp
    return {"of": found.result, "current": about, "frames": [_told(frame) for frame in found.worst]}


def worst_picture(workspace: Workspace, number: int) -> Path | None:
    """The picture of one of the worst frames, numbered from 1."""
    found = read_report(workspace)
    names = [frame.file for frame in found.worst if frame.frame == number - 1] if found else []
    path = workspace.report / Path(names[0]).name if names else None
    return path if path is not None and path.is_file() else None


def read_report(workspace: Workspace) -> Report | None:
    """The report there is; none if this version cannot read it."""
    try:
        return Report.model_validate_json((workspace.report / "report.json").read_bytes())
    except (OSError, ValueError):
        return None


def _told(frame: WorstFrame) -> dict[str, Any]:
    return {
        "frame": frame.frame + 1,
        "seconds": frame.seconds,
        "score": frame.score,
        "bad": frame.score >= 1,
        "reasons": [reason.text for reason in frame.reasons],
    }


def _missing(workspace: Workspace) -> str | None:
    """Why nothing can be merged yet; no model named by anybody is a matter of choice."""
    try:
        if not list_faces(workspace.aligned("dst")):
            return "no face of dst is there; extract dst, or put removed faces back"
    except FacesetError as exc:
        return str(exc)
    return None if model_names(workspace) else "there is no model yet; train one"


def _seconds(info: VideoInfo) -> list[float]:
    return [float(tick * info.time_base) for tick in frame_times(info)]
