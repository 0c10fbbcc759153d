"""The report of a workspace as it lies on disk: its figures with what they mean, its plots, its files. No numpy."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lookalike.errors import WorkspaceError
from lookalike.options import format_of
from lookalike.pipeline.model_folders import look_at_model
from lookalike.pipeline.result import made_by, recorded_result, stamp
from lookalike.pipeline.result_trust import trust_of
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.figures import FORMAT, Report
from lookalike.reporting.table import sections

_SVG: Final = re.compile(r"<div class='plots'>(<svg\b.*?</svg>)", re.DOTALL)
_SETTINGS: Final = ("train", "merge", "encode")
"""Steps whose settings made a result what it is."""
FILES: Final = (".html", ".jpg", ".jpeg", ".png", ".json")
"""What of a report's folder is shown."""


def read_report(workspace: Workspace) -> Report | None:
    """What `report.json` holds; None if there is none that this version can read."""
    try:
        text = (workspace.report / "report.json").read_text(encoding="utf-8")
        return Report.model_validate_json(text) if format_of(json.loads(text)) == FORMAT else None
    except (OSError, ValueError, RecursionError):
        return None


def is_of(report: Report, result: Path | None) -> bool:
    """Whether a report is about a result as it is now."""
    return result is not None and report.result_stamp == stamp(result)


def counted(report: Report) -> dict[str, int]:
    """How many figures can be good or bad, and how many are good."""
    checked = [row.good for part in sections(report) for row in part.rows if row.good is not None]
    return {"good": sum(checked), "checked": len(checked)}


def look_at_report(workspace: Workspace) -> dict[str, Any]:
    """All that the page shows, as plain JSON values; `report` is null before one was made.

    Raises:
        WorkspaceError: workspace.toml cannot be read. CredentialsError: the result cannot be read.
    """
    found, result = read_report(workspace), recorded_result(workspace)
    report = None
    if found is not None:
        report = {
            **counted(found),
            "old": not is_of(found, result),
            "made": (workspace.report / "report.json").stat().st_mtime,
            "sections": [asdict(part) for part in sections(found)],
            "figures": found.model_dump(mode="json"),
        }
    return {
        "report": report,
        "unreadable": found is None and (workspace.report / "report.json").is_file(),
        "page": (workspace.report / "index.html").is_file(),
        "comparison": _comparison(workspace),
        "result": None if result is None else _facts(workspace, result),
    }


def plots(workspace: Workspace) -> str:
    """The SVG of the figures over time; empty if the report has none."""
    try:
        page = (workspace.report / "index.html").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    found = _SVG.search(page)
    return found[1] if found else ""


def report_file(workspace: Workspace, relative: str) -> Path:
    """A page or picture of the report's folder by the words of a request.

    Raises:
        WorkspaceError: it is none, or the name or a link leads elsewhere.
    """
    refused = WorkspaceError(f"the report has no file {relative[:100]!r}")
    parts = relative.split("/")
    if any(not part or part[0] == "." or "\\" in part or "\0" in part for part in parts):
        raise refused
    path = workspace.report.joinpath(*parts)
    try:
        own = path.resolve().is_relative_to(workspace.report.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        own = False
    if not own or path.suffix.lower() not in FILES:
        raise refused
    return path


def _comparison(workspace: Workspace) -> dict[str, Any] | None:
    """Names of what was compared last; None if nothing was."""
    try:
        value = json.loads((workspace.report / "comparison.json").read_bytes())
        names = [str(one["name"]) for one in value["results"]]
        there = (workspace.report / "comparison.html").is_file()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return {"names": names} if there else None


def _facts(workspace: Workspace, result: Path) -> dict[str, Any]:
    """What is known of how a result was made."""
    steps = workspace.record.steps
    made = next((steps[step] for step in ("merge", "encode") if made_by(workspace, step) == result), {})
    name = made.get("model")
    kind = look_at_model(workspace, name).kind if isinstance(name, str) and (workspace.model(name)).is_dir() else None
    return {
        "name": result.name,
        "inside": result.resolve().is_relative_to(workspace.folder.resolve()),
        "changed": result.stat().st_mtime,
        "bytes": result.stat().st_size,
        "version": workspace.record.version,
        "model": name,
        "kind": kind,
        "iterations": made.get("iterations"),
        "frames": made.get("frames"),
        "frames_with_face": made.get("frames_with_face"),
        "trust": trust_of(workspace, result).model_dump(mode="json"),
        "settings": {step: steps[step].get("options", {}) for step in _SETTINGS if step in steps},
    }
