"""Faces that no swap hides, covered by the next merge: which, by frame."""

import json
from typing import Final

from pydantic import Field, ValidationError

from lookalike.errors import WorkspaceError
from lookalike.files import write_bytes
from lookalike.merging.cover import Box, cover
from lookalike.options import Options, first_problem, format_of
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.protection import Protection
from lookalike.types import Frame

FORMAT: Final = 1
_FILE: Final = "covers.json"


class Covers(Options):
    """`data_dst/covers.json`; without the file nothing is covered."""

    format: int = FORMAT
    frames: dict[int, list[Box]] = Field(default_factory=dict)
    """Boxes in frame pixels, by number of the frame from 1."""

    def hide(self, frame: Frame) -> Frame:
        """The frame with its boxes covered."""
        boxes = self.frames.get(frame.index + 1)
        if not boxes:
            return frame
        return Frame(cover(frame.picture, boxes), frame.index, frame.pts, frame.time_base)


def read_covers(workspace: Workspace) -> Covers:
    """What is to be covered in dst.

    Raises:
        WorkspaceError: the file is damaged, or of a newer version.
    """
    path = workspace.data("dst") / _FILE
    if not path.is_file():
        return Covers()
    try:
        text = path.read_text(encoding="utf-8")
        if format_of(json.loads(text)) > FORMAT:
            raise WorkspaceError(f"{path} is of a newer version; update Lookalike to use it")
        return Covers.model_validate_json(text)
    except (ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise WorkspaceError(f"{path} cannot be read ({reason}); mend it, or delete it to cover nothing") from exc


def add_covers(workspace: Workspace, found: Protection) -> int:
    """Have the next merge with `--cover` hide what a check left; how many frames that are in all.

    Raises:
        WorkspaceError: what was written before cannot be read. StorageError: the disk is full.
    """
    frames = dict(read_covers(workspace).frames)
    for one in found.frames:
        if one.boxes and one.frame not in found.looked_at:
            frames[one.frame] = [*frames.get(one.frame, []), *one.boxes]
    write_bytes(
        workspace.data("dst") / _FILE, (Covers(frames=dict(sorted(frames.items()))).model_dump_json() + "\n").encode()
    )
    return len(frames)
