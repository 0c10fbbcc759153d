"""A look over the shoulder of a reader: Python tells of everything that it opens, starts or connects to."""

import os
import sys
from pathlib import Path
from typing import Any, Final

_STARTS: Final = (
    *(
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "subprocess.Popen",
    ),
    *("pty.spawn", "pickle.find_class", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"),
    *("webbrowser.open", "ctypes.dlopen", "urllib.Request", "shutil.copyfile", "shutil.move", "shutil.rmtree"),
)
_CHANGES: Final = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("os.utime", "os.mkfifo", "os.mknod"),
)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Notes what a reader must not do. There is one a process, as it cannot be taken off again."""

    def __init__(self, scratch: Path) -> None:
        """Begin to listen.

        Args:
            scratch: the only folder in which anything may be written.
        """
        self._scratch = str(scratch.resolve())
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _STARTS:
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and not self._may(path):
                self.seen.append(f"wrote {path!r:.200}")
        elif event in _CHANGES and not all(self._may(path) for path in arguments if isinstance(path, str | bytes)):
            self.seen.append(f"{event} {arguments!r:.200}")

    def _may(self, path: object) -> bool:
        if isinstance(path, int):
            return True
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        return os.path.realpath(name).startswith(self._scratch) or name == os.devnull
