"""What a look at the videos of a workspace found, as it is kept on disk. Imports no numpy."""

import json
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from lookalike.options import Options, format_of
from lookalike.pipeline.workspace import Workspace

FORMAT: Final = 1
FILE: Final = "check.json"

Verdict = Literal["good", "fair", "poor"]


class Finding(Options):
    """One requirement, looked at."""

    what: str
    found: str
    """In words and numbers."""
    verdict: Verdict
    advice: str
    """One plain sentence."""


class CheckedFace(Options):
    """Where a face that was looked at is, and where it looks."""

    frame: int
    yaw: float
    pitch: float
    """Degrees, as `faceset stats` signs them."""


class CheckedVideo(Options):
    """What is known of one side."""

    video: str
    """Which video it was, as `Workspace.video_stamp` says."""
    frames: int
    """How many were looked at."""
    findings: list[Finding]
    faces: list[CheckedFace]
    """In the order of the pictures of the sheet."""
    sheet: str | None = None
    """Name of the picture of all faces, beside this file; ten in a row."""


class Check(Options):
    """`check.json`."""

    format: int = FORMAT
    version: str
    made: float
    """Unix seconds."""
    src: CheckedVideo | None = None
    dst: CheckedVideo | None = None
    pair: list[Finding] = Field(default_factory=list)
    """How the two fit."""


def folder_of(workspace: Workspace) -> Path:
    """Where the studio keeps its own things in a workspace."""
    return workspace.folder / ".studio"


def read_check(workspace: Workspace) -> Check | None:
    """What the last check found; None if there was none, or it cannot be read any more."""
    try:
        text = (folder_of(workspace) / FILE).read_text(encoding="utf-8")
        return Check.model_validate_json(text) if format_of(json.loads(text)) == FORMAT else None
    except (OSError, ValueError, RecursionError):
        return None
