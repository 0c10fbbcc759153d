"""Which file is a result of this workspace, so that nothing else is ever overwritten."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lookalike.errors import VideoOpenError, WorkspaceError
from lookalike.pipeline.workspace import Workspace

_STEPS = ("merge", "encode")
PROOF = ("protection.json", "protection.html")
"""Files in the report's folder about a disguise: figures, page."""


def stamp(path: Path) -> str:
    """Size and time of a file, to know it again."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def watched(path: Path) -> Callable[[], None]:
    """A check that a video is still the one that it is now: what was read of another one must not be kept.

    Returns:
        Raises VideoOpenError once the file has another size or time, or is gone. A folder of images is not looked at.
    """
    before = stamp(path) if path.is_file() else None

    def check() -> None:
        if before is not None and not (path.is_file() and stamp(path) == before):
            raise VideoOpenError(
                f"{path} was changed or taken away while it was read; put it back, and run the same command again"
            )

    return check


def recorded_result(workspace: Workspace) -> Path | None:
    """The newest result of a step that is still there unchanged."""
    there = [path for step in _STEPS if (path := made_by(workspace, step)) is not None]
    return max(there, key=lambda p: p.stat().st_mtime_ns, default=None)


def made_by(workspace: Workspace, step: str) -> Path | None:
    """The file that a step wrote, if it is still there unchanged; in the workspace, too, if that was moved since."""
    noted = workspace.done(step)
    if not noted:
        return None
    written = Path(noted["output"])
    places = (workspace.folder / written.name, written)
    known = noted["stamp"], noted.get("before")
    return next((path for path in places if path.is_file() and stamp(path) in known), None)


def noting(
    workspace: Workspace, step: str, output: Path, seal: Callable[[Path], object], facts: Callable[[], dict[str, Any]]
) -> Callable[[Path], None]:
    """A seal that also notes a result before it gets its name, so that a kill between the two finds it known.

    Args:
        workspace: whose result it is.
        step: that makes it.
        output: its name to be. What lies there until then may be written over, also by the next run.
        seal: what is done to the file before.
        facts: what the step notes besides, asked for when the file is finished.
    """

    def finish(path: Path) -> None:
        seal(path)
        before = {"before": stamp(output)} if output.is_file() else {}
        workspace.note(step, output=str(output), stamp=stamp(path), **before, **facts())

    return finish


def forget_proof(workspace: Workspace) -> None:
    """Remove what was said of the disguise of an earlier result, before another takes its name."""
    for name in PROOF:
        (workspace.report / name).unlink(missing_ok=True)


def allow_output(workspace: Workspace, output: Path, overwrite: bool, steps: Sequence[str] = _STEPS) -> None:
    """Refuse to write over a file that none of these steps of this workspace made.

    Raises:
        WorkspaceError: there is such a file.
    """
    if not output.exists() or overwrite:
        return
    ours = [path.resolve() for step in steps if (path := made_by(workspace, step)) is not None]
    if output.resolve() not in ours:
        raise WorkspaceError(
            f"{output} exists already and is not a result of {workspace.folder}; choose another name, or --overwrite"
        )
