"""Counts what a process does to files, and does something at one of these moments."""

import errno
import mmap
import os
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_SHARED: Final = mmap.mmap(-1, 16)
"""Where a child stands, seen by its parent also after a kill: step, operations so far, the one struck, its step."""
_FORM: Final = "iiii"
_WRITES: Final = {"os.mkdir", "os.rmdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.utime"}
_READS: Final = {"os.listdir", "os.scandir"}

_quiet = False

Deed = Callable[["Hook", "Operation"], None]


class Operation:
    """One thing that is about to be done to a file or folder."""

    __slots__ = ("event", "makes", "path", "writes")

    def __init__(self, event: str, path: str, *, writes: bool, makes: bool) -> None:
        self.event, self.path = event, path
        self.writes = writes
        """It changes something on the disk."""
        self.makes = makes
        """It needs new room there."""


class Hook:
    """Watches the operations below a folder; on any thread."""

    def __init__(self, folder: Path, at: int = 0, deed: Deed | None = None) -> None:
        """`deed` is done at operation number `at`, from 1; what it sets as `after` is done at each later one."""
        self._folder, self._at, self._deed = str(folder), at, deed
        self.after: Callable[[Operation], None] | None = None
        self._count, self._busy, self._lock = 0, threading.local(), threading.Lock()

    def install(self) -> None:
        """Begin; cannot be undone, so only in a process of its own."""
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        operation = _operation(event, arguments, self._folder)
        if operation is None or getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            with self._lock:
                self._count += 1
                number, after = self._count, self.after
            _write(1, number)
            if after is not None:
                after(operation)
            if number == self._at and self._deed is not None:
                _write(2, number)
                _write(3, struct.unpack_from("i", _SHARED)[0])
                self._deed(self, operation)
        finally:
            self._busy.now = False


def enter(step: int) -> None:
    """A child is in another step."""
    if not _quiet:
        _write(0, step)


def quiet() -> None:
    """This process is not the one that is watched."""
    global _quiet
    _quiet = True


def where() -> tuple[int, int, int, int]:
    """Step, operations so far, the operation that was struck, or 0, and its step; of the last child."""
    step, done, struck, its_step = struct.unpack_from(_FORM, _SHARED)
    return step, done, struck, its_step


def reset() -> None:
    """Forget the last child."""
    struct.pack_into(_FORM, _SHARED, 0, 0, 0, 0, 0)


def refusal(number: int, path: str) -> OSError:
    """What the operating system would say."""
    return OSError(number, os.strerror(number), path)


def _write(place: int, value: int) -> None:
    struct.pack_into("i", _SHARED, place * 4, value)


def _operation(event: str, arguments: tuple[Any, ...], folder: str) -> Operation | None:
    """What an audit event does to something below a folder; None for other events and places."""
    if event == "open":
        path, _, flags = arguments
        writes = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        makes = bool((flags or 0) & os.O_CREAT)
    elif event in _WRITES:
        path, writes, makes = arguments[0], True, event in ("os.mkdir", "os.link", "os.symlink")
    elif event in _READS:
        path, writes, makes = arguments[0], False, False
    else:
        return None
    if isinstance(path, int) or path is None:
        return None
    text = os.path.join(folder, os.fsdecode(path))  # noqa: PTH118 - of every event; a Path costs more
    return Operation(event, text, writes=writes, makes=makes) if text.startswith(folder) else None


LASTING: Final = {
    "disk full": errno.ENOSPC,
    "no permission": errno.EACCES,
    "read-only disk": errno.EROFS,
    "too many open files": errno.EMFILE,
}
"""What is refused from one moment on."""


def refuse_from_now(hook: Hook, operation: Operation, kind: str) -> None:
    """Refuse this operation and all later ones that the kind of trouble touches."""
    number = LASTING[kind]

    def refuse(later: Operation) -> None:
        touched = later.writes if number in (errno.EACCES, errno.EROFS) else later.makes
        if number == errno.EMFILE:
            touched = later.event in ("open", "os.listdir", "os.scandir")
        if touched:
            raise refusal(number, later.path)

    hook.after = refuse
    refuse(operation)
