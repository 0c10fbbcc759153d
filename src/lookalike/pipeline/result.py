"""Which file is a result of this workspace, so that nothing else is ever overwritten."""

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
    noted = [workspace.done(step) for step in _STEPS]
    there = [n for n in noted if n and Path(n["output"]).is_file() and stamp(Path(n["output"])) == n["stamp"]]
    return max((Path(n["output"]) for n in there), key=lambda p: p.stat().st_mtime_ns, default=None)


def allow_output(workspace: Workspace, output: Path, overwrite: bool) -> None:
    """Refuse to write over a file that this workspace did not make.

    Raises:
        WorkspaceError: there is such a file.
    """
    if not output.exists() or overwrite:
        return
    ours = [workspace.done(step) for step in _STEPS]
    if not any(n.get("output") == str(output.resolve()) and n.get("stamp") == stamp(output) for n in ours):
        raise WorkspaceError(
            f"{output} exists already and is not a result of {workspace.folder}; choose another name, or --overwrite"
        )
