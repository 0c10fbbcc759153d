"""Which file is a result of this workspace, so that nothing else is ever overwritten."""

from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import WorkspaceError
from lookalike.pipeline.workspace import Workspace

_STEPS = ("merge", "encode")


def stamp(path: Path) -> str:
    """Size and time of a file, to know it again."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


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
    return next((path for path in places if path.is_file() and stamp(path) == noted["stamp"]), None)


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
