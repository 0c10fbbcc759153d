"""Merged frames as images, for those who go on in another program."""

from collections.abc import Callable, Iterator
from pathlib import Path

from lookalike.files import unused_path, write_bytes
from lookalike.pipeline.image_files import image_bytes
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import read_frames

_KEY = ".key"


def merged_folder(workspace: Workspace) -> Path:
    """Where merged images lie."""
    return workspace.data("dst") / "merged"


def write_sequence(
    workspace: Workspace, info: VideoInfo, key: str, work: Callable[[Iterator[Frame]], Iterator[Frame]]
) -> Iterator[Event]:
    """Write each merged frame as PNG (16 bits if dst has more than 8) named by its number from 1.

    Images of another run, which somebody may have touched up, are moved aside.
    """
    folder = merged_folder(workspace)
    mark = folder / _KEY
    if folder.is_dir() and (not mark.is_file() or mark.read_text() != key):
        aside = unused_path(folder)
        folder.rename(aside)
        yield Message("merge", f"moved the images of another run to {aside}")
    write_bytes(mark, key.encode())
    start = 0
    while image_path(folder, start).is_file():
        start += 1
    if start:
        yield Message("merge", f"reused {start} images that were merged before")
    count = start
    for frame in work(read_frames(info.path, start)):
        write_bytes(image_path(folder, frame.index), image_bytes(frame.picture))
        count += 1
        yield Progress("merge", frame.index + 1, max(info.frame_count, frame.index + 1))
    yield Message("merge", f"{count} images in {folder}")


def image_path(folder: Path, index: int) -> Path:
    """The image of frame `index`."""
    return folder / f"{index + 1:05d}.png"
