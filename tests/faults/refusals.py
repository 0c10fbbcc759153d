"""Faults that the operating system reports: a full disk, no permission, no memory."""

import ctypes
import errno
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

from faults.child import Child, Ended
from faults.fault import DONE, REFUSED, Fault, Scene
from faults.hook import Hook, Operation, refusal, refuse_from_now

_DESTROYS: Final = re.compile(r"\b(delete|remove|anew|extract again|backup back)\b")
_LOADER: Final = 127
"""With it glibc's loader ends a process whose new thread gets no memory."""
_ROOM: Final = 512 * 2**20
_CAPABILITIES: Final = 0x20080522
"""Version 3 of Linux's capability sets, of two words each."""
_OVERRIDES: Final = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


class _Harmless(Fault):
    """Trouble that passes: no file is worse for it."""

    def trouble(self, ended: Ended) -> str | None:
        """A person must not be told to throw away what is whole."""
        found = super().trouble(ended)
        if found is None and ended.code == REFUSED and _DESTROYS.search(ended.last_line):
            return "asks to throw away what is whole"
        return found


class _Refused(_Harmless):
    """An operation fails, and so do all that need the same from then on."""

    lasts = True

    def strike(self, hook: Hook, operation: Operation) -> None:
        refuse_from_now(hook, operation, self.kind)


class DiskFull(_Refused):
    """No room for new files, as Python's own calls see it."""

    kind = "disk full"


class NoPermission(_Refused):
    """Nothing may be changed any more."""

    kind = "no permission"


class ReadOnlyDisk(_Refused):
    """The disk was mounted anew, read-only, as Linux does after an error."""

    kind = "read-only disk"


class TooManyFiles(_Refused):
    """No file can be opened any more."""

    kind = "too many open files"


class InputOutputError(_Harmless):
    """One operation fails as of a bad block; later ones do not."""

    kind = "input/output error"

    def strike(self, hook: Hook, operation: Operation) -> None:
        raise refusal(errno.EIO, operation.path)


class OutOfMemory(_Harmless):
    """One allocation fails, on whichever thread."""

    kind = "out of memory"

    def strike(self, hook: Hook, operation: Operation) -> None:
        raise MemoryError


class MemoryLimit(_Harmless):
    """The process gets little more memory than it has; native code meets that, too, and may end it."""

    kind = "memory limit"
    lasts = True
    codes = frozenset({DONE, REFUSED, -signal.SIGSEGV, -signal.SIGABRT, _LOADER})

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._more = int(rng.uniform(0, 48) * 2**20)
        self.hit = f"{self._more >> 20} MiB more"

    def strike(self, hook: Hook, operation: Operation) -> None:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + self._more, resource.RLIM_INFINITY))


class FileSizeLimit(_Harmless):
    """Files may grow to a size and no further: real short writes, also within native writers."""

    kind = "file size limit"
    lasts = True

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._most = int(2 ** rng.uniform(0, 18))
        self.hit = f"{self._most} bytes"

    def strike(self, hook: Hook, operation: Operation) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._most, hard))


class SmallDisk(_Harmless):
    """A disk of its own that fills up while the run is at work; then somebody makes room."""

    kind = "disk full (tmpfs)"
    lasts = True

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._more = int(2 ** rng.uniform(12, 20.5))
        self.hit = f"{self._more >> 10} KiB free"

    def before(self) -> None:
        self._hold(os.statvfs(self.scene.place.folder), self._more)

    def strike(self, hook: Hook, operation: Operation) -> None:
        """Nothing: the disk is full by itself."""

    def after(self) -> None:
        mount(self.scene.place.folder, _ROOM, again=True)

    def fell(self, ended: Ended) -> bool:
        return ended.code != DONE

    def _hold(self, disk: os.statvfs_result, more: int) -> None:
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        mount(self.scene.place.folder, used + more, again=True)


class ReadOnlyFolder(_Harmless):
    """A folder of the workspace loses its write permission; then somebody gives it back."""

    kind = "read-only folder"

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._folders: list[Path] = []

    def begin(self) -> None:
        obey_permissions()

    def meanwhile(self, child: Child) -> None:
        workspace = self.scene.place.workspace
        there = [workspace, self.scene.place.folder, *sorted(path for path in workspace.rglob("*") if path.is_dir())]
        folder = self.rng.choice([path for path in there if path.is_dir()])
        folder.chmod(0o555)
        self._folders.append(folder)
        self.hit = self.scene.place.name(folder)

    def after(self) -> None:
        for folder in self._folders:
            if folder.exists():
                folder.chmod(0o755)
        moved = (path for path in self.scene.place.folder.rglob("*") if path.is_dir())
        for folder in moved:  # it may have another name by now
            folder.chmod(0o755)


def obey_permissions() -> None:
    """Have root bound by permissions, as everybody else is: give up the capabilities that override them."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        return
    words = ctypes.c_uint32 * 6
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), words()
    library = ctypes.CDLL(None, use_errno=True)
    library.capget(header, sets)
    for place in range(3):  # effective, permitted and inheritable, of capabilities 0 to 31
        sets[place] &= ~_OVERRIDES
    if library.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")


def mount(folder: Path, size: int, *, again: bool = False) -> None:
    """Mount a disk in memory over an empty folder, or with `again` give the one there another size.

    Raises:
        OSError: it may not be mounted.
    """
    options = f"{'remount,' if again else ''}size={size}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(errno.EPERM, done.stderr.strip() or "mount failed", str(folder))


def unmount(folder: Path) -> None:
    """Take a disk away that was mounted here."""
    subprocess.run(["umount", str(folder)], capture_output=True, check=True)


def why_no_disks(scratch: Path) -> str | None:
    """Why no disk can be mounted here; None if one can."""
    folder = scratch / "disk"
    folder.mkdir(exist_ok=True)
    try:
        mount(folder, 2**20)
    except OSError as exc:
        return exc.strerror
    unmount(folder)
    return None
