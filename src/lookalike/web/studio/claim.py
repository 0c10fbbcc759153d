"""One studio a folder: two would run two queues, each of which knows nothing of the other's jobs."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from lookalike.errors import WorkspaceError


class Claim:
    """On a folder of workspaces. The operating system frees that of a studio that died."""

    def __init__(self, root: Path) -> None:
        """Nothing is claimed before `take`."""
        self._root, self._folder = root, root / ".studio"
        self._lock: FileLock | None = None

    def take(self) -> None:
        """Claim it; a folder that cannot be written or locked is served without.

        Raises:
            WorkspaceError: another studio serves it.
        """
        if self._lock is not None or self._folder.is_symlink():
            return
        with contextlib.suppress(OSError, NotImplementedError):
            self._folder.mkdir(exist_ok=True)
            lock = FileLock(self._folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout as exc:
                raise WorkspaceError(
                    f"another studio{self._owner()} serves {self._root}; its page shows all workspaces there, or end it"
                ) from exc
            self._lock = lock
            (self._folder / "owner").write_text(str(os.getpid()))

    def give_back(self) -> None:
        """Let others serve the folder."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                (self._folder / "owner").unlink(missing_ok=True)
                self._lock.release()
        self._lock = None

    def _owner(self) -> str:
        """Words for the process that holds it; empty if it did not say."""
        try:
            return f" (process {int((self._folder / 'owner').read_text()[:20])})"
        except (OSError, ValueError):
            return ""
