"""The workspaces that a studio serves: the folders in one root folder, named by one word each."""

from pathlib import Path

from lookalike.errors import WorkspaceError
from lookalike.pipeline.workspace import Workspace

LONGEST_NAME = 100


class NoWorkspaceError(WorkspaceError):
    """No workspace of that name is served."""


class Places:
    """The root folder and what lies in it."""

    def __init__(self, folder: Path) -> None:
        """Serve a folder of workspaces, or a workspace and its neighbours.

        Raises:
            WorkspaceError: the folder is missing or a file.
        """
        folder = folder.resolve()
        if not folder.is_dir():
            raise WorkspaceError(f"{folder} is no folder; name a workspace, or a folder to keep workspaces in")
        self.first = folder.name if is_workspace(folder) else None
        """The workspace that was asked for."""
        self.root = folder.parent if self.first else folder

    def names(self) -> list[str]:
        """The workspaces in name order."""
        try:
            return sorted(path.name for path in self.root.iterdir() if self._serves(path))
        except OSError as exc:
            raise WorkspaceError(f"{self.root} cannot be read ({exc.strerror}); choose another folder") from exc

    def workspace(self, name: str) -> Workspace:
        """One of them.

        Raises:
            NoWorkspaceError: there is none of that name, or the name leads out of the root folder.
        """
        path = self.root / name
        if not is_plain(name) or not self._serves(path):
            raise NoWorkspaceError(f"no workspace here is called {name[:LONGEST_NAME]!r}")
        return Workspace(path)

    def new(self, name: str) -> Path:
        """Where a new workspace goes.

        Raises:
            WorkspaceError: the name cannot be used, or something lies there already.
        """
        if not is_plain(name):
            raise WorkspaceError(f"{name[:LONGEST_NAME]!r} cannot be a workspace's name; use letters, digits, - and _")
        path = self.root / name
        if path.exists():
            raise WorkspaceError(f"{name} is there already; choose another name")
        return path

    def _serves(self, path: Path) -> bool:
        return is_workspace(path) and path.resolve().parent == self.root


def is_workspace(folder: Path) -> bool:
    """Whether a folder is a workspace."""
    return (folder / "workspace.toml").is_file()


def is_plain(name: str) -> bool:
    """Whether a name is one part of a path, and no hidden one."""
    good = 0 < len(name) <= LONGEST_NAME and name[0] != "." and name.isprintable()
    return good and not any(c in '/\\:*?"<>|' for c in name)
