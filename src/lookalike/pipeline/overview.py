"""What is done in a workspace, at a glance. Cheap; whatever is missing or damaged is left out."""

import os
from pathlib import Path
from typing import Any, Final, get_args

from lookalike.errors import LookalikeError
from lookalike.faceset import SUFFIXES
from lookalike.pipeline.consent_glance import glance_at_consents
from lookalike.pipeline.model_folders import look_at_model, model_folders
from lookalike.pipeline.report_file import counted, is_of, read_report
from lookalike.pipeline.result import recorded_result
from lookalike.pipeline.workspace import Side, VideoSource, Workspace

SIDES: Final[tuple[Side, ...]] = get_args(Side)


def overview(workspace: Workspace, root: Path) -> dict[str, Any]:
    """For a card: videos, faces, training, result, report, consent, when it last changed; or in one line what is wrong.

    Args:
        workspace: which one.
        root: pictures are only taken of what lies in it.
    """
    about: dict[str, Any] = {"name": workspace.folder.name, "changed": _changed(workspace.folder / "workspace.toml")}
    try:
        record = workspace.record
    except LookalikeError as exc:
        return about | {"error": str(exc)}
    models = [look_at_model(workspace, name) for name in model_folders(workspace)]
    model = max(models, key=lambda one: one.changed or 0, default=None)
    result, report = recorded_result(workspace), read_report(workspace)
    moments = [about["changed"], model.changed if model else None, _changed(result) if result else None]
    picture = picture_source(workspace, root)
    return about | {
        "changed": max((moment for moment in moments if moment), default=0),
        "sides": {side: _side(workspace, side, getattr(record, side)) for side in SIDES},
        "model": {"name": model.name, "iteration": model.iteration} if model else None,
        "result": {"name": result.name, "changed": _changed(result)} if result else None,
        "report": counted(report) | {"old": not is_of(report, result)} if report else None,
        "consent": glance_at_consents(workspace),
        "picture": f"{picture.name}-{_changed(picture)}" if picture else None,
    }


def picture_source(workspace: Workspace, root: Path) -> Path | None:
    """The video that a picture on a card is taken from: the result, else dst, else src, if it lies under `root`."""
    return next((path for path in _pictured(workspace) if path.exists() and path.resolve().is_relative_to(root)), None)


def count_faces(folder: Path) -> int:
    """How many faces a folder has; none if it is not there."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - tens of thousands, and no need of paths
    except OSError:
        return 0
    return sum(name.lower().endswith(SUFFIXES) and name[0] != "." for name in names)


def _pictured(workspace: Workspace) -> list[Path]:
    found: list[Path] = []
    result = recorded_result(workspace)
    if result is not None:
        found.append(result)
    for side in reversed(SIDES):
        try:
            found.append(workspace.video(side))
        except LookalikeError:
            continue
    return found


def _side(workspace: Workspace, side: Side, source: VideoSource | None) -> dict[str, Any]:
    name = Path(source.origin).name if source else None
    there = source is not None and (workspace.folder / source.file).exists()
    return {"video": name, "there": there, "faces": count_faces(workspace.aligned(side))}


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
