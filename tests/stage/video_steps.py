"""What the tests of frames, cut and denoise share."""

from collections.abc import Iterator
from pathlib import Path

from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Message, Progress


def said(events: Iterator[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Message))


def stopped_after(events: Iterator[Event], done: int) -> None:
    """Drop a step when so much is done, as a kill would."""
    for event in events:
        if isinstance(event, Progress) and event.done >= done:
            break
    events.close()  # type: ignore[attr-defined]


def workspace_of(folder: Path, video: Path) -> Workspace:
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("src", video)
    return workspace


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".png", ".jpg"))
