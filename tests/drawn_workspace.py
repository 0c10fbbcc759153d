"""A workspace of drawn faces, and what tests ask of its folders."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from drawn_faces import DST, SRC, draw_person, write_faceset
from lookalike.faceset import list_faces
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Message

COUNT = 6


def drawn_workspace(folder: Path) -> Workspace:
    """A workspace with six faces a side; src's video is a folder of the pictures they were cut from."""
    frames = folder / "drawn.mp4"
    frames.mkdir()
    for number in range(COUNT):
        Image.fromarray(draw_person(SRC, number)[0]).save(frames / f"{number + 1:05d}.png")
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("src", frames)
    write_faceset(workspace.aligned("src"), SRC, COUNT)
    write_faceset(workspace.aligned("dst"), DST, COUNT)
    return workspace


def said(events: Iterator[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


def names(folder: Path) -> list[str]:
    return [path.name for path in list_faces(folder)]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_faces(folder)}


def elsewhere(place: Workspace, name: str = "other") -> Workspace:
    """A workspace of the same video, without faces."""
    made = Workspace.create(place.folder.parent / name)
    made.set_video("src", place.video("src"))
    return made
