"""Removing what a workspace holds of people. Nothing outside of it is touched, and no link is followed."""

import contextlib
import errno
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.errors import StorageError, WorkspaceError
from lookalike.pipeline.config import WipeOptions
from lookalike.pipeline.wipe_plan import Plan, plan_wipe, said
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event, Message

_STEP = "wipe"


def wipe(workspace: Workspace, options: WipeOptions | None = None, *, yes: bool = False) -> Iterator[Event]:
    """Remove facesets, models, previews, logs, reports and videos of a workspace; `workspace.toml` stays, emptied.

    What is deleted is not overwritten: on most disks of today that would prove nothing. A killed run is gone on with
    by the next.

    Args:
        options: what stays.
        yes: remove; otherwise only what would go is said.

    Raises:
        WorkspaceError: `yes` was not said, or workspace.toml cannot be read.
        StorageError: something could not be removed; everything else was.
    """
    options = options or WipeOptions()
    plan = plan_wipe(workspace, keep_result=options.keep_result, consents=options.consents, everything=options.all)
    yield from _listed(plan)
    if not yes:
        raise WorkspaceError(
            f"nothing was removed, this was the list; to remove it: lookalike wipe {workspace.folder} --yes"
        )
    removal = Removal()
    for doomed in plan.doomed:
        removal.remove(doomed.path)
    for folder in plan.emptied:
        removal.remove_emptied(folder)
    if removal.failed:
        path, reason = removal.failed[0]
        raise StorageError(
            f"{len(removal.failed)} files or folders could not be removed, such as {said(path)} ({reason}); "
            "see who holds them, and run the same command again"
        )
    workspace.forget()
    yield Message(_STEP, f"removed {removal.files} files; {workspace.folder} holds nothing more of a person than said")


def _listed(plan: Plan) -> Iterator[Event]:
    for doomed in plan.doomed:
        yield Message(_STEP, f"{said(doomed.path)}: {doomed.files} files, {doomed.bytes / 1e6:.1f} MB")
    count, size = sum(one.files for one in plan.doomed), sum(one.bytes for one in plan.doomed)
    yield Message(_STEP, f"in all {count} files, {size / 1e6:.1f} MB")
    for kept in plan.kept:
        yield Message(_STEP, f"stays: {said(kept.path)}, {kept.why}")
    for note in plan.notes:
        yield Message(_STEP, note)


@dataclass(slots=True)
class Removal:
    """Removes trees, whatever their names and permissions; goes on after what cannot be removed."""

    files: int = 0
    """Removed so far."""
    failed: list[tuple[Path, str]] = field(default_factory=list)

    def remove(self, path: Path) -> None:
        """Remove a file, a link (never what it leads to) or a folder with all that is in it."""
        if not _is_folder(path):
            self.files += self._done(path, path.unlink)
            return
        for inner in self._inside(path):
            self.remove(inner)
        self._done(path, path.rmdir)

    def remove_emptied(self, folder: Path) -> None:
        """Remove a folder unless something is left in it."""
        with contextlib.suppress(OSError):
            folder.rmdir()

    def _inside(self, folder: Path) -> list[Path]:
        found: list[Path] = []
        self._done(folder, lambda: found.extend(folder.iterdir()))
        return found

    def _done(self, path: Path, work: Callable[[], None]) -> bool:
        """Do something to a file or folder; once more with permission, if its owner took that away."""
        for last in (False, True):
            try:
                work()
                return True
            except FileNotFoundError:
                return False
            except OSError as exc:
                if last or exc.errno not in (errno.EACCES, errno.EPERM):
                    self.failed.append((path, exc.strerror or str(exc)))
                    return False
                _permit(path)
        return False


def _permit(path: Path) -> None:
    """Let a file and the folder it lies in be changed by their owner."""
    for one in (path.parent, path):
        with contextlib.suppress(OSError):
            if not one.is_symlink():
                one.chmod(stat.S_IMODE(one.stat().st_mode) | stat.S_IRWXU)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
