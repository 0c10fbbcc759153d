"""Making a workspace of two videos."""

from collections.abc import Iterator
from pathlib import Path

from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message
from lookalike.video import probe


def init(folder: Path, videos: dict[Side, Path]) -> Iterator[Event]:
    """Make a workspace, or give one its videos; they are looked at before anything is made.

    Raises:
        VideoError: a file is missing or no video. WorkspaceError: the workspace has another video on that side.
    """
    infos = {side: probe(path) for side, path in videos.items()}
    workspace = Workspace.create(folder)
    with workspace.locked():
        for side, path in videos.items():
            workspace.set_video(side, path)
            info = infos[side]
            width, height = info.size_wh
            woven = ", interlaced" if info.interlaced else ""
            yield Message("init", f"{side}: {width}x{height}, {info.frame_count} frames, {info.rate} per second{woven}")
