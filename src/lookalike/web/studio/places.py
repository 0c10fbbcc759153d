"""The workspaces that a studio serves: the folders in one root folder, named by one word each."""

from pathlib import Path

from lookalike.errors import WorkspaceError
from lookalike.pipeline.workspace import Workspace

LONGEST_NAME = 100
"""Characters of a new workspace's name."""
LONGEST_PART = 255
"""Bytes of a part of a path; no file system knows longer ones."""


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
            return sorted(path.name for path in self.root.iterdir() if is_one_part(path.name) and self._serves(path))
        except OSError as exc:
            raise WorkspaceError(f"{self.root} cannot be read ({exc.strerror}); choose another folder") from exc

    def workspace(self, name: str) -> Workspace:
        """One of them.

        Raises:
            NoWorkspaceError: there is none of that name, or the name leads out of the root folder.
        """
        path = self.root / name
        if not is_one_part(name) or not self._serves(path):
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
        return is_workspace(path) and path.resolve() == self.root / path.name


def is_workspace(folder: Path) -> bool:
    """Whether a folder is a workspace."""
    return (folder / "workspace.toml").is_file()


def is_one_part(name: str) -> bool:
    """Whether a name is one part of a path, no hidden one, and can be a part of an address, too."""
    fits = 0 < len(name.encode("utf-8", "replace")) <= LONGEST_PART and name[0] != "."
    return fits and not any(c in "/\\\x7f" or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def is_plain(name: str) -> bool:
    """Whether a new workspace may have a name, on any system."""
    return is_one_part(name) and len(name) <= LONGEST_NAME and name.isprintable() and not set(name) & set(':*?"<>|')


def inside(folder: Path, name: str) -> Path | None:
    """A file in a folder by the name that a request gave; none if the name or a link leads elsewhere."""
    path = folder / name
    return path if is_one_part(name) and path.is_file() and path.resolve() == folder.resolve() / name else None
